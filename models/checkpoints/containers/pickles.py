"""Pickles read as data: what a file asks for is written down, and nothing of it is ever looked up,
imported or called.

A global stays a ``Named``, a call stays a ``Described``, and both are refused unless the caller
admits the name.
"""

import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from errors import CheckpointError
from models.checkpoints.containers import stack_machine
from models.checkpoints.containers.stack_machine import plain_key

Admit = Callable[[str], None]
"""Takes the dotted name of a global; CheckpointError if the file may not name it."""

MAX_COPIED = 256 * 2**20
"""Bytes that calls may copy beyond twice what was read: Python 2's arrays are copied once."""
_ITEM_BYTES = 128

_REMEDY = "refused, and nothing was run. Give the network's state_dict, saved alone."
_STORAGE = re.compile(
    rb"\('storage', <class '(torch\.(?:\w+\.)*\w+Storage)'>, '([^']*)', '([^']*)', (\d{1,19})"
    rb"(?:, None)?\)"
)
"""A persistent id in protocol 0, which writes it as text."""
_MODULE = re.compile(rb"\('module', <class '((?:\w+\.)+)(\w+)'>, .*")


@dataclass(frozen=True)
class Named:
    """A global that the file names; never looked up."""

    dotted: str


@dataclass(eq=False)
class Described:
    """A call that the file asks for, never made: what, with which arguments and state; and the
    items or entries of what is a list or a dictionary of a kind."""

    what: str
    args: tuple
    state: object = None
    items: list = field(default_factory=list)
    entries: dict = field(default_factory=dict)

    @property
    def attributes(self) -> dict:
        """What the object holds under names: its entries and its state, as far as these are
        dictionaries; (state, slots) is how objects with slots are written."""
        parts = [self.args[0]] if len(self.args) == 1 else []
        parts += [self.entries, *(self.state if type(self.state) is tuple else [self.state])]
        found: dict = {}
        for part in parts:
            if type(part) is dict:
                found |= part
        return found


class Stored(NamedTuple):
    """A persistent id: in torch files the claim to a storage outside the pickle."""

    claim: object


class Pickle(NamedTuple):
    """One pickle: its value, and every global, ``Described`` and ``Stored`` on the way."""

    value: object
    names: set[str]
    made: list[Described]
    stored: list[Stored]


def refuse(dotted: str) -> None:
    """Refuse a global by its name; the ``Admit`` of a pickle that may name none."""
    raise CheckpointError(f"asks to run '{dotted[:200]}'; {_REMEDY}")


def anything(_dotted: str) -> None:
    """Admit every call of what may be named."""


def describe(
    file: BinaryIO, admit: Admit, admit_call: Admit = anything, *, storages: bool = False
) -> Pickle:
    """Read one pickle from ``file`` and stop right after it; CheckpointError if it is damaged,
    names what ``admit`` refuses or calls what ``admit_call`` does.

    ``storages`` admits persistent ids, which only torch files have.
    """
    rules = _Rules(file, admit, admit_call, storages)
    return Pickle(stack_machine.run(file, rules), rules.names, rules.made, rules.found)


@dataclass(eq=False)
class _Rules:
    """Everything is written down; only plain containers are made."""

    file: BinaryIO
    admit: Admit
    admit_call: Admit
    storages: bool
    copied: int = 0
    names: set[str] = field(default_factory=set)
    made: list[Described] = field(default_factory=list)
    found: list[Stored] = field(default_factory=list)

    def named(self, module: str, name: str) -> Named:
        # Protocols 0 to 2 have Python 2's names of the library, which any reader translates.
        module, name = NAME_MAPPING.get((module, name), (module, name))
        dotted = f"{IMPORT_MAPPING.get(module, module)}.{name}"
        self.admit(dotted)
        self.names.add(dotted)
        return Named(dotted)

    def call(self, function: object, args: tuple) -> object:
        if not isinstance(function, Named):
            what = "the result of a call" if isinstance(function, Described) else "a value"
            raise CheckpointError(f"asks to run {what}; {_REMEDY}")
        self.charge(args)
        if function.dotted in _CREATORS:
            return self.create(*_CREATORS[function.dotted](*args))
        if function.dotted == "builtins.getattr":
            _check_getattr(args)
        self.admit_call(function.dotted)
        return self._described(function.dotted, args)

    def create(self, kind: object, args: tuple, keywords: dict) -> object:
        self.charge(args)
        if not isinstance(kind, Named):
            raise CheckpointError(f"asks to make an object of a value; {_REMEDY}")
        return self._described(kind.dotted, (*args, keywords) if keywords else args)

    def _described(self, dotted: str, args: tuple) -> object:
        if dotted in _CONTAINERS:
            return _CONTAINERS[dotted](*args)
        self.made.append(Described(dotted, args))
        return self.made[-1]

    def extend(self, target: object, items: list) -> None:
        if not isinstance(target, Described):
            raise TypeError("items for what is no list")
        target.items.extend(items)

    def set_items(self, target: object, entries: dict) -> None:
        if not isinstance(target, Described):
            raise TypeError("entries for what is no dictionary")
        target.entries.update(entries)

    def charge(self, args: tuple) -> None:
        """Bound what calls copy: one long list can be given to each of a million calls."""
        self.copied += len(args) * _ITEM_BYTES
        for arg in args:
            if isinstance(arg, str | bytes):
                self.copied += len(arg)
            elif isinstance(arg, list | tuple | dict):
                self.copied += len(arg) * _ITEM_BYTES
        if self.copied > MAX_COPIED and self.copied > MAX_COPIED + 2 * self.file.tell():
            raise CheckpointError(f"is a pickle bomb: it copies the same data endlessly; {_REMEDY}")

    def build(self, target: object, state: object) -> None:
        if isinstance(target, Described) and not target.what.startswith("torch._"):
            target.state = state
        elif not (type(target) is dict and type(state) is dict and set(state) <= {"_metadata"}):
            raise CheckpointError(f"sets attributes of what it holds; {_REMEDY}")

    def stored(self, claim: object) -> object:
        if not self.storages:
            raise CheckpointError(f"refers to data outside its pickle; {_REMEDY}")
        if isinstance(claim, bytes):
            claim = self._of_text(claim)
        match claim:
            case ("module", Named() as kind, *_):  # whole modules, with their source beside them
                return kind
        self.found.append(Stored(claim))
        return self.found[-1]

    def _of_text(self, text: bytes) -> tuple | bytes:
        """Return the claim that protocol 0 writes as text."""
        if module := _MODULE.fullmatch(text):
            home, name = module[1].decode().removesuffix("."), module[2].decode()
            return ("module", self.named(home, name))
        found = _STORAGE.fullmatch(text)
        if not found:
            return text
        module, _, name = found[1].decode().rpartition(".")
        key, where = found[2].decode("latin-1"), found[3].decode("latin-1")
        return ("storage", self.named(module, name), key, where, int(found[4]))

    def extension(self, code: int) -> None:
        refuse(f"extension {code}")


def _check_getattr(args: tuple) -> None:
    """Objects and mmengine's buffers name their own methods through getattr; nothing else may."""
    owner = args[0] if args else None
    if not isinstance(owner, Described) and not (
        isinstance(owner, Named) and owner.dotted.startswith("mmengine.")
    ):
        refuse("builtins.getattr")


def _reconstructed(kind: object, base: object, state: object = None) -> tuple:
    """Protocols 0 and 1 make objects so; ``state`` is what a number or a text of a kind holds."""
    del base
    return kind, () if state is None else (state,), {}


def _ordered(pairs: object = ()) -> dict:
    return {plain_key(key): value for key, value in pairs}


def _counted(counts: object = None) -> dict:
    if counts is not None and type(counts) is not dict:
        raise TypeError("counts of something else than a dictionary")
    return dict(counts or {})


def _encoded(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError("an encoding that no pickle writer uses")
    return text.encode("latin-1")


_CONTAINERS: dict[str, Callable[..., object]] = {
    "collections.OrderedDict": _ordered,
    "collections.defaultdict": lambda *_: {},
    "collections.Counter": _counted,
    "collections.deque": lambda items=(), *_: list(items),
    "builtins.set": lambda items=(): [plain_key(item) for item in items],
    "builtins.frozenset": lambda items=(): [plain_key(item) for item in items],
    "_codecs.encode": _encoded,
    "builtins.bytes": lambda: b"",
}
"""The calls that are made: plain containers, and bytes as Python 3 writes them for Python 2."""

_CREATORS: dict[str, Callable[..., tuple]] = {
    "copyreg._reconstructor": _reconstructed,
    "copyreg.__newobj__": lambda kind, *args: (kind, args, {}),
    "copyreg.__newobj_ex__": lambda kind, args=(), keywords=None: (kind, args, keywords or {}),
}
"""What makes an object without its constructor -> its class, arguments and keywords."""
