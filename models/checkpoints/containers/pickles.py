"""Pickles read as data: what a file asks for is written down, and nothing of it is ever looked up,
imported or called.

A global stays a ``Named``, a call stays a ``Described``, and both are refused unless the caller
admits the name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from errors import CheckpointError
from models.checkpoints.containers import stack_machine
from models.checkpoints.containers.stack_machine import plain_key

Admit = Callable[[str], None]
"""Takes the dotted name of a global; CheckpointError if the file may not name it."""

MAX_COPIED = 4 * 2**30
_ITEM_BYTES = 512

_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_REMEDY = "refused, and nothing was run. Give the network's state_dict, saved alone."


@dataclass(frozen=True)
class Named:
    """A global that the file names; never looked up."""

    dotted: str


@dataclass(eq=False)
class Described:
    """A call that the file asks for, never made: what, with which arguments and state."""

    what: str
    args: tuple
    state: object = None


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


def describe(file: BinaryIO, admit: Admit, *, storages: bool = False) -> Pickle:
    """Read one pickle from ``file`` and stop right after it; CheckpointError if it is damaged or
    asks for what ``admit`` refuses.

    ``storages`` admits persistent ids, which only torch files have.
    """
    rules = _Rules(admit, storages)
    return Pickle(stack_machine.run(file, rules), rules.names, rules.made, rules.found)


@dataclass(eq=False)
class _Rules:
    """Everything is written down; only plain containers are made."""

    admit: Admit
    storages: bool
    copied: int = 0
    names: set[str] = field(default_factory=set)
    made: list[Described] = field(default_factory=list)
    found: list[Stored] = field(default_factory=list)

    def named(self, module: str, name: str) -> Named:
        dotted = f"{_PYTHON_2.get(module, module)}.{name}"
        self.admit(dotted)
        self.names.add(dotted)
        return Named(dotted)

    def call(self, function: object, args: tuple) -> object:
        if not isinstance(function, Named):
            what = "the result of a call" if isinstance(function, Described) else "a value"
            raise CheckpointError(f"asks to run {what}; {_REMEDY}")
        if function.dotted == "builtins.getattr":
            _check_getattr(args)
        self.charge(args)
        if function.dotted in _CONTAINERS:
            return _CONTAINERS[function.dotted](*args)
        self.made.append(Described(function.dotted, args))
        return self.made[-1]

    def charge(self, args: tuple) -> None:
        """Bound what calls copy: one long list can be given to each of a million calls."""
        for arg in args:
            if isinstance(arg, str | bytes):
                self.copied += len(arg)
            elif isinstance(arg, list | tuple | dict):
                self.copied += len(arg) * _ITEM_BYTES
        if self.copied > MAX_COPIED:
            raise CheckpointError(f"is a pickle bomb: it copies the same data endlessly; {_REMEDY}")

    def build(self, target: object, state: object) -> None:
        if isinstance(target, Described) and not target.what.startswith("torch."):
            target.state = state
        elif not (type(target) is dict and type(state) is dict and set(state) <= {"_metadata"}):
            raise CheckpointError(f"sets attributes of what it holds; {_REMEDY}")

    def stored(self, claim: object) -> Stored:
        if not self.storages:
            raise CheckpointError(f"refers to data outside its pickle; {_REMEDY}")
        self.found.append(Stored(claim))
        return self.found[-1]

    def extension(self, code: int) -> None:
        refuse(f"extension {code}")


def _check_getattr(args: tuple) -> None:
    """mmengine's buffers name their own methods through getattr; nothing else may."""
    if not (args and isinstance(args[0], Named) and args[0].dotted.startswith("mmengine.")):
        refuse("builtins.getattr")


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
    "_codecs.encode": _encoded,
    "builtins.bytes": lambda: b"",
}
"""The calls that are made: plain containers, and bytes as Python 3 writes them for Python 2."""
