"""Frames that come as pictures: a zip, a folder, or several uploads, in natural order of names."""

import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from errors import MediaError
from viz.media import pictures

RATE = 25
"""Frames a second that pictures without times are given."""
MAX_ENTRIES = 4096
MAX_UNPACKED = 2**30
_ORIENTATION = 0x0112
_SIDEWAYS = 5
_CENTRAL = b"PK\x01\x02"
_SLACK = 16
_HEAD = 2**16
"""Bytes in which most headers end."""
_NOT_FRAMES = ("__MACOSX", "Thumbs.db", "desktop.ini")

Fetch = Callable[[int, int], bytes]


@dataclass(frozen=True, eq=False)
class FrameSet:
    """Pictures of one size; ``fetch`` gives the first bytes, at most so many, of picture k.

    Pictures have no times, so frame n gets n / 25 s.
    """

    name: str
    names: tuple[str, ...]
    fetch: Fetch
    width: int
    height: int

    @property
    def times(self) -> tuple[float, ...]:
        """Seconds of every frame, at 25 frames a second."""
        return tuple(k / RATE for k in range(len(self.names)))

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        """Decode pictures to (T, H, W, 3) uint8; MediaError names one that is damaged."""
        taken = []
        for number in numbers:
            clip = pictures.read(self.fetch(number, pictures.MAX_BYTES + 1), self.names[number])
            if (clip.width, clip.height) != (self.width, self.height):
                raise _differing(
                    self.names[0], (self.width, self.height), clip.name, (clip.width, clip.height)
                )
            taken.append(clip.frames[0])
        return np.stack(taken)


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return the key that sorts f2 before f10, whatever the case."""
    parts = re.split(r"([0-9]+)", name.lower())
    plain = [part.lstrip("0") if k % 2 else part for k, part in enumerate(parts)]
    return [(len(part) if k % 2 else 0, part) for k, part in enumerate(plain)], name


def is_zip(head: bytes) -> bool:
    """Return whether a file that begins so is a zip archive."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def read_zip(content: bytes, name: str) -> FrameSet:
    """List the pictures of a zip in natural order of names, and check every one's header.

    Folders, hidden files and what macOS and Windows add are left out. MediaError for anything
    else than pictures of one size, for names that lead out of the archive, and over the limits.
    """
    pictures.check_weight(name, len(content), pictures.MAX_CLIP_BYTES)
    if content.count(_CENTRAL) > MAX_ENTRIES + _SLACK:
        raise _crowded(name)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as problem:  # zipfile raises almost anything on damaged archives
        raise MediaError(
            f"{name} is a damaged zip ({type(problem).__name__}); pack the frames again."
        ) from problem
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _crowded(name)
    for entry in entries:
        _check_entry(entry, name)
    frames = [e for e in entries if not e.is_dir() and _counts(e.filename)]
    frames.sort(key=lambda entry: natural(entry.filename))
    _check_unpacked(name, sum(entry.file_size for entry in frames))
    return _checked(
        name,
        tuple(pictures.safe_name(entry.filename) for entry in frames),
        lambda k, most: _unpacked(archive, frames[k], most, name),
    )


def read_files(files: Sequence[tuple[str, bytes]], name: str | None = None) -> tuple[FrameSet, str]:
    """Take (name, bytes) of pictures as frames; also return the sha256 of the set.

    That is of every name, in UTF-8 and ended by a zero byte, and the bytes that belong to it, in
    natural order of names, so that a folder and the same files uploaded have the same.
    """
    if not files:
        raise MediaError(
            "No pictures were given; give the frames of a clip as PNG, JPEG or WebP files."
        )
    if len(files) > MAX_ENTRIES:
        raise _crowded(name or "The set")
    kept = sorted(((pictures.safe_name(n), c) for n, c in files), key=lambda file: natural(file[0]))
    name = name or (f"{kept[0][0][:60]} and {len(kept) - 1} more" if kept[1:] else kept[0][0])
    _check_unpacked(name, sum(len(content) for _name, content in kept))
    digest = hashlib.sha256()
    for own, content in kept:
        digest.update(own.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(content)
    names = tuple(own for own, _content in kept)
    return _checked(name, names, lambda k, most: kept[k][1][:most]), digest.hexdigest()


def read_folder(path: Path) -> list[tuple[str, bytes]]:
    """Return (name, bytes) of the pictures in a folder; other files, links, folders are left.

    OSError as the system gives it; MediaError over the limits or without a picture.
    """
    name, total = pictures.safe_name(path.resolve().name), 0
    found: list[tuple[str, bytes]] = []
    for file in path.iterdir():
        if file.is_symlink() or not file.is_file() or not _counts(file.name):
            continue
        with file.open("rb") as opened:
            if not pictures.looks_like_picture(opened.read(16)):
                continue
        total += file.stat().st_size
        _check_unpacked(name, total)
        if len(found) == MAX_ENTRIES:
            raise _crowded(name)
        found.append((file.name, file.read_bytes()))
    if not found:
        raise MediaError(f"{name} is a folder without pictures; give one of {pictures.ACCEPTED}.")
    return found


def _counts(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not any(part.startswith(".") or part in _NOT_FRAMES for part in parts)


def _check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    path = entry.filename.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/") or re.match(r"[A-Za-z]:", path):
        raise MediaError(
            f"{name} holds an entry that leads out of the archive (path traversal, "
            f"{entry.filename[:60]!r}); pack the frames again, without folders."
        )
    if entry.flag_bits & 1:
        raise MediaError(f"{name} is encrypted; pack the frames again without a password.")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, name: str) -> bytes:
    """Return the first bytes of an entry; zipfile gives no more than the size checked before."""
    own = pictures.safe_name(entry.filename)
    pictures.check_weight(own, entry.file_size, pictures.MAX_BYTES)
    try:
        with archive.open(entry) as opened:
            return opened.read(min(most, entry.file_size))
    except Exception as problem:  # decompressors raise almost anything on damaged data
        raise MediaError(
            f"{own} in {name} cannot be unpacked ({type(problem).__name__}); pack the frames again."
        ) from problem


def _checked(name: str, names: tuple[str, ...], fetch: Fetch) -> FrameSet:
    if not names:
        raise MediaError(f"{name} holds no pictures; pack frames as {pictures.ACCEPTED}.")
    first = _size(fetch, 0, names[0], name)
    for k in range(1, len(names)):
        size = _size(fetch, k, names[k], name)
        if size != first:
            raise _differing(names[0], first, names[k], size)
    return FrameSet(name, names, fetch, *first)


def _size(fetch: Fetch, k: int, own: str, name: str) -> tuple[int, int]:
    """Return the upright (width, height) of a picture from its header."""
    try:
        try:
            size, moving = _header(fetch(k, _HEAD))
        except Exception:  # the header is longer, or Pillow wants the whole file
            size, moving = _header(fetch(k, pictures.MAX_BYTES + 1))
    except MediaError:
        raise
    except Exception as problem:  # Pillow raises almost anything on damaged files
        raise MediaError(
            f"{own} in {name} is not a picture that can be read; only {pictures.ACCEPTED} files "
            "can be frames, and a clip is given alone."
        ) from problem
    if moving:
        raise MediaError(f"{own} in {name} is an animation; give it alone, or single pictures.")
    pictures.check_size(own, *size)
    return size


def _header(content: bytes) -> tuple[tuple[int, int], bool]:
    """Return the upright (width, height), and whether it is an animation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), formats=pictures.FORMATS) as picture:
            if picture.format == "GIF" and len(content) == _HEAD:
                raise EOFError("whether it is an animation is seen at its end")
            width, height = picture.size
            turned = "exif" in picture.info and picture.format != "TIFF"  # whose size is upright
            sideways = turned and picture.getexif().get(_ORIENTATION, 1) >= _SIDEWAYS
            moving = picture.format != "TIFF" and getattr(picture, "is_animated", False)
            return ((height, width) if sideways else (width, height)), moving


def _check_unpacked(name: str, total: int) -> None:
    if total > MAX_UNPACKED:
        raise MediaError(
            f"{name} unpacks to {total / 2**20:.0f} MB; up to {MAX_UNPACKED // 2**20} MB are "
            "accepted. Take fewer frames, or smaller ones."
        )


def _crowded(name: str) -> MediaError:
    return MediaError(
        f"{name} holds more than {MAX_ENTRIES:,} entries; up to that many frames are accepted."
        " Take fewer."
    )


def _differing(
    first: str, size: tuple[int, int], second: str, other: tuple[int, int]
) -> MediaError:
    return MediaError(
        f"{first} is {size[0]} x {size[1]} pixels, but {second} is {other[0]} x {other[1]}; "
        "frames of one size are accepted. Scale them first."
    )
