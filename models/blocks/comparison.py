"""The modules that the CGD paper is compared with in cost: SE, CBAM, BAM and double attention.

None but A2 is the identity when fresh: a sigmoid of about zero halves what it gates. Clips are
pooled over time and space together; convolutions take each frame apart.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.blocks.layout import (
    as_clip,
    convolved,
    fold_time,
    grid_of,
    per_position,
    positions_first,
    positions_last,
    project_together,
    unfold_time,
)
from models.specs.block import A2Spec, BAMSpec
from models.specs.gate import CBAMSpec, SESpec


class ChannelMLP(nn.Module):
    """Two dense layers with a bottleneck of C/r between them: (B, C) -> (B, C)."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        inner = max(1, channels // reduction)
        self.reduce = nn.Linear(channels, inner)
        self.expand = nn.Linear(inner, channels)

    def forward(self, pooled: Tensor) -> Tensor:
        """Return W_1 relu(W_0 pooled)."""
        return self.expand(F.relu(self.reduce(pooled)))


def _by_channel(x: Tensor, gates: Tensor, frames: int) -> Tensor:
    """Multiply x (B*T, C, H, W) by its clips' gates (B, C)."""
    return (x.unflatten(0, (-1, frames)) * gates[:, None, :, None, None]).flatten(0, 1)


class SqueezeExcitation(nn.Module):
    """Squeeze-and-excitation gate (Hu et al. 2018, eqs. 2-4): (B*T, C, H, W) -> the same shape."""

    def __init__(self, channels: int, spec: SESpec) -> None:
        super().__init__()
        self.spec = spec
        self.mlp = ChannelMLP(channels, spec.reduction)

    def gates(self, x: Tensor, frames: int = 1) -> Tensor:
        """Return sigmoid(MLP(average)) of each clip, (B, C)."""
        return torch.sigmoid(self.mlp(x.unflatten(0, (-1, frames)).mean((1, 3, 4))))

    def forward(self, x: Tensor, frames: int = 1) -> Tensor:
        """Return x times its gates."""
        return _by_channel(x, self.gates(x, frames), frames)


class CBAM(nn.Module):
    """Channel, then spatial gate (Woo et al. 2018, eqs. 1-3): (B*T, C, H, W) -> the same shape."""

    def __init__(self, channels: int, spec: CBAMSpec) -> None:
        super().__init__()
        self.spec = spec
        self.mlp = ChannelMLP(channels, spec.reduction)
        self.spatial = nn.Conv2d(2, 1, spec.kernel, padding=spec.kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(1)

    def gates(self, x: Tensor, frames: int = 1) -> Tensor:
        """Return the channel gates sigmoid(MLP(average) + MLP(maximum)) of each clip, (B, C)."""
        clip = x.unflatten(0, (-1, frames))
        return torch.sigmoid(self.mlp(clip.mean((1, 3, 4))) + self.mlp(clip.amax((1, 3, 4))))

    def forward(self, x: Tensor, frames: int = 1) -> Tensor:
        """Return x times its channel gates, then times its spatial map."""
        y = _by_channel(x, self.gates(x, frames), frames)
        profile = torch.cat([y.mean(1, keepdim=True), y.amax(1, keepdim=True)], 1)
        return y * torch.sigmoid(self.norm(self.spatial(profile)))


class BAMBlock(nn.Module):
    """Bottleneck attention (Park et al. 2018, eqs. 1-4): (B, C, T, H, W) -> the same shape."""

    def __init__(self, channels: int, spec: BAMSpec) -> None:
        super().__init__()
        inner = max(1, channels // spec.reduction)
        self.spec = spec
        self.mlp = ChannelMLP(channels, spec.reduction)
        self.channel_norm = nn.BatchNorm2d(channels)
        self.spatial = nn.Sequential(
            nn.Conv2d(channels, inner, 1),
            nn.Conv2d(inner, inner, 3, padding=spec.dilation, dilation=spec.dilation),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, inner, 3, padding=spec.dilation, dilation=spec.dilation),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, 1, 1),
            nn.BatchNorm2d(1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x (1 + sigmoid(M_c + M_s))."""
        by_channel = self.mlp(x.mean((2, 3, 4)))[:, :, None, None]
        by_channel = self.channel_norm(by_channel).unsqueeze(2)
        by_place = unfold_time(self.spatial(fold_time(x)), x.shape[2])
        return x + x * torch.sigmoid(by_channel + by_place)


class A2Block(nn.Module):
    """Double attention (Chen et al. 2018, eqs. 2-5): (B, C, T, H, W) -> the same shape.

    Features are gathered by softmax over positions and distributed by softmax over the gathered;
    both have C/r channels. The norm starts at zero: a fresh block is the identity.
    """

    def __init__(self, channels: int, spec: A2Spec) -> None:
        super().__init__()
        inner = max(1, channels // spec.reduction)
        self.spec = spec
        self.features = nn.Conv2d(channels, inner, 1)
        self.gathering = nn.Conv2d(channels, inner, 1)
        self.distribution = nn.Conv2d(channels, inner, 1)
        self.expand = nn.Conv2d(inner, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + norm(W y), y = (A softmax(B)^T) softmax(V)."""
        a, b, v = project_together(x, (self.features, self.gathering, self.distribution))
        gathered = positions_last(b).softmax(-1) @ positions_first(a)  # (B, n, m)
        y = positions_first(v).softmax(-1) @ gathered  # (B, N, m)
        return x + per_position(convolved(as_clip(y, grid_of(x)), self.expand), self.norm)
