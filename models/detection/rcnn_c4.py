"""R-CNN on res4 with res5 as the head, as maskrcnn-benchmark (2018) and the CGNL authors have it.

torchvision has no such network, and its boxes differ in many points (``inclusive_boxes``).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import ops

from models.backbones.resnet import stage_channels
from models.blocks.block_table import AttentionBlock
from models.detection import inclusive_boxes
from models.detection.detector import Detections, Detector, folded, sizes_of
from models.detection.trunk import DetectionTrunk
from models.specs.detection import RCNNSpec
from models.specs.placement import Place

STRIDE, POOLED = 16, 14
BEFORE_SUPPRESSION = 6000
Sizes = list[tuple[int, int]]


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


class BoxPredictor(nn.Module):
    """Pooled res5 (R, C) -> class logits (R, labels) and deltas (R, labels, 4)."""

    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(channels, labels)
        self.bbox_pred = nn.Linear(channels, 4 * labels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.cls_score(x), self.bbox_pred(x).unflatten(1, (-1, 4))


class MaskPredictor(nn.Module):
    """res5 (R, C, 7, 7) -> mask logits (R, labels, 14, 14)."""

    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.conv5_mask = nn.ConvTranspose2d(channels, channels // 8, 2, 2)
        self.mask_fcn_logits = nn.Conv2d(channels // 8, labels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mask_fcn_logits(F.relu(self.conv5_mask(x)))


class C4Detector(Detector):
    """Faster or Mask R-CNN on res4; boxes and masks share res5. Input is R, G, B; the trunk of
    these networks reads B, G, R."""

    def __init__(self, spec: RCNNSpec) -> None:
        super().__init__()
        self.spec, self.places = spec, spec.places
        self.trunk = DetectionTrunk(spec.trunk)
        width = stage_channels(spec.trunk, 5)
        self.rpn = ProposalHead(width // 2)
        self.box = BoxPredictor(width, spec.labels)
        self.mask = MaskPredictor(width, spec.labels) if spec.masks else None

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``."""
        return self.trunk.block_at(place)

    def unit_at(self, place: Place) -> nn.Module:
        """Return the unit of the trunk before ``place``."""
        return self.trunk.unit_at(place)

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside the trunk's units by name."""
        return self.trunk.gated()

    def dense(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return res4 (B*T, C, h, w), objectness and deltas of all anchors."""
        features = self.trunk.stages(x.flip(1), 4)[-1]
        return features, *self.rpn(features)

    def forward(self, x: Tensor) -> tuple[Detections, ...]:
        return self.find(x, sizes_of(folded(x)))

    def find(self, x: Tensor, sizes: Sizes) -> tuple[Detections, ...]:
        """Return what is found in frames whose (H, W) without padding are ``sizes``."""
        features, objectness, deltas = self.dense(x)
        proposals = [self.propose(*one)[0] for one in zip(objectness, deltas, sizes, strict=True)]
        logits, regression = self.judge(features, proposals)
        counts = [len(boxes) for boxes in proposals]
        frames = zip(logits.split(counts), regression.split(counts), proposals, sizes, strict=True)
        found = [self.decide(*frame) for frame in frames]
        return self._with_masks(features, found)

    def propose(
        self, objectness: Tensor, deltas: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Return the proposals of one frame, (n, 4), and their scores, best first."""
        rows, cols = objectness.shape[1:]
        anchors = inclusive_boxes.spread(self.rpn.cell_anchors, rows, cols, STRIDE)
        scores = objectness.permute(1, 2, 0).flatten().sigmoid()
        each = deltas.unflatten(0, (-1, 4)).permute(2, 3, 0, 1).reshape(-1, 1, 4)
        scores, order = scores.topk(min(BEFORE_SUPPRESSION, len(scores)))
        boxes = inclusive_boxes.decode(each[order], anchors[order], (1.0, 1.0, 1.0, 1.0))[:, 0]
        boxes = inclusive_boxes.clip(boxes, size)
        kept = inclusive_boxes.suppressed(boxes, scores, 0.7)[: self.spec.proposals]
        return boxes[kept], scores[kept]

    def pool(self, features: Tensor, boxes: list[Tensor]) -> Tensor:
        """Return res5 of regions, (R, C, 7, 7); boxes are in pixels, a list entry a frame."""
        pooled = ops.roi_align(features, boxes, POOLED, 1 / STRIDE, sampling_ratio=0)
        return self.trunk.res5(pooled)

    def judge(self, features: Tensor, proposals: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return class logits (R, labels) and deltas (R, labels, 4) of all proposals."""
        return self.box(self.pool(features, proposals).mean((2, 3)))

    def decide(
        self, logits: Tensor, regression: Tensor, proposals: Tensor, size: tuple[int, int]
    ) -> Detections:
        """Return what remains of one frame: by label, then in the order of the proposals."""
        scores = logits.softmax(-1)
        boxes = inclusive_boxes.decode(regression, proposals, (10.0, 10.0, 5.0, 5.0))
        boxes = inclusive_boxes.clip(boxes, size)
        above, found = scores > self.spec.score, []
        for label in range(1, scores.shape[1]):
            chosen = above[:, label].nonzero()[:, 0]
            kept = inclusive_boxes.suppressed(boxes[chosen, label], scores[chosen, label], 0.5)
            found.append(torch.stack((chosen[kept], torch.full_like(kept, label)), 1))
        which, label = torch.cat(found).unbind(1)
        best = scores[which, label]
        if len(best) > self.spec.detections:
            # All that tie with the last one remain, as in the original.
            least = best.sort(descending=True).values[self.spec.detections - 1]
            which, label = which[best >= least], label[best >= least]
        return Detections(boxes[which, label], scores[which, label], label)

    def _with_masks(self, features: Tensor, found: list[Detections]) -> tuple[Detections, ...]:
        if self.mask is None:
            return tuple(found)
        logits = self.mask(self.pool(features, [one.boxes for one in found]))
        masks = []
        for one, own in zip(found, logits.split([len(one) for one in found]), strict=True):
            masks.append(own[torch.arange(len(one), device=own.device), one.labels].sigmoid())
        return tuple(
            Detections(one.boxes, one.scores, one.labels, mask)
            for one, mask in zip(found, masks, strict=True)
        )
