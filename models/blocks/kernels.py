"""Kernels of the generalized non-local operation (Yue et al. 2018, eqs. 8-13).

A kernel compares scalars: theta at one (channel, position) with phi at another. ``TaylorKernel`` is
the compact form y = Theta (Phi^T g), linear in the number of entries n; ``ExactKernel`` builds the
n x n matrix and is the reference. Both take vectors of one channel group, (B, G, n).
"""

from dataclasses import dataclass
from math import exp, factorial
from typing import Protocol

import torch
from torch import Tensor

from errors import InputError
from models.specs.block import CGNLSpec

EXACT_LIMIT = 8192
"""Entries n of a group up to which the exact n x n kernel matrix is made (256 MB in float32)."""


class Kernel(Protocol):
    """What the CGNL block and its pictures ask of a kernel."""

    def response(self, theta: Tensor, phi: Tensor, g: Tensor) -> Tensor:
        """Return y_i = sum_j k(theta_i, phi_j) g_j inside each group: (B, G, n) -> (B, G, n)."""

    def compare(self, theta: Tensor, phi: Tensor) -> Tensor:
        """Return k(theta, phi) elementwise, with broadcasting."""


@dataclass(frozen=True)
class TaylorKernel:
    """k(a, b) = sum_p alpha_p^2 (a b)^p; ``terms`` holds (p, alpha_p^2)."""

    terms: tuple[tuple[int, float], ...]

    def response(self, theta: Tensor, phi: Tensor, g: Tensor) -> Tensor:
        y = None
        for power, weight in self.terms:
            # Phi^T g of eq. 12: one scalar a group and a term.
            scalar = (
                weight * torch.linalg.vecdot(phi**power if power > 1 else phi, g)
                if power
                else (weight * g.sum(-1))
            )
            term = scalar.unsqueeze(-1)
            if power:
                term = (theta**power if power > 1 else theta) * term
            y = term if y is None else y + term
        return y.expand_as(theta)

    def compare(self, theta: Tensor, phi: Tensor) -> Tensor:
        product = theta * phi
        return sum(weight * product**power for power, weight in self.terms)


@dataclass(frozen=True)
class ExactKernel:
    """The kernel itself, not its expansion: ``outer * exp(inner * a b)``, or a b when linear."""

    linear: bool
    outer: float = 1.0
    inner: float = 1.0

    def response(self, theta: Tensor, phi: Tensor, g: Tensor) -> Tensor:
        entries = theta.shape[-1]
        if entries > EXACT_LIMIT:
            raise InputError(
                f"An exact GNL kernel of {entries} x {entries} entries a group is too large; up to "
                f"{EXACT_LIMIT} are built. Use a smaller input, more groups, or a Taylor order."
            )
        matrix = self.compare(theta.unsqueeze(-1), phi.unsqueeze(-2))
        return (matrix @ g.unsqueeze(-1)).squeeze(-1)

    def compare(self, theta: Tensor, phi: Tensor) -> Tensor:
        product = theta * phi
        return product if self.linear else self.outer * torch.exp(self.inner * product)


def taylor_weights(spec: CGNLSpec) -> tuple[tuple[int, float], ...]:
    """Return (p, alpha_p^2): eq. 9 (1/p!), eq. 10 (RBF), eq. 12 (dot product)."""
    order = spec.order if spec.order is not None else 3
    beta = exp(-2.0 * spec.gamma)
    table = {
        "dot_product": ((1, 1.0),),
        "embedded_gaussian": tuple((p, 1.0 / factorial(p)) for p in range(order + 1)),
        "gaussian_rbf": tuple(
            (p, beta * (2.0 * spec.gamma) ** p / factorial(p)) for p in range(order + 1)
        ),
    }
    return table[spec.kernel]


def kernel(spec: CGNLSpec) -> Kernel:
    """Return the kernel that ``spec`` names: Taylor of order P, or exact when the order is None."""
    if spec.order is not None:
        return TaylorKernel(taylor_weights(spec))
    exact = {
        "dot_product": ExactKernel(linear=True),
        "embedded_gaussian": ExactKernel(linear=False),
        "gaussian_rbf": ExactKernel(
            linear=False, outer=exp(-2.0 * spec.gamma), inner=2.0 * spec.gamma
        ),
    }
    return exact[spec.kernel]
