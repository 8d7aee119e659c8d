"""The compact generalized non-local block: z = x + norm(W_z vec^-1(Theta (Phi^T g)))."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from errors import SpecError, counted
from models.blocks.kernels import kernel
from models.blocks.layout import convolved, per_position, project_together
from models.specs.block import CGNLSpec

MANY_ENTRIES = 1 << 18
"""Entries of a group from which it is faster on a GPU to sum them with all its processors."""


class CGNLFactors(NamedTuple):
    """theta, phi and g of eq. 7, each (B, C', T, H, W); channels of a group are contiguous."""

    theta: Tensor
    phi: Tensor
    g: Tensor


def group_norm(x: Tensor, norm: nn.GroupNorm) -> Tensor:
    """Normalise each group of x (B, C, T, H, W) over its channels and positions."""
    if not x.is_cuda or x[0].numel() < norm.num_groups * MANY_ENTRIES:
        return norm(x)
    # torch gives each group to one of a GPU's many processors; this sum is spread over all.
    entries = x.reshape(len(x), norm.num_groups, -1).float()
    variance, mean = torch.var_mean(entries, -1, correction=0)
    deviation = (variance + norm.eps).sqrt()
    size = x.shape[1] // norm.num_groups
    mean, deviation = (part.repeat_interleave(size, -1) for part in (mean, deviation))
    scale = norm.weight / deviation  # of each channel, (B, C)
    shift = norm.bias - mean * scale
    scale, shift = (part.to(x.dtype)[:, :, None, None, None] for part in (scale, shift))
    return torch.addcmul(shift, x, scale)


class CGNLProjection(nn.Module):
    """x (B, C, T, H, W) -> CGNLFactors, by 1 x 1 convolutions without bias."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(channels, inner, 1, bias=False)
        self.phi = nn.Conv2d(channels, inner, 1, bias=False)
        self.g = nn.Conv2d(channels, inner, 1, bias=False)

    def forward(self, x: Tensor) -> CGNLFactors:
        return CGNLFactors(*project_together(x, (self.theta, self.phi, self.g)))


class CGNLBlock(nn.Module):
    """CGNL block (Yue et al. 2018, Fig. 3): (B, C, T, H, W) -> the same shape.

    With more than one group, W_z is grouped and the norm is a GroupNorm, as the authors have it;
    with one group it is a BatchNorm. The norm starts at zero: a fresh block is the identity.
    """

    def __init__(self, channels: int, spec: CGNLSpec) -> None:
        super().__init__()
        inner = channels // spec.reduction
        if inner % spec.groups:
            raise SpecError(
                f"{counted(inner, 'channel')} cannot be cut into {counted(spec.groups, 'group')}; "
                "use a number of groups that divides them."
            )
        self.spec = spec
        self.projection = CGNLProjection(channels, inner)
        self.kernel = kernel(spec)
        self.expand = nn.Conv2d(inner, channels, 1, groups=spec.groups, bias=False)
        grouped = spec.groups > 1
        self.norm = nn.GroupNorm(spec.groups, channels) if grouped else nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def entries(self, factors: CGNLFactors) -> CGNLFactors:
        """Return theta, phi, g as the kernel takes them: (B, G, n), with n = C'/G * N entries a
        group."""
        theta, phi, g = (part.reshape(part.shape[0], self.spec.groups, -1) for part in factors)
        if self.spec.l2_normalise:
            theta, phi = F.normalize(theta, dim=-1), F.normalize(phi, dim=-1)
        if self.spec.scale:
            g = g * theta.shape[-1] ** -0.5
        return CGNLFactors(theta, phi, g)

    def respond(self, factors: CGNLFactors) -> Tensor:
        """Return y (eq. 8, compact by eq. 12), (B, C', T, H, W); groups are a batch axis."""
        return self.kernel.response(*self.entries(factors)).reshape(factors.theta.shape)

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """Return x + norm(W_z y), (B, C, T, H, W); GroupNorm runs over the whole clip."""
        added = convolved(y, self.expand)
        if isinstance(self.norm, nn.GroupNorm):
            return x + group_norm(added, self.norm)
        return x + per_position(added, self.norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(x, self.respond(self.projection(x)))
