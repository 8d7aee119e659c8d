"""The non-local block: z = x + norm(W_z y), y_i = sum_j f(x_i, x_j) / C(x) g(x_j)."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from models import pairwise as pairwise_functions
from models.layout import (
    Grid,
    as_clip,
    fold_time,
    grid_of,
    positions_first,
    project_together,
    unfold_time,
)
from models.specs import NonLocalSpec


class NonLocalFactors(NamedTuple):
    """Everything the affinity is made of: queries (B, N, d), keys (B, M, d), values (B, M, C')."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    query_grid: Grid
    key_grid: Grid


class NonLocalProjection(nn.Module):
    """x (B, C, T, H, W) -> NonLocalFactors, by 1 x 1 convolutions theta, phi and g.

    The Gaussian has no theta and phi (x itself is compared); the concatenation projects theta and
    phi further onto the two halves of w_f, to one channel each.
    """

    def __init__(self, channels: int, spec: NonLocalSpec) -> None:
        super().__init__()
        inner = channels // spec.reduction
        self.pool_keys = spec.pool_keys
        embedded = spec.function != "gaussian"
        self.theta = nn.Conv2d(channels, inner, 1, bias=spec.bias) if embedded else nn.Identity()
        self.phi = nn.Conv2d(channels, inner, 1, bias=spec.bias) if embedded else nn.Identity()
        self.g = nn.Conv2d(channels, inner, 1, bias=spec.bias)
        concatenates = spec.function == "concatenation"
        self.query_weight = nn.Conv2d(inner, 1, 1, bias=False) if concatenates else nn.Identity()
        self.key_weight = nn.Conv2d(inner, 1, 1, bias=False) if concatenates else nn.Identity()

    def forward(self, x: Tensor) -> NonLocalFactors:
        frames = x.shape[2]
        folded = fold_time(x)
        theta, phi, g = project_together(folded, (self.theta, self.phi, self.g))
        if self.pool_keys:
            phi, g = F.max_pool2d(phi, 2), F.max_pool2d(g, 2)
        queries = unfold_time(self.query_weight(theta), frames)
        keys = unfold_time(self.key_weight(phi), frames)
        values = unfold_time(g, frames)
        return NonLocalFactors(
            positions_first(queries),
            positions_first(keys),
            positions_first(values),
            grid_of(x),
            grid_of(values),
        )


class NonLocalBlock(nn.Module):
    """Non-local block with batch norm (Wang et al. 2018, eq. 6): (B, C, T, H, W) -> the same shape.

    The norm starts at zero, so that a fresh block is the identity.
    """

    def __init__(self, channels: int, spec: NonLocalSpec) -> None:
        super().__init__()
        inner = channels // spec.reduction
        self.spec = spec
        self.projection = NonLocalProjection(channels, spec)
        self.pairwise = pairwise_functions.pairwise(spec.function, inner, spec.scale)
        self.expand = nn.Conv2d(inner, channels, 1, bias=spec.bias)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def respond(self, factors: NonLocalFactors) -> Tensor:
        """Return y as a clip, (B, C', T, H, W)."""
        y = self.pairwise.respond(factors.queries, factors.keys, factors.values)
        return as_clip(y, factors.query_grid)

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """Return x + norm(W_z y), (B, C, T, H, W)."""
        return x + unfold_time(self.norm(self.expand(fold_time(y))), x.shape[2])

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(x, self.respond(self.projection(x)))
