"""Cells and positions of a grid."""

import torch
from torch import Tensor

from errors import OutsideError
from models.blocks.layout import Grid
from viz.types import Cell


def check_cell(cell: Cell, grid: Grid) -> None:
    """Refuse a cell that the grid does not have."""
    if not (0 <= cell.t < grid.frames and 0 <= cell.y < grid.rows and 0 <= cell.x < grid.cols):
        raise OutsideError(
            f"Frame {cell.t}, row {cell.y}, column {cell.x} is not a cell of the block; it has "
            f"frames 0 to {grid.frames - 1}, rows 0 to {grid.rows - 1}, columns 0 to "
            f"{grid.cols - 1}. Choose one inside."
        )


def spread(grid: Grid, most: int) -> Tensor:
    """Return up to ``most`` evenly spaced positions of a grid, ascending, (R,) int64."""
    return torch.linspace(0, grid.cells - 1, min(most, grid.cells)).round().long().unique()


def cell_of(grid: Grid, position: int) -> Cell:
    """Return the cell at an index in (t, y, x) order."""
    t, inside = divmod(position, grid.rows * grid.cols)
    return Cell(t, *divmod(inside, grid.cols))
