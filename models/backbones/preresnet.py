"""Pre-activation ResNet for 32-pixel pictures (He et al. 2016, "Identity mappings").

Keys, and the place of the gate, are those of the CGD authors' code.
"""

import torch
from torch import Tensor, nn

from models.backbones.filling import fill_convolutions
from models.backbones.image_network import ImageNetwork, size_of, wrong_size
from models.blocks.gate_table import cgd_or_none
from models.specs.network import CompactSpec

WIDTHS = (16, 32, 64)
FIRST_BOTTLENECK_DEPTH = 44
MAX_DEPTH = 1202
_SIZES = f"a depth 6n + 2 from 8 to {MAX_DEPTH}, such as 56"


class _Unit(nn.Module):
    """What both kinds of unit share: the gate, and the number that the authors left unused."""

    expansion: int

    def __init__(self, spec: CompactSpec, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * self.expansion
        self.attention = cgd_or_none(spec.gate, width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False))
        # Nothing reads it: it is here for the key of the same name in the authors' checkpoints.
        self.scale = nn.Parameter(torch.tensor([2.0])) if spec.gate else None

    def shortcut(self, x: Tensor) -> Tensor:
        """Return x in the shape of the unit's output."""
        return x if self.downsample is None else self.downsample(x)


class Basic(_Unit):
    """3x3 (carries the stride) -> gate -> 3x3: (B*T, C, H, W) -> (B*T, w, H/s, W/s)."""

    expansion = 1

    def __init__(self, spec: CompactSpec, channels: int, width: int, stride: int) -> None:
        super().__init__(spec, channels, width, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        y = self.attention(self.conv1(self.relu(self.bn1(x))), frames)
        return self.conv2(self.relu(self.bn2(y))) + self.shortcut(x)


class Bottleneck(_Unit):
    """1x1 -> 3x3 (carries the stride) -> gate -> 1x1: (B*T, C, H, W) -> (B*T, 4w, H/s, W/s)."""

    expansion = 4

    def __init__(self, spec: CompactSpec, channels: int, width: int, stride: int) -> None:
        super().__init__(spec, channels, width, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        y = self.conv2(self.relu(self.bn2(self.conv1(self.relu(self.bn1(x))))))
        y = self.conv3(self.relu(self.bn3(self.attention(y, frames))))
        return y + self.shortcut(x)


class PreResNet(ImageNetwork):
    """PreResNet of ``size_name`` 6n + 2: (B, 3, T, H, W) -> logits (B, classes).

    From 44 on the n units of a stage are bottlenecks, which makes 9n + 2 layers, as the authors'
    code has it: their PreResNet-56 has 83.
    """

    def __init__(self, spec: CompactSpec) -> None:
        super().__init__(spec)
        depth = int(size_of(spec, r"(\d{1,4})", _SIZES)[0])
        if depth % 6 != 2 or not 8 <= depth <= MAX_DEPTH:
            raise wrong_size(spec, _SIZES)
        unit = Bottleneck if depth >= FIRST_BOTTLENECK_DEPTH else Basic
        channels = WIDTHS[0]
        self.conv1 = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        stages = []
        for stage, width in enumerate(WIDTHS):
            units = nn.ModuleList()
            for index in range((depth - 2) // 6):
                units.append(unit(spec, channels, width, 2 if stage and index == 0 else 1))
                channels = width * unit.expansion
            stages.append(units)
        self.layer1, self.layer2, self.layer3 = stages
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(channels, spec.num_classes)
        fill_convolutions(self)

    def features_of(self, folded: Tensor, frames: int) -> Tensor:
        x = self.conv1(folded)
        for unit in (*self.layer1, *self.layer2, *self.layer3):
            x = unit(x, frames)
        return self.relu(self.bn(x))

    def classify(self, pooled: Tensor) -> Tensor:
        return self.fc(pooled)
