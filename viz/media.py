"""Pictures from bytes, safely: known formats only, capped before decoding, one line for each
refusal."""

import hashlib
import io
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
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")


def safe_name(name: str) -> str:
    """Return a name fit for display: no folders, no control characters, 80 at most."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(c for c in last if c.isprintable())[:80] or "picture"


def load(path: str | Path) -> Clip:
    """Read a picture file; MediaError when it is missing, too large or not a picture."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise OSError(EINVAL, "not a regular file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _too_heavy(safe_name(path.name), size)
        return read(path.read_bytes(), path.name)
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        reason = getattr(problem, "strerror", None) or problem
        raise MediaError(
            f"{safe_name(path.name)} could not be read ({reason}); give the path of "
            f"a {ACCEPTED} file."
        ) from problem


def read(content: bytes, name: str) -> Clip:
    """Decode a picture to a one-frame Clip: EXIF orientation applied, alpha over white, 8-bit RGB.

    An animated file gives its first frame. At most 64 MB and 40 million pixels, both checked before
    anything is decoded; sides of at least 16 px, at most 32 times as long as wide.
    """
    name = safe_name(name)
    if not content:
        raise MediaError(f"{name} is empty (0 bytes); give a {ACCEPTED} file.")
    if len(content) > MAX_BYTES:
        raise _too_heavy(name, len(content))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                _check_size(name, *picture.size)
                frame = _to_rgb(picture)
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


def _too_heavy(name: str, size: int) -> MediaError:
    return MediaError(
        f"{name} has {size / 2**20:.0f} MB; up to {MAX_BYTES // 2**20} MB is accepted. Scale "
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


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"{name} is {width} x {height} pixels; up to {MAX_PIXELS / 1e6:.0f} million are "
            "accepted. "
            "Scale it down first."
        )
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise MediaError(
            f"{name} is {width} x {height} pixels; sides of at least {MIN_SIDE} px, at most "
            f"{MAX_ASPECT} times as long as wide, are accepted. Crop or scale it."
        )


def _to_rgb(picture: Image.Image) -> np.ndarray:
    picture.seek(0)
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
