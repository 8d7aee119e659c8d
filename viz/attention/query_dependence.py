"""How much a block's maps depend on the reference, as one number."""

import torch
from torch import Tensor

from viz.attention.captures import BlockCapture
from viz.attention.kinds.registry import kind_of

REFERENCES = 64


def query_dependence(block: BlockCapture) -> float:
    """Return 1 minus the mean correlation between maps of different references, clipped to [0, 1].

    0: every reference gives the same map. Taken over up to 64 evenly spaced references, and
    averaged over what ``MapKind.sample`` gives side by side: heads, or the groups of a CGNL block.
    Where frames attend in groups, over the first of them. 0 for maps without a reference.
    """
    kind = kind_of(block)
    if not kind.referenced:
        return 0.0
    maps = kind.sample(block, REFERENCES)
    return float((1 - _mean_correlation(maps)).clamp(0, 1).mean())


def _mean_correlation(maps: Tensor) -> Tensor:
    """(K, R, N) -> (K,): mean Pearson correlation over pairs of different rows; 1 for flat maps."""
    centred = maps - maps.mean(-1, keepdim=True)
    norm = centred.norm(dim=-1, keepdim=True)
    unit = torch.where(norm > 0, centred / norm.clamp_min(1e-30), 0)
    gram = unit @ unit.transpose(-1, -2)
    count = maps.shape[1]
    if count < 2:
        return maps.new_ones(len(maps))
    pairs = gram.sum((-1, -2)) - gram.diagonal(dim1=-2, dim2=-1).sum(-1)
    return torch.where(norm.flatten(1).any(1), pairs / (count * (count - 1)), 1.0)
