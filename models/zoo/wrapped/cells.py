"""Where the tokens of a call of attention lie in the picture."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from errors import InputError
from models.blocks.layout import Grid
from models.zoo.wrapped.grids import (
    Arrangement,
    Picture,
    Tokens,
    arranged,
    pooled_from,
    tokens_of,
)
from models.zoo.wrapped.tap import Call
from models.zoo.wrapped.windows import MIXED, codes, grouped


@dataclass(frozen=True, eq=False)
class TokenCells:
    """Which cell every token of a call of W windows and H heads is.

    ``lead`` (W, H) are entries of the call's first axis; ``query_at`` (Q, 2) window and token of
    every cell of the query grid; ``key_cell`` (W, Nk) the cell of every key, -1 for none (prefix,
    padding). The first ``prefix`` tokens have no cell.
    """

    query_grid: Grid
    key_grid: Grid
    lead: Tensor
    query_at: Tensor
    key_cell: Tensor
    prefix: int = 0


class UnplacedError(InputError):
    """Tokens that fit no grid."""


def place(call: Call, picture: Picture) -> TokenCells:
    """Return the cells of a call; UnplacedError says in one line why there are none."""
    heads, queries, keys = call.shape
    if call.problem:
        raise UnplacedError(f"{call.label} is left out: {call.problem}.")
    around = _pictures(call, picture)
    depth, found = next(around, (0, None))
    of_pixels = found is not None and tuple(found.tokens.grid) == picture.size
    if found is None or (of_pixels and queries != found.tokens.count):
        tokens = tokens_of(queries, call, picture)
        cells = tokens and _whole(call, tokens, picture)
    else:
        outer = _outer(call, depth, around) if _could_be_windows(call, found) else None
        cells = outer and _windows(call, *outer)
        cells = cells or _within(call, depth, found, picture)
    if cells is not None:
        return cells
    raise UnplacedError(
        f"{call.label} compares {queries} x {keys} tokens {heads} times, which fit no grid of the "
        f"{' x '.join(map(str, picture.size[1:]))} input; say which with grid=ROWSxCOLUMNS "
        "prefix=TOKENS, or wrap a module whose tokens are patches in reading order."
    )


def _pictures(call: Call, picture: Picture) -> Iterator[tuple[int, Arrangement]]:
    """Yield the modules that were given the whole picture, innermost first, by their depth."""
    for depth in range(len(call.frames) - 1, -1, -1):
        found = arranged(call.frames[depth][0], call, picture)
        if found is not None:
            yield depth, found


def _outer(
    call: Call, depth: int, around: Iterator[tuple[int, Arrangement]]
) -> tuple[int, Arrangement] | None:
    """Return the next module around the one at ``depth`` that was given another shape."""
    shape = call.frames[depth][0].tensor.shape
    return next((one for one in around if call.frames[one[0]][0].tensor.shape != shape), None)


def _could_be_windows(call: Call, found: Arrangement) -> bool:
    """Tell whether what looks like rows and columns could be windows and their tokens."""
    heads, queries, _ = call.shape
    _, rows, cols = found.tokens.grid
    return found.spatial and cols == queries and heads % rows == 0


def _windows(call: Call, depth: int, found: Arrangement) -> TokenCells | None:
    """Return the cells of a call inside windows; None where its tokens are not cells."""
    traced = codes(call, depth, found)
    if traced is None or any(bool((part == MIXED).any()) for part in traced):
        return None
    windows = grouped(*traced, found.tokens.grid)
    return windows and TokenCells(
        windows.query_grid, found.tokens.grid, windows.lead, windows.query_at, windows.key_cell
    )


def _within(call: Call, depth: int, found: Arrangement, picture: Picture) -> TokenCells | None:
    """Return the cells of a call below a module that was given the whole picture."""
    _, queries, keys = call.shape
    if queries == found.tokens.count and keys <= queries:
        return _whole(call, found.tokens, picture)
    if queries == 1:
        return _single(call, found.tokens, picture)
    windows = _windows(call, depth, found)
    return windows or _pooled(call, found.tokens, picture)


def _pooled(call: Call, tokens: Tokens, picture: Picture) -> TokenCells | None:
    """Return the cells of a call whose queries are fewer than the tokens, each made of several."""
    smaller = pooled_from(call.shape[1], tokens, call, picture)
    heads = _declared_heads(call)
    if smaller is None or heads not in (None, call.shape[0]):
        return None
    there = tokens if call.shape[2] == tokens.count else None
    return _whole(call, smaller, picture, there)


def _declared_heads(call: Call) -> int | None:
    """Return how many heads the module says it has."""
    for name in ("num_heads", "num_attention_heads", "n_heads", "heads", "n_head"):
        found = getattr(call.frames[-1][0].module, name, None) if call.frames else None
        if isinstance(found, int):
            return found
    return None


def _whole(
    call: Call, tokens: Tokens, picture: Picture, there: Tokens | None = None
) -> TokenCells | None:
    """Return the cells of a call whose every query sees every key, which are ``there``: the same
    tokens, or what they were pooled to."""
    heads, _, keys = call.shape
    if there is None:
        same = keys == tokens.count
        there = tokens if same else pooled_from(keys, tokens, call, picture)
    if there is None:
        return None
    places = torch.arange(tokens.prefix, tokens.count)
    query_at = torch.stack([torch.zeros_like(places), places], 1)
    return TokenCells(
        tokens.grid,
        there.grid,
        torch.arange(heads)[None],
        query_at,
        _numbered(there),
        tokens.prefix,
    )


def _single(call: Call, tokens: Tokens, picture: Picture) -> TokenCells | None:
    """Return the cells of a call with one query for the whole picture (pooling, global context)."""
    heads, _, keys = call.shape
    there = tokens if keys == tokens.count else tokens_of(keys, call, picture)
    if there is None:
        return None
    query_at = torch.zeros(there.grid.cells, 2, dtype=torch.long)
    lead = torch.arange(heads)[None]
    return TokenCells(there.grid, there.grid, lead, query_at, _numbered(there), 0)


def _numbered(tokens: Tokens) -> Tensor:
    """Return the cell of every token, (1, N): -1 for the prefix."""
    return torch.cat([torch.full((tokens.prefix,), -1), torch.arange(tokens.grid.cells)])[None]


def over_frames(cells: TokenCells, frames: int) -> TokenCells:
    """Return the cells of a call that was made once a frame, the frames' windows one after the
    other."""
    if frames == 1:
        return cells
    windows, size = len(cells.lead), cells.query_grid.cells
    query_at = torch.cat([cells.query_at + torch.tensor([t * windows, 0]) for t in range(frames)])
    key_cell = torch.cat(
        [
            torch.where(cells.key_cell < 0, -1, cells.key_cell + t * cells.key_grid.cells)
            for t in range(frames)
        ]
    )
    assert len(query_at) == frames * size
    return replace(
        cells,
        query_grid=cells.query_grid._replace(frames=frames),
        key_grid=cells.key_grid._replace(frames=frames),
        query_at=query_at,
        key_cell=key_cell,
    )
