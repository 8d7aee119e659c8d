"""ResNet with bottleneck units (He et al. 2016) and attention blocks standing beside its stages.

Keys of the plain network are torchvision's; blocks live in their own ModuleDict, so that adding one
renumbers nothing.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from models.cgnl_block import CGNLBlock
from models.layout import fold_time, unfold_time
from models.nonlocal_block import NonLocalBlock
from models.placement import Place, places
from models.specs import RESNET_UNITS, CGNLSpec, ModelSpec, NonLocalSpec

EXPANSION = 4
AttentionBlock = NonLocalBlock | CGNLBlock
_BLOCKS = {NonLocalSpec: NonLocalBlock, CGNLSpec: CGNLBlock}


class Bottleneck(nn.Module):
    """1x1 -> 3x3 (carries the stride) -> 1x1 residual unit: (B*T, C, H, W) -> (B*T, 4w, H/s,
    W/s)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * EXPANSION
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + shortcut)


class AttentionResNet(nn.Module):
    """ResNet-50/101/152 of any width with NL or CGNL blocks: (B, 3, T, H, W) -> logits (B,
    classes).

    Frames are folded into the batch, so an image (T = 1) costs what torchvision's network costs and
    gives the same bits. Logits of a clip are those of its mean feature over frames.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        width = spec.base_width
        units = RESNET_UNITS[spec.depth]
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(width, width, units[0], 1)
        self.layer2 = _stage(width * 4, width * 2, units[1], 2)
        self.layer3 = _stage(width * 8, width * 4, units[2], 2)
        self.layer4 = _stage(width * 16, width * 8, units[3], 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(spec.dropout)
        self.fc = nn.Linear(width * 32, spec.num_classes)
        _initialise(self)
        self.places = places(spec.depth, spec.placement)
        self.blocks = nn.ModuleDict(
            {
                p.key: _BLOCKS[type(spec.block)](stage_channels(spec, p.stage), spec.block)
                for p in self.places
            }
        )

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block that stands at ``place``."""
        return self.blocks[place.key]

    def _units(self) -> Iterator[tuple[Place, nn.Module]]:
        for stage, layer in enumerate(
            (self.layer1, self.layer2, self.layer3, self.layer4), start=2
        ):
            for index, unit in enumerate(layer):
                yield Place(stage, index), unit

    def _run(self, folded: Tensor, frames: int, after: Place | None, last: Place) -> Tensor:
        """Run the units (and blocks) behind ``after``, or from the first, up to ``last``."""
        for place, unit in self._units():
            if (after is not None and place <= after) or place > last:
                continue
            folded = unit(folded)
            if place.key in self.blocks:
                folded = fold_time(self.blocks[place.key](unfold_time(folded, frames)))
        return folded

    def _stem(self, folded: Tensor) -> Tensor:
        return self.maxpool(self.relu(self.bn1(self.conv1(folded))))

    def _classify(self, folded: Tensor, frames: int) -> Tensor:
        pooled = torch.flatten(self.avgpool(folded), 1)
        if frames > 1:
            pooled = pooled.reshape(-1, frames, pooled.shape[1]).mean(1)
        return self.fc(self.dropout(pooled))

    def features(self, x: Tensor, place: Place) -> Tensor:
        """Return what leaves ``place`` (its unit, then its block) for (B, 3, T, H, W) input."""
        frames = x.shape[2]
        return unfold_time(self._run(self._stem(fold_time(x)), frames, None, place), frames)

    def resume_features(self, place: Place, features: Tensor) -> Tensor:
        """Return the res5 features (B, 32w, T, H/32, W/32) given what leaves ``place``."""
        frames = features.shape[2]
        folded = self._run(fold_time(features), frames, place, self.last_place)
        return unfold_time(folded, frames)

    def resume(self, place: Place, features: Tensor) -> Tensor:
        """Return the logits given what leaves ``place``, (B, C, T, H, W)."""
        return self._classify(fold_time(self.resume_features(place, features)), features.shape[2])

    @property
    def last_place(self) -> Place:
        """The last unit of res5."""
        return Place(5, len(self.layer4) - 1)

    def forward(self, x: Tensor) -> Tensor:
        folded = self._run(self._stem(fold_time(x)), x.shape[2], None, self.last_place)
        return self._classify(folded, x.shape[2])


def stage_channels(spec: ModelSpec, stage: int) -> int:
    """Return the output channels of res``stage``: 4w in res2, doubled at each stage after it."""
    return spec.base_width * EXPANSION * 2 ** (stage - 2)


def _stage(channels: int, width: int, units: int, stride: int) -> nn.Sequential:
    out = width * EXPANSION
    rest = [Bottleneck(out, width, 1) for _ in range(units - 1)]
    return nn.Sequential(Bottleneck(channels, width, stride), *rest)


def _initialise(network: nn.Module) -> None:
    for module in network.modules():
        # An outline on the meta device has nothing to fill; asking would import torch's compiler.
        if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
