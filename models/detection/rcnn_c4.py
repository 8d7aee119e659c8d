"""R-CNN on res4 with res5 as the head, as maskrcnn-benchmark (2018) and the CGNL authors have it.

torchvision has no such network, and its boxes differ in many points (``inclusive_boxes``).
"""

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import ops

from models.backbones.resnet import stage_channels
from models.detection import inclusive_boxes
from models.detection.detector import Detections
from models.detection.inclusive_rcnn import (
    BoxPredictor,
    InclusiveRCNN,
    MaskPredictor,
    Sizes,
    chosen_masks,
    proposals,
)
from models.specs.detection import RCNNSpec

STRIDE, POOLED = 16, 14
BEFORE_SUPPRESSION = 6000


class ProposalHead(nn.Module):
    """res4 (n, C, h, w) -> objectness (n, A, h, w) and deltas (n, 4A, h, w) of the anchors, which
    are a buffer: files hold them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        anchors = inclusive_boxes.cell_anchors(STRIDE)
        self.register_buffer("cell_anchors", anchors)
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)
        self.cls_logits = nn.Conv2d(channels, len(anchors), 1)
        self.bbox_pred = nn.Conv2d(channels, 4 * len(anchors), 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.relu(self.conv(features))
        return self.cls_logits(hidden), self.bbox_pred(hidden)


class C4Detector(InclusiveRCNN):
    """Faster or Mask R-CNN on res4; boxes and masks share res5."""

    def __init__(self, spec: RCNNSpec) -> None:
        super().__init__(spec)
        width = stage_channels(spec.trunk, 5)
        self.rpn = ProposalHead(width // 2)
        self.box = BoxPredictor(width, spec.labels)
        self.mask = MaskPredictor(width, width // 8, spec.labels) if spec.masks else None

    def dense(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return res4 (B*T, C, h, w), objectness and deltas of all anchors."""
        features = self.trunk.stages(x.flip(1), 4)[-1]
        return features, *self.rpn(features)

    def find(self, x: Tensor, sizes: Sizes) -> tuple[Detections, ...]:
        """Return what is found in frames whose (H, W) without padding are ``sizes``."""
        features, objectness, deltas = self.dense(x)
        proposed = [self.propose(*one)[0] for one in zip(objectness, deltas, sizes, strict=True)]
        logits, regression = self.judge(features, proposed)
        found = self.decided(logits, regression, proposed, sizes)
        return self._with_masks(features, found)

    def propose(
        self, objectness: Tensor, deltas: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Return the proposals of one frame, (n, 4), and their scores, best first."""
        anchors = inclusive_boxes.spread(self.rpn.cell_anchors, *objectness.shape[1:], STRIDE)
        most = (BEFORE_SUPPRESSION, self.spec.proposals)
        return proposals(objectness, deltas, anchors, size, most)

    def pool(self, features: Tensor, boxes: list[Tensor]) -> Tensor:
        """Return res5 of regions, (R, C, 7, 7); boxes are in pixels, a list entry a frame."""
        pooled = ops.roi_align(features, boxes, POOLED, 1 / STRIDE, sampling_ratio=0)
        return self.trunk.res5(pooled)

    def judge(self, features: Tensor, proposed: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return class logits (R, labels) and deltas (R, labels, 4) of all proposals."""
        return self.box(self.pool(features, proposed).mean((2, 3)))

    def _with_masks(self, features: Tensor, found: list[Detections]) -> tuple[Detections, ...]:
        if self.mask is None:
            return tuple(found)
        logits = self.mask(self.pool(features, [one.boxes for one in found]))
        masks = chosen_masks(logits, found)
        return tuple(replace(one, masks=own) for one, own in zip(found, masks, strict=True))
