"""A file's bytes: held in memory, as uploads are, or left on the disk and read as needed."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from viz.media import pictures

HEAD = 1024
"""Bytes by which formats are told apart."""


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
        pictures.check_weight(self.name, self.size, most)
        if self.path is None:
            return self.content
        return self.path.read_bytes()

    @property
    def sha256(self) -> str:
        """The sha256 of all bytes, read once, a piece at a time."""
        with self.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
