"""Files that Pillow does not write, built byte by byte, and a short clip."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.viz.drawn_clips import animation, frames


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_png(width: int, height: int, depth: int, colour: int, packed: bytes) -> bytes:
    """Return a PNG of any size around ``packed`` image data, which need not be complete."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", packed)
        + png_chunk(b"IEND", b"")
    )


@pytest.fixture
def png_bytes() -> Callable[..., bytes]:
    """Return the maker of PNG files: width, height, bit depth, colour type, packed data."""
    return make_png


@pytest.fixture
def sixteen_bit_png() -> Callable[[np.ndarray], bytes]:
    """Return the maker of 16-bit RGB PNG files from (H, W, 3) uint16."""

    def made(deep: np.ndarray) -> bytes:
        height, width, _rgb = deep.shape
        rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in deep)
        return make_png(width, height, 16, 2, zlib.compress(rows))

    return made


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    """A GIF of 11 frames."""
    path = tmp_path / "reel.gif"
    path.write_bytes(animation(frames(11)))
    return path
