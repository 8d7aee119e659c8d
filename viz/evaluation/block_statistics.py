"""What the maps of a block are like, in numbers: sharp or even, near or far, all alike or not."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from models.blocks.layout import Grid
from models.devices import precise
from viz.attention.captures import BlockCapture
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.positions import spread
from viz.attention.kinds.registry import kind_of
from viz.attention.query_dependence import query_dependence

REFERENCES = 64
"""Evenly spaced references that everything is taken over."""


def weights_of(maps: Tensor) -> Tensor:
    """Return maps (K, R, M) as weights: absolute values over their sum; 0 for a map of zeros."""
    sizes = precise(maps.abs())
    return sizes / sizes.sum(-1, keepdim=True).clamp_min(torch.finfo(sizes.dtype).tiny)


def row_entropy(maps: Tensor) -> float:
    """Return the mean entropy of the weights over log M: 0 on one cell, 1 even."""
    weights = weights_of(maps)
    entropy = torch.special.entr(weights).sum(-1) / max(math.log(maps.shape[-1]), 1e-12)
    return float(entropy.mean())


def _places(grid: Grid) -> Tensor:
    """Return the middle of every cell, (N, 3): t, y, x in [0, 1] of the clip."""
    axes = [(torch.arange(count) + 0.5) / count for count in grid]
    return torch.cartesian_prod(*axes)


def distance_in_space(maps: Tensor, own: Tensor, queries: Grid, keys: Grid) -> float:
    """Return how far the weight lies from its reference on average, over the diagonal of the
    input: 0 on the reference itself, 0.37 for an even map seen from everywhere."""
    at, to = _places(queries)[own, 1:], _places(keys)[:, 1:]
    return _expected(maps, torch.cdist(at, to) / math.sqrt(2))


def distance_in_time(maps: Tensor, own: Tensor, queries: Grid, keys: Grid) -> float:
    """Return how many moments the weight lies from its reference on average; 0 for a picture."""
    at, to = _places(queries)[own, 0], _places(keys)[:, 0]
    return _expected(maps, (at[:, None] - to[None]).abs() * keys.frames)


def _expected(maps: Tensor, distances: Tensor) -> float:
    weights = weights_of(maps)
    return float((weights * distances.to(weights)).sum(-1).mean())


def share_on_reference(maps: Tensor, own: Tensor, queries: Grid, keys: Grid) -> float:
    """Return the mean weight on the reference's own cell of the keys, in [0, 1]."""
    cell = (_places(queries)[own] * torch.tensor(keys)).long()
    positions = (cell[:, 0] * keys.rows + cell[:, 1]) * keys.cols + cell[:, 2]
    places = positions.to(maps.device).expand(len(maps), -1).unsqueeze(-1)
    found = weights_of(maps).gather(-1, places)
    return float(found.mean())


def similarity(maps: Tensor) -> float | None:
    """Return the mean cosine between the maps of different heads or groups at the same reference,
    in [-1, 1]; None where there is one."""
    count = len(maps)
    if count < 2:
        return None
    unit = F.normalize(precise(maps), dim=-1).transpose(0, 1)
    gram = unit @ unit.transpose(1, 2)
    return float((gram.sum((1, 2)) - count).mean() / (count * (count - 1)))


def block_statistics(block: BlockCapture) -> dict[str, float]:
    """Return every statistic of a block by its name, over up to 64 evenly spaced references.

    Heads, and the groups of a CGNL block, are sorts of maps of their own, and averaged. ``query
    dependence`` is GCNet's question (Cao et al. 2019): 0 where every reference gives one map.
    """
    kind: MapKind = kind_of(block)
    if not kind.referenced:
        return {}
    maps = kind.sample(block, REFERENCES)
    queries, keys = block.query_grid, block.key_grid
    groups = getattr(block, "groups", 1) if maps.shape[-1] < keys.cells else 1
    queries, keys = (g._replace(frames=g.frames // groups) for g in (queries, keys))
    own = spread(queries, REFERENCES)
    # Of windows, maps are sampled over the cells of one; where they lie, whole ones tell.
    whole = maps
    if maps.shape[1:] != (len(own), keys.cells):
        whole = kind.whole_sample(block, own)
    values = {
        name: make(whole if name in _OVER_THE_INPUT else maps, own, queries, keys)
        for name, make in _STATISTICS.items()
    }
    values["query dependence"] = query_dependence(block)
    return {name: value for name, value in values.items() if value is not None}


_STATISTICS: dict[str, Callable[[Tensor, Tensor, Grid, Grid], float | None]] = {
    "row entropy": lambda maps, _own, _queries, _keys: row_entropy(maps),
    "distance in space": distance_in_space,
    "distance in time": distance_in_time,
    "share on the reference": share_on_reference,
    "similarity of heads or groups": lambda maps, _own, _queries, _keys: similarity(maps),
}
_OVER_THE_INPUT = ("distance in space", "distance in time", "share on the reference")
NAMES = (*_STATISTICS, "query dependence")
