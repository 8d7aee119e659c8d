"""Wide ResNet for 32-pixel pictures (Zagoruyko & Komodakis 2016) with a gate after conv1.

Keys are those of the CGD authors' code.
"""

from torch import Tensor, nn

from models.backbones.filling import fill_convolutions
from models.backbones.image_network import ImageNetwork, size_of, wrong_size
from models.blocks.gate_table import cgd_or_none
from models.specs.network import CompactSpec

STEM_CHANNELS = 16
MAX_DEPTH, MAX_WIDTH = 1000, 64
_SIZES = f"depth-width with a depth 6n + 4 from 10 and a width up to {MAX_WIDTH}, such as 28-8"


class Unit(nn.Module):
    """3x3 (carries the stride) -> gate -> 3x3: (B*T, C, H, W) -> (B*T, D, H/s, W/s).

    Where the shortcut is a convolution, it too starts from the activated input.
    """

    def __init__(self, spec: CompactSpec, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.attention = cgd_or_none(spec.gate, out)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        widens = channels != out
        self.convShortcut = nn.Conv2d(channels, out, 1, stride, bias=False) if widens else None

    def forward(self, x: Tensor, frames: int) -> Tensor:
        active = self.relu(self.bn1(x))
        y = self.attention(self.conv1(active), frames)
        y = self.conv2(self.relu(self.bn2(y)))
        return y + (x if self.convShortcut is None else self.convShortcut(active))


class Stage(nn.Module):
    """The units of one resolution; the authors' keys have ``layer`` between stage and unit."""

    def __init__(self, units: list[Unit]) -> None:
        super().__init__()
        self.layer = nn.ModuleList(units)


class WideResNet(ImageNetwork):
    """WRN of ``size_name`` depth-width: (B, 3, T, H, W) -> logits (B, classes)."""

    def __init__(self, spec: CompactSpec) -> None:
        super().__init__(spec)
        depth, width = (int(part) for part in size_of(spec, r"(\d{1,4})-(\d{1,2})", _SIZES))
        if depth % 6 != 4 or not 10 <= depth <= MAX_DEPTH or not 1 <= width <= MAX_WIDTH:
            raise wrong_size(spec, _SIZES)
        channels = STEM_CHANNELS
        self.conv1 = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        stages = []
        for stage in range(3):
            units = []
            for index in range((depth - 4) // 6):
                out = STEM_CHANNELS * width * 2**stage
                units.append(Unit(spec, channels, out, 2 if stage and index == 0 else 1))
                channels = out
            stages.append(Stage(units))
        self.block1, self.block2, self.block3 = stages
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(channels, spec.num_classes)
        fill_convolutions(self)

    def features_of(self, folded: Tensor, frames: int) -> Tensor:
        x = self.conv1(folded)
        for stage in (self.block1, self.block2, self.block3):
            for unit in stage.layer:
                x = unit(x, frames)
        return self.relu(self.bn1(x))

    def classify(self, pooled: Tensor) -> Tensor:
        return self.fc(pooled)
