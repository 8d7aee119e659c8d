"""Pictures from bytes, safely: known formats only, capped before decoding, one line for each
refusal. The limits and refusals that clips share with pictures are here too."""

import hashlib
import io
import time
import warnings
from errno import EINVAL
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from errors import MediaError
from viz.types import Clip

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
ACCEPTED = "PNG, JPEG, WebP, TIFF, BMP or GIF"
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 40_000_000
MIN_SIDE = 16
MAX_ASPECT = 32
MAX_CLIP_BYTES = 256 * 2**20
MAX_FRAMES = 40_000
MAX_SECONDS = 600
MAX_FRAME_PIXELS = 4096 * 2304
MAX_SAMPLE_PIXELS = 160_000_000
PATIENCE = 60.0
"""Seconds after which the decoding of one sample is given up."""
_SLACK = 5.0
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_TIFF = (b"II*\0", b"MM\0*", b"MM*\0", b"II\0*", b"MM\0+", b"II+\0")
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", *_TIFF)


def safe_name(name: str) -> str:
    """Return a name fit for display: no folders, no control characters, 80 at most."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(c for c in last if c.isprintable())[:80] or "picture"


def looks_like_picture(head: bytes) -> bool:
    """Return whether the first 16 bytes are those of a format in FORMATS."""
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def load(path: str | Path) -> Clip:
    """Read a picture file; MediaError when it is missing, too large or not a picture."""
    return read(content_of(path), Path(path).name)


def content_of(path: str | Path, most: int = MAX_BYTES, accepted: str = ACCEPTED) -> bytes:
    """Return the bytes of a regular file of at most ``most`` bytes, or raise MediaError."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise OSError(EINVAL, "not a regular file")
        check_weight(safe_name(path.name), path.stat().st_size, most)
        return path.read_bytes()
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        raise unreachable(path, problem, accepted) from problem


def unreachable(path: Path, problem: Exception, accepted: str = ACCEPTED) -> MediaError:
    """Return the refusal of a path that the system would not read."""
    reason = getattr(problem, "strerror", None) or problem
    return MediaError(
        f"{safe_name(path.name)} could not be read ({reason}); give the path of one of these: "
        f"{accepted}."
    )


def read(content: bytes, name: str) -> Clip:
    """Decode a picture to a one-frame Clip: EXIF orientation applied, alpha over white, 8-bit RGB.

    An animated file gives its first frame. At most 64 MB and 40 million pixels, both checked before
    anything is decoded; sides of at least 16 px, at most 32 times as long as wide.
    """
    name = safe_name(name)
    if not content:
        raise MediaError(f"{name} is empty (0 bytes); give a {ACCEPTED} file.")
    check_weight(name, len(content), MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                check_size(name, *picture.size)
                picture.seek(0)
                frame = upright(picture)
    except MediaError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError) as problem:
        raise _unreadable(name, content, problem) from problem
    except Exception as problem:  # Pillow's decoders raise almost anything on damaged files
        raise MediaError(
            f"{name} is damaged and cannot be decoded ({type(problem).__name__}); "
            f"export it again as {ACCEPTED}."
        ) from problem
    return Clip(frame[None], (0.0,), name, hashlib.sha256(content).hexdigest())


def check_weight(name: str, size: int, most: int) -> None:
    """Raise MediaError where ``size`` bytes are more than ``most``."""
    if size > most:
        raise MediaError(
            f"{name} has {size / 2**20:.0f} MB; up to {most // 2**20} MB is accepted. Scale "
            "it down first."
        )


def _unreadable(name: str, content: bytes, problem: Exception) -> MediaError:
    if isinstance(problem, Image.DecompressionBombError):
        return MediaError(
            f"{name} unpacks to far more than {MAX_PIXELS / 1e6:.0f} million pixels; scale it "
            "down first."
        )
    return MediaError(
        f"{name} is not a picture this program reads ({len(content)} bytes); give a {ACCEPTED} "
        "file."
    )


def check_size(name: str, width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raise MediaError where a picture has over ``most`` pixels, or is too small or too long."""
    if width * height > most:
        raise MediaError(
            f"{name} is {width} x {height} pixels; up to {most / 1e6:.3g} million are "
            "accepted. "
            "Scale it down first."
        )
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise MediaError(
            f"{name} is {width} x {height} pixels; sides of at least {MIN_SIDE} px, at most "
            f"{MAX_ASPECT} times as long as wide, are accepted. Crop or scale it."
        )


def check_length(name: str, frames: int, seconds: float = 0.0) -> None:
    """Raise MediaError where a clip has more frames, or is longer, than is accepted."""
    if frames > MAX_FRAMES:
        raise MediaError(
            f"{name} has more than {MAX_FRAMES:,} frames; up to that many are accepted. Cut it "
            "first."
        )
    if seconds > MAX_SECONDS + _SLACK:
        raise MediaError(
            f"{name} lasts {seconds:.0f} s; up to {MAX_SECONDS} s are accepted. Cut it first."
        )


def check_deadline(name: str, deadline: float) -> None:
    """Raise MediaError once time.monotonic() has passed ``deadline``."""
    if time.monotonic() > deadline:
        raise MediaError(
            f"{name} takes more than {PATIENCE:.0f} s to decode; cut it, scale it down, or save "
            "it as H.264 MP4 first."
        )


def upright(picture: Image.Image) -> np.ndarray:
    """Return the current frame of an open picture: (H, W, 3) uint8, turned as its EXIF says,
    alpha over white."""
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in _SIXTEEN_BIT:
        grey = (np.asarray(turned, dtype=np.float64) / 257).clip(0, 255)
        return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
    if turned.mode == "F":
        raise ValueError("floating-point pixels")
    if turned.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in turned.info:
        layered = turned.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        turned = Image.alpha_composite(paper, layered)
    return np.asarray(turned.convert("RGB")).copy()
