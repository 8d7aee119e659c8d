"""What the header of a picture claims, held against the bytes that are there.

A decoder makes room for what a header says and goes over it as often as it says, before it finds
that there is nothing behind it.
"""

import re

from PIL import Image

from errors import MediaError

MOST_SCANS = 100
"""Passes over a progressive JPEG; programs write 10, the most that are of any use are some 60."""
_JPEG_PIXELS = 1024
"""Pixels that a byte of a JPEG may stand for: Huffman codes have a bit a block of 64 at least."""
_PNG_BYTES = 1100
"""Bytes of pixels that a byte of a PNG may stand for: deflate packs by 1,032 at most."""
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""What ends the data of a scan: not a stuffed 255, not a restart."""
MOST_EXIF = 64
"""Segments of EXIF in a JPEG: Pillow joins them, one after another, and programs write one."""
_EXIF = b"Exif\0\0"
MOST_COEFFICIENTS = 600_000_000
"""Values of a progressive JPEG, of which the decoder holds all, 2 bytes each."""
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_SCAN, _END = 0xDA, 0xD9
_CHANNELS = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I": 2, "LA": 2, "RGB": 3, "RGBA": 4}


def check(name: str, picture: Image.Image, content: bytes) -> None:
    """Raise MediaError where an open picture of these bytes is far more work than it is data."""
    pixels = picture.width * picture.height
    if picture.format in ("JPEG", "MPO"):
        _check_data(name, picture, content, pixels / _JPEG_PIXELS)
        _check_coefficients(name, picture)
        _check_scans(name, content)
    elif picture.format == "PNG" and not getattr(picture, "is_animated", False):
        sent = pixels / 8 if picture.mode == "1" else pixels * _CHANNELS.get(picture.mode, 1)
        packed = 8 if picture.mode == "P" else 1  # palettes of two colours have 8 pixels a byte
        _check_data(name, picture, content, sent / packed / _PNG_BYTES)


def check_start(content: bytes) -> None:
    """Raise MediaError for a JPEG that would be copied over and over while it is opened."""
    if content[:2] == b"\xff\xd8" and content.count(_EXIF) > MOST_EXIF:
        raise MediaError(
            f"A JPEG with more than {MOST_EXIF} segments of EXIF is refused; export it again."
        )


def _check_coefficients(name: str, picture: Image.Image) -> None:
    values = picture.width * picture.height * len(picture.getbands())
    if picture.info.get("progressive") and values > MOST_COEFFICIENTS:
        raise MediaError(
            f"{name} is a progressive JPEG of {values / 1e6:.0f} million values, of which up to "
            f"{MOST_COEFFICIENTS / 1e6:.0f} million are accepted; scale it down, or save it plain."
        )


def _check_data(name: str, picture: Image.Image, content: bytes, least: float) -> None:
    if len(content) < least:
        raise MediaError(
            f"{name} claims {picture.width} x {picture.height} pixels in {len(content):,} bytes, "
            "which is less than there can be; it is cut short. Fetch it again."
        )


def _check_scans(name: str, content: bytes) -> None:
    if scans(content) > MOST_SCANS:
        raise MediaError(
            f"{name} is a JPEG of more than {MOST_SCANS} scans; up to that many are accepted. "
            "Export it again."
        )


def scans(content: bytes) -> int:
    """Return how many scans the first picture of a JPEG has; counting ends beyond MOST_SCANS."""
    count, place = 0, 2
    while count <= MOST_SCANS and (found := _MARKER.search(content, place)):
        kind, place = content[found.end() - 1], found.end()
        if kind == _END:
            break
        if kind not in _ALONE:
            place += int.from_bytes(content[place : place + 2], "big")
        count += kind == _SCAN
    return count
