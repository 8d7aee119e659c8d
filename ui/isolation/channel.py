"""What goes between the server and a child: JSON over a socket, and blocks of shared memory beside
it. Nothing is pickled, so that a child that was taken over can send nothing but values."""

import fcntl
import json
import mmap
import os
import socket
import struct
import tempfile
import time
from collections.abc import Iterable, Sequence

import numpy as np

MOST_TEXT = 64 * 2**20
"""Bytes of a message; the frames of a clip are in blocks."""
MOST_BLOCKS = 8
_TOLD_EVERY_S = 0.2
_LENGTH = struct.Struct(">I")
_PIECE = 2**20
_ADD_SEALS, _GET_SEALS = 1033, 1034
_SEALED = 0x1 | 0x2 | 0x4 | 0x8
"""No more seals, no shrinking, no growing, no writing: what was checked stays as it is."""


SHARE = "share"
"""The one entry of messages that tell how much of a job is done, before its answer."""


class BrokenChannelError(Exception):
    """The other side is gone, or sent what is no message."""


def send(to: socket.socket, message: dict, blocks: Sequence[int] = ()) -> None:
    """Send a message and the descriptors of its blocks."""
    text = json.dumps(message).encode()
    if len(text) > MOST_TEXT or len(blocks) > MOST_BLOCKS:
        raise BrokenChannelError("a message that is too long")
    socket.send_fds(to, [_LENGTH.pack(len(text))], list(blocks))
    to.sendall(text)


def receive(source: socket.socket) -> tuple[dict, list[int]]:
    """Return the next message and the descriptors of its blocks, which the caller closes."""
    start, blocks, _flags, _address = socket.recv_fds(source, _LENGTH.size, MOST_BLOCKS)
    try:
        start += _exactly(source, _LENGTH.size - len(start))
        (length,) = _LENGTH.unpack(start)
        if length > MOST_TEXT:
            raise BrokenChannelError("a message that is too long")
        message = json.loads(_exactly(source, length))
        if not isinstance(message, dict):
            raise BrokenChannelError("a message that is no object")
    except (ValueError, RecursionError) as problem:
        close(blocks)
        raise BrokenChannelError("a message that is no JSON") from problem
    except BaseException:
        close(blocks)
        raise
    return message, blocks


def share(message: dict) -> float:
    """Return which share of a job is done, 0 to 1, as a message tells it."""
    told = message[SHARE]
    if type(told) not in (int, float) or not 0 <= told <= 1:
        raise BrokenChannelError("a share that is none")
    return float(told)


def _exactly(source: socket.socket, count: int) -> bytes:
    pieces = []
    while count:
        piece = source.recv(min(count, _PIECE))
        if not piece:
            raise BrokenChannelError("the other side is gone")
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


class Teller:
    """Tells the server now and then how much of a job is done; without one, in a process that is no
    child, nothing."""

    def __init__(self) -> None:
        self.server: socket.socket | None = None
        self._last = 0.0

    def reached(self, done: float, whole: float) -> None:
        """Tell that so much of the whole is done."""
        now = time.monotonic()
        if self.server is not None and whole > 0 and now - self._last > _TOLD_EVERY_S:
            self._last = now
            send(self.server, {SHARE: min(1.0, done / whole)})


TELLER = Teller()


def block(content: bytes | np.ndarray) -> int:
    """Return the descriptor of a new block that holds ``content`` and cannot be changed."""
    return joined([content])


def joined(pieces: Iterable[bytes | np.ndarray]) -> int:
    """Return the descriptor of a new block that holds pieces one after another, each written as it
    comes, and cannot be changed."""
    descriptor = _memory()
    try:
        for piece in pieces:
            _write(descriptor, memoryview(piece))
    except BaseException:
        os.close(descriptor)
        raise
    if hasattr(os, "memfd_create"):
        fcntl.fcntl(descriptor, _ADD_SEALS, _SEALED)
    return descriptor


def _write(descriptor: int, view: memoryview) -> None:
    flat, done = view.cast("B") if view.nbytes else view, 0
    while done < view.nbytes:
        done += os.write(descriptor, flat[done:])


def _memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("nonlocal-viz", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile(prefix="nonlocal-viz-") as file:
        return os.dup(file.fileno())


def content(descriptor: int) -> bytes:
    """Return all bytes of a block."""
    size = os.fstat(descriptor).st_size
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return file.read(size)


def files(request: dict, blocks: Sequence[int]) -> list[tuple[str, bytes]]:
    """Return the names and bytes of a request's files, which lie in one block one after another."""
    whole, found, place = content(blocks[0]), [], 0
    for name, size in zip(request["names"], request["lengths"], strict=True):
        found.append((name, whole[place : place + size]))
        place += size
    return found


def array(descriptor: int, shape: Sequence[int], dtype: str) -> np.ndarray:
    """Return a block as an array, not copied: what is written to it stays in this process.

    BrokenChannelError where the block has another size, or could still be changed by its sender.
    """
    kind, count = np.dtype(dtype), 1
    for side in shape:
        if type(side) is not int or side < 1:
            raise BrokenChannelError("a block without a shape")
        count *= side
    if os.fstat(descriptor).st_size != count * kind.itemsize:
        raise BrokenChannelError("a block of another size")
    if hasattr(os, "memfd_create") and fcntl.fcntl(descriptor, _GET_SEALS) != _SEALED:
        raise BrokenChannelError("a block that is not sealed")
    held = mmap.mmap(descriptor, count * kind.itemsize, access=mmap.ACCESS_COPY)
    return np.frombuffer(held, kind).reshape(tuple(shape))


def length(descriptor: int, dtype: str) -> int:
    """Return how many values of a type a block holds."""
    return os.fstat(descriptor).st_size // np.dtype(dtype).itemsize


def close(blocks: Sequence[int]) -> None:
    """Close descriptors."""
    for descriptor in blocks:
        os.close(descriptor)
