"""Actions of people in boxes: the head of AVA's networks, as mmaction2 has it.

Features of res5 are averaged over time, pooled in each box by RoIAlign to 8 x 8 means, of these the
largest is taken, and each action is a yes or no of its own (Feichtenhofer et al. 2019, sec. 5).
"""

from collections.abc import Callable

import torch
from torch import Tensor

SIDE = 8
"""Rows and columns of means in a box."""
NOBODYS = -13.8
"""The logit of label 0, which names no action and was never trained: a score of 1e-6."""


def pooled(features: Tensor, boxes: Tensor, stride: float) -> Tensor:
    """Return the vector of each box, (n, C).

    ``features`` are (B, C, T, H, W), ``boxes`` (n, 5): the clip, then x1, y1, x2, y2 in pixels of
    the input, of which a feature covers ``stride``.
    """
    from torchvision.ops import roi_align  # imported late: torchvision takes seconds

    means = features.mean(2)
    regions = roi_align(means, boxes, SIDE, 1 / stride, sampling_ratio=0, aligned=True)
    return regions.amax((2, 3))


def logits(
    features: Tensor, stride: float, classify: Callable[[Tensor], Tensor], boxes: Tensor | None
) -> Tensor:
    """Return the logits of the boxes (n, actions); without boxes of each whole input, (B, actions).

    ``features``, ``boxes`` and ``stride`` are as for ``pooled``; ``classify`` takes the vectors
    (n, C). Scores are the sigmoids.
    """
    if boxes is None:
        rows, cols = features.shape[-2:]
        whole = features.new_tensor([0, 0, cols * stride, rows * stride])
        clips = torch.arange(len(features), device=features.device, dtype=features.dtype)
        boxes = torch.cat([clips[:, None], whole.expand(len(features), 4)], 1)
    found = classify(pooled(features, boxes, stride))
    nobody = found.new_full((len(found), min(1, found.shape[1])), NOBODYS)
    return torch.cat([nobody, found[:, 1:]], 1)
