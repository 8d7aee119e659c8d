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
        heats.kept(scaled, heat.level(frame, look)).astype(np.uint8), connectivity=8
    )
    return [
        Box(cols.start + x, rows.start + y, cols.start + x + w, rows.start + y + h)
        for x, y, w, h, _area in stats[1:count].tolist()
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
