"""SqueezeNet (Iandola et al. 2016), plain or with a gate after each squeeze convolution.

Without a gate it has torchvision's keys; the CGD authors add a batch norm behind each gate.
"""

import torch
from torch import Tensor, nn

from models.backbones.filling import fill_convolutions
from models.backbones.image_network import ImageNetwork, size_of
from models.blocks.gate_table import cgd_or_none
from models.specs.network import CompactSpec

POOL = "pool"
LAYOUTS: dict[str, tuple[tuple[int, int], tuple[int | str, ...]]] = {
    "1.0": ((96, 7), (POOL, 16, 16, 32, POOL, 32, 48, 48, 64, POOL, 64)),
    "1.1": ((64, 3), (POOL, 16, 16, POOL, 32, 32, POOL, 48, 48, 64, 64)),
}
"""Version -> (channels, kernel) of the first convolution, then pools and squeezed channels."""

EXPANSION = 4
"""Each of a fire's two expansions has so many times the squeezed channels."""


class Fire(nn.Module):
    """1x1 squeeze -> gate -> 1x1 beside 3x3: (B*T, C, H, W) -> (B*T, 8s, H, W)."""

    def __init__(self, spec: CompactSpec, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.attention = cgd_or_none(spec.gate, squeezed)
        self.bn = nn.BatchNorm2d(squeezed) if spec.gate else nn.Identity()
        self.expand1x1 = nn.Conv2d(squeezed, EXPANSION * squeezed, 1)
        self.expand3x3 = nn.Conv2d(squeezed, EXPANSION * squeezed, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        y = self.relu(self.bn(self.attention(self.squeeze(x), frames)))
        return self.relu(torch.cat([self.expand1x1(y), self.expand3x3(y)], 1))


class SqueezeNet(ImageNetwork):
    """SqueezeNet 1.0 or 1.1: (B, 3, T, H, W) -> logits (B, classes), the mean of class maps."""

    def __init__(self, spec: CompactSpec) -> None:
        super().__init__(spec)
        (version,) = size_of(spec, r"(1\.0|1\.1)", "version 1.0 or 1.1")
        (channels, kernel), layout = LAYOUTS[version]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, kernel, 2), nn.ReLU(inplace=True)]
        for entry in layout:
            if entry == POOL:
                layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
            else:
                layers.append(Fire(spec, channels, entry))
                channels = 2 * EXPANSION * entry
        self.features = nn.ModuleList(layers)
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Conv2d(channels, spec.num_classes, 1), nn.ReLU(inplace=True)
        )
        fill_convolutions(self)

    def features_of(self, folded: Tensor, frames: int) -> Tensor:
        x = folded
        for layer in self.features:
            x = layer(x, frames) if isinstance(layer, Fire) else layer(x)
        return self.classifier(x)

    def classify(self, pooled: Tensor) -> Tensor:
        return pooled
