"""Frames that come as pictures: a zip, a folder, or several uploads, in natural order of names."""

import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from errors import MediaError
from viz.media import limits, pictures, series
from viz.media.pixels import upright
from viz.media.pixels.upright import Pixels
from viz.media.stored import Stored

RATE = 25
"""Frames a second that pictures without times are given."""
MAX_ENTRIES = 100_000
MOST_CHECKED = 4096
"""Pictures whose headers are all read at once; of more, those that are used."""
_SLACK = 16
_CENTRAL = b"PK\x01\x02"
_HEAD = 2**16
"""Bytes in which most headers end."""
_PIECE = 2**20
_OF_SEVERAL = ("TIFF", "HEIF", "MPO")
"""Formats whose further pictures are no animation: of these the first is taken."""
_NOT_FRAMES = ("__MACOSX", "Thumbs.db", "desktop.ini")

Fetch = Callable[[int, int], bytes]


@dataclass(frozen=True, eq=False)
class FrameSet:
    """Pictures of one size; ``fetch`` gives the first bytes, at most so many, of picture k.

    Pictures have no times, so frame n gets n / 25 s. ``levels`` are those of deep pictures, see
    pictures.read; ``notes`` say what was left out.
    """

    name: str
    names: tuple[str, ...]
    fetch: Fetch
    width: int
    height: int
    notes: tuple[str, ...] = ()
    levels: tuple[float, float] | None = None

    @property
    def times(self) -> tuple[float, ...]:
        """Seconds of every frame, at 25 frames a second."""
        return tuple(k / RATE for k in range(len(self.names)))

    def frames(self, numbers: Sequence[int], most: int = limits.MAX_SHOWN) -> Pixels:
        """Decode pictures to (T, H, W, 3) uint8, halved until each has at most ``most`` pixels.

        MediaError names one that is damaged or of another size.
        """
        return upright.together(
            lambda k, asked: self._decoded(k, asked, most), numbers, self.levels
        )

    def _decoded(self, k: int, levels: tuple[float, float] | None, most: int) -> Pixels:
        content = self.fetch(k, limits.MAX_BYTES + 1)
        size, found = pictures.decoded(content, self.names[k], levels, most)
        height, width, _rgb = found.values.shape
        if (size or (width, height)) != (self.width, self.height):
            first = self.names[0], (self.width, self.height)
            raise _differing(*first, self.names[k], size or (width, height))
        return found


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return the key that sorts f2 before f10, whatever the case."""
    parts = re.split(r"([0-9]+)", name.lower())
    plain = [part.lstrip("0") if k % 2 else part for k, part in enumerate(parts)]
    return [(len(part) if k % 2 else 0, part) for k, part in enumerate(plain)], name


def is_zip(head: bytes) -> bool:
    """Return whether a file that begins so is a zip archive."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def read_zip(
    stored: Stored, wanted: str | None = None, levels: tuple[float, float] | None = None
) -> FrameSet:
    """List the pictures of a zip in natural order of names, those of one series.

    Folders, hidden files and what macOS and Windows add are left out. MediaError for anything
    else than pictures of one size, for names that lead out of the archive, for several series
    (see viz.media.series; ``wanted`` is the one asked for), and over the limits.
    """
    name = stored.name
    if stored.path is None:
        limits.check_weight(name, stored.size, limits.MAX_CLIP_BYTES)
        if stored.content.count(_CENTRAL) > MAX_ENTRIES + _SLACK:
            raise crowded(name)
    try:
        archive = zipfile.ZipFile(stored.path or io.BytesIO(stored.content))
    except Exception as problem:  # zipfile raises almost anything on damaged archives
        raise MediaError(
            f"{name} is a damaged zip ({type(problem).__name__}); pack the frames again."
        ) from problem
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise crowded(name)
    for entry in entries:
        check_entry(entry, name)
    frames = [e for e in entries if not e.is_dir() and is_wanted(e.filename)]
    frames.sort(key=lambda entry: natural(entry.filename))
    found = FrameSet(
        name,
        tuple(limits.safe_name(entry.filename) for entry in frames),
        lambda k, most: unpacked(archive, frames[k], most, name),
        0, 0, (), levels,
    )  # fmt: skip
    return _checked(found, tuple(entry.filename for entry in frames), wanted)


def read_files(
    files: Sequence[tuple[str, bytes]],
    name: str | None = None,
    levels: tuple[float, float] | None = None,
) -> tuple[FrameSet, str]:
    """Take (name, bytes) of pictures as frames; also return the sha256 of the set.

    That is of every name, in UTF-8 and ended by a zero byte, and the bytes that belong to it, in
    natural order of names, so that a folder and the same files uploaded have the same. Of pictures
    of several series it is that of the frames that are used.
    """
    if not files:
        raise MediaError(
            "No pictures were given; give the frames of a clip as PNG, JPEG or WebP files."
        )
    if len(files) > MAX_ENTRIES:
        raise crowded(name or "The set")
    kept = sorted(((limits.safe_name(n), c) for n, c in files), key=lambda file: natural(file[0]))
    name = name or (f"{kept[0][0][:60]} and {len(kept) - 1} more" if kept[1:] else kept[0][0])
    return _of_stored([Stored(own, content) for own, content in kept], name, None, levels)


def read_folder(
    path: Path, wanted: str | None = None, levels: tuple[float, float] | None = None
) -> tuple[FrameSet, str]:
    """Take the pictures in a folder as frames; also return the sha256 of the set, as read_files.

    Other files, links and folders are left. Pictures stay on the disk until they are used, but are
    read once for the sha256. OSError as the system gives it; MediaError over the limits, without a
    picture, or for several series (``wanted`` is the one asked for).
    """
    name = limits.safe_name(path.resolve().name)
    found = list(islice((file for file in path.iterdir() if _is_picture(file)), MAX_ENTRIES + 1))
    if len(found) > MAX_ENTRIES:
        raise crowded(name)
    if not found:
        raise MediaError(f"{name} is a folder without pictures; give one of {pictures.ACCEPTED}.")
    kept = sorted(
        (Stored(limits.safe_name(file.name), path=file) for file in found),
        key=lambda stored: natural(stored.name),
    )
    return _of_stored(kept, name, wanted, levels)


def _of_stored(
    kept: Sequence[Stored],
    name: str,
    wanted: str | None = None,
    levels: tuple[float, float] | None = None,
) -> tuple[FrameSet, str]:
    names = tuple(one.name for one in kept)
    whole = FrameSet(name, names, lambda k, most: _first(kept[k], most), 0, 0, (), levels)
    found = _checked(whole, names, wanted)
    used = iter(kept)
    return found, _digest([next(s for s in used if s.name == own) for own in found.names])


def _digest(kept: Sequence[Stored]) -> str:
    digest = hashlib.sha256()
    for one in kept:
        digest.update(one.name.encode("utf-8", "surrogateescape") + b"\0")
        with one.open() as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()


def _first(stored: Stored, most: int) -> bytes:
    with stored.open() as file:
        return file.read(most)


def _is_picture(file: Path) -> bool:
    """Tell whether a file in a folder is a picture of its own."""
    if file.is_symlink() or not file.is_file() or not is_wanted(file.name):
        return False
    with file.open("rb") as opened:
        return pictures.looks_like_picture(opened.read(16))


def is_wanted(name: str) -> bool:
    """Tell whether a file of an archive or folder is neither hidden nor a system's own."""
    parts = name.replace("\\", "/").split("/")
    return not any(part.startswith(".") or part in _NOT_FRAMES for part in parts)


def check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    """Refuse an entry of the archive ``name`` that leads out of it, or is encrypted."""
    path = entry.filename.replace("\\", "/")
    if not path:
        raise MediaError(f"{name} holds an entry without a name; pack the frames again.")
    if path.startswith("/") or ".." in path.split("/") or re.match(r"[A-Za-z]:", path):
        raise MediaError(
            f"{name} holds an entry that leads out of the archive (path traversal, "
            f"{entry.filename[:60]!r}); pack the frames again, without folders."
        )
    if entry.flag_bits & 1:
        raise MediaError(f"{name} is encrypted; pack the frames again without a password.")


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, name: str) -> bytes:
    """Return the first bytes of an entry of the archive ``name``; zipfile gives no more than the
    size checked before."""
    own = limits.safe_name(entry.filename)
    limits.check_weight(own, entry.file_size, limits.MAX_BYTES)
    try:
        with archive.open(entry) as opened:
            return opened.read(min(most, entry.file_size))
    except Exception as problem:  # decompressors raise almost anything on damaged data
        raise MediaError(
            f"{own} in {name} cannot be unpacked ({type(problem).__name__}); pack the frames again."
        ) from problem


def _checked(whole: FrameSet, paths: Sequence[str], wanted: str | None) -> FrameSet:
    """Return the frames of one series out of all, of one size; ``paths`` are names with folders."""
    if not paths:
        raise MediaError(f"{whole.name} holds no pictures; pack frames as {pictures.ACCEPTED}.")
    checked = range(len(paths)) if len(paths) <= MOST_CHECKED else ()
    sizes = {k: _size(whole, k) for k in checked}
    places, notes = series.chosen(paths, whole.name, wanted)
    first = places[0]
    size = sizes[first] if first in sizes else _size(whole, first)
    for k in places:
        if sizes.get(k, size) != size:
            raise _differing(whole.names[first], size, whole.names[k], sizes[k])
    return FrameSet(
        whole.name,
        tuple(whole.names[k] for k in places),
        lambda k, most: whole.fetch(places[k], most),
        *size,
        notes,
        whole.levels,
    )


def _size(found: FrameSet, k: int) -> tuple[int, int]:
    """Return the upright (width, height) of a picture from its header."""
    own = found.names[k]
    try:
        try:
            size, moving = _header(found.fetch(k, _HEAD))
        except Exception:  # the header is longer, or Pillow wants the whole file
            size, moving = _header(found.fetch(k, limits.MAX_BYTES + 1))
    except MediaError:
        raise
    except Exception as problem:  # Pillow raises almost anything on damaged files
        raise MediaError(
            f"{own} in {found.name} is not a picture that can be read; only {pictures.ACCEPTED} "
            "files can be frames, and a clip is given alone."
        ) from problem
    if moving:
        raise MediaError(
            f"{own} in {found.name} is an animation; give it alone, or single pictures."
        )
    limits.check_size(own, *size)
    return size


def _header(content: bytes) -> tuple[tuple[int, int], bool]:
    """Return the upright (width, height), and whether it is an animation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pictures.opened(content) as picture:
            if picture.format == "GIF" and len(content) == _HEAD:
                raise EOFError("whether it is an animation is seen at its end")
            moving = picture.format not in _OF_SEVERAL and getattr(picture, "is_animated", False)
            return pictures.upright_size(picture), moving


def crowded(name: str) -> MediaError:
    """Return the refusal of an archive with too many entries."""
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
