"""The NL block's affinity: one row a reference, the N x M matrix only on request."""

import numpy as np
import torch

from errors import InputError, OutsideError
from models.blocks import pairwise
from models.blocks.layout import Grid
from viz.types import AttentionMap, Cell, NonLocalCapture, Query

MATRIX_LIMIT_BYTES = 512 * 2**20
"""Largest affinity matrix that is made without saying so first."""


def check_cell(cell: Cell, grid: Grid) -> None:
    """Refuse a cell that the grid does not have."""
    if not (0 <= cell.t < grid.frames and 0 <= cell.y < grid.rows and 0 <= cell.x < grid.cols):
        raise OutsideError(
            f"Reference frame {cell.t}, row {cell.y}, column {cell.x} came; the block has "
            "frames 0 to "
            f"{grid.frames - 1}, rows 0 to {grid.rows - 1}, columns 0 to {grid.cols - 1}. "
            "Choose one inside."
        )


def row(block: NonLocalCapture, cell: Cell) -> AttentionMap:
    """Return the affinity row f(x_i, x_j) / C(x) of the reference (Wang et al. 2018, eq. 1).

    Values (T, h, w) float32 over the key grid, in O(M d); 0 outside the reference's group of
    frames.
    """
    check_cell(cell, block.query_grid)
    group, position = divmod(
        cell.position(block.query_grid), block.query_grid.cells // block.groups
    )
    queries, keys = block.group(group)
    values = torch.zeros(block.groups, len(keys))
    values[group] = pairwise.row(block.pairwise, queries, keys, position)
    meaning = "weights, sum 1" if block.pairwise.sums_to_one else "response, any sign"
    return AttentionMap(
        values.reshape(block.key_grid).numpy(), Query(block.place.label, cell), meaning
    )


def matrix_bytes(block: NonLocalCapture) -> int:
    """Return the size of the full N x M float32 affinity in bytes."""
    return block.query_grid.cells * block.key_grid.cells * 4


def matrix(block: NonLocalCapture, limit_bytes: int = MATRIX_LIMIT_BYTES) -> np.ndarray:
    """Return all rows, (N, M) float32; refused above ``limit_bytes``."""
    needed = matrix_bytes(block)
    if needed > limit_bytes:
        raise InputError(
            f"The affinity matrix is {block.query_grid.cells} x {block.key_grid.cells} "
            f"({needed / 2**20:.0f} MB); up to {limit_bytes / 2**20:.0f} MB is made. "
            "Use single rows, a smaller input, or raise the limit."
        )
    parts = [block.pairwise.matrix(*block.group(k)) for k in range(block.groups)]
    return (parts[0] if block.groups == 1 else torch.block_diag(*parts)).numpy()


def row_entropy(block: NonLocalCapture) -> float:
    """Return the median over references of row entropy / log M, in [0, 1]; softmax rows only."""
    rows = torch.from_numpy(matrix(block)).double().clamp_min(1e-30)
    entropy = -(rows * rows.log()).sum(1) / np.log(block.key_grid.cells / block.groups)
    return entropy.median().item()
