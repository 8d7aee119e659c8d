"""What mmdetection's R-CNNs compute otherwise than torchvision's: anchors, pooling, and the
balanced pyramid of Libra R-CNN with its NL block."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator

from models.blocks.nonlocal_block import NonLocalBlock
from models.detection.level_pool import STRIDES, pooled
from models.specs.block import NonLocalSpec

FINEST, POOLED_LEVELS = 56, 4
"""Square root of the area in pixels from which a region is pooled from the second level."""


class WholeStepAnchors(AnchorGenerator):
    """Anchors whose sides are not rounded, at steps of exactly 4 to 64 pixels."""

    def generate_anchors(
        self,
        scales: tuple[int, ...],
        aspect_ratios: tuple[float, ...],
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> Tensor:
        """Return the anchors of a cell around its corner, (ratios, 4): of one size each."""
        ratios = torch.tensor(aspect_ratios, dtype=dtype, device=device)
        (size,) = scales
        height = size * ratios.sqrt()
        width = size / ratios.sqrt()
        return torch.stack((-width, -height, width, height), 1) / 2

    def grid_anchors(self, grid_sizes: list, strides: list) -> list[Tensor]:
        """Return the anchors of every level; the steps are those of the levels."""
        steps = [[torch.full_like(part, s) for part in pair]
                 for s, pair in zip(STRIDES, strides, strict=True)]  # fmt: skip
        return super().grid_anchors(grid_sizes, steps)


class AlignedPool(nn.Module):
    """Regions (R, C, side, side), each from the level of its size, half-pixel centres; as many
    samples a bin as it has cells."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(
        self, features: dict[str, Tensor], boxes: list[Tensor], _sizes: list[tuple[int, int]]
    ) -> Tensor:
        levels, every = list(features.values())[:POOLED_LEVELS], torch.cat(boxes)
        width, height = (every[:, 2:] - every[:, :2]).unbind(1)
        wanted = torch.floor(torch.log2((width * height).sqrt() / FINEST + 1e-6))
        where = wanted.clamp(0, POOLED_LEVELS - 1).long()
        return pooled(levels, boxes, where, self.side, 0, aligned=True)


class BalancedPyramid(nn.Module):
    """Balanced feature pyramid (Pang et al. 2019, sec. 3.2): the mean of all levels, at the size of
    level ``at``, passes an NL block and is added to every level."""

    at = 2

    def __init__(self, channels: int, spec: NonLocalSpec) -> None:
        super().__init__()
        self.block = NonLocalBlock(channels, spec)

    def forward(self, levels: dict[str, Tensor]) -> OrderedDict[str, Tensor]:
        size = list(levels.values())[self.at].shape[-2:]
        gathered = [
            F.adaptive_max_pool2d(level, size) if number < self.at
            else F.interpolate(level, size=size, mode="nearest")
            for number, level in enumerate(levels.values())
        ]  # fmt: skip
        mean = self.block((sum(gathered) / len(gathered)).unsqueeze(2)).squeeze(2)
        return OrderedDict(
            (name, level + self._at_size(mean, level.shape[-2:], number))
            for number, (name, level) in enumerate(levels.items())
        )

    def _at_size(self, mean: Tensor, size: torch.Size, number: int) -> Tensor:
        if number < self.at:
            return F.interpolate(mean, size=size, mode="nearest")
        return F.adaptive_max_pool2d(mean, size)
