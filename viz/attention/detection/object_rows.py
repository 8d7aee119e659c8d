"""Maps over all patches of an object, and where the weight of a row goes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from models.blocks.layout import Grid
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice
from viz.attention.detection.objects import FoundObject, cells_of
from viz.attention.kinds.registry import kind_of
from viz.geometry import Geometry
from viz.types import AttentionMap, Cell

_ROWS_AT_ONCE = 256


def cells(capture: Capture, block: BlockCapture, one: FoundObject, frame: int = 0) -> list[Cell]:
    """Return the cells of a block that an object covers in a frame, row by row."""
    grid, geometry = block.query_grid, capture.geometry_of(block)
    t = capture.moment(frame, grid)
    places = np.argwhere(cells_of(one, geometry, grid)).tolist()
    return [Cell(t, row, col) for row, col in places]


def mean_rows(
    capture: Capture, block: BlockCapture, found: Sequence[FoundObject], frame: int = 0
) -> np.ndarray:
    """Return the mean rows over the patches of objects, (K, T, h, w) float32, of a block whose
    references have one map each.

    Every row is made once, whatever number of objects it counts for, and a few at a time: N x M
    weights are never held.
    """
    kind, grid = kind_of(block), block.query_grid
    shares = torch.zeros(len(found), grid.cells)
    total = torch.zeros(len(found), block.key_grid.cells)
    for share, one in zip(shares, found, strict=True):
        positions = [cell.position(grid) for cell in cells(capture, block, one, frame)]
        share[positions] = 1 / len(positions)
    for start in range(0, grid.cells, _ROWS_AT_ONCE):
        some = shares[:, start : start + _ROWS_AT_ONCE]
        if some.any():
            rows = kind.matrix_rows(block, start, start + some.shape[1])
            total += (some.to(rows.device) @ rows).cpu()
    return total.reshape(-1, *block.key_grid).numpy()


def mean_map(
    capture: Capture,
    block: BlockCapture,
    one: FoundObject,
    choice: MapChoice | None = None,
    frame: int = 0,
) -> AttentionMap:
    """Return the mean over all patches of an object of one map: values (T, h, w) float32.

    ``choice`` is by number, the same for every patch; None where a reference has one map. The
    map's own cell is the one under the middle of the object.
    """
    kind, grid = kind_of(block), block.query_grid
    nearest = capture.geometry_of(block).nearest_cell(*one.centre, grid)
    middle = kind.map(block, Cell(capture.moment(frame, grid), *nearest), choice)
    if kind.is_single(block) and kind.has_matrix:
        (values,) = mean_rows(capture, block, [one], frame)
    else:
        maps = (kind.map(block, cell, choice) for cell in cells(capture, block, one, frame))
        values = np.mean([each.values for each in maps], axis=0, dtype=np.float64)
    return replace(middle, values=values.astype(np.float32), label=f"{middle.label} mean")


@dataclass(frozen=True)
class Energy:
    """Which share of a row's weight lies in its own object, in others of its class, in objects of
    other classes and in the background; the four sum to 1."""

    own: float
    same_class: float
    other_classes: float
    background: float


def energy(
    attention: AttentionMap,
    one: FoundObject,
    objects: Iterable[FoundObject],
    geometry: Geometry,
    frame: int = 0,
) -> Energy:
    """Return where the weight of a row lies; of values of any sign what is above 0 counts.

    A cell that several objects cover counts for the first of: its own, its class, the others.
    """
    return energy_of(attention.values[frame], one, objects, geometry)


def energy_of(
    attention: np.ndarray, one: FoundObject, objects: Iterable[FoundObject], geometry: Geometry
) -> Energy:
    """Return where the weight of one frame's map (h, w) lies, as ``energy`` does."""
    values = np.clip(attention.astype(np.float64), 0, None)
    grid, total = Grid(1, *values.shape), values.sum()
    if not total > 0:
        return Energy(0.0, 0.0, 0.0, 1.0)
    left, shares = np.ones(values.shape, bool), []
    others = [other for other in objects if other.number != one.number]
    alike = [other for other in others if other.label == one.label]
    unlike = [other for other in others if other.label != one.label]
    for part in ([one], alike, unlike):
        covered = np.zeros(values.shape, bool)
        for other in part:
            covered |= cells_of(other, geometry, grid)
        shares.append(float(values[covered & left].sum() / total))
        left &= ~covered
    return Energy(*shares, float(values[left].sum() / total))
