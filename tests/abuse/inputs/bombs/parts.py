"""What files that claim, unfold or repeat far more than they weigh are made of."""

import io
import json
import struct
import zipfile
import zlib
from functools import cache

from PIL import Image

MILLION = 10**6


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(header: bytes, *chunks: bytes) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + b"".join(chunks)
        + png_chunk(b"IEND", b"")
    )


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


@cache
def zeros(count: int) -> bytes:
    """Return ``count`` zeros, packed."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(count // 2**20)) + packer.flush()


def picture(side: int = 16, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 90)).save(file, kind, **options)
    return file.getvalue()


def zip_of(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def entry_of(name: str, body: bytes, claimed: int, copies: int = 1) -> bytes:
    """Return a zip whose entries, of names of their own, all have the same packed bytes."""
    raw = body[2:-4] if body[:1] == b"\x78" else body
    first = name.encode()
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(raw), claimed,
                        len(first), 0) + first + raw  # fmt: skip
    names = [name.replace("1", str(k)).encode() for k in range(1, copies + 1)]
    entries = b"".join(
        struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(raw), claimed,
                    len(one), 0, 0, 0, 0, 0, 0) + one
        for one in names
    )  # fmt: skip
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, copies, copies, len(entries), len(local), 0)
    return local + entries + end


def safetensors(header: dict, size: int = 0) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)
