"""The factors of a call of self-attention, and the rows that are made of them."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from models.blocks.layout import Grid
from models.zoo.wrapped.cells import TokenCells, over_frames
from models.zoo.wrapped.products import Bias
from models.zoo.wrapped.tap import Call
from viz.attention.captures import BlockCapture


@dataclass(frozen=True, eq=False)
class HeadsCapture(BlockCapture):
    """One call of self-attention: queries (W, H, Nq, d), keys (W, H, Nk, d) of W windows and H
    heads, float32, where the network is.

    The logits are scale q . k plus what is ``added``, tables whose ``which`` is (W, H).
    ``query_at`` (Q, 2) is window and token of every query cell, ``key_cell`` (W, Nk) the cell of
    every key, -1 for none: the ``prefix`` (class, registers), or padding. ``block_input``
    (1, C, T, H, W) float16 is what the layer was given, where it fits the grid.
    """

    kind: ClassVar[str] = "heads"
    name: str
    queries: Tensor
    keys: Tensor
    scale: float
    added: tuple[Bias, ...]
    query_grid: Grid
    key_grid: Grid
    query_at: Tensor
    key_cell: Tensor
    prefix: int = 0
    block_input: Tensor | None = None
    place: None = None

    @property
    def label(self) -> str:
        """The name of the module in its network."""
        return self.name

    @property
    def heads(self) -> int:
        """H."""
        return self.queries.shape[1]

    @property
    def tensors(self) -> list[Tensor]:
        """Every tensor that it holds."""
        return [*super().tensors, *(one.values for one in self.added)]

    @property
    def is_query_free(self) -> bool:
        """Whether all references have the same row: there is one query for the whole picture."""
        return len(self.query_at) > 1 and bool((self.query_at == self.query_at[0]).all())


def captured(calls: list[Call], cells: TokenCells, features: Tensor | None) -> HeadsCapture:
    """Return the factors of calls of one layer, one a frame where frames are seen apart."""
    whole = over_frames(cells, len(calls))
    lead = cells.lead
    queries = together([_arranged(c.queries, c, lead, c.shape[1]) for c in calls])
    keys = together([_arranged(c.keys, c, lead, c.shape[2]) for c in calls])
    first = calls[0]
    known = first.logits is None
    return HeadsCapture(
        first.label,
        queries,
        keys,
        first.scale if known else 0.0,
        _added(calls, lead),
        whole.query_grid,
        whole.key_grid,
        whole.query_at.to(queries.device),
        whole.key_cell.to(queries.device),
        cells.prefix,
        features,
    )


def together(parts: list[Tensor], axis: int = 0) -> Tensor:
    """Join tensors; one alone is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, axis)


def _arranged(factor: Tensor | None, call: Call, lead: Tensor, tokens: int) -> Tensor:
    """(L, N, d) -> (W, H, N, d); of width 0 where only the call's logits are known."""
    if factor is None:
        return torch.zeros(*lead.shape, tokens, 0, device=call.logits.device)
    if lead.shape[0] == 1 and torch.equal(lead[0], torch.arange(len(factor))):
        return factor[None]
    return factor[lead]


def _added(calls: list[Call], lead: Tensor) -> tuple[Bias, ...]:
    """Return what is added to the logits, by window and head, frames one after the other."""
    if calls[0].logits is not None:
        tables = [Bias(call.logits, torch.arange(len(call.logits))) for call in calls]
        kept = [[one] for one in tables]
    else:
        kept = [list(call.added) for call in calls]
    found = []
    for same in zip(*kept, strict=True):
        counts = [0, *torch.tensor([len(one.values) for one in same]).cumsum(0).tolist()]
        values = together([one.values for one in same])
        which = together(
            [one.which[lead] + start for one, start in zip(same, counts[:-1], strict=True)]
        )
        found.append(Bias(values, which))
    return tuple(found)


def weights(block: HeadsCapture, positions: Tensor) -> Tensor:
    """Return the softmax weights of references (R,) over the keys of their windows, (R, H, Nk)."""
    windows, tokens = block.query_at[positions].T
    made = block.queries.new_empty(len(positions), block.heads, block.keys.shape[2])
    for window in windows.unique().tolist():
        own = windows == window
        made[own] = window_weights(block, window, tokens[own]).transpose(0, 1)
    return made


def window_weights(block: HeadsCapture, window: int, tokens: Tensor) -> Tensor:
    """Return the softmax weights of query tokens (R,) of one window, (H, R, Nk)."""
    logits = (block.scale * block.queries[window, :, tokens]) @ block.keys[window].mT
    for one in block.added:
        logits = logits + one.values[one.which[window]][:, tokens]
    return logits.softmax(-1)


def over_cells(block: HeadsCapture, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of references (R,) over the key cells, (R, H, M), and the share of weight
    that went to keys without a cell, (R, H)."""
    made = weights(block, positions)
    cell = block.key_cell[block.query_at[positions, 0]]  # (R, Nk)
    count = block.key_grid.cells
    out = made.new_zeros(*made.shape[:2], count + 1)
    places = torch.where(cell < 0, count, cell)[:, None].expand_as(made)
    out.scatter_add_(2, places, made)
    return out[..., :count], out[..., count]


def joined(a: HeadsCapture, b: HeadsCapture) -> tuple[HeadsCapture, HeadsCapture] | None:
    """Return the factors of references of A over the tokens of both pictures, with the cells of A
    and with those of B."""
    plain = all(len(one.queries) == 1 and not one.added and one.queries.shape[3] for one in (a, b))
    if not plain or a.keys[..., :1, :].shape != b.keys[..., :1, :].shape:
        return None
    both = replace(a, keys=torch.cat([a.keys, b.keys], 2))
    nowhere = torch.full_like(a.key_cell, -1), torch.full_like(b.key_cell, -1)
    return (
        replace(both, key_cell=torch.cat([a.key_cell, nowhere[1]], 1)),
        replace(both, key_cell=torch.cat([nowhere[0], b.key_cell], 1), key_grid=b.key_grid),
    )
