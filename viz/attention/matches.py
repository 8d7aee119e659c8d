"""Two pictures: what a patch of one answers to in the other, and which patches match both ways."""

from typing import NamedTuple

import numpy as np
import torch

from errors import InputError
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.features import FeatureCapture, FeatureSimilarity
from viz.attention.kinds.kind import top
from viz.attention.kinds.positions import cell_of
from viz.attention.kinds.registry import as_kind, kind_of, offered
from viz.attention.queries import block_of, cell_at
from viz.types import AttentionMap, Cell, Query

Point = tuple[float, float, int]
"""Pixel x, y of a frame, the middle of a cell."""
FEATURES = FeatureSimilarity.name


class Match(NamedTuple):
    """A cell of picture A and one of picture B that are each other's nearest, and their cosine."""

    a: Point
    b: Point
    cosine: float


def joined(
    a: Capture, of_a: BlockCapture, b: Capture, of_b: BlockCapture
) -> tuple[BlockCapture, BlockCapture]:
    """Return the factors of a block for references of picture A: maps over A, maps over picture B.

    Rows of both pictures under one normaliser where the block allows it; else the cosine of what
    enters it; maps without a reference as they are. InputError where none can be had.
    """
    if not kind_of(of_a).referenced:
        return of_a, of_b
    pair = kind_of(of_a).joined(of_a, of_b)
    # A block that sees one object at a time is in no capture by its label.
    own_a, own_b = a.blocks.get(of_a.label), b.blocks.get(of_b.label)
    if pair is None and _has_features(own_a) and _has_features(own_b):
        of_a, of_b = as_kind(a, own_a, FEATURES), as_kind(b, own_b, FEATURES)
        pair = kind_of(of_a).joined(of_a, of_b)
    if pair is None:
        raise InputError(
            f"{of_a.label} has no map from one picture into another, and its input is not kept; "
            "choose another block, or the map cosine of its input."
        )
    return pair


def _has_features(block: BlockCapture | None) -> bool:
    return block is not None and any(kind.name == FEATURES for kind in offered(block))


def best(attention: AttentionMap, count: int = 5) -> list[tuple[Cell, float]]:
    """Return up to ``count`` cells of highest value, highest first, with their values; none touches
    another, so that they are different places."""
    values = np.where(np.isfinite(attention.values), attention.values, -np.inf).copy()
    found = []
    while len(found) < count and values.max() > -np.inf:
        t, y, x = (int(k) for k in np.unravel_index(int(values.argmax()), values.shape))
        found.append((Cell(t, y, x), float(values[t, y, x])))
        values[:, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = -np.inf
    return found


def matches(
    a: Capture,
    at: tuple[float, float],
    b: Capture,
    kind: str = FEATURES,
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
    a: Capture, b: Capture, kind: str = FEATURES, most: int = 20, block: str | None = None
) -> list[Match]:
    """Return up to ``most`` pairs of patches that are each other's nearest, most alike first."""
    return mutual(a, _vectors(a, block, kind), b, _vectors(b, block, kind), most)


def mutual(
    a: Capture, of_a: FeatureCapture, b: Capture, of_b: FeatureCapture, most: int
) -> list[Match]:
    """Return up to ``most`` pairs of cells of two blocks that are each other's nearest."""
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
    x, y = capture.geometry_of(block).cell_centre(cell.y, cell.x, grid)
    return x, y, -(-cell.t * capture.frames // grid.frames)
