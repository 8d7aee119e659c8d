"""Boxes as maskrcnn-benchmark (2018) computes them: x2 and y2 are the last pixels, so that a box is
x2 - x1 + 1 wide. Where torchvision computes the same, its operations are called."""

from math import log

import torch
from torch import Tensor
from torchvision import ops

LARGEST_GROWTH = log(1000 / 16)
"""Largest logarithm by which a predicted box may be larger than where it started."""


def cell_anchors(
    stride: int = 16,
    sizes: tuple[int, ...] = (32, 64, 128, 256, 512),
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0),
) -> Tensor:
    """Return the anchors of the first cell, (ratios * sizes, 4), ratio by ratio.

    Each has the area of a ``stride`` x ``stride`` cell, sides rounded to whole pixels, times size
    over stride.
    """
    centre = (stride - 1) / 2
    rows = []
    for ratio in ratios:
        width = round((stride * stride / ratio) ** 0.5)
        height = round(width * ratio)
        for size in sizes:
            half_x = (width * size / stride - 1) / 2
            half_y = (height * size / stride - 1) / 2
            rows.append((centre - half_x, centre - half_y, centre + half_x, centre + half_y))
    return torch.tensor(rows)


def spread(anchors: Tensor, rows: int, cols: int, stride: int) -> Tensor:
    """Return the anchors (A, 4) of every cell, (rows * cols * A, 4) in (y, x, anchor) order."""
    options = {"device": anchors.device, "dtype": anchors.dtype}
    ys, xs = torch.arange(rows, **options) * stride, torch.arange(cols, **options) * stride
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    shifts = torch.stack((x, y, x, y), -1).reshape(-1, 1, 4)
    return (shifts + anchors).reshape(-1, 4)


def decode(deltas: Tensor, boxes: Tensor, weights: tuple[float, float, float, float]) -> Tensor:
    """Return the boxes that deltas (n, K, 4) make of boxes (n, 4): (n, K, 4)."""
    width, height = (boxes[:, 2:] - boxes[:, :2] + 1).unbind(1)
    centre_x, centre_y = boxes[:, 0] + 0.5 * width, boxes[:, 1] + 0.5 * height
    dx, dy, dw, dh = (part / w for part, w in zip(deltas.unbind(-1), weights, strict=True))
    x = dx * width[:, None] + centre_x[:, None]
    y = dy * height[:, None] + centre_y[:, None]
    half_w = 0.5 * dw.clamp(max=LARGEST_GROWTH).exp() * width[:, None]
    half_h = 0.5 * dh.clamp(max=LARGEST_GROWTH).exp() * height[:, None]
    return torch.stack((x - half_w, y - half_h, x + half_w - 1, y + half_h - 1), -1)


def clip(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes (..., 4) cut to a picture of (H, W) pixels."""
    height, width = size
    last = boxes.new_tensor((width - 1, height - 1, width - 1, height - 1))
    return torch.minimum(boxes.clamp(min=0), last)


def suppressed(boxes: Tensor, scores: Tensor, overlap: float) -> Tensor:
    """Return the indices that non-maximum suppression keeps, ascending."""
    exclusive = boxes + boxes.new_tensor((0, 0, 1, 1))
    return ops.nms(exclusive, scores, overlap).sort().values
