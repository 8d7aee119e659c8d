"""ResNets (He et al. 2016) for images and clips, with attention blocks standing beside the stages.

Keys of the plain network are torchvision's; blocks live in their own ModuleDict, so that adding one
renumbers nothing. Clips pass as (B*T, C, H, W) with T beside them: kernels of one frame run in 2-D,
and only true temporal kernels unfold the clip.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones import people
from models.backbones.filling import fill_convolutions
from models.backbones.units import NORMS, Basic, Bottleneck, TimeConv
from models.blocks.block_table import AttentionBlock, block
from models.blocks.context_block import GlobalContextBlock
from models.blocks.layout import fold_time, unfold_time
from models.specs.network import BASIC_DEPTHS, RESNET_UNITS, ModelSpec
from models.specs.placement import Place, places


class Folded(NamedTuple):
    """A clip on its way: features (B*T, C, H, W) and T."""

    features: Tensor
    frames: int


class NoClassifier(nn.Module):
    """Stands where a network has no classifier: (B, C) -> no logits, (B, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :0]


class AttentionResNet(nn.Module):
    """ResNet of any width with attention blocks: (B, 3, T, H, W) -> logits (B, classes).

    An image (T = 1) costs what torchvision's network costs and gives the same bits. Logits of a
    clip are those of its mean feature over frames.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        width, time = spec.base_width, spec.temporal
        if time.stem_frames == 1:
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        else:
            self.conv1 = TimeConv(
                3, width, (time.stem_frames, 7, 7), (time.stem_stride, 2, 2), bias=False
            )
        self.bn1 = NORMS[spec.norm](width)
        self.relu = nn.ReLU(inplace=True)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _stage(spec, stage) for stage in range(2, 6)
        )
        self.dropout = nn.Dropout(spec.dropout)
        width_out = stage_channels(spec, 5)
        self.fc = nn.Linear(width_out, spec.num_classes) if spec.num_classes else NoClassifier()
        fill_convolutions(self)
        self.places = places(spec.depth, spec.placement)
        self.blocks = nn.ModuleDict(
            {p.key: block(spec.block, stage_channels(spec, p.stage), p.stage) for p in self.places}
        )

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``."""
        return self.blocks[place.key]

    def unit_at(self, place: Place) -> nn.Module:
        """Return the residual unit before ``place``."""
        return (self.layer1, self.layer2, self.layer3, self.layer4)[place.stage - 2][place.unit]

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside units by name (res2.0), in the order they are passed."""
        return {
            place.label: unit.attention
            for place, unit in self._units()
            if unit.attention is not None
        }

    def _units(self) -> Iterator[tuple[Place, nn.Module]]:
        for stage, layer in enumerate(
            (self.layer1, self.layer2, self.layer3, self.layer4), start=2
        ):
            for index, unit in enumerate(layer):
                yield Place(stage, index), unit

    def _run(self, folded: Folded, after: Place | None, last: Place) -> Folded:
        """Run the units (and blocks) behind ``after``, or from the first, up to ``last``."""
        x, frames = folded
        for place, unit in self._units():
            if (after is not None and place <= after) or place > last:
                continue
            if place == (3, 0) and self.spec.temporal.halve_after_res2:
                x, frames = _pool(x, frames, (2, 1, 1), (2, 1, 1))
            x = self._pass(place, unit, x, frames)
        return Folded(x, frames)

    def _pass(self, place: Place, unit: nn.Module, x: Tensor, frames: int) -> Tensor:
        """Run a unit and the block at its place: after it, or at the end of its branch."""
        if place.key not in self.blocks:
            return unit(x, frames)
        found = self.blocks[place.key]
        if isinstance(found, GlobalContextBlock):
            return unit(x, frames, found)
        return fold_time(found(unfold_time(unit(x, frames), frames)))

    def _stem(self, clip: Tensor) -> Folded:
        time = self.spec.temporal
        if isinstance(self.conv1, TimeConv):
            convolved = self.conv1.in_time(clip)
        else:
            seen = clip[:, :, :: time.stem_stride]
            convolved = unfold_time(self.conv1(fold_time(seen)), seen.shape[2])
        x = self.relu(self.bn1(fold_time(convolved)))
        kernel, stride = (time.pool_frames, 3, 3), (time.pool_stride, 2, 2)
        return _pool(x, convolved.shape[2], kernel, stride, time.pool_padding)

    def _classify(self, folded: Folded) -> Tensor:
        if self.spec.head == "people":
            return self.people(unfold_time(*folded))
        pooled = folded.features.mean((2, 3)).unflatten(0, (-1, folded.frames)).mean(1)
        return self.fc(self.dropout(pooled))

    def people(self, features: Tensor, boxes: Tensor | None = None) -> Tensor:
        """Return the logits of actions of people in boxes, given the res5 features, both as in
        ``people.logits``; the head has to be that of people."""
        stride = self.spec.preprocessing.stride
        return people.logits(features, stride, lambda x: self.fc(self.dropout(x)), boxes)

    def features(self, x: Tensor, place: Place) -> Tensor:
        """Return what leaves ``place`` (its unit, then its block) for (B, 3, T, H, W) input."""
        return unfold_time(*self._run(self._stem(x), None, place))

    def resume_features(self, place: Place, features: Tensor) -> Tensor:
        """Return the res5 features (B, 32w, T, H/32, W/32) given what leaves ``place``."""
        return unfold_time(*self._resume(place, features))

    def _resume(self, place: Place, features: Tensor) -> Folded:
        return self._run(Folded(fold_time(features), features.shape[2]), place, self.last_place)

    def resume(self, place: Place, features: Tensor) -> Tensor:
        """Return the logits given what leaves ``place``, (B, C, T, H, W)."""
        return self._classify(self._resume(place, features))

    @property
    def last_place(self) -> Place:
        """The last unit of res5."""
        return Place(5, len(self.layer4) - 1)

    def forward(self, x: Tensor) -> Tensor:
        return self._classify(self._run(self._stem(x), None, self.last_place))


def stage_channels(spec: ModelSpec, stage: int) -> int:
    """Return the output channels of res``stage``, doubled at each stage."""
    return spec.base_width * spec.expansion * 2 ** (stage - 2)


def _pool(
    x: Tensor,
    frames: int,
    kernel: tuple[int, int, int],
    stride: tuple[int, int, int],
    padding: int = 0,
) -> Folded:
    """Max-pool a folded clip; in 2-D where time is left alone."""
    if kernel[0] == stride[0] == 1:
        return Folded(F.max_pool2d(x, kernel[1:], stride[1:], padding), frames)
    pooled = F.max_pool3d(unfold_time(x, frames), kernel, stride, (0, padding, padding))
    return Folded(fold_time(pooled), pooled.shape[2])


def _stage(spec: ModelSpec, stage: int) -> nn.Sequential:
    """Return the units of res``stage``; the first carries the stride and widens."""
    kind = Basic if spec.depth in BASIC_DEPTHS else Bottleneck
    channels = spec.base_width if stage == 2 else stage_channels(spec, stage - 1)
    units = []
    for index in range(RESNET_UNITS[spec.depth][stage - 2]):
        down = spec.last_stride if stage == 5 else 2
        stride = down if index == 0 and stage > 2 else 1
        units.append(kind(channels, spec, Place(stage, index), stride))
        channels = stage_channels(spec, stage)
    return nn.Sequential(*units)
