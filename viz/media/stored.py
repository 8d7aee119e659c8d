"""A file's bytes: held in memory, as uploads are, or left on the disk and read as needed."""

import hashlib
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from viz.media import limits

HEAD = 1024
"""Bytes by which formats are told apart."""


_MOST_SEEKS = 10_000
"""Places in a row that a library may go to without reading a byte; beyond, it goes round."""
_TIMED_EVERY = 256
"""Calls from one look at the clock to the next."""


class Bounded:
    """A file for a library that may go round in it for ever: it ends when that is seen, or when
    ``seconds`` are over, and ``is_over`` then tells so."""

    def __init__(self, file: BinaryIO, seconds: float) -> None:
        self._file, self._until = file, time.monotonic() + seconds
        self._seeks = self._calls = 0
        self.is_over = False

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none once it is over."""
        self._seeks = 0
        return b"" if self._ended() else self._file.read(size)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place and return it; -1, which is an error, once it is over."""
        self._seeks += 1
        return -1 if self._ended() else self._file.seek(place, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def _ended(self) -> bool:
        self._calls += 1
        is_late = not self._calls % _TIMED_EVERY and time.monotonic() > self._until
        self.is_over |= self._seeks > _MOST_SEEKS or is_late
        return self.is_over


@dataclass(frozen=True, eq=False)
class Stored:
    """The bytes of a file that is called ``name``: ``content``, or those at ``path``."""

    name: str
    content: bytes = b""
    path: Path | None = None

    def open(self) -> BinaryIO:
        """Return the bytes as a file to read and to seek in; OSError where it is gone."""
        return io.BytesIO(self.content) if self.path is None else self.path.open("rb")

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.content) if self.path is None else self.path.stat().st_size

    @property
    def head(self) -> bytes:
        """The first bytes, at most HEAD."""
        with self.open() as file:
            return file.read(HEAD)

    def whole(self, most: int) -> bytes:
        """Return all bytes; MediaError where they are more than ``most``."""
        limits.check_weight(self.name, self.size, most)
        if self.path is None:
            return self.content
        return self.path.read_bytes()

    @property
    def sha256(self) -> str:
        """The sha256 of all bytes, read once, a piece at a time."""
        with self.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
