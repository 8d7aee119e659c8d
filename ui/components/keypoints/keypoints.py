"""A picture on which ground-truth parts are clicked, in the browser."""

import base64
import hashlib
import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from ui import state
from ui.components.mount import event, mounted
from viz.figure.recipe.recipe import Part

LARGEST = 1600
"""Long side of the picture that is sent, in pixels; larger frames are scaled down."""

_JPEG = {"format": "JPEG", "quality": 90, "subsampling": "4:4:4"}
_KEPT = 8
Size = tuple[int, int]
_pictures: dict[tuple[object, ...], str] = {}


def points(
    clip_frame: np.ndarray,
    parts: Sequence[Part],
    key: str,
    on_add: Callable[[], None],
    on_remove: Callable[[], None],
    size: Size | None = None,
) -> None:
    """Show a frame (H, W, 3) uint8 with a numbered dot a part.

    Parts are in pixels of the file, of which ``size`` is (width, height) where the frame is
    smaller. The callbacks run before the rerun, see ``added`` and ``taken``.
    """
    held = data(clip_frame, parts, size)
    _shown(key).set((held["width"], held["height"], len(parts)))
    mounted("points", "keypoints")(
        key=key, data=held, on_add_change=on_add, on_remove_change=on_remove
    )


def added(key: str) -> tuple[float, float] | None:
    """Return the pixel (x, y) of the frame that was just clicked; None outside the frame."""
    value = event(key, "add")
    width, height, _ = _shown(key).get()
    if not isinstance(value, dict):
        return None
    x, y = value.get("x"), value.get("y")
    return (float(x), float(y)) if _inside(x, width) and _inside(y, height) else None


def taken(key: str) -> int | None:
    """Return which part, from 0, was just removed; None when there is no such part."""
    value = event(key, "remove")
    *_, count = _shown(key).get()
    return value if type(value) is int and 0 <= value < count else None


def data(
    clip_frame: np.ndarray, parts: Sequence[Part], size: Size | None = None
) -> dict[str, object]:
    """Return what the browser gets: the picture as a data address, its true size, the dots."""
    height, width = clip_frame.shape[:2]
    width, height = size or (width, height)
    return {
        "picture": _picture(clip_frame),
        "width": width,
        "height": height,
        "parts": [{"name": part.name, "x": part.x, "y": part.y} for part in parts],
    }


def _shown(key: str) -> state.Key[tuple[int, int, int]]:
    """Width and height of the frame that is shown, and its number of parts."""
    return state.widget(f"{key}-shown", "tuple[int, int, int]", (0, 0, 0))


def _inside(value: object, size: int) -> bool:
    """Tell whether a value is a number from 0 to below ``size``; NaN is not."""
    return type(value) in (int, float) and 0 <= value < size


def _picture(clip_frame: np.ndarray) -> str:
    frame = np.ascontiguousarray(clip_frame)
    key = (frame.shape, hashlib.sha256(frame).hexdigest())
    if key not in _pictures:
        content = _encode(frame)
        while len(_pictures) >= _KEPT:
            _pictures.pop(next(iter(_pictures)), None)
        _pictures[key] = "data:image/jpeg;base64," + base64.b64encode(content).decode()
    return _pictures[key]


def _encode(frame: np.ndarray) -> bytes:
    picture = Image.fromarray(frame)
    scale = LARGEST / max(picture.size)
    if scale < 1:
        size = tuple(max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    packed = io.BytesIO()
    picture.save(packed, **_JPEG)
    return packed.getvalue()
