"""MobileNetV2 teachers read from dequantised arrays: dense features, pooled features and logits."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""(expansion, channels, repeats, first stride): Sandler et al. 2018, Table 2."""

DENSE_BLOCK = 13
"""Inverted residual block (counted from 1) whose 96-channel, stride-16 output is regressed."""


class TeacherOutput(NamedTuple):
    """dense (B, 96, S/16, S/16), pooled (B, 1280), logits (B, classes)."""

    dense: Tensor
    pooled: Tensor
    logits: Tensor


class _SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: a stride-2 3x3 pads only right and bottom."""

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel_size == (3, 3):
            x = F.pad(x, (0, 1, 0, 1) if self.stride == (2, 2) else (1, 1, 1, 1))
        return super().forward(x)


class _Inverted(nn.Module):
    """Inverted residual block: [1x1 expand,] 3x3 depthwise, 1x1 project."""

    def __init__(self, layers: list[_SameConv], skips: bool) -> None:
        super().__init__()
        self.layers, self.skips = nn.ModuleList(layers), skips

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.layers[:-1]:
            y = layer(y).clamp(0, 6)
        y = self.layers[-1](y)
        return x + y if self.skips else y


class Teacher(nn.Module):
    """A frozen MobileNetV2 with batch norm folded in; takes RGB in [0, 1], (B, 3, S, S)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        arrays = np.load(path)
        names = iter(f"{index:02d}" for index in range(len(arrays.files) // 2))

        def layer(stride: int, depthwise: bool = False) -> _SameConv:
            name = next(names)
            weight = torch.from_numpy(arrays[f"{name}.w"].astype(np.float32))
            out, inside, kernel, _ = weight.shape
            groups = out if depthwise else 1
            conv = _SameConv(inside * groups, out, kernel, stride, groups=groups)
            conv.weight.data = weight.contiguous(memory_format=torch.channels_last)
            conv.bias.data = torch.from_numpy(arrays[f"{name}.b"].astype(np.float32))
            return conv

        self.stem = layer(2)
        blocks, channels = [], 32
        for expansion, out, repeats, first in _BLOCKS:
            for repeat in range(repeats):
                stride = first if repeat == 0 else 1
                layers = [layer(1)] if expansion > 1 else []
                layers += [layer(stride, depthwise=True), layer(1)]
                blocks.append(_Inverted(layers, stride == 1 and channels == out))
                channels = out
        self.blocks = nn.ModuleList(blocks)
        self.last, self.classifier = layer(1), layer(1)
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> TeacherOutput:
        x = self.stem((images * 2 - 1).contiguous(memory_format=torch.channels_last)).clamp(0, 6)
        for block in self.blocks[:DENSE_BLOCK]:
            x = block(x)
        dense = x
        for block in self.blocks[DENSE_BLOCK:]:
            x = block(x)
        pooled = self.last(x).clamp(0, 6).mean((2, 3))
        logits = pooled @ self.classifier.weight.flatten(1).T + self.classifier.bias
        return TeacherOutput(dense, pooled, logits)
