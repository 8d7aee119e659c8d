"""The non-local block: z = x + norm(W_z y), y_i = sum_j f(x_i, x_j) / C(x) g(x_j)."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from errors import InputError
from models.blocks import pairwise as pairwise_functions
from models.blocks.layout import (
    Grid,
    as_clip,
    convolved,
    fold_time,
    grid_of,
    per_position,
    positions_first,
    project_together,
    unfold_time,
)
from models.specs.block import NonLocalSpec


class NonLocalFactors(NamedTuple):
    """Everything the affinity is made of: queries (B, N, d), keys (B, M, d), values (B, M, C')."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    query_grid: Grid
    key_grid: Grid


def halve(x: Tensor) -> Tensor:
    """Max-pool (B, C, T, H, W) by 2 in each frame; along W alone where there is one row, as a
    sequence has."""
    pooled = F.max_pool2d(fold_time(x), (min(2, x.shape[3]), 2))
    return unfold_time(pooled, x.shape[2])


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
        if self.pool_keys == "before":
            (theta,) = project_together(x, (self.theta,))
            phi, g = project_together(halve(x), (self.phi, self.g))
        else:
            theta, phi, g = project_together(x, (self.theta, self.phi, self.g))
            if self.pool_keys == "after":
                phi, g = halve(phi), halve(g)
        (queries,) = project_together(theta, (self.query_weight,))
        (keys,) = project_together(phi, (self.key_weight,))
        return NonLocalFactors(
            positions_first(queries), positions_first(keys), positions_first(g),
            grid_of(x), grid_of(g),
        )  # fmt: skip


class NonLocalBlock(nn.Module):
    """Non-local block (Wang et al. 2018, eq. 6) on sequences, images and clips.

    (B, C, L), (B, C, H, W) or (B, C, T, H, W) -> the same shape. The norm (or, without one, W_z)
    starts at zero, so that a fresh block is the identity. With ``group_frames`` only consecutive
    frames of one group attend to each other; the clip's length must be a multiple of it.
    """

    def __init__(self, channels: int, spec: NonLocalSpec, group_frames: int | None = None) -> None:
        super().__init__()
        inner = channels // spec.reduction
        self.spec = spec
        self.group_frames = group_frames
        self.projection = NonLocalProjection(channels, spec)
        self.pairwise = pairwise_functions.pairwise(spec.function, inner, spec.scale)
        self.expand = nn.Conv2d(inner, channels, 1, bias=spec.expand_bias)
        normed = spec.norm == "batch"
        self.norm = nn.BatchNorm2d(channels) if normed else nn.Identity()
        for last in self.norm.parameters() if normed else self.expand.parameters():
            nn.init.zeros_(last)

    def respond(self, factors: NonLocalFactors) -> Tensor:
        """Return y as a clip, (B, C', T, H, W)."""
        y = self.pairwise.respond(factors.queries, factors.keys, factors.values)
        return as_clip(y, factors.query_grid)

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """Return x + norm(W_z y), (B, C, T, H, W)."""
        return x + per_position(convolved(y, self.expand), self.norm)

    def forward(self, x: Tensor) -> Tensor:
        lifted = x.reshape(*x.shape[:2], *(1,) * (5 - x.ndim), *x.shape[2:])
        grouped = self.grouped(lifted)
        z = self.merge(grouped, self.respond(self.projection(grouped)))
        return self.ungrouped(z, lifted.shape[2]).reshape(x.shape)

    def grouped(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B * T/group, C, group, H, W), consecutive frames together."""
        frames = self.group_frames or x.shape[2]
        if x.shape[2] == frames:
            return x
        if x.shape[2] % frames:
            raise InputError(
                f"{x.shape[2]} feature frames cannot be cut into the groups of {frames} that this "
                f"block attends in; use a clip length that gives a multiple of {frames}."
            )
        return x.unflatten(2, (-1, frames)).transpose(1, 2).flatten(0, 1)

    def ungrouped(self, z: Tensor, frames: int) -> Tensor:
        """Undo ``grouped`` for a clip of ``frames``."""
        groups = frames // z.shape[2]
        return z if groups == 1 else z.unflatten(0, (-1, groups)).transpose(1, 2).flatten(2, 3)
