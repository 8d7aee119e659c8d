"""The global context block: every position gets the same mean of the whole picture (GCNet)."""

import torch.nn.functional as F
from torch import Tensor, nn

from models.blocks.layout import convolved, positions_last
from models.specs.block import GlobalContextSpec


class GlobalContextBlock(nn.Module):
    """z_i = x_i + W_v2 ReLU(LN(W_v1 sum_j a_j x_j)), a = softmax_j(W_k x_j) (Cao et al. 2019,
    eq. 5): (B, C, T, H, W) -> the same shape.

    The weights a are taken over all positions of a clip. W_v2 starts at zero: a fresh block is the
    identity.
    """

    def __init__(self, channels: int, spec: GlobalContextSpec) -> None:
        super().__init__()
        inner = max(1, channels // spec.reduction)
        self.spec = spec
        self.key = nn.Conv2d(channels, 1, 1)
        self.reduce = nn.Conv2d(channels, inner, 1)
        self.norm = nn.LayerNorm([inner, 1, 1])
        self.expand = nn.Conv2d(inner, channels, 1)
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)

    def weights(self, x: Tensor) -> Tensor:
        """Return a, (B, 1, N) float, which sums to 1 over the N = T H W positions of a clip."""
        return positions_last(convolved(x, self.key)).softmax(-1)

    def added(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return what every position of a clip gets, (B, C), for weights (B, 1, N)."""
        context = (weights @ positions_last(x).transpose(1, 2)).transpose(1, 2).unsqueeze(-1)
        return self.expand(F.relu(self.norm(self.reduce(context)))).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.added(x, self.weights(x))[:, :, None, None, None]
