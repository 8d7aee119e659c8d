"""The compact generalized non-local block: z = x + norm(W_z vec^-1(Theta (Phi^T g)))."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from errors import SpecError
from models.blocks.kernels import kernel
from models.blocks.layout import fold_time, project_together, unfold_time
from models.specs.block import CGNLSpec


class CGNLFactors(NamedTuple):
    """theta, phi and g of eq. 7, each (B, C', T, H, W); channels of a group are contiguous."""

    theta: Tensor
    phi: Tensor
    g: Tensor


class CGNLProjection(nn.Module):
    """x (B, C, T, H, W) -> CGNLFactors, by 1 x 1 convolutions without bias."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(channels, inner, 1, bias=False)
        self.phi = nn.Conv2d(channels, inner, 1, bias=False)
        self.g = nn.Conv2d(channels, inner, 1, bias=False)

    def forward(self, x: Tensor) -> CGNLFactors:
        projected = project_together(fold_time(x), (self.theta, self.phi, self.g))
        return CGNLFactors(*(unfold_time(part, x.shape[2]) for part in projected))


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
                f"{inner} channels cannot be cut into {spec.groups} groups; use a number of groups "
                "that divides them."
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
        expanded = unfold_time(self.expand(fold_time(y)), x.shape[2])
        if isinstance(self.norm, nn.GroupNorm):
            return x + self.norm(expanded)
        return x + unfold_time(self.norm(fold_time(expanded)), x.shape[2])

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(x, self.respond(self.projection(x)))
