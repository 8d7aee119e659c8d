"""Whether tokens lie in reading order: a change of some pixels must show at their own cell."""

from collections.abc import Sequence

import torch
from torch import Tensor

from errors import InputError
from models.zoo.wrapped.cells import TokenCells
from models.zoo.wrapped.network import WrappedNetwork
from models.zoo.wrapped.tap import Call
from models.zoo.wrapped.windows import same_call

_TOLERANCE = 2
"""Cells that the largest change may lie off: receptive fields overlap."""


def check_order(
    network: WrappedNetwork, x: Tensor, calls: list[Call], cells: dict[str, TokenCells]
) -> None:
    """Refuse a network whose tokens are patches in an order of its own.

    ``x`` (1, 3, T, H, W) is what the calls were made of. Corners are changed, and the first layer
    with a query a cell must change most at theirs; InputError where it does not.
    """
    call = next((c for c in calls if c.label in cells and _is_checkable(c, cells[c.label])), None)
    if call is None:
        return
    where = cells[call.label]
    grid = where.query_grid
    first = _queries(network, x, call, where)
    for corner in ((0, 0, grid.cols - 1), (grid.frames - 1, grid.rows - 1, 0)):
        again = _queries(network, _with_change(x, grid, corner), call, where)
        top = int((again - first).norm(dim=-1).argmax())
        shown = tuple(int(k) for k in torch.unravel_index(torch.tensor(top), tuple(grid)))
        if max(abs(a - b) for a, b in zip(shown, corner, strict=True)) > _TOLERANCE:
            raise InputError(
                f"The tokens of {network.spec.architecture} are patches in an order of its own: "
                f"what changes at frame, row and column {corner} shows at {shown}. Such networks "
                "cannot be shown; wrap a module with patches in reading order."
            )


def _is_checkable(call: Call, where: TokenCells) -> bool:
    """Tell whether a call has a query for every cell, and enough of them to tell."""
    per_cell = len(where.query_at.unique(dim=0)) == where.query_grid.cells
    return call.queries is not None and per_cell and min(where.query_grid[1:]) > _TOLERANCE + 1


def _queries(network: WrappedNetwork, x: Tensor, call: Call, where: TokenCells) -> Tensor:
    """Return the queries of all heads of every cell, (Q, H d)."""
    made = same_call(network, x, call)
    own = made[where.lead[where.query_at[:, 0]], where.query_at[:, 1, None]]  # (Q, H, d)
    return own.flatten(1)


def _with_change(x: Tensor, grid: Sequence[int], cell: Sequence[int]) -> Tensor:
    """Return an input (1, C, T, H, W) whose pixels at one cell are others."""
    spans = [
        slice(int(k * size / count), max(int(k * size / count) + 1, int((k + 1) * size / count)))
        for k, size, count in zip(cell, x.shape[2:], grid, strict=True)
    ]
    changed = x.clone()
    box = changed[:, :, spans[0], spans[1], spans[2]]
    box += torch.where(box > 0.5, -3.0, 3.0).to(box)
    return changed
