"""Regions pooled from a pyramid, each from the level of its size."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision import ops

STRIDES = (4, 8, 16, 32, 64)
"""Pixels of the input a cell of each level of a pyramid, finest first."""


def pooled(
    levels: Sequence[Tensor],
    boxes: Sequence[Tensor],
    where: Tensor,
    side: int,
    sampling: int,
    aligned: bool = False,
) -> Tensor:
    """Return regions (R, C, side, side) of levels (n, C, h, w), finest first.

    ``boxes`` are (r, 4) in pixels, a list entry a frame; ``where`` (R,) is the level of each;
    ``sampling`` and ``aligned`` are those of torchvision's roi_align.
    """
    every = torch.cat(list(boxes))
    frame = torch.cat([box.new_full((len(box), 1), n) for n, box in enumerate(boxes)])
    regions = torch.cat((frame, every), 1)
    found = every.new_zeros(len(every), levels[0].shape[1], side, side)
    for number, level in enumerate(levels):
        own, scale = where == number, 1 / STRIDES[number]
        found[own] = ops.roi_align(level, regions[own], side, scale, sampling, aligned=aligned)
    return found
