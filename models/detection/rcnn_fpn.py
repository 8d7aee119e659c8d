"""R-CNN with a feature pyramid: torchvision's proposals, boxes, masks and key points on our trunk.

Keys are torchvision's, but for the trunk (``trunk.``) and the pyramid (``fpn.``).
"""

from collections import OrderedDict

from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import (
    FastRCNNConvFCHead,
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from models.backbones.resnet import stage_channels
from models.blocks.block_table import AttentionBlock
from models.detection.aligned import AlignedPool, BalancedPyramid, WholeStepAnchors
from models.detection.detector import Detections, Detector, as_detections, folded, sizes_of
from models.detection.keypoint_head import KeypointHead
from models.detection.trunk import DetectionTrunk
from models.specs.detection import HeadPlace, NeckPlace, RCNNSpec
from models.specs.placement import Place

LEVELS = ("0", "1", "2", "3")
"""Levels of the pyramid that regions are pooled from: strides 4, 8, 16, 32."""
_SIZES = ((32,), (64,), (128,), (256,), (512,))
_RATIOS = ((0.5, 1.0, 2.0),) * len(_SIZES)


class FPNDetector(Detector):
    """Faster, Mask or Keypoint R-CNN with a pyramid, as torchvision computes them."""

    def __init__(self, spec: RCNNSpec) -> None:
        super().__init__()
        self.spec, self.places = spec, spec.places
        self.trunk = DetectionTrunk(spec.trunk)
        norm = nn.BatchNorm2d if spec.version == 2 else None
        self.fpn = FeaturePyramidNetwork(
            [stage_channels(spec.trunk, stage) for stage in range(2, 6)],
            spec.channels,
            LastLevelMaxPool(),
            norm_layer=norm,
        )
        if spec.neck_block is not None:
            self.balance = BalancedPyramid(spec.channels, spec.neck_block)
        self.rpn = _proposals(spec)
        self.roi_heads = _box_heads(spec, norm)
        if spec.masks:
            _add_masks(self.roi_heads, spec, norm)
        if spec.keypoints:
            _add_keypoints(self.roi_heads, spec)

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``, in the trunk, the neck or the key point head."""
        if isinstance(place, NeckPlace):
            return self.balance.block
        if isinstance(place, HeadPlace):
            return self.roi_heads.keypoint_head.blocks[place.key]
        return self.trunk.block_at(place)

    def unit_at(self, place: Place) -> nn.Module:
        """Return the unit of the trunk before ``place``."""
        return self.trunk.unit_at(place)

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside the trunk's units by name."""
        return self.trunk.gated()

    def pyramid(self, x: Tensor) -> OrderedDict[str, Tensor]:
        """Return the levels of the pyramid, (B*T, C, h, w) each, finest first."""
        found = self.fpn(OrderedDict(zip(LEVELS, self.trunk.stages(x), strict=True)))
        return found if self.spec.neck_block is None else self.balance(found)

    def dense(self, x: Tensor) -> object:
        """Compute the pyramid and the scores of all anchors."""
        return self.rpn.head(list(self.pyramid(x).values()))

    def forward(self, x: Tensor) -> tuple[Detections, ...]:
        frames = folded(x)
        images = ImageList(frames, sizes_of(frames))
        features = self.pyramid(x)
        proposals, _losses = self.rpn(images, features)
        found, _losses = self.roi_heads(features, proposals, images.image_sizes)
        return tuple(map(as_detections, found))


def _proposals(spec: RCNNSpec) -> RegionProposalNetwork:
    anchors = (WholeStepAnchors if spec.aligned else AnchorGenerator)(_SIZES, _RATIOS)
    head = RPNHead(spec.channels, len(_RATIOS[0]), conv_depth=spec.version)
    most = {"training": 2000, "testing": spec.proposals}
    return RegionProposalNetwork(anchors, head, 0.7, 0.3, 256, 0.5, most, most, 0.7)


def _box_heads(spec: RCNNSpec, norm: type[nn.Module] | None) -> RoIHeads:
    size = (spec.channels, 7, 7)
    if spec.version == 2:
        head = FastRCNNConvFCHead(size, [spec.channels] * 4, [spec.dense], norm_layer=norm)
    else:
        head = TwoMLPHead(spec.channels * 49, spec.dense)
    return RoIHeads(
        _regions(spec, 7),
        head,
        FastRCNNPredictor(spec.dense, spec.labels),
        0.5, 0.5, 512, 0.25, None,
        spec.score, 0.5, spec.detections,
    )  # fmt: skip


def _regions(spec: RCNNSpec, side: int = 14) -> nn.Module:
    if spec.aligned:
        return AlignedPool(side)
    return MultiScaleRoIAlign(LEVELS, output_size=side, sampling_ratio=2)


def _add_masks(heads: RoIHeads, spec: RCNNSpec, norm: type[nn.Module] | None) -> None:
    width = spec.mask_width
    heads.mask_roi_pool = _regions(spec)
    heads.mask_head = MaskRCNNHeads(spec.channels, [width] * 4, 1, norm_layer=norm)
    heads.mask_predictor = MaskRCNNPredictor(width, width, spec.labels)


def _add_keypoints(heads: RoIHeads, spec: RCNNSpec) -> None:
    inside = tuple(place for place in spec.places if isinstance(place, HeadPlace))
    width = spec.keypoint_width
    heads.keypoint_roi_pool = _regions(spec)
    heads.keypoint_head = KeypointHead(spec.channels, spec.head_block, inside, width)
    heads.keypoint_predictor = KeypointRCNNPredictor(width, spec.keypoints)
