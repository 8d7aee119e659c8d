"""How a new block's theta and phi are started, so that its maps mean something from the first step.

NL: theta = phi = the leading principal directions of the block's input, so that theta . phi starts
as feature similarity. CGNL: theta = phi = one part detector a channel, the centroids of a spherical
k-means over the block's input features, made orthogonal to the mean feature.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.blocks.cgnl_block import CGNLBlock
from models.blocks.nonlocal_block import NonLocalBlock
from viz.evaluation.clusters import kmeans

KMEANS_STEPS = 25


def principal_directions(features: Tensor, count: int) -> Tensor:
    """Return the (count, C) leading principal directions of (K, C) features."""
    centred = features - features.mean(0)
    _values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    return vectors.flip(1)[:, :count].T.contiguous()


def spherical_kmeans(features: Tensor, count: int, seed: int) -> Tensor:
    """Return ``count`` unit centroids (count, C) of the directions of centred (K, C) features."""
    return kmeans(features - features.mean(0), count, seed, KMEANS_STEPS)


def without_mean(directions: Tensor, features: Tensor) -> Tensor:
    """Return the directions (count, C) made orthogonal to the mean feature, unit length again.

    A projection without bias then ignores what all positions share.
    """
    mean = F.normalize(features.mean(0), dim=0)
    return F.normalize(directions - (directions @ mean)[:, None] * mean, dim=1)


@torch.no_grad()
def start_from(
    block: NonLocalBlock | CGNLBlock, features: Tensor, deviation: float, seed: int
) -> None:
    """Set theta = phi of a block from (K, C) features of its input.

    ``deviation`` is the standard deviation of the NL block's logits over pairs of positions.
    """
    projection = block.projection
    count = projection.theta.weight.shape[0]
    if isinstance(block, NonLocalBlock):
        directions = principal_directions(features, count)
        projected = (features - features.mean(0))[:4000] @ directions.T
        logits = projected @ projected.T * block.pairwise.scale
        directions = directions * (deviation / logits.std()).sqrt()
    else:
        directions = without_mean(spherical_kmeans(features, count, seed), features)
        directions = directions / (features @ directions.T).std()
    for layer in (projection.theta, projection.phi):
        layer.weight.copy_(directions[:, :, None, None])
        if layer.bias is not None:
            layer.bias.copy_(-directions @ features.mean(0))
    print(f"block {type(block).__name__} started from {len(features)} features", flush=True)
