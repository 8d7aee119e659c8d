"""Clips folded into batches and back: the one place that knows how (B, C, T, H, W) is laid out."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.specs.grid import Grid


def grid_of(x: Tensor) -> Grid:
    """Return the (T, H, W) grid of a (B, C, T, H, W) tensor."""
    return Grid(*x.shape[2:])


def fold_time(x: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B*T, C, H, W), so that a 1 x k x k convolution runs in 2-D."""
    b, c, t, h, w = x.shape
    if t == 1:
        return x.squeeze(2)
    return x.transpose(1, 2).reshape(b * t, c, h, w)


def unfold_time(x: Tensor, frames: int) -> Tensor:
    """(B*T, C, H, W) -> (B, C, T, H, W)."""
    if frames == 1:
        return x.unsqueeze(2)
    bt, c, h, w = x.shape
    return x.reshape(bt // frames, frames, c, h, w).transpose(1, 2)


def positions_last(x: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B, C, N)."""
    return x.flatten(2)


def positions_first(x: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B, N, C), contiguous in channels."""
    return x.flatten(2).transpose(1, 2).contiguous()


def as_clip(x: Tensor, grid: Grid) -> Tensor:
    """(B, N, C) -> (B, C, T, H, W)."""
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], *grid)


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None, groups: int = 1) -> Tensor:
    """Apply a 1 x 1 convolution, weight (O, C / groups, 1, 1), at every position: (B, C, T, H, W)
    -> (B, O, T, H, W)."""
    if not x.is_cuda:
        return per_position(x, lambda seen: F.conv2d(seen, weight, bias, groups=groups))
    # In float32 cuDNN is slower than one product, and it takes one group after the other.
    entries = x.flatten(2).unflatten(1, (groups, -1))
    y = (weight.reshape(groups, -1, weight.shape[1]) @ entries).flatten(1, 2)
    y = y if bias is None else y + bias[:, None]
    return y.unflatten(2, x.shape[2:])


def per_position(x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a layer of pictures that sees one position at a time to clips, (B, C, T, H, W): frames
    stand below each other, and nothing is copied."""
    return layer(x.flatten(2, 3)).unflatten(2, x.shape[2:4])


def convolved(x: Tensor, convolution: nn.Conv2d) -> Tensor:
    """Apply a 1 x 1 convolution as ``pointwise`` does; on a processor hooks on it are called."""
    if not x.is_cuda:
        return per_position(x, convolution)
    return pointwise(x, convolution.weight, convolution.bias, convolution.groups)


def project_together(x: Tensor, layers: Sequence[nn.Module]) -> list[Tensor]:
    """Apply several 1 x 1 convolutions (or identities) to x (B, C, T, H, W), each result on its
    own.

    Convolutions are stacked into one, which reads x once.
    """
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    results = iter(_convolve_together(x, convolutions))
    return [next(results) if isinstance(layer, nn.Conv2d) else x for layer in layers]


def _convolve_together(x: Tensor, convolutions: Sequence[nn.Conv2d]) -> Sequence[Tensor]:
    """Return the result of each 1 x 1 convolution; all have a bias, or none."""
    if not convolutions:
        return ()
    weight = torch.cat([c.weight for c in convolutions])
    biased = convolutions[0].bias is not None
    bias = torch.cat([c.bias for c in convolutions]) if biased else None
    return pointwise(x, weight, bias).split([c.out_channels for c in convolutions], dim=1)
