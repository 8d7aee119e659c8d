"""The pairwise functions f of the non-local block (Wang et al. 2018, eqs. 2-6).

Each is one object with three views of the same arithmetic: ``row`` for one reference, ``matrix``
for all of them, ``respond`` for the weighted sum of values that a forward pass needs and that never
holds the N x M matrix. Queries are (..., N, d), keys (..., M, d), values (..., M, C').
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from models.specs.block import PairwiseName

RESPOND_CHUNK, GPU_CHUNK = 1 << 22, 1 << 24
"""Entries of the affinity that a chunked response holds at once (16 and 64 MB in float32)."""


@runtime_checkable
class Pairwise(Protocol):
    """What forward passes and pictures ask of a pairwise function.

    ``scale`` is the factor on q_i . k_j, 1 where there is none; rows with ``sums_to_one`` are
    weights.
    """

    name: PairwiseName
    scale: float
    sums_to_one: bool

    def matrix(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return f(x_i, x_j) / C(x) for all i, j: (..., N, M)."""

    def respond(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return y_i = sum_j f(x_i, x_j) / C(x) g_j (eq. 1): (..., N, C')."""


def row(pairwise: Pairwise, queries: Tensor, keys: Tensor, position: int) -> Tensor:
    """Return the affinity row of one reference, (M,), in O(M d): the matrix of one query."""
    return pairwise.matrix(queries[position : position + 1].float(), keys.float())[0]


def _in_chunks(pairwise: Pairwise, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return the response with the matrix of some queries at a time."""
    most = GPU_CHUNK if queries.is_cuda else RESPOND_CHUNK
    rows = max(1, most // (keys.shape[-2] * keys.shape[0]))
    y = values.new_empty(*queries.shape[:-1], values.shape[-1])
    # Written in place: results kept beside the chunks would leave holes that nothing fits in.
    for first in range(0, queries.shape[-2], rows):
        part = slice(first, first + rows)
        y[..., part, :] = pairwise.matrix(queries[..., part, :], keys) @ values
    return y


@dataclass(frozen=True)
class Softmax:
    """exp(scale * q_i . k_j), normalised over j: Gaussian (eq. 2) and embedded Gaussian (eq. 3)."""

    name: PairwiseName
    scale: float = 1.0
    sums_to_one: bool = True

    def matrix(self, queries: Tensor, keys: Tensor) -> Tensor:
        return torch.softmax(self.scale * (queries @ keys.transpose(-1, -2)), dim=-1)

    def respond(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        if queries.is_cuda and queries.dtype == torch.float32:
            # The fused kernels are for half precision; in float32 products are faster.
            return _in_chunks(self, queries, keys, values)
        # The fused kernels want heads of one size; zero columns change nothing in the sum.
        width = values.shape[-1]
        padded = (
            F.pad(values, (0, queries.shape[-1] - width)) if width < queries.shape[-1] else values
        )
        y = F.scaled_dot_product_attention(
            queries.unsqueeze(1), keys.unsqueeze(1), padded.unsqueeze(1), scale=self.scale
        )
        return y.squeeze(1)[..., :width]


@dataclass(frozen=True)
class DotProduct:
    """theta_i . phi_j / N (eq. 4): linear, so the response is taken in the associative order."""

    name: PairwiseName = "dot_product"
    scale: float = 1.0
    sums_to_one: bool = False

    def matrix(self, queries: Tensor, keys: Tensor) -> Tensor:
        return queries @ keys.transpose(-1, -2) * (self.scale / keys.shape[-2])

    def respond(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return queries @ (keys.transpose(-1, -2) @ values * (self.scale / keys.shape[-2]))


@dataclass(frozen=True)
class Concatenation:
    """ReLU(w_f . [theta_i, phi_j]) / N (eq. 5), given a_i and b_j with w_f . [.,.] = a_i + b_j.

    Queries and keys are the projections onto the two halves of w_f, so d = 1.
    """

    name: PairwiseName = "concatenation"
    scale: float = 1.0
    sums_to_one: bool = False

    def matrix(self, queries: Tensor, keys: Tensor) -> Tensor:
        return torch.relu(queries + keys.transpose(-1, -2)) / keys.shape[-2]

    def respond(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return _in_chunks(self, queries, keys, values)


def pairwise(name: PairwiseName, key_width: int, scaled: bool) -> Pairwise:
    """Return the pairwise function ``name`` for keys of ``key_width`` channels (C')."""
    scale = key_width**-0.5 if scaled else 1.0
    table: dict[str, Pairwise] = {
        "gaussian": Softmax("gaussian"),
        "embedded_gaussian": Softmax("embedded_gaussian", scale),
        "dot_product": DotProduct(scale=scale),
        "concatenation": Concatenation(),
    }
    return table[name]
