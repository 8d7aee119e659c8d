"""Two pictures: which cells of one are like a cell, or like every cell, of the other."""

from typing import NamedTuple

import torch

from errors import InputError
from viz.attention.captures import Capture
from viz.attention.kinds.features import FeatureCapture
from viz.attention.kinds.kind import top
from viz.attention.kinds.positions import cell_of
from viz.attention.queries import block_of, cell_at
from viz.types import AttentionMap, Query

Point = tuple[float, float, int]
"""Pixel x, y of a frame, the middle of a cell."""


class Match(NamedTuple):
    """A cell of picture A and one of picture B that are each other's nearest, and their cosine."""

    a: Point
    b: Point
    cosine: float


def matches(
    a: Capture,
    at: tuple[float, float],
    b: Capture,
    kind: str = "features",
    frame: int = 0,
    block: str | None = None,
) -> AttentionMap:
    """Return the cosine of the patch under pixel ``at`` of A with every patch of B, over B's cells.

    ``kind`` is features (what enters the block), queries or keys. InputError where the captures
    are of networks whose vectors are not of one length.
    """
    of_a, of_b = _vectors(a, block, kind), _vectors(b, block, kind)
    _check_alike(of_a, of_b)
    cell = cell_at(a, of_a, at, frame)
    values = of_b.features @ of_a.features[cell.position(of_a.query_grid)]
    query = Query(of_a.label, cell)
    return AttentionMap(
        values.reshape(of_b.query_grid).cpu().numpy(), query, "cosine, -1 to 1", f"{kind} in B"
    )


def mutual_matches(
    a: Capture, b: Capture, kind: str = "features", most: int = 20, block: str | None = None
) -> list[Match]:
    """Return up to ``most`` pairs of patches that are each other's nearest, most alike first."""
    of_a, of_b = _vectors(a, block, kind), _vectors(b, block, kind)
    _check_alike(of_a, of_b)
    cosines = of_a.features @ of_b.features.T
    nearest_b, nearest_a = cosines.argmax(1), cosines.argmax(0)
    own = torch.arange(len(cosines), device=cosines.device)
    pairs = own[nearest_a[nearest_b] == own]
    values = cosines[pairs, nearest_b[pairs]]
    return [
        Match(
            _point(a, of_a, int(pairs[k])),
            _point(b, of_b, int(nearest_b[pairs[k]])),
            float(values[k]),
        )
        for k in top(values, most)
    ]


def _vectors(capture: Capture, block: str | None, kind: str) -> FeatureCapture:
    found = block_of(capture, block, kind)
    if not isinstance(found, FeatureCapture):
        raise InputError(f"{kind[:40]!r} has no vectors to compare; use features, queries or keys.")
    return found


def _check_alike(a: FeatureCapture, b: FeatureCapture) -> None:
    if a.features.shape[1] != b.features.shape[1]:
        raise InputError(
            f"Vectors of {a.label} have {a.features.shape[1]} numbers, those of {b.label} "
            f"{b.features.shape[1]}; capture both pictures with one network."
        )


def _point(capture: Capture, block: FeatureCapture, position: int) -> Point:
    """Return the middle of a cell in pixels, and the first frame that lies in its moment."""
    grid = block.query_grid
    cell = cell_of(grid, position)
    x, y = capture.geometry.cell_centre(cell.y, cell.x, grid)
    return x, y, -(-cell.t * capture.frames // grid.frames)
