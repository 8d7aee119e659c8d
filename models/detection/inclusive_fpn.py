"""R-CNN with a feature pyramid as maskrcnn-benchmark (2018) has it: boxes hold their last pixels.

torchvision's (``rcnn_fpn``) differs in anchors, decoding, suppression and the choice of levels.
"""

from collections import OrderedDict
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNPredictor
from torchvision.models.detection.roi_heads import keypointrcnn_inference
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

from models.backbones.resnet import stage_channels
from models.blocks.block_table import AttentionBlock
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
from models.detection.keypoint_head import KeypointHead
from models.detection.level_pool import STRIDES, pooled
from models.specs.detection import HeadPlace, RCNNSpec
from models.specs.placement import Place

SIZES = (32, 64, 128, 256, 512)
BEFORE_SUPPRESSION = 1000
FIRST_LEVEL, LAST_LEVEL = 2, 5
"""Regions are pooled from these levels; the one after the last is for proposals only."""
BOX_SIDE, MASK_SIDE = 7, 14
MASK_CONVOLUTIONS = 4


class PyramidProposals(nn.Module):
    """Levels (n, C, h, w) -> objectness (n, A, h, w) and deltas (n, 4A, h, w) of each; the anchors
    of each level are a buffer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for level, (stride, size) in enumerate(zip(STRIDES, SIZES, strict=True)):
            anchors = inclusive_boxes.cell_anchors(stride, (size,))
            self.register_buffer(f"cell_anchors_{level}", anchors)
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)
        self.cls_logits = nn.Conv2d(channels, 3, 1)
        self.bbox_pred = nn.Conv2d(channels, 12, 1)

    def anchors(self, level: int, rows: int, cols: int) -> Tensor:
        """Return the anchors of every cell of a level, (rows * cols * A, 4)."""
        cell = getattr(self, f"cell_anchors_{level}")
        return inclusive_boxes.spread(cell, rows, cols, STRIDES[level])

    def forward(self, levels: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
        hidden = (F.relu(self.conv(features)) for features in levels)
        return [(self.cls_logits(one), self.bbox_pred(one)) for one in hidden]


class MaskHead(nn.Module):
    """Pooled regions (R, C, 14, 14) -> (R, width, 14, 14): four 3 x 3 convolutions."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        for number in range(1, MASK_CONVOLUTIONS + 1):
            self.add_module(f"mask_fcn{number}", nn.Conv2d(channels, width, 3, 1, 1))
            channels = width

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.children():
            x = F.relu(convolution(x))
        return x


def levels_of(boxes: Tensor) -> Tensor:
    """Return the level that each region (R, 4) is pooled from, 0 to 3 (Lin et al. 2017, eq. 1)."""
    width, height = (boxes[:, 2:] - boxes[:, :2] + 1).unbind(1)
    wanted = torch.floor(4 + torch.log2((width * height).sqrt() / 224 + 1e-6))
    return wanted.clamp(FIRST_LEVEL, LAST_LEVEL).long() - FIRST_LEVEL


class InclusiveFPN(InclusiveRCNN):
    """Faster, Mask or Keypoint R-CNN with a pyramid, as maskrcnn-benchmark computes them."""

    def __init__(self, spec: RCNNSpec) -> None:
        super().__init__(spec)
        widths = [stage_channels(spec.trunk, stage) for stage in range(2, 6)]
        self.fpn = FeaturePyramidNetwork(widths, spec.channels, LastLevelMaxPool())
        self.rpn = PyramidProposals(spec.channels)
        self.box_head = TwoMLPHead(spec.channels * BOX_SIDE**2, spec.dense)
        self.box = BoxPredictor(spec.dense, spec.labels)
        if spec.masks:
            self.mask_head = MaskHead(spec.channels, spec.mask_width)
            self.mask = MaskPredictor(spec.mask_width, spec.mask_width, spec.labels)
        if spec.keypoints:
            inside = tuple(place for place in spec.places if isinstance(place, HeadPlace))
            width = spec.keypoint_width
            self.keypoint_head = KeypointHead(spec.channels, spec.head_block, inside, width)
            self.keypoint_predictor = KeypointRCNNPredictor(width, spec.keypoints)

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``, in the trunk or in the key point head."""
        if isinstance(place, HeadPlace):
            return self.keypoint_head.blocks[place.key]
        return super().block_at(place)

    def levels(self, x: Tensor) -> list[Tensor]:
        """Return the levels of the pyramid, (B*T, C, h, w) each, finest first."""
        stages = self.trunk.stages(x.flip(1))
        named = OrderedDict((str(number), stage) for number, stage in enumerate(stages))
        return list(self.fpn(named).values())

    def dense(self, x: Tensor) -> object:
        """Compute the pyramid and the scores of all anchors."""
        return self.rpn(self.levels(x))

    def find(self, x: Tensor, sizes: Sizes) -> tuple[Detections, ...]:
        """Return what is found in frames whose (H, W) without padding are ``sizes``."""
        levels = self.levels(x)
        scored = self.rpn(levels)
        proposed = [
            self.propose([(one[n], deltas[n]) for one, deltas in scored], size)
            for n, size in enumerate(sizes)
        ]
        logits, regression = self.box(self.box_head(self.pool(levels, proposed, BOX_SIDE)))
        found = self.decided(logits, regression, proposed, sizes)
        return self._with_points(levels, self._with_masks(levels, found))

    def propose(self, scored: list[tuple[Tensor, Tensor]], size: tuple[int, int]) -> Tensor:
        """Return the proposals of one frame, (n, 4): of each level, then the best of all."""
        most = (BEFORE_SUPPRESSION, self.spec.proposals)
        boxes, scores = [], []
        for level, (objectness, deltas) in enumerate(scored):
            anchors = self.rpn.anchors(level, *objectness.shape[1:])
            own, judged = proposals(objectness, deltas, anchors, size, most)
            boxes.append(own)
            scores.append(judged)
        every, judged = torch.cat(boxes), torch.cat(scores)
        return every[judged.topk(min(self.spec.proposals, len(judged))).indices]

    def pool(self, levels: list[Tensor], boxes: list[Tensor], side: int) -> Tensor:
        """Return regions (R, C, side, side), each from the level of its size."""
        own = levels[: LAST_LEVEL - FIRST_LEVEL + 1]
        return pooled(own, boxes, levels_of(torch.cat(boxes)), side, 2)

    def _with_masks(self, levels: list[Tensor], found: list[Detections]) -> list[Detections]:
        if not self.spec.masks:
            return found
        pooled = self.pool(levels, [one.boxes for one in found], MASK_SIDE)
        masks = chosen_masks(self.mask(self.mask_head(pooled)), found)
        return [replace(one, masks=own) for one, own in zip(found, masks, strict=True)]

    def _with_points(self, levels: list[Tensor], found: list[Detections]) -> tuple[Detections, ...]:
        if not self.spec.keypoints:
            return tuple(found)
        boxes = [one.boxes for one in found]
        heat = self.keypoint_predictor(self.keypoint_head(self.pool(levels, boxes, MASK_SIDE)))
        parts = zip(found, *keypointrcnn_inference(heat, boxes), strict=True)
        return tuple(replace(one, keypoints=k, keypoint_scores=s) for one, k, s in parts)
