"""How maps of N cells lie on what matters: parts covered, hits, share of their energy inside.

Maps are (..., N): one, or those of several references, each of which gives what it gives alone.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
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


def without(values: Tensor, positions: int | Sequence[int] | Tensor) -> Tensor:
    """Min-max scale (..., N) over all cells but the reference's, which becomes 0; ``positions`` are
    (...), one a map."""
    own = torch.as_tensor(positions, device=values.device).unsqueeze(-1)
    low = values.scatter(-1, own, torch.inf).amin(-1, keepdim=True)
    high = values.scatter(-1, own, -torch.inf).amax(-1, keepdim=True)
    return ((values - low) / (high - low).clamp_min(1e-30)).scatter_(-1, own, 0)


def top_cells(values: Tensor, share: float = EQUAL_AREA) -> Tensor:
    """Return where the highest ``share`` of the cells of (..., N) is, ties by position: bool."""
    count = max(1, round(share * values.shape[-1]))
    best = values.argsort(dim=-1, descending=True, stable=True)[..., :count]
    return torch.zeros_like(values, dtype=torch.bool).scatter_(-1, best, True)


def mean_of_scaled(maps: Tensor) -> Tensor:
    """Return the mean of maps (..., K, N), each over its highest absolute value: (..., N)."""
    return (maps / maps.abs().amax(-1, keepdim=True).clamp_min(1e-30)).mean(-2)


def box_cells(grid: Grid, box: Box, device: torch.device | None = None) -> Tensor:
    """Return which cells (h w,) of one frame have their middle in a box: bool."""
    x = (torch.arange(grid.cols, device=device) + 0.5) / grid.cols
    y = (torch.arange(grid.rows, device=device) + 0.5) / grid.rows
    left, top, right, bottom = box
    return (((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]).flatten()


def energy_inside(values: Tensor, inside: Tensor) -> Tensor:
    """Return the share of a map's positive mass (..., N) on the cells ``inside`` (N,) bool: (...),
    in [0, 1].

    The energy-based pointing game (Wang et al. 2020, Score-CAM, sec. 4.2). 0 without mass.
    """
    positive = values.clamp_min(0)
    return positive[..., inside].sum(-1) / positive.sum(-1).clamp_min(1e-30)


def mass_in_box(values: Tensor, grid: Grid, box: Box) -> float:
    """Return the energy inside the box, over the box's share of the cells.

    1 is what an even map has; the highest possible value is one over the box's share.
    """
    inside = box_cells(grid, box, values.device)
    return energy_inside(values, inside).item() / max(inside.float().mean().item(), 1e-9)


def hit(values: Tensor, grid: Grid, wanted: Tensor) -> Tensor:
    """Tell whether the highest cell of one frame's map (..., h w) is a wanted cell or next to one:
    (...) bool. ``wanted`` is (h w,) or (..., h w) bool.

    The pointing game (Zhang et al. 2016, Excitation Backprop): there the tolerance is 15 pixels,
    here one cell of the grid (16 pixels of a stride-16 network), diagonals too. Of equal cells the
    first counts.
    """
    laid = wanted.float().reshape(-1, 1, grid.rows, grid.cols)
    near = F.max_pool2d(laid, 3, stride=1, padding=1).reshape(wanted.shape) > 0
    best = values.argmax(-1, keepdim=True)
    return near.expand(values.shape).gather(-1, best).squeeze(-1)
