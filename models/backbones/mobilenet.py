"""MobileNet (Howard et al. 2017) with a gate after each depthwise convolution.

Keys and strides are those of the CGD authors' code: the stem keeps the size of the picture.
"""

from torch import Tensor, nn

from models.backbones.filling import fill_convolutions
from models.backbones.image_network import ImageNetwork, size_of, wrong_size
from models.blocks.gate_table import cgd_or_none
from models.specs.network import CompactSpec

STEM_CHANNELS = 32
UNITS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
"""Output channels at width 1.0 and stride of each unit."""

_SIZES = "a width factor from 0.1 to 2.0, such as 1.0 or 0.7"


def scaled(channels: int, factor: float) -> int:
    """Return the channels at a width factor: 64 at 0.7 is 45, as in the authors' code."""
    return round(channels * factor)


class Unit(nn.Module):
    """3x3 depthwise (carries the stride) -> gate -> 1x1: (B*T, C, H, W) -> (B*T, D, H/s, W/s)."""

    def __init__(self, spec: CompactSpec, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        self.attention = cgd_or_none(spec.gate, channels)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        y = self.relu(self.bn1(self.attention(self.conv1(x), frames)))
        return self.relu(self.bn2(self.conv2(y)))


class MobileNet(ImageNetwork):
    """MobileNet of any width factor: (B, 3, T, H, W) -> logits (B, classes)."""

    def __init__(self, spec: CompactSpec) -> None:
        super().__init__(spec)
        factor = float(size_of(spec, r"([0-2](?:\.\d{1,6})?)", _SIZES)[0])
        if not 0.1 <= factor <= 2:
            raise wrong_size(spec, _SIZES)
        channels = scaled(STEM_CHANNELS, factor)
        self.conv1 = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.layers = nn.ModuleList()
        for out, stride in UNITS:
            self.layers.append(Unit(spec, channels, scaled(out, factor), stride))
            channels = scaled(out, factor)
        self.linear = nn.Linear(channels, spec.num_classes)
        fill_convolutions(self)

    def features_of(self, folded: Tensor, frames: int) -> Tensor:
        x = self.relu(self.bn1(self.conv1(folded)))
        for unit in self.layers:
            x = unit(x, frames)
        return x

    def classify(self, pooled: Tensor) -> Tensor:
        return self.linear(pooled)
