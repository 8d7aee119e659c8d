"""How much a block's maps depend on the reference, as one number."""

import torch
from torch import Tensor

from viz.types import BlockCapture, NonLocalCapture

REFERENCES = 64


def query_dependence(block: BlockCapture) -> float:
    """Return 1 minus the mean correlation between maps of different references, clipped to [0, 1].

    0: every reference gives the same map. Taken over up to 64 evenly spaced references; for CGNL
    over the group maps, averaged over groups (a single dot-product channel has the same shape for
    every reference by construction). Where frames attend in groups, over the first of them.
    """
    if isinstance(block, NonLocalCapture):
        queries, keys = block.group(0)
        maps = block.pairwise.matrix(queries[_spread(len(queries))], keys).unsqueeze(0)
    else:
        positions = _spread(block.query_grid.cells)
        channels = len(block.theta) // block.groups
        theta = block.theta[:, positions].reshape(block.groups, channels, -1)
        phi = block.phi.reshape(block.groups, channels, -1)
        maps = torch.stack([_group_maps(block, theta[k], phi[k]) for k in range(block.groups)])
    return float((1 - _mean_correlation(maps)).clamp(0, 1).mean())


def _spread(cells: int) -> Tensor:
    return torch.linspace(0, cells - 1, min(REFERENCES, cells)).round().long().unique()


def _group_maps(block: BlockCapture, theta: Tensor, phi: Tensor) -> Tensor:
    """(channels, R), (channels, N) -> (R, N): sum of same-channel maps, a reference at a time."""
    return torch.stack([block.kernel.compare(t.unsqueeze(1), phi).sum(0) for t in theta.T])


def _mean_correlation(maps: Tensor) -> Tensor:
    """(K, R, N) -> (K,): mean Pearson correlation over pairs of different rows; 1 for flat maps."""
    centred = maps - maps.mean(-1, keepdim=True)
    norm = centred.norm(dim=-1, keepdim=True)
    unit = torch.where(norm > 0, centred / norm.clamp_min(1e-30), 0)
    gram = unit @ unit.transpose(-1, -2)
    count = maps.shape[1]
    if count < 2:
        return torch.ones(len(maps))
    pairs = gram.sum((-1, -2)) - gram.diagonal(dim1=-2, dim2=-1).sum(-1)
    return torch.where(norm.flatten(1).any(1), pairs / (count * (count - 1)), 1.0)
