"""Attention inside windows: which cell every token is, found by changing cells and looking.

Libraries cut windows in many ways (shifted, padded, dilated, with halos), and no attribute says
how. So the module that cuts them is given its input again with some cells changed: a token is the
cell whose changes it shows, no more and no less. With the cells' numbers in binary, and their
complements to see what is made of several, a run a digit tells all; each stops before the
attention.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.blocks.layout import Grid
from models.zoo.wrapped.grids import Arrangement
from models.zoo.wrapped.products import joined
from models.zoo.wrapped.running import Frame, Running
from models.zoo.wrapped.tap import AttentionTap, Call

MIXED = -2
"""The number of a token that several cells change."""
_CHECKED_DIGITS = 2
"""Binary digits at which neighbours differ: tokens of several cells show there."""
Codes = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Windows:
    """W windows: ``lead`` (W, H), ``query_at`` (Q, 2), ``key_cell`` (W, Nk) as ``TokenCells`` has
    them, and the grid of the queries."""

    lead: Tensor
    query_at: Tensor
    key_cell: Tensor
    query_grid: Grid


class _Stop(BaseException):  # noqa: N818 (no error: the run has shown what is asked)
    """Ends a run at the call that is looked for."""


class _StoppingTap(AttentionTap):
    """A tap that ends the run at the ``wanted``-th call; where that is the first, already before
    its queries and keys, L x Nq and L x Nk, are multiplied."""

    def __init__(self, wanted: int, shape: tuple[int, int, int]) -> None:
        super().__init__(Running())
        self._wanted, self._shape = wanted, shape

    def __torch_function__(
        self,
        func: Callable,
        types: object,
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> object:
        result = super().__torch_function__(func, types, args, kwargs)
        if len(self.calls) >= self._wanted:
            raise _Stop
        return result

    def multiplying(self, queries: Tensor, keys: Tensor) -> None:
        """Take factors of the wanted shape for the call that is looked for, and end the run."""
        lead, own = math.prod(queries.shape[:-2]), queries.shape[-2]
        if self._wanted == 1 and (lead, own, keys.shape[-2]) == self._shape:
            self._keep(joined(queries), joined(keys), 1.0)
            raise _Stop


def codes(call: Call, depth: int, found: Arrangement) -> Codes | None:
    """Return the cell of every query (L, Nq) and key (L, Nk) of a call below the module at
    ``depth`` of its frames, which was given the whole picture: -1 for none, MIXED for several.

    None where the call has no queries and keys, or is not made again.
    """
    if call.queries is None:
        return None
    frame, wanted = call.frames[depth]
    key = (_identity(frame), _identity(call.frames[-1][0]), found, call.shape, wanted)
    if key not in _KNOWN:
        while len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)), None)
        _KNOWN[key] = _codes(frame, call, wanted, found)
    return _KNOWN[key]


def _identity(frame: Frame) -> tuple[object, ...]:
    """Return what decides how a module cuts windows: layers of one sort are traced once.

    Plain attributes and whole-number buffers of it and of all its parts, and what it was given.
    """
    parts = tuple((type(part), *_facts(part), *_tables(part)) for part in frame.module.modules())
    shape = None if frame.tensor is None else tuple(frame.tensor.shape)
    return parts, shape, tuple(frame.numbers)


def _facts(part: nn.Module) -> list[tuple[str, str]]:
    plain = (int, float, bool, str, tuple, list, type(None))
    return sorted((k, repr(v)) for k, v in vars(part).items() if isinstance(v, plain))


def _tables(part: nn.Module) -> list[bytes]:
    """Return the digests of buffers that could say where tokens go."""
    whole = (b for b in part.buffers(recurse=False) if not b.is_floating_point())
    return [hashlib.sha256(b.cpu().numpy().tobytes()).digest() for b in whole]


_MOST_KNOWN = 64
_KNOWN: dict[tuple[object, ...], Codes | None] = {}


def _codes(frame: Frame, call: Call, wanted: int, found: Arrangement) -> Codes | None:
    cells = found.tokens.grid.cells
    first = _run(frame, call, wanted, frame.tensor)
    if first is None:
        return None
    found_codes = [torch.zeros(part.shape[:2], dtype=torch.long) for part in first]
    touched = [torch.zeros_like(one, dtype=torch.bool) for one in found_codes]
    for digit in range(max(1, math.ceil(math.log2(cells)))):
        ones = (torch.arange(cells) >> digit & 1).bool()
        shown = _shown(frame, call, wanted, found, ones, first)
        for code, some in zip(found_codes, shown, strict=True):
            code += some.long() << digit
        if digit >= _CHECKED_DIGITS:
            continue
        others = _shown(frame, call, wanted, found, ~ones, first)
        if any(bool((a & b).any()) for a, b in zip(shown, others, strict=True)):
            return tuple(torch.full_like(code, MIXED) for code in found_codes)
        touched = [t | a | b for t, a, b in zip(touched, shown, others, strict=True)]
    return tuple(code.masked_fill(~t, -1) for code, t in zip(found_codes, touched, strict=True))


def _shown(
    frame: Frame, call: Call, wanted: int, found: Arrangement, chosen: Tensor, first: Codes
) -> list[Tensor]:
    """Return which queries (L, Nq) and keys (L, Nk) are others when the chosen cells are."""
    again = _run(frame, call, wanted, _changed(frame.tensor, found, chosen))
    return [(a != b).any(-1) for a, b in zip(first, again, strict=True)]


def _changed(x: Tensor, found: Arrangement, chosen: Tensor) -> Tensor:
    """Return an input whose chosen cells (Q,) are others."""
    mask = torch.cat([torch.zeros(found.tokens.prefix, dtype=torch.bool), chosen]).to(x.device)
    shape = [1] * x.ndim
    sizes = found.tokens.grid[-(x.ndim - 2) :] if found.spatial else (found.tokens.count,)
    shape[found.axis : found.axis + len(sizes)] = sizes
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(5)).to(x)
    return torch.where(mask.reshape(shape), x + 1 + noise, x)


def _run(frame: Frame, call: Call, wanted: int, x: Tensor) -> Codes | None:
    """Run a module again up to a call of attention; return its queries and keys."""
    tap = _StoppingTap(wanted, call.shape)
    args = [x if one is frame.tensor else one for one in frame.args]
    kwargs = {name: x if one is frame.tensor else one for name, one in frame.kwargs.items()}
    try:
        with tap:
            frame.module(*args, **kwargs)
    except _Stop:
        pass
    made = tap.calls[wanted - 1] if len(tap.calls) >= wanted else None
    return None if made is None or made.queries is None else (made.queries, made.keys)


def grouped(queries: Tensor, keys: Tensor, grid: Grid) -> Windows | None:
    """Return the windows among (L, Nq) and (L, Nk) codes: entries with the same cells are heads.

    Queries may be every n-th row and column of the grid. None where some cell has no query.
    """
    windows: dict[bytes, list[int]] = {}
    for number, (own, others) in enumerate(zip(queries, keys, strict=True)):
        if bool((own >= 0).any()):
            same = own.numpy().tobytes() + others.numpy().tobytes()
            windows.setdefault(same, []).append(number)
    if not windows or len({len(heads) for heads in windows.values()}) != 1:
        return None
    lead = torch.tensor(list(windows.values()))
    own = queries[lead[:, 0]]
    places = (own >= 0).nonzero()  # (every query with a cell, 2)
    found = own[places[:, 0], places[:, 1]]
    order = found.argsort()
    smaller = _sub_grid(found[order], grid)
    if smaller is None:
        return None
    return Windows(lead, places[order], keys[lead[:, 0]], smaller)


def _sub_grid(found: Tensor, grid: Grid) -> Grid | None:
    """Return the grid of ascending cells that are all of a grid, or every n-th row and column."""
    axes = torch.unravel_index(found, tuple(grid))
    sizes = Grid(*(len(axis.unique()) for axis in axes))
    return sizes if sizes.cells == len(found) == len(found.unique()) else None


def same_call(network: nn.Module, x: Tensor, call: Call) -> Tensor:
    """Run a whole network again on another input, up to a call that was made in its first run;
    return its queries (L, Nq, d)."""
    root = Frame("", network, (x,), {})
    first, ordinal = call.frames[0]
    del first
    made = _run(root, call, ordinal, x)
    return made[0]
