"""What the R-CNNs of maskrcnn-benchmark (2018) share: proposals of a map, and what remains."""

from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.blocks.block_table import AttentionBlock
from models.detection import inclusive_boxes
from models.detection.detector import Detections, Detector, folded, sizes_of
from models.detection.trunk import DetectionTrunk
from models.specs.detection import RCNNSpec
from models.specs.placement import Place

Sizes = list[tuple[int, int]]


class BoxPredictor(nn.Module):
    """Features (R, C) -> class logits (R, labels) and deltas (R, labels, 4)."""

    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(channels, labels)
        self.bbox_pred = nn.Linear(channels, 4 * labels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.cls_score(x), self.bbox_pred(x).unflatten(1, (-1, 4))


class MaskPredictor(nn.Module):
    """Features (R, C, n, n) -> mask logits (R, labels, 2n, 2n)."""

    def __init__(self, channels: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.conv5_mask = nn.ConvTranspose2d(channels, hidden, 2, 2)
        self.mask_fcn_logits = nn.Conv2d(hidden, labels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mask_fcn_logits(F.relu(self.conv5_mask(x)))


def proposals(
    objectness: Tensor,
    deltas: Tensor,
    anchors: Tensor,
    size: tuple[int, int],
    most: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Return the proposals of one map, (n, 4), and their scores, best first.

    Of objectness (A, h, w) and deltas (4A, h, w) of anchors (h w A, 4), in a picture of (H, W)
    pixels; ``most`` before and after suppression.
    """
    before, after = most
    scores = objectness.permute(1, 2, 0).flatten().sigmoid()
    each = deltas.unflatten(0, (-1, 4)).permute(2, 3, 0, 1).reshape(-1, 1, 4)
    scores, order = scores.topk(min(before, len(scores)))
    boxes = inclusive_boxes.decode(each[order], anchors[order], (1.0, 1.0, 1.0, 1.0))[:, 0]
    boxes = inclusive_boxes.clip(boxes, size)
    kept = inclusive_boxes.suppressed(boxes, scores, 0.7)[:after]
    return boxes[kept], scores[kept]


def chosen_masks(logits: Tensor, found: list[Detections]) -> list[Tensor]:
    """Return of mask logits (R, labels, n, n) those of each object's label, as probabilities."""
    masks = []
    for one, own in zip(found, logits.split([len(one) for one in found]), strict=True):
        masks.append(own[torch.arange(len(one), device=own.device), one.labels].sigmoid())
    return masks


class InclusiveRCNN(Detector):
    """Abstract: Faster or Mask R-CNN whose boxes hold their last pixels. Input is R, G, B; the
    trunk of these networks reads B, G, R."""

    def __init__(self, spec: RCNNSpec) -> None:
        super().__init__()
        self.spec, self.places = spec, spec.places
        self.trunk = DetectionTrunk(spec.trunk)

    @abstractmethod
    def find(self, x: Tensor, sizes: Sizes) -> tuple[Detections, ...]:
        """Return what is found in frames whose (H, W) without padding are ``sizes``."""

    def forward(self, x: Tensor) -> tuple[Detections, ...]:
        return self.find(x, sizes_of(folded(x)))

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``."""
        return self.trunk.block_at(place)

    def unit_at(self, place: Place) -> nn.Module:
        """Return the unit of the trunk before ``place``."""
        return self.trunk.unit_at(place)

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside the trunk's units by name."""
        return self.trunk.gated()

    def decided(
        self, logits: Tensor, regression: Tensor, proposed: list[Tensor], sizes: Sizes
    ) -> list[Detections]:
        """Return what remains of the proposals of every frame."""
        counts = [len(boxes) for boxes in proposed]
        parts = (logits.split(counts), regression.split(counts), proposed, sizes)
        return [self.decide(*frame) for frame in zip(*parts, strict=True)]

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
