"""Heat over pictures: colour, blend, and the papers' marks."""

import cv2
import matplotlib
import numpy as np

from errors import OutsideError
from models.layout import Grid
from viz import heat as heats
from viz.geometry import Box, Geometry
from viz.heat import Heat
from viz.types import Cell, Clip, Look, moment

COLORMAPS: dict[str, str] = {
    "inferno": "Inferno (perceptually uniform)",
    "viridis": "Viridis (perceptually uniform)",
    "magma": "Magma (perceptually uniform)",
    "cividis": "Cividis (colour-blind safe)",
    "gray": "Greys (for print)",
    "jet": "Jet (as in the papers)",
}
GREEN, WHITE = (0, 220, 60), (255, 255, 255)


def colour_table(name: str) -> np.ndarray:
    """Return the colour map as (256, 3) uint8; one definition for screen and export."""
    if name not in COLORMAPS:
        raise OutsideError(f"Colour map {name!r} came; use one of {', '.join(COLORMAPS)}.")
    return matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3].copy()


def paint(clip: Clip, geometry: Geometry, heat: Heat, look: Look) -> np.ndarray:
    """Blend the heat over the clip's frames: (T, H, W, 3) uint8.

    Outside the part that the network sees, and below the threshold, the picture stays as it is. A
    frame gets the heat of its moment, whose cells are coarser in time than the frames, or finer
    where a single picture was held still: then it gets the first.
    """
    out = clip.frames.copy()
    if heat.constant:
        return out
    rows, cols = pixel_span(geometry)
    region = out[:, rows, cols]
    moments = moment(np.arange(len(out)), len(out), len(heat.values))
    scaled = heats.upsample(
        heat.values[moments], region.shape[1], region.shape[2], look.interpolation
    )
    colours = colour_table(look.colormap)[np.rint(scaled * 255).astype(np.uint8)]
    blended = (1 - look.heat_opacity) * region + look.heat_opacity * colours
    shown = heats.kept(scaled, look)[..., None]
    out[:, rows, cols] = np.where(shown, np.rint(blended).astype(np.uint8), region)
    return out


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


def mark(picture: np.ndarray, box: Box, colour: tuple[int, int, int]) -> np.ndarray:
    """Return the (H, W, 3) picture with a rectangle just inside ``box``; line width follows its
    size."""
    height, width = picture.shape[:2]
    line = max(1, round(min(height, width) / 200))
    first = (min(round(box.left), width - 1), min(round(box.top), height - 1))
    last = (max(first[0], round(box.right) - 1), max(first[1], round(box.bottom) - 1))
    return cv2.rectangle(np.ascontiguousarray(picture).copy(), first, last, colour, line)


def mark_reference(picture: np.ndarray, geometry: Geometry, cell: Cell, grid: Grid) -> np.ndarray:
    """Return the picture with the green rectangle of the reference patch."""
    return mark(picture, geometry.cell_box(cell.y, cell.x, grid), GREEN)
