"""Pictures from bytes, safely: known formats only, capped before decoding, one line for each
refusal."""

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from errno import EINVAL
from functools import cache
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from errors import MediaError, counted, is_out_of_memory
from viz.media import headers, limits
from viz.media.pixels import levels as deep_levels
from viz.media.pixels import upright
from viz.media.pixels.upright import Pixels
from viz.types import Clip

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")
ACCEPTED = "PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF"
_MOST = {"WEBP": limits.MAX_WEBP_PIXELS}
_TIFF = (b"II*\0", b"MM\0*", b"MM*\0", b"II\0*", b"MM\0+", b"II+\0")
_ISO_PICTURES = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif")
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", *_TIFF)


# Pillow's own lies below; check_size is stricter than both.
Image.MAX_IMAGE_PIXELS = limits.MAX_PIXELS
_ONE_LARGE = threading.Lock()


def looks_like_picture(head: bytes) -> bool:
    """Return whether the first 16 bytes are those of a format in FORMATS."""
    if head[4:8] == b"ftyp":
        return head[8:12] in _ISO_PICTURES
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def load(path: str | Path, levels: tuple[float, float] | None = None) -> Clip:
    """Read a picture file; MediaError when it is missing, too large or not a picture."""
    return read(content_of(path), Path(path).name, levels)


def content_of(path: str | Path, most: int = limits.MAX_BYTES, accepted: str = ACCEPTED) -> bytes:
    """Return the bytes of a regular file of at most ``most`` bytes, or raise MediaError."""
    path = Path(path)
    try:
        check_regular(path)
        limits.check_weight(limits.safe_name(path.name), path.stat().st_size, most)
        return path.read_bytes()
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        raise unreachable(path, problem, accepted) from problem


def check_regular(path: Path) -> None:
    """Raise OSError where a path is there and is no regular file: a pipe would never end."""
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "not a regular file")


def is_tiff(content: bytes) -> bool:
    """Return whether a file that begins so is a TIFF."""
    return content.startswith(_TIFF)


def unreachable(path: Path, problem: Exception, accepted: str = ACCEPTED) -> MediaError:
    """Return the refusal of a path that the system would not read."""
    reason = getattr(problem, "strerror", None) or problem
    return MediaError(
        f"{limits.safe_name(path.name)} could not be read ({reason}); give the path of one of "
        f"these: {accepted}."
    )


def read(
    content: bytes,
    name: str,
    levels: tuple[float, float] | None = None,
    most: int = limits.MAX_SHOWN,
) -> Clip:
    """Decode a picture to a one-frame Clip: turned as EXIF or XMP says, alpha over white, sRGB by
    its ICC profile, 8 bits.

    An animated file gives its first frame. ``levels`` are the values that are black and white in a
    picture of more than 8 bits (None: see viz.media.pixels.levels.found); what was assumed is in
    the clip's notes. At most 256 MB and 200 million pixels, checked before anything is decoded;
    sides of at least 16 px, at most 32 times as long as wide. A picture of more than ``most``
    pixels is halved until it has no more; the clip's width and height stay the file's. Memory:
    4 bytes a pixel of the file, less for JPEGs (they are halved before they are unpacked), 16 for
    WebPs, 2 a value for progressive JPEGs, 1.3 GB at most, one large picture at a time.
    """
    name = limits.safe_name(name)
    if not content:
        raise MediaError(f"{name} is empty (0 bytes); give a {ACCEPTED} file.")
    size, found = decoded(content, name, levels, most)
    digest = hashlib.sha256(content).hexdigest()
    return Clip(
        found.values[None], (0.0,), name, digest, notes=found.notes, size=size,
        shown=found.levels and found.levels.ends, levels=levels,
    )  # fmt: skip


def decoded(
    content: bytes,
    name: str,
    levels: tuple[float, float] | None = None,
    most: int = limits.MAX_SHOWN,
) -> tuple[tuple[int, int] | None, Pixels]:
    """Return the pixels of a picture as ``read`` does, and the (width, height) of the file where
    they were halved."""
    deep_levels.check(levels)
    limits.check_weight(name, len(content), limits.MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(content, name, levels, most)
    except MediaError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError) as problem:
        raise _unreadable(name, content, problem) from problem
    except Exception as problem:  # Pillow's decoders raise almost anything on damaged files
        said = f"and cannot be decoded ({type(problem).__name__}); export it again as {ACCEPTED}."
        raise damaged(name, said, problem) from problem


def damaged(name: str, said: str, problem: Exception) -> MediaError:
    """Return the refusal of a file that a decoder gave up on: it is damaged, and what more is
    ``said``; or there is too little memory for it."""
    if is_out_of_memory(problem):
        return MediaError(
            f"{name} needs more memory than there is for it; scale it down or cut it first."
        )
    return MediaError(f"{name} is damaged {said}")


@contextmanager
def opened(content: bytes) -> Iterator[Image.Image]:
    """Open a picture of one of FORMATS; nothing but its header is read."""
    headers.check_start(content)
    _with_heif()
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        yield picture


@cache
def _with_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)


def _decoded(
    content: bytes, name: str, levels: tuple[float, float] | None, most: int
) -> tuple[tuple[int, int] | None, Pixels]:
    try:
        with opened(content) as picture:
            width, height = picture.size
            limits.check_size(name, width, height, _MOST.get(picture.format, limits.MAX_PIXELS))
            headers.check(name, picture, content)
            factor = limits.halvings(width, height, most)
            _check_depth(name, picture, content, levels)
            picture.seek(0)
            with _ONE_LARGE if width * height > limits.MAX_SHOWN else nullcontext():
                left = _drafted(picture, factor)
                found = upright.upright(picture, content, levels, left)
            size = (height, width) if _is_sideways(picture) else (width, height)
            return size if factor > 1 else None, found
    except UnidentifiedImageError:
        if not is_tiff(content):
            raise
    return _unusual_tiff(content, name, levels, most)


def _drafted(picture: Image.Image, factor: int) -> int:
    """Let a JPEG be unpacked smaller; return the factor that is left to shrink it by."""
    wide = picture.width
    if factor > 1:
        picture.draft(picture.mode, (picture.width // factor, picture.height // factor))
    return factor // max(1, round(wide / picture.width))


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Return (width, height) of an open picture as it will be turned, from its header."""
    width, height = picture.size
    return (height, width) if _is_sideways(picture) else (width, height)


def _is_sideways(picture: Image.Image) -> bool:
    """Tell whether width and height change places; those of a TIFF are upright already."""
    return picture.format != "TIFF" and upright.orientation(picture) >= upright.SIDEWAYS


def _check_depth(
    name: str, picture: Image.Image, content: bytes, levels: tuple[float, float] | None
) -> None:
    if upright.is_deep_colour(picture, content):
        limits.check_size(name, *picture.size, limits.MAX_DEEP_PIXELS)
    elif levels is not None and not upright.is_deep(picture, content):
        raise MediaError(
            f"{name} has 8 bits a value, so that levels do not apply; leave them out, or give a "
            "picture of 16 bits or floating point."
        )


def _unusual_tiff(
    content: bytes, name: str, levels: tuple[float, float] | None, most: int
) -> tuple[tuple[int, int] | None, Pixels]:
    """Decode a TIFF that Pillow does not know, of floating-point colours or doubles, by OpenCV."""
    tags = ImageFileDirectory_v2(content[:8])
    with io.BytesIO(content) as file:
        file.seek(tags.next)
        tags.load(file)
    size = int(tags.get(256, 0)), int(tags.get(257, 0))
    limits.check_size(name, *size, limits.MAX_DEEP_PIXELS)
    factor = limits.halvings(*size, most)
    values = upright.shrunk(upright.decoded(content), factor)
    return size if factor > 1 else None, upright.of_deep(values, deep_levels.Tags(), levels, {})


def _unreadable(name: str, content: bytes, problem: Exception) -> MediaError:
    if isinstance(problem, Image.DecompressionBombError):
        return MediaError(
            f"{name} unpacks to far more than {limits.MAX_PIXELS / 1e6:.0f} million pixels; scale "
            "it down first."
        )
    return MediaError(
        f"{name} is not a picture this program reads ({counted(len(content), 'byte')}); give "
        f"a {ACCEPTED} file."
    )
