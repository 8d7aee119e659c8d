"""Heat over pictures: colour, blend, colour bar, and the papers' marks."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import matplotlib
import numpy as np

from errors import OutsideError
from models.blocks.layout import Grid
from viz.geometry import Box, Geometry
from viz.rendering import heat as heats
from viz.rendering.heat import Heat
from viz.types import AttentionMap, Cell, Clip, Look, moment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORMAPS: dict[str, str] = {
    "inferno": "Inferno (perceptually uniform)",
    "viridis": "Viridis (perceptually uniform)",
    "magma": "Magma (perceptually uniform)",
    "cividis": "Cividis (colour-blind safe)",
    "gray": "Greys (for print)",
    "jet": "Jet (as in the papers)",
}
Paint = Callable[[np.ndarray, int], np.ndarray]
GREEN, WHITE = (0, 220, 60), (255, 255, 255)
_NARROWEST = 144
"""Pixels below which frames of a clip are enlarged, so that the words around them fit."""
_STARTS = (np.arange(256 * 3, dtype=np.int32) * 256).reshape(256, 3)
"""Where the 256 blends of a heat level and channel start among all mixtures."""
ARROW = "#00e5ff"
"""Stands out on every colour map on offer."""


def colour_table(name: str) -> np.ndarray:
    """Return the colour map as (256, 3) uint8; one definition for screen and export."""
    if name not in COLORMAPS:
        raise OutsideError(f"Colour map {name!r} came; use one of {', '.join(COLORMAPS)}.")
    return matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3].copy()


def paint(clip: Clip, geometry: Geometry, heat: Heat, look: Look) -> np.ndarray:
    """Blend the heat over the clip's frames: (T, H, W, 3) uint8, each as ``painter`` paints it."""
    paint_frame = painter(geometry, heat, look, len(clip.frames))
    out = np.empty_like(clip.frames)
    for index, frame in enumerate(clip.frames):
        out[index] = paint_frame(frame, index)
    return out


def painter(geometry: Geometry, heat: Heat, look: Look, frames: int) -> Paint:
    """Return what blends the heat over one of ``frames`` frames: (H, W, 3) uint8, its index.

    Outside the part that the network sees, and below the threshold, the picture stays as it is. A
    frame gets the heat of its moment, whose cells are coarser in time than the frames, or finer
    where a single picture was held still: then it gets the first. A moment is enlarged once for
    all of its frames.
    """
    rows, cols = pixel_span(geometry)
    mixed = _mixtures(look)

    @lru_cache(maxsize=1)
    def lit(t: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where shown values lie in the seen part, and where their blends start."""
        size = rows.stop - rows.start, cols.stop - cols.start
        scaled = heats.upsample(heat.values[t : t + 1], *size, look.interpolation)[0].ravel()
        shown = np.flatnonzero(heats.kept(scaled, look))
        levels = np.rint(scaled[shown] * 255).astype(np.uint8)
        return (shown[:, None] * 3 + np.arange(3)).ravel(), _STARTS.take(levels, axis=0).ravel()

    def paint_frame(frame: np.ndarray, index: int) -> np.ndarray:
        out = frame.copy()
        if not heat.constant:
            places, starts = lit(moment(index, frames, len(heat.values)))
            seen = out[rows, cols].copy()
            values = seen.ravel()
            values[places] = mixed.take(starts + values.take(places))
            out[rows, cols] = seen
        return out

    return paint_frame


def _mixtures(look: Look) -> np.ndarray:
    """Return every blend there is, flat uint8: 256 heat levels x 3 channels x 256 pixel values."""
    colours = look.heat_opacity * colour_table(look.colormap)[:, :, None]
    return np.rint((1 - look.heat_opacity) * np.arange(256) + colours).astype(np.uint8).ravel()


def scaled(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a (H, W, 3) frame at another size; the heat is painted after this, never before."""
    if frame.shape[:2] == (height, width):
        return frame
    way = cv2.INTER_AREA if width < frame.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(frame, (width, height), interpolation=way)


def fitted(clip: Clip, widest: float, highest: float) -> tuple[int, int]:
    """Return the size at which frames fit: aspect kept, enlarged only if very narrow."""
    wanted = max(1.0, _NARROWEST / clip.width)
    scale = min(wanted, widest / clip.width, highest / clip.height)
    return max(1, round(clip.width * scale)), max(1, round(clip.height * scale))


def pixel_span(geometry: Geometry) -> tuple[slice, slice]:
    """Return the rows and columns of whole original pixels that the network sees."""
    seen = geometry.seen
    return (
        slice(max(0, round(seen.top)), min(geometry.height, round(seen.bottom))),
        slice(max(0, round(seen.left)), min(geometry.width, round(seen.right))),
    )


def regions(geometry: Geometry, heat: Heat, look: Look, frame: int) -> list[Box]:
    """Return the boxes, in original pixels, of connected regions above the threshold."""
    if heat.constant:
        return []
    rows, cols = pixel_span(geometry)
    scaled = heats.upsample(
        heat.values[frame : frame + 1],
        rows.stop - rows.start,
        cols.stop - cols.start,
        look.interpolation,
    )[0]
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(
        heats.kept(scaled, look).astype(np.uint8), connectivity=8
    )
    return [
        Box(cols.start + x, rows.start + y, cols.start + x + w, rows.start + y + h)
        for x, y, w, h, _area in stats[1:count].tolist()
    ]


def mark(picture: np.ndarray, box: Box, colour: tuple[int, int, int], line: int = 0) -> np.ndarray:
    """Return the (H, W, 3) picture with a rectangle just inside ``box``.

    ``line`` pixels wide, or as the picture's size asks for.
    """
    height, width = picture.shape[:2]
    line = line or max(1, round(min(height, width) / 200))
    first = (min(round(box.left), width - 1), min(round(box.top), height - 1))
    last = (max(first[0], round(box.right) - 1), max(first[1], round(box.bottom) - 1))
    return cv2.rectangle(np.ascontiguousarray(picture).copy(), first, last, colour, line)


def mark_reference(
    picture: np.ndarray, geometry: Geometry, cell: Cell, grid: Grid, line: int = 0
) -> np.ndarray:
    """Return the picture with the green rectangle of the reference patch."""
    return mark(picture, geometry.cell_box(cell.y, cell.x, grid), GREEN, line)


def strongest(attention: AttentionMap, count: int = 20) -> list[Cell]:
    """Return the key cells of the ``count`` highest values, highest first, ties by position.

    Values that are not numbers come last.
    """
    values = np.where(np.isnan(attention.values), -np.inf, attention.values).ravel()
    order = np.argsort(-values, kind="stable")[: max(0, count)]
    places = np.unravel_index(order, attention.values.shape)
    return [Cell(*place) for place in zip(*(axis.tolist() for axis in places), strict=True)]


def frame_of(t: int, frames: int, moments: int) -> int:
    """Return the middle one of the frames whose moment is ``t``."""
    sharing = [k for k in range(frames) if moment(k, frames, moments) == t]
    return sharing[len(sharing) // 2] if sharing else t * frames // moments


def draw_arrows(
    axes: "Axes",
    start: tuple[float, float],
    ends: list[tuple[float, float]],
    line: float,
    colour: str = ARROW,
) -> None:
    """Draw arrows of ``line`` points on axes in pixels, the first (strongest) end on top."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=2.2 * line, foreground="black", alpha=0.55)]
    for depth, end in enumerate(reversed(ends)):
        if end != start:
            arrow = FancyArrowPatch(
                start, end, arrowstyle="-|>", mutation_scale=7 * line, linewidth=line, shrinkA=0,
                shrinkB=0, color=colour, path_effects=outline, zorder=3 + depth,
            )  # fmt: skip
            axes.add_patch(arrow)


def draw_colour_bar(axes: "Axes", heat: Heat, look: Look, unit: float) -> None:
    """Fill axes with the colours, the range they stand for and the cut of the threshold."""
    ramp = colour_table(look.colormap)[None]
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
