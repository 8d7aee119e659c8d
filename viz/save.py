"""What a researcher takes away from a view: a PNG, the float32 maps, and how they were made."""

import io
import json
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from models.layout import Grid
from viz import heat as heats
from viz import overlay
from viz.geometry import Geometry
from viz.types import AttentionMap, Cell, Clip, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECIPE_FORMAT = "nonlocal-viz-view/1"
LARGEST_SIDE = 2400
"""Long side in pixels above which the saved view is scaled down."""
_MARGIN, _HEAD, _FOOT, _GAP = 12, 26, 74, 18
_LETTER, _LINE = 5.6, 12
"""Width of a caption's letter and height of its line, in pixels at unit scale."""
_DPI = 100
_PACKAGES = ("torch", "torchvision", "numpy", "pillow", "matplotlib", "opencv-python-headless")
NORMALISATION = {
    "clip": "min-max over the map",
    "frame": "min-max of each frame",
    "fixed": "fixed range",
}


@dataclass(frozen=True, eq=False)
class View:
    """One network's part of a view: its maps for one reference, and which of them is shown large.

    ``choice`` says in words how the maps were chosen; ``grid`` is the query grid of
    ``cell``.
    """

    model_id: str
    model_sha256: str
    title: str
    choice: str
    geometry: Geometry
    grid: Grid
    cell: Cell
    maps: tuple[AttentionMap, ...]
    shown: AttentionMap


def reference_pixel(view: View) -> tuple[float, float]:
    """Return the middle of the reference patch in original pixels."""
    return view.geometry.cell_centre(view.cell.y, view.cell.x, view.grid)


def view_png(clip: Clip, views: list[View], look: Look) -> bytes:
    """Draw each network's overlay with green reference patch, colour bar and caption: PNG bytes.

    Overlays have the picture's own size (up to 2,400 px), side by side; the same view gives the
    same bytes.
    """
    # Imported late: the page shows its first map without it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    clip, views = _within_limit(clip, views)
    unit = max(1.0, max(clip.width, clip.height) / 640)
    margin, head, foot, gap = (round(v * unit) for v in (_MARGIN, _HEAD, _FOOT, _GAP))
    wide = 2 * margin + len(views) * clip.width + (len(views) - 1) * gap
    hot = [heats.normalise(view.shown, look) for view in views]
    letters = max(20, round(clip.width / (_LETTER * unit)))
    captions = [
        wrap(_caption(view, heat, look), letters) for view, heat in zip(views, hot, strict=True)
    ]
    text = round(_LINE * unit) * (max(map(len, captions)) - 1)  # room for lines after the first
    high = 2 * margin + head + clip.height + foot + text
    figure = Figure(figsize=(wide / _DPI, high / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    for k, (view, heat, caption) in enumerate(zip(views, hot, captions, strict=True)):
        left, low = margin + k * (clip.width + gap), margin + text
        box = (left / wide, (low + foot) / high, clip.width / wide, clip.height / high)
        axes = figure.add_axes(box)
        painted = overlay.paint(clip, view.geometry, heat, look)[0]
        axes.imshow(
            overlay.mark_reference(painted, view.geometry, view.cell, view.grid),
            interpolation="none",
        )
        axes.set_axis_off()
        axes.set_title(view.title, fontsize=9 * unit, loc="left", pad=5 * unit, parse_math=False)
        bar = (left / wide, (low + foot * 0.62) / high, clip.width / wide, foot * 0.16 / high)
        _colour_bar(figure, bar, heat, look, unit)
        where = (left / wide, (low + foot * 0.28) / high)
        figure.text(
            *where,
            "\n".join(caption),
            fontsize=7 * unit,
            va="top",
            linespacing=1.1,
            parse_math=False,
        )
    packed = io.BytesIO()
    canvas.print_png(packed, metadata={"Software": None})
    return packed.getvalue()


def _within_limit(clip: Clip, views: list[View]) -> tuple[Clip, list[View]]:
    long_side = max(clip.width, clip.height)
    if long_side <= LARGEST_SIDE:
        return clip, views
    size = tuple(max(1, round(v * LARGEST_SIDE / long_side)) for v in (clip.width, clip.height))
    frame = np.asarray(Image.fromarray(clip.frames[0]).resize(size, Image.Resampling.LANCZOS))
    scaled = [
        replace(view, geometry=replace(view.geometry, width=size[0], height=size[1]))
        for view in views
    ]
    return replace(clip, frames=frame[None]), scaled


def _colour_bar(
    figure: "Figure",
    box: tuple[float, float, float, float],
    heat: heats.Heat,
    look: Look,
    unit: float,
) -> None:
    axes = figure.add_axes(box)
    ramp = overlay.colour_table(look.colormap)[None]
    axes.imshow(ramp, aspect="auto", extent=(0, 1, 0, 1))
    axes.axvspan(0, look.threshold, color="white", alpha=0.75, linewidth=0)
    axes.axvline(look.threshold, color="black", linewidth=1.2 * unit)
    axes.set_yticks([])
    ticks = {0.0: f"{heat.low:.3g}", 1.0: f"{heat.high:.3g}"}
    if 0.12 < look.threshold < 0.88:
        ticks[look.threshold] = f"cut {look.threshold:.2f}"
    axes.set_xticks(list(ticks), list(ticks.values()), fontsize=6.5 * unit)
    axes.get_xticklabels()[0].set_ha("left")
    axes.get_xticklabels()[1].set_ha("right")
    axes.tick_params(length=2 * unit, width=0.6 * unit, pad=1.5 * unit)


def _caption(view: View, heat: heats.Heat, look: Look) -> str:
    if heat.constant:
        return f"{view.shown.label}: constant map, nothing shown"
    return (
        f"{view.shown.label}, reference row {view.cell.y} column {view.cell.x}; "
        f"{NORMALISATION[look.normalise]}; shown from {look.threshold:.2f}"
    )


def maps_npz(views: list[View]) -> bytes:
    """Pack the float32 maps: ``values`` (K, T, h, w) and ``labels`` (K,) with their reference.

    A second network's arrays end in ``_2``. Opens with ``numpy.load(file, allow_pickle=False)``.
    """
    arrays: dict[str, np.ndarray] = {}
    for number, view in enumerate(views, start=1):
        end = "" if number == 1 else f"_{number}"
        arrays |= {
            f"values{end}": np.stack([m.values for m in view.maps]).astype(np.float32),
            f"labels{end}": np.array([m.label for m in view.maps]),
            f"meaning{end}": np.array([m.meaning for m in view.maps]),
            f"cell{end}": np.array([view.cell.t, view.cell.y, view.cell.x]),
            f"pixel{end}": np.array(reference_pixel(view)),
            f"grid{end}": np.array(view.grid),
            f"block{end}": np.array(view.shown.query.block),
            f"model{end}": np.array([view.model_id, view.model_sha256]),
        }
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()


def recipe_json(clip: Clip, views: list[View], look: Look, mode: str, size: int) -> bytes:
    """Describe how a view was made: versions, networks and picture by sha256, reference, look."""
    recipe = {
        "format": RECIPE_FORMAT,
        "versions": {name: version(name) for name in _PACKAGES},
        "media": {
            "name": clip.name,
            "sha256": clip.sha256,
            "width": clip.width,
            "height": clip.height,
        },
        "preprocessing": {"mode": mode, "size": size},
        "networks": [_described(view) for view in views],
        "look": asdict(look),
    }
    return (json.dumps(recipe, indent=2, ensure_ascii=False) + "\n").encode()


def _described(view: View) -> dict[str, object]:
    return {
        "model": view.model_id,
        "sha256": view.model_sha256,
        "block": view.shown.query.block,
        "input": [view.geometry.input_width, view.geometry.input_height],
        "grid": list(view.grid),
        "query": {**asdict(view.cell), "pixel": list(reference_pixel(view))},
        "channels": view.choice,
        "maps": [m.label for m in view.maps],
        "shown": view.shown.label,
    }
