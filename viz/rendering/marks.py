"""Marks on pictures: the reference's cell, connected regions, the highest values."""

import cv2
import numpy as np

from viz.geometry import Box, Geometry
from viz.rendering import heat as heats
from viz.rendering.heat import Heat
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, moment

GREEN, WHITE = (0, 220, 60), (255, 255, 255)
"""The reference, and connected regions."""
ARROW = "#00e5ff"
"""Stands out on every colour map on offer."""
PARTS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip
"""Okabe and Ito's colours, which the colour-blind can tell apart; numbers tell the rest."""


def pixel_span(geometry: Geometry) -> tuple[slice, slice]:
    """Return the rows and columns of whole original pixels that the network sees."""
    seen = geometry.seen
    return (
        _whole_pixels(seen.top, seen.bottom, geometry.height),
        _whole_pixels(seen.left, seen.right, geometry.width),
    )


def _whole_pixels(first: float, last: float, size: int) -> slice:
    """Return the whole pixels between two edges, at least one."""
    start = min(max(0, round(first)), size - 1)
    return slice(start, min(size, max(round(last), start + 1)))


def regions(geometry: Geometry, heat: Heat, look: Look, frame: int) -> list[Box]:
    """Return the boxes, in original pixels, of connected regions above the threshold, those that
    begin higher up first. Pixels that touch at a corner are connected."""
    if heat.constant:
        return []
    rows, cols = pixel_span(geometry)
    scaled = heats.upsample(
        heat.values[frame : frame + 1],
        rows.stop - rows.start,
        cols.stop - cols.start,
        look.interpolation,
    )[0]
    shown = heats.kept(scaled, heat.level(frame, look)).astype(np.uint8)
    # Outlines are found far sooner than every pixel is labelled.
    outlines, levels = cv2.findContours(shown, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found = [
        cv2.boundingRect(outline)
        for outline, (*_siblings, around) in zip(
            outlines, levels[0] if outlines else (), strict=True
        )
        if around < 0  # not a hole of another
    ]
    return [
        Box(cols.start + x, rows.start + y, cols.start + x + w, rows.start + y + h)
        for x, y, w, h in sorted(found, key=lambda box: (box[1], box[0]))
    ]


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
