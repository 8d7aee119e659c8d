"""Residual units, and the few layers that clips need beyond torch's own."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from models.blocks.gate_table import gate
from models.blocks.layout import fold_time, unfold_time
from models.specs.network import ModelSpec
from models.specs.placement import Place

SHIFTED_SHARE = 8
"""A temporal shift moves 1/8 of the channels one frame back, 1/8 forward (Lin et al. 2019)."""

Context = Callable[[Tensor], Tensor] | None
"""The block at the end of a unit's branch, where there is one: (B, C, T, H, W) -> its shape."""


class Affine(nn.Module):
    """Scale and shift by channel, a batch norm folded into two vectors: (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class FrozenNorm(nn.Module):
    """Batch norm whose scale, shift and statistics are buffers, as torchvision's detectors have it:
    (B, C, H, W)."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        for name, fill in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            self.register_buffer(name, torch.full((channels,), float(fill)))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale[:, None, None] + shift[:, None, None]


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "affine": Affine,
    "frozen": FrozenNorm,
    "frozen, no epsilon": partial(FrozenNorm, eps=0.0),
}
"""Norm of a ModelSpec -> what makes a layer of so many channels."""


class TimeConv(nn.Conv3d):
    """Convolution over time and space, padded to keep the size at stride 1."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: tuple[int, int, int],
        stride: tuple[int, int, int] = (1, 1, 1),
        bias: bool = False,
    ) -> None:
        super().__init__(channels, out, kernel, stride, tuple(k // 2 for k in kernel), bias=bias)

    def in_time(self, clip: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, out, T', H', W')."""
        return super().forward(clip)


def shift(x: Tensor, frames: int) -> Tensor:
    """Shift the first eighth of the channels one frame back, the next one forward: (B*T, C, H, W).

    What moves in from outside the clip is zero (Lin et al. 2019, Fig. 1).
    """
    clip = x.unflatten(0, (-1, frames))
    part = x.shape[1] // SHIFTED_SHARE
    nothing = clip.new_zeros(clip.shape[0], 1, part, *clip.shape[3:])
    ahead = torch.cat([clip[:, 1:, :part], nothing], 1)
    behind = torch.cat([nothing, clip[:, :-1, part : 2 * part]], 1)
    return torch.cat([ahead, behind, clip[:, :, 2 * part :]], 2).flatten(0, 1)


class _Unit(nn.Module):
    """What basic and bottleneck units share: norms, the gate, the first convolution in time."""

    def __init__(self, spec: ModelSpec, place: Place, inner: int, out: int) -> None:
        super().__init__()
        stage = place.stage - 2
        self.norm = NORMS[spec.norm]
        self.inflated = place.unit in spec.temporal.inflated[stage]
        self.shifted = place.unit in spec.temporal.shifted[stage]
        self.gate_position = spec.gate.position if spec.gate else None
        width = out if self.gate_position == "out" else inner
        self.attention = gate(spec.gate, width) if spec.gate else None
        self.relu = nn.ReLU(inplace=True)

    def enter(self, x: Tensor, frames: int) -> Tensor:
        """Shift where the unit does, then convolve by conv1, in time where it is inflated."""
        moved = shift(x, frames) if self.shifted else x
        if isinstance(self.conv1, TimeConv):
            return self.gated(
                "conv1", fold_time(self.conv1.in_time(unfold_time(moved, frames))), frames
            )
        return self.gated("conv1", self.conv1(moved), frames)

    def gated(self, position: str, x: Tensor, frames: int) -> Tensor:
        """Apply the gate if its place is ``position``."""
        return self.attention(x, frames) if self.gate_position == position else x

    def shortcut(self, channels: int, out: int, stride: int) -> nn.Sequential | None:
        """Return the 1 x 1 convolution that matches the shortcut to the output, where needed."""
        if stride == 1 and channels == out:
            return None
        return nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), self.norm(out))

    def merge(self, x: Tensor, y: Tensor, frames: int, context: Context) -> Tensor:
        """Return relu(context(gated(y)) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.gated("out", y, frames)
        if context is not None:
            y = fold_time(context(unfold_time(y, frames)))
        return self.relu(y + shortcut)


class Bottleneck(_Unit):
    """1x1 (3x1x1 where inflated) -> 3x3 (carries the stride, in groups of ResNeXt) -> 1x1:
    (B*T, C, H, W) -> (B*T, 4w, H/s, W/s)."""

    def __init__(self, channels: int, spec: ModelSpec, place: Place, stride: int) -> None:
        stage_width = spec.base_width * 2 ** (place.stage - 2)
        width, out = stage_width * spec.widening, stage_width * spec.expansion
        super().__init__(spec, place, width, out)
        first, second = (stride, 1) if spec.strided == "conv1" else (1, stride)
        if self.inflated:
            self.conv1 = TimeConv(channels, width, (3, 1, 1), (1, first, first))
        else:
            self.conv1 = nn.Conv2d(channels, width, 1, first, bias=False)
        self.bn1 = self.norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, 1, groups=spec.groups, bias=False)
        self.bn2 = self.norm(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = self.norm(out)
        self.downsample = self.shortcut(channels, out, stride)

    def forward(self, x: Tensor, frames: int = 1, context: Context = None) -> Tensor:
        y = self.relu(self.bn1(self.enter(x, frames)))
        y = self.relu(self.bn2(self.gated("conv2", self.conv2(y), frames)))
        return self.merge(x, self.bn3(self.conv3(y)), frames, context)


class Basic(_Unit):
    """3x3 (carries the stride; 3x3x3 where inflated) -> 3x3: (B*T, C, H, W) -> (B*T, w, H/s,
    W/s)."""

    def __init__(self, channels: int, spec: ModelSpec, place: Place, stride: int) -> None:
        width = spec.base_width * 2 ** (place.stage - 2)
        super().__init__(spec, place, width, width)
        if self.inflated:
            self.conv1 = TimeConv(channels, width, (3, 3, 3), (1, stride, stride))
        else:
            self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = self.norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = self.norm(width)
        self.downsample = self.shortcut(channels, width, stride)

    def forward(self, x: Tensor, frames: int = 1, context: Context = None) -> Tensor:
        y = self.relu(self.bn1(self.enter(x, frames)))
        y = self.bn2(self.gated("conv2", self.conv2(y), frames))
        return self.merge(x, y, frames, context)
