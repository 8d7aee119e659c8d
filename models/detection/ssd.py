"""Single-shot detectors: torchvision's SSD300 and SSDlite with blocks on their levels, and SSD300
on the MobileNet of the CGD paper, with its gates."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection import ssd300_vgg16, ssdlite320_mobilenet_v3_large
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD, SSDHead

from errors import OutsideError
from models.backbones.mobilenet import MobileNet
from models.blocks.cgd_block import CGDBlock
from models.blocks.nonlocal_block import NonLocalBlock
from models.detection.detector import Detections, Detector, as_detections, folded, sizes_of
from models.specs.detection import SSDName, SSDSpec
from models.specs.network import CompactSpec
from models.specs.placement import Place

_TORCHVISION: dict[SSDName, Callable[..., SSD]] = {
    "vgg16": ssd300_vgg16,
    "mobilenet_v3_large": ssdlite320_mobilenet_v3_large,
}
_EXTRA = ((256, 512, 2), (128, 256, 2), (128, 256, 2), (128, 256, 2))
"""Inner and output channels and stride of the levels behind a MobileNet."""
_FINE_UNIT = 10
"""The unit of MobileNet after which its finer level is taken (19 x 19 of 300 pixels in, with the
usual stem of stride 2; 38 x 38 with the authors')."""


class MobileNetLevels(nn.Module):
    """MobileNet and the levels behind it: (n, 3, H, W) -> six maps, finest first."""

    def __init__(self, spec: CompactSpec) -> None:
        super().__init__()
        trunk = MobileNet(spec)
        self.conv1, self.bn1, self.relu = trunk.conv1, trunk.bn1, trunk.relu
        self.layers = trunk.layers
        channels = self.layers[-1].conv2.out_channels
        self.out_channels = [self.layers[_FINE_UNIT].conv2.out_channels, channels]
        self.extra = nn.ModuleList()
        for inner, out, stride in _EXTRA:
            self.extra.append(_narrowing(channels, inner, out, stride))
            self.out_channels.append(out)
            channels = out

    def parts(self, frames: int) -> Iterator[Callable[[Tensor], Tensor]]:
        """Return what makes each level of the one before, of clips of ``frames``."""

        def run(units: nn.ModuleList) -> Callable[[Tensor], Tensor]:
            def through(x: Tensor) -> Tensor:
                for unit in units:
                    x = unit(x, frames)
                return x

            return through

        fine, coarse = run(self.layers[: _FINE_UNIT + 1]), run(self.layers[_FINE_UNIT + 1 :])
        yield lambda x: fine(self.relu(self.bn1(self.conv1(x))))
        yield coarse
        yield from self.extra

    def forward(self, x: Tensor) -> OrderedDict[str, Tensor]:
        found = []
        for part in self.parts(1):
            x = part(x)
            found.append(x)
        return OrderedDict((str(k), level) for k, level in enumerate(found))


class SSDDetector(Detector):
    """SSD300 or SSDlite. Keys are torchvision's, blocks beside them."""

    def __init__(self, spec: SSDSpec) -> None:
        super().__init__()
        self.spec, self.places = spec, spec.places
        made = _on_mobilenet(spec) if isinstance(spec.trunk, CompactSpec) else _torchvisions(spec)
        self.backbone, self.head, self.anchors = made.backbone, made.head, made.anchor_generator
        # torchvision's own postprocessing; held outside the modules, so that no key comes twice.
        self._found: Callable[..., list[dict[str, Tensor]]] = made.postprocess_detections
        widths = _widths(made)
        self.blocks = nn.ModuleDict(
            {place.key: NonLocalBlock(widths[place.unit], spec.block) for place in self.places}
        )

    def block_at(self, place: Place) -> NonLocalBlock:
        """Return the attention block at ``place``."""
        return self.blocks[place.key]

    def unit_at(self, place: Place) -> nn.Module:
        """Refuse: levels have no units; OutsideError says so."""
        raise OutsideError(f"{place.label} is no unit of an SSD, whose places are its levels.")

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside the trunk's units by name."""
        return {
            name.removeprefix("backbone.").removesuffix(".attention"): module
            for name, module in self.named_modules()
            if isinstance(module, CGDBlock)
        }

    def levels(self, x: Tensor) -> list[Tensor]:
        """Return the six maps of (B, 3, T, H, W), (B*T, C, h, w) each, blocks passed."""
        frames, found, features = x.shape[2], [], folded(x)
        for number, part in enumerate(self._parts(frames)):
            features = part(features)
            if f"level{number}" in self.blocks:
                features = self._attended(number, features, frames)
            found.append(features)
        scale = getattr(self.backbone, "scale_weight", None)
        if scale is not None:
            # SSD on VGG: the finest level goes into the head with unit length, times a weight.
            found[0] = scale.view(1, -1, 1, 1) * F.normalize(found[0])
        return found

    def _attended(self, number: int, features: Tensor, frames: int) -> Tensor:
        clip = features.unflatten(0, (-1, frames)).transpose(1, 2)
        return self.blocks[f"level{number}"](clip).transpose(1, 2).flatten(0, 1)

    def _parts(self, frames: int) -> Iterator[Callable[[Tensor], Tensor]]:
        if isinstance(self.backbone, MobileNetLevels):
            yield from self.backbone.parts(frames)
        elif isinstance(self.spec.trunk, str) and self.spec.trunk == "vgg16":
            yield self.backbone.features
            yield from self.backbone.extra
        else:
            yield from self.backbone.features
            yield from self.backbone.extra

    def dense(self, x: Tensor) -> object:
        """Compute the levels and the scores of all default boxes."""
        return self.head(self.levels(x))

    def forward(self, x: Tensor) -> tuple[Detections, ...]:
        levels, frames = self.levels(x), folded(x)
        images = ImageList(frames, sizes_of(frames))
        found = self._found(self.head(levels), self.anchors(images, levels), images.image_sizes)
        return tuple(map(as_detections, found))


def _torchvisions(spec: SSDSpec) -> SSD:
    return _TORCHVISION[spec.trunk](weights=None, weights_backbone=None, num_classes=spec.labels)


def _on_mobilenet(spec: SSDSpec) -> SSD:
    """Return SSD300 (Liu et al. 2016) on MobileNet, scales as torchvision's SSDlite has them."""
    backbone = MobileNetLevels(spec.trunk)
    boxes = DefaultBoxGenerator([[2, 3] for _ in range(6)], min_ratio=0.2, max_ratio=0.95)
    head = SSDHead(backbone.out_channels, boxes.num_anchors_per_location(), spec.labels)
    size = (spec.preprocessing.size,) * 2
    return SSD(backbone, boxes, size, spec.labels, head=head)


def _widths(made: SSD) -> list[int]:
    """Return the channels of each level, as the scoring head takes them."""

    def first(module: nn.Module) -> int:
        return next(m for m in module.modules() if isinstance(m, nn.Conv2d)).in_channels

    return [first(part) for part in made.head.classification_head.module_list]


def _narrowing(channels: int, inner: int, out: int, stride: int) -> nn.Sequential:
    def joined(*convolution: Any, **options: Any) -> list[nn.Module]:  # noqa: ANN401
        width = convolution[1]
        layer = nn.Conv2d(*convolution, bias=False, **options)
        return [layer, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]

    return nn.Sequential(
        *joined(channels, inner, 1), *joined(inner, out, 3, stride=stride, padding=1)
    )
