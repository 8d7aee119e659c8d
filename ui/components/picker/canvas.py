"""What the picker draws on: frames as a browser decodes them, and the view in their pixels."""

import hashlib
import io
from dataclasses import replace

import numpy as np
from PIL import Image

from viz.geometry import Geometry
from viz.rendering.screen_png import screen_png
from viz.types import Clip

STILL_SIDES, CLIP_SIDES = (480, 640), (320, 480)
"""Long side of a frame on the canvas, in pixels, of a still picture and of a clip: smaller and
larger ones are scaled to the nearer number."""

JPEG = {"format": "JPEG", "quality": 92, "subsampling": "4:4:4"}

_KEPT = 8
_encoded: dict[tuple[object, ...], tuple[bytes, ...]] = {}


def canvas_size(clip: Clip) -> tuple[int, int]:
    """Return (width, height) of a frame on the canvas."""
    smallest, largest = STILL_SIDES if len(clip.frames) == 1 else CLIP_SIDES
    long_side = max(clip.width, clip.height)
    scale = min(max(long_side, smallest), largest) / long_side
    return max(1, round(clip.width * scale)), max(1, round(clip.height * scale))


def canvas_frames(clip: Clip) -> tuple[bytes, ...]:
    """Return the frames that the canvas draws on: a still picture as a PNG, so that screen and
    export agree; the frames of a clip as JPEGs."""
    key = _identity(clip)
    if key not in _encoded:
        frames = _encode(clip)
        while len(_encoded) >= _KEPT:
            _encoded.pop(next(iter(_encoded)), None)
        _encoded[key] = frames
    return _encoded[key]


def _identity(clip: Clip) -> tuple[object, ...]:
    """The file, the frames taken from it, and one pixel in 256: enough to tell clips apart, without
    hashing every pixel at every rerun. A still picture is hashed whole."""
    step = 1 if len(clip.frames) == 1 else 16
    pixels = hashlib.sha256(clip.frames[:, ::step, ::step].tobytes()).hexdigest()
    return clip.sha256, clip.numbers, clip.levels, clip.timestamps, clip.frames.shape, pixels


def _encode(clip: Clip) -> tuple[bytes, ...]:
    still = len(clip.frames) == 1
    size, encoded = canvas_size(clip), []
    for frame in clip.frames:
        picture = Image.fromarray(frame)
        if size != picture.size:
            gap = None if still else 3.0  # shrinks large frames in two steps, which is faster
            picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=gap)
        encoded.append(screen_png(np.asarray(picture)) if still else _jpeg(picture))
    return tuple(encoded)


def _jpeg(picture: Image.Image) -> bytes:
    packed = io.BytesIO()
    picture.save(packed, **JPEG)
    return packed.getvalue()


def canvas_geometry(geometry: Geometry, clip: Clip) -> Geometry:
    """Return the geometry of the canvas picture: the same view, in canvas pixels."""
    width, height = canvas_size(clip)
    return replace(geometry, width=width, height=height)
