"""The stack machine that pickles are programs for, without hands: whatever a file wants done with
a name or a call is put to the ``Rules``, and the machine itself looks up, imports and runs nothing.

A list or dictionary that refers to itself many times costs nothing here, because nothing is walked.
"""

import codecs
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from errors import CheckpointError

MAX_STEPS = 4_000_000
"""Opcodes of one pickle; the largest published checkpoint has some 30,000."""
MAX_TEXT = 64 * 2**20
"""Bytes of one text, which may take four times that in memory."""
MAX_NUMBER = 1024
"""Bytes of one integer; Python refuses to print what is much longer."""
MAX_KEY = 2**63
"""Python's hash of a whole number is its remainder by 2^61 - 1: below this, few share one."""
MAX_CHUNK = 2 * 2**30


class Rules(Protocol):
    """What becomes of the things that a pickle asks for."""

    def named(self, module: str, name: str) -> object:
        """Return what represents a global."""

    def call(self, function: object, args: tuple) -> object:
        """Return what represents the result of a call."""

    def create(self, kind: object, args: tuple, keywords: dict) -> object:
        """Return what represents an object of a class that is made without its constructor."""

    def extend(self, target: object, items: list) -> None:
        """Note the items of an object that is a list of a kind."""

    def set_items(self, target: object, entries: dict) -> None:
        """Note the entries of an object that is a dictionary of a kind."""

    def build(self, target: object, state: object) -> None:
        """Note the state that is to be put into ``target``."""

    def stored(self, claim: object) -> object:
        """Return what represents a persistent id."""

    def extension(self, code: int) -> object:
        """Return what represents a number of the extension registry."""


def run(file: BinaryIO, rules: Rules) -> object:
    """Run one pickle and stop right after it; CheckpointError if it is damaged or endless."""
    machine = _Machine(file, rules)
    try:
        for _ in range(MAX_STEPS):
            code = machine.take(1)
            if code == b".":
                return machine.stack.pop()
            if code in _PUSHES:
                machine.push(_PUSHES[code](machine))
            else:
                _ACTIONS[code](machine)
    except EOFError as problem:
        raise CheckpointError("is cut off inside its pickle; fetch it again.") from problem
    except (LookupError, ValueError, TypeError, struct.error, MemoryError, OSError) as problem:
        raise CheckpointError(
            f"is damaged: its pickle cannot be followed ({type(problem).__name__}); fetch it again."
        ) from problem
    raise CheckpointError(
        f"has a pickle of more than {MAX_STEPS:,} steps; a state dict saved alone is far smaller."
    )


def plain_key(value: object) -> object:
    """Admit plain keys only: to hash a tuple of tuples of tuples can take for ever, and whole
    numbers beyond MAX_KEY can be made to share one hash."""
    if not isinstance(value, str | bytes | int | float | None):
        raise TypeError("a key that is neither text nor a number")
    if isinstance(value, int) and abs(value) > MAX_KEY:
        raise ValueError("a key that is a number without end")
    return value


@dataclass(eq=False)
class _Machine:
    file: BinaryIO
    rules: Rules
    stack: list = field(default_factory=list)
    marks: list[list] = field(default_factory=list)
    memo: dict[int, object] = field(default_factory=dict)

    def take(self, count: int) -> bytes:
        if not 0 <= count <= MAX_CHUNK:
            raise EOFError
        data = self.file.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def line(self) -> bytes:
        data = self.file.readline(MAX_CHUNK)
        if not data.endswith(b"\n"):
            raise EOFError
        return data[:-1]

    def number(self, layout: str) -> int | float:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def counted(self, layout: str) -> bytes:
        return self.take(self.number(layout))

    def text(self, layout: str) -> str:
        count = self.number(layout)
        if count > MAX_TEXT:
            raise ValueError("text too long")
        return self.take(count).decode("utf-8", "surrogatepass")

    def since_mark(self) -> list:
        items, self.stack = self.stack, self.marks.pop()
        return items

    def named(self, module: object, name: object) -> object:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError("a global without a name")
        return self.rules.named(module, name)

    def line_named(self) -> object:
        return self.named(self.line().decode("utf-8"), self.line().decode("utf-8"))

    def call(self, function: object, args: object) -> None:
        if not isinstance(args, tuple):
            raise TypeError("arguments that are no tuple")
        self.push(self.rules.call(function, args))

    def build(self) -> None:
        state = self.stack.pop()
        self.rules.build(self.stack[-1], state)

    def extend(self, items: list) -> None:
        if type(self.stack[-1]) is list:
            self.stack[-1].extend(items)
        else:
            self.rules.extend(self.stack[-1], items)

    def set_items(self, items: list) -> None:
        if type(self.stack[-1]) is dict:
            self.stack[-1].update(_dictionary(items))
        else:
            self.rules.set_items(self.stack[-1], _dictionary(items))

    def keep(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def close_tuple(self, count: int) -> None:
        if len(self.stack) < count:
            raise IndexError("a tuple of what is not there")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def push(self, value: object) -> None:
        self.stack.append(value)

    def reduce(self) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        self.call(function, args)

    def create(self) -> None:
        self.stack.append({})
        self.create_with_keywords()

    def create_with_keywords(self) -> None:
        keywords, args, kind = self.stack.pop(), self.stack.pop(), self.stack.pop()
        if not isinstance(args, tuple) or type(keywords) is not dict:
            raise TypeError("arguments that are no tuple")
        self.push(self.rules.create(kind, args, keywords))

    def make_marked(self) -> None:
        function, *args = self.since_mark()
        self.call(function, tuple(args))

    def make_named(self) -> None:
        named = self.line_named()
        self.call(named, tuple(self.since_mark()))

    def stack_named(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.push(self.named(module, name))

    def mark(self) -> None:
        self.marks.append(self.stack)
        self.stack = []


def _dictionary(items: list) -> dict:
    if len(items) % 2:
        raise ValueError("a key without a value")
    return {plain_key(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _quoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise ValueError("a string without quotes")
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")


def _integer(line: bytes) -> int | bool:
    return {b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line)


def _signed(data: bytes) -> int:
    if len(data) > MAX_NUMBER:
        raise ValueError("a number without end")
    return int.from_bytes(data, "little", signed=True)


_PUSHES: dict[bytes, Callable[[_Machine], object]] = {
    b"N": lambda _: None,
    b"\x88": lambda _: True,
    b"\x89": lambda _: False,
    b"]": lambda _: [],
    b"}": lambda _: {},
    b")": lambda _: (),
    b"\x8f": lambda _: [],  # a set, of which only the items matter
    b"K": lambda m: m.number("<B"),
    b"M": lambda m: m.number("<H"),
    b"J": lambda m: m.number("<i"),
    b"G": lambda m: m.number(">d"),
    b"F": lambda m: float(m.line()),
    b"I": lambda m: _integer(m.line()),
    b"L": lambda m: int(m.line().removesuffix(b"L")),
    b"\x8a": lambda m: _signed(m.counted("<B")),
    b"\x8b": lambda m: _signed(m.counted("<i")),
    b"S": lambda m: _quoted(m.line()),
    b"T": lambda m: m.counted("<i").decode("latin-1"),
    b"U": lambda m: m.counted("<B").decode("latin-1"),
    b"V": lambda m: m.line()[:MAX_TEXT].decode("raw-unicode-escape"),
    b"X": lambda m: m.text("<I"),
    b"\x8c": lambda m: m.text("<B"),
    b"\x8d": lambda m: m.text("<Q"),
    b"C": lambda m: m.counted("<B"),
    b"B": lambda m: m.counted("<I"),
    b"\x8e": lambda m: m.counted("<Q"),
    b"\x96": lambda m: m.counted("<Q"),
    b"c": _Machine.line_named,
    b"\x82": lambda m: m.rules.extension(m.number("<B")),
    b"\x83": lambda m: m.rules.extension(m.number("<H")),
    b"\x84": lambda m: m.rules.extension(m.number("<i")),
    b"P": lambda m: m.rules.stored(m.line()),
    b"Q": lambda m: m.rules.stored(m.stack.pop()),
    b"g": lambda m: m.memo[int(m.line())],
    b"h": lambda m: m.memo[m.number("<B")],
    b"j": lambda m: m.memo[m.number("<I")],
    b"2": lambda m: m.stack[-1],
    b"t": lambda m: tuple(m.since_mark()),
    b"l": lambda m: m.since_mark(),
    b"d": lambda m: _dictionary(m.since_mark()),
    b"\x91": lambda m: m.since_mark(),
}
"""Opcode -> the value that it puts on the stack (pickletools.dis shows a file in these words)."""

_ACTIONS: dict[bytes, Callable[[_Machine], object]] = {
    b"\x80": lambda m: m.take(1),
    b"\x95": lambda m: m.take(8),
    b"(": _Machine.mark,
    b"0": lambda m: m.stack.pop() if m.stack else m.since_mark(),
    b"1": _Machine.since_mark,
    b"a": lambda m: m.extend([m.stack.pop()]),
    b"e": lambda m: m.extend(m.since_mark()),
    b"\x90": lambda m: m.extend(m.since_mark()),
    b"s": lambda m: m.set_items([m.stack.pop(), m.stack.pop()][::-1]),
    b"u": lambda m: m.set_items(m.since_mark()),
    b"\x85": lambda m: m.close_tuple(1),
    b"\x86": lambda m: m.close_tuple(2),
    b"\x87": lambda m: m.close_tuple(3),
    b"p": lambda m: m.keep(int(m.line())),
    b"q": lambda m: m.keep(m.number("<B")),
    b"r": lambda m: m.keep(m.number("<I")),
    b"\x94": lambda m: m.keep(len(m.memo)),
    b"\x93": _Machine.stack_named,
    b"R": _Machine.reduce,
    b"\x81": _Machine.create,
    b"\x92": _Machine.create_with_keywords,
    b"o": _Machine.make_marked,
    b"i": _Machine.make_named,
    b"b": _Machine.build,
}
"""Opcode -> what it does; any other one is damage."""
