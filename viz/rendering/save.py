"""What a researcher takes away from a view: a PNG, and the float32 maps."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from viz.rendering import overlay, strip
from viz.rendering.strip import LARGEST_SIDE, Page, Panel, Table, View
from viz.types import Clip, Look


def reference_pixel(view: View) -> tuple[float, float]:
    """Return the middle of the reference patch in original pixels."""
    return view.geometry.cell_centre(view.cell.y, view.cell.x, view.grid)


def view_png(clip: Clip, views: list[View], look: Look) -> bytes:
    """Draw each network's overlay with green reference patch, colour bar and caption: PNG bytes.

    Overlays of a picture have its own size (up to 2,400 px), side by side; a clip becomes strips of
    frames. The same view gives the same bytes.
    """
    if len(clip.frames) > 1:
        return strip.png(clip, views, look)
    clip, views = _within_limit(clip, views)
    unit = max(1.0, max(clip.width, clip.height) / 640)
    panels = strip.panels(clip, views, look, clip.width, unit)
    page, corners = abreast(panels, (clip.width, clip.height), unit)
    table = Table(1, clip.width, clip.height, unit)
    for panel, (left, low) in zip(panels, corners, strict=True):
        axes = page.panel(panel, left, low, panel.painted(clip.frames[0], 0), look)
        overlay.draw_arrows(axes, *strip.arrow_ends(panel.view, table, look.arrows), line=unit)
    return page.png()


def abreast(
    panels: list[Panel], size: tuple[int, int], unit: float, below: int = 0
) -> tuple[Page, list[tuple[int, int]]]:
    """Return an empty page for panels side by side, each of a picture of ``size`` pixels.

    ``below`` pixels are left free under all. With it the corners (left, low) that Page.panel wants.
    """
    width, height = size
    margin, head, foot, gap = (
        round(v * unit) for v in (strip.MARGIN, strip.HEAD, strip.FOOT, strip.GAP)
    )
    low = margin + below + strip.caption_room(panels, unit)
    wide = 2 * margin + len(panels) * width + (len(panels) - 1) * gap
    high = low + foot + height + head + margin
    corners = [(margin + k * (width + gap), low) for k in range(len(panels))]
    return Page(wide, high, unit), corners


def _within_limit(clip: Clip, views: list[View]) -> tuple[Clip, list[View]]:
    long_side = max(clip.width, clip.height)
    if long_side <= LARGEST_SIDE:
        return clip, views
    size = tuple(max(1, round(v * LARGEST_SIDE / long_side)) for v in (clip.width, clip.height))
    frame = np.asarray(Image.fromarray(clip.frames[0]).resize(size, Image.Resampling.LANCZOS))
    return replace(clip, frames=frame[None]), [view.sized(*size) for view in views]


def maps_npz(views: list[View], clip: Clip | None = None) -> bytes:
    """Pack the float32 maps: ``values`` (K, T, h, w) and ``labels`` (K,) with their reference.

    A second network's arrays end in ``_2``. ``clip`` adds its frames' ``timestamps`` in s and
    ``numbers`` in the footage, (T,) each. Opens with ``numpy.load(file, allow_pickle=False)``.
    """
    arrays: dict[str, np.ndarray] = {}
    if clip is not None and len(clip.frames) > 1:
        arrays = {"timestamps": np.array(clip.timestamps), "numbers": np.array(_numbers(clip))}
    for number, view in enumerate(views, start=1):
        end = "" if number == 1 else f"_{number}"
        arrays |= {
            f"values{end}": np.stack([m.values for m in view.maps]).astype(np.float32),
            f"labels{end}": np.array([m.label for m in view.maps]),
            f"meaning{end}": np.array([m.meaning for m in view.maps]),
            f"cell{end}": np.array([view.cell.t, view.cell.y, view.cell.x]),
            f"frame{end}": np.array(view.frame),
            f"pixel{end}": np.array(reference_pixel(view)),
            f"grid{end}": np.array(view.grid),
            f"block{end}": np.array(view.shown.query.block),
            f"model{end}": np.array([view.model_id, view.model_sha256]),
        }
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()


def _numbers(clip: Clip) -> tuple[int, ...]:
    return clip.numbers or tuple(range(len(clip.frames)))
