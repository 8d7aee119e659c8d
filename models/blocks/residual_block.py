"""The simple residual block: z = norm(W_z theta(x)) + x."""

from torch import Tensor, nn

from models.blocks.layout import convolved, per_position
from models.specs.block import ResidualSpec


class ResidualBlock(nn.Module):
    """The CGNL block without phi, g and kernel (Yue et al. 2018, Fig. 4): (B, C, T, H, W) -> the
    same shape.

    The norm starts at zero: a fresh block is the identity.
    """

    def __init__(self, channels: int, spec: ResidualSpec) -> None:
        super().__init__()
        inner = channels // spec.reduction
        self.spec = spec
        self.theta = nn.Conv2d(channels, inner, 1, bias=False)
        self.expand = nn.Conv2d(inner, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + per_position(convolved(convolved(x, self.theta), self.expand), self.norm)
