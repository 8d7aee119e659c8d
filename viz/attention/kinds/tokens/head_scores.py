"""What heads are ranked by at a reference."""

import torch
from torch import Tensor

from viz.attention.kinds.tokens.factors import HeadsCapture, over_cells, weights
from viz.types import Cell


def table(block: HeadsCapture, cell: Cell) -> list[dict[str, object]]:
    """Return a row a head.

    ``entropy`` of its weights over log Nk: 0 looks at one token, 1 at all alike. ``distance``: mean
    way from the reference to what it looks at, in cells of the key grid. ``contrast``: highest over
    mean weight. ``stands out``: how far its row is from the mean row over references, half the sum
    of absolute differences, 0 to 1. ``no cell``: the share of class, registers and padding.
    """
    position = torch.tensor([cell.position(block.query_grid)])
    (rows,), (shares,) = over_cells(block, position)
    (own,) = weights(block, position)
    entropy = -(own * own.clamp_min(1e-30).log()).sum(-1) / max(1e-9, _log(own.shape[-1]))
    inside = rows.sum(-1).clamp_min(1e-30)
    distance = (rows * _distances(block, cell)).sum(-1) / inside
    contrast = rows.amax(-1) / rows.mean(-1).clamp_min(1e-30)
    apart = (rows - _mean_row(block)).abs().sum(-1) / 2
    columns = {
        "entropy": entropy, "distance": distance, "contrast": contrast, "stands out": apart,
        "no cell": shares,
    }  # fmt: skip
    return [
        {"head": h, **{name: round(float(values[h]), 4) for name, values in columns.items()}}
        for h in range(block.heads)
    ]


def notes(block: HeadsCapture, cell: Cell) -> tuple[str, ...]:
    """Return what has to be said of a reference beside its maps."""
    position = torch.tensor([cell.position(block.query_grid)])
    _rows, (shares,) = over_cells(block, position)
    found = []
    if float(shares.max()) > 1e-6:
        what = "class and register tokens" if block.prefix else "tokens without a place (padding)"
        found.append(
            f"{100 * float(shares.mean()):.1f} % of the weight goes to {what} (mean over heads; "
            f"{100 * float(shares.min()):.1f} to {100 * float(shares.max()):.1f} %)."
        )
    own = block.key_cell[block.query_at[int(position), 0]]
    seen = int((own >= 0).sum())
    if seen < block.key_grid.cells:
        found.append(
            f"The reference's window has {seen} of {block.key_grid.cells} cells; the map is empty "
            "outside it."
        )
    return tuple(found)


def _log(count: int) -> float:
    return float(torch.tensor(float(count)).log())


def _distances(block: HeadsCapture, cell: Cell) -> Tensor:
    """Return the way from the middle of the reference to that of every key cell, (M,), in cells."""
    there, here = block.key_grid, block.query_grid
    axes = [torch.arange(count, dtype=torch.float32) + 0.5 for count in there]
    own = [
        (k + 0.5) * theirs / ours for k, theirs, ours in zip(
            (cell.t, cell.y, cell.x), there, here, strict=True
        )
    ]  # fmt: skip
    places = torch.cartesian_prod(*axes).reshape(-1, 3)
    return (places - torch.tensor(own)).norm(dim=-1).to(block.queries.device)


def _mean_row(block: HeadsCapture) -> Tensor:
    """Return the mean row over at most 64 references, (H, M)."""
    step = max(1, block.query_grid.cells // 64)
    rows, _shares = over_cells(block, torch.arange(0, block.query_grid.cells, step))
    return rows.mean(0)
