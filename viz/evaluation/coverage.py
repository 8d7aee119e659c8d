"""How a map of N cells lies on what matters: parts covered, hits, share of its energy inside."""

import torch
from torch import Tensor

from models.blocks.layout import Grid

THRESHOLD, EQUAL_AREA = 0.7, 0.15
"""The papers' cut of a map scaled to [0, 1]; the share of cells at which maps are compared."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in [0, 1] of the picture."""


def unit_range(values: Tensor) -> Tensor:
    """Min-max scale over the last axis; a flat map becomes 0."""
    low, high = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)
    return (values - low) / (high - low).clamp_min(1e-30)


def without(values: Tensor, position: int) -> Tensor:
    """Min-max scale (N,) over all cells but the reference's, which becomes 0."""
    low, high = torch.cat([values[:position], values[position + 1 :]]).aminmax()
    scaled = (values - low) / (high - low).clamp_min(1e-30)
    scaled[position] = 0
    return scaled


def top_cells(values: Tensor, share: float = EQUAL_AREA) -> Tensor:
    """Return where the highest ``share`` of the cells of (N,) is, ties by position: bool."""
    count = max(1, round(share * len(values)))
    best = values.argsort(descending=True, stable=True)[:count]
    return torch.zeros_like(values, dtype=torch.bool).index_fill_(0, best, True)


def mean_of_scaled(maps: Tensor) -> Tensor:
    """Return the mean of maps (K, N), each over its highest absolute value: (N,)."""
    return (maps / maps.abs().amax(1, keepdim=True).clamp_min(1e-30)).mean(0)


def box_cells(grid: Grid, box: Box, device: torch.device | None = None) -> Tensor:
    """Return which cells (h w,) of one frame have their middle in a box: bool."""
    x = (torch.arange(grid.cols, device=device) + 0.5) / grid.cols
    y = (torch.arange(grid.rows, device=device) + 0.5) / grid.rows
    left, top, right, bottom = box
    return (((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]).flatten()


def energy_inside(values: Tensor, inside: Tensor) -> float:
    """Return the share of a map's positive mass (N,) on the cells ``inside`` (N,) bool, in [0, 1].

    The energy-based pointing game (Wang et al. 2020, Score-CAM, sec. 4.2). 0 without mass.
    """
    positive = values.clamp_min(0)
    return (positive[inside].sum() / positive.sum().clamp_min(1e-30)).item()


def mass_in_box(values: Tensor, grid: Grid, box: Box) -> float:
    """Return the energy inside the box, over the box's share of the cells.

    1 is what an even map has; the highest possible value is one over the box's share.
    """
    inside = box_cells(grid, box, values.device)
    return energy_inside(values, inside) / max(inside.float().mean().item(), 1e-9)


def hit(values: Tensor, grid: Grid, wanted: Tensor, position: int | None = None) -> bool:
    """Tell whether the highest cell of one frame's map (h w,) is a wanted cell or next to one.

    The pointing game (Zhang et al. 2016, Excitation Backprop): there the tolerance is 15 pixels,
    here one cell of the grid (16 pixels of a stride-16 network), diagonals too. ``position`` is a
    reference that is left out; of equal cells the first counts.
    """
    values = values if position is None else without(values, position)
    row, col = divmod(int(values.argmax()), grid.cols)
    near = wanted.unflatten(0, (grid.rows, grid.cols))
    return bool(near[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2].any())
