"""EfficientNet-Lite (Tan & Le 2019 without squeeze-and-excitation, ReLU6) for images and clips.

Attention blocks stand beside the units in their own ModuleDict; a gate stands inside a unit, after
its depthwise convolution. Padding is TensorFlow's "same": where it is odd, the larger half is right
and below.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.filling import fill_convolutions
from models.blocks.block_table import AttentionBlock, block
from models.blocks.cgd_block import CGDBlock
from models.blocks.gate_table import cgd_or_none
from models.blocks.layout import fold_time, unfold_time
from models.specs.lite import HEAD_CHANNELS, STEM_CHANNELS, UnitShape, lite_units
from models.specs.network import LiteSpec
from models.specs.placement import LitePlace, lite_places

EPSILON = 1e-3
"""Of every batch norm, as the definition has it."""


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, EPSILON, momentum=0.01)


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow's "same": (B, C, H, W) -> (B, D, H/s, W/s), rounded up."""

    def forward(self, x: Tensor) -> Tensor:
        high, wide = (self._missing(x.shape[dim], dim - 2) for dim in (2, 3))
        if high % 2 == wide % 2 == 0:
            padding = (high // 2, wide // 2)
            return F.conv2d(x, self.weight, None, self.stride, padding, groups=self.groups)
        sides = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        return F.conv2d(F.pad(x, sides), self.weight, None, self.stride, groups=self.groups)

    def _missing(self, side: int, axis: int) -> int:
        """Return how many rows or columns of padding the output of ceil(side / stride) needs."""
        kernel, stride = self.kernel_size[axis], self.stride[axis]
        return max((-(-side // stride) - 1) * stride + kernel - side, 0)


class LiteUnit(nn.Module):
    """1x1 expand -> depthwise (carries the stride) -> gate -> 1x1 project, plus the input where
    shapes allow: (B*T, C, H, W) -> (B*T, D, H/s, W/s)."""

    def __init__(self, spec: LiteSpec, shape: UnitShape) -> None:
        super().__init__()
        inner = shape.channels * shape.expansion
        if shape.expansion > 1:
            self.expand = nn.Conv2d(shape.channels, inner, 1, bias=False)
            self.expand_norm = _norm(inner)
        self.depthwise = SameConv2d(
            inner, inner, shape.kernel, shape.stride, groups=inner, bias=False
        )
        self.attention = cgd_or_none(spec.gate, inner)
        self.depthwise_norm = _norm(inner)
        self.project = nn.Conv2d(inner, shape.out, 1, bias=False)
        self.project_norm = _norm(shape.out)
        self.relu = nn.ReLU6(inplace=True)
        self.expands = shape.expansion > 1
        self.adds = shape.stride == 1 and shape.channels == shape.out

    def forward(self, x: Tensor, frames: int) -> Tensor:
        y = self.relu(self.expand_norm(self.expand(x))) if self.expands else x
        y = self.relu(self.depthwise_norm(self.attention(self.depthwise(y), frames)))
        y = self.project_norm(self.project(y))
        return x + y if self.adds else y


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite with attention blocks: (B, 3, T, H, W) -> logits (B, classes).

    Heights and widths are multiples of 32, so that every stride divides them. Logits of a clip are
    those of its mean feature over frames.
    """

    def __init__(self, spec: LiteSpec) -> None:
        super().__init__()
        self.spec = spec
        shapes = lite_units(spec.size_name)
        self.stem = SameConv2d(3, STEM_CHANNELS, 3, 2, bias=False)
        self.stem_norm = _norm(STEM_CHANNELS)
        self.units = nn.ModuleList(LiteUnit(spec, shape) for shape in shapes)
        self.head = nn.Conv2d(shapes[-1].out, HEAD_CHANNELS, 1, bias=False)
        self.head_norm = _norm(HEAD_CHANNELS)
        self.relu = nn.ReLU6(inplace=True)
        self.dropout = nn.Dropout(spec.dropout)
        self.fc = nn.Linear(HEAD_CHANNELS, spec.num_classes)
        fill_convolutions(self)
        self.places = lite_places(spec.size_name, spec.placement)
        self.blocks = nn.ModuleDict(
            {p.key: block(spec.block, shapes[p.unit].out, p.stage) for p in self.places}
        )

    def block_at(self, place: LitePlace) -> AttentionBlock:
        """Return the attention block that stands at ``place``."""
        return self.blocks[place.key]

    def unit_at(self, place: LitePlace) -> nn.Module:
        """Return the unit before ``place``."""
        return self.units[place.unit]

    def gated(self) -> dict[str, CGDBlock]:
        """Return the gates inside units by name (unit0), in the order they are passed."""
        return {
            LitePlace(0, index).label: unit.attention
            for index, unit in enumerate(self.units)
            if isinstance(unit.attention, CGDBlock)
        }

    def run_units(self, x: Tensor, frames: int, first: int, last: int) -> Tensor:
        """Run units ``first`` to ``last`` inclusive and their blocks: (B*T, C, H, W) each way."""
        for index in range(first, last + 1):
            x = self.units[index](x, frames)
            key = LitePlace(0, index).key
            if key in self.blocks:
                x = fold_time(self.blocks[key](unfold_time(x, frames)))
        return x

    def run_stem(self, x: Tensor) -> Tensor:
        """Return the first features, (B*T, 3, H, W) -> (B*T, 32, H/2, W/2)."""
        return self.relu(self.stem_norm(self.stem(x)))

    def pooled(self, x: Tensor, frames: int) -> Tensor:
        """Return the head's mean feature over positions and frames, (B*T, C, H, W) -> (B, 1280)."""
        features = self.relu(self.head_norm(self.head(x)))
        return features.mean((2, 3)).unflatten(0, (-1, frames)).mean(1)

    def finish(self, x: Tensor, frames: int, first: int) -> Tensor:
        """Return the logits (B, classes) of what enters unit ``first``, (B*T, C, H, W)."""
        left = self.run_units(x, frames, first, len(self.units) - 1)
        return self.fc(self.dropout(self.pooled(left, frames)))

    def resume(self, place: LitePlace, features: Tensor) -> Tensor:
        """Return the logits given what leaves ``place``, (B, C, T, H, W)."""
        return self.finish(fold_time(features), features.shape[2], place.unit + 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.finish(self.run_stem(fold_time(x)), x.shape[2], 0)
