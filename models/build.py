"""NetworkSpec -> network, and what a network costs."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from models.backbones.compact import compact
from models.backbones.digits import PLACES, DigitNetwork
from models.backbones.efficientnet_lite import EfficientNetLite
from models.backbones.resnet import AttentionResNet
from models.blocks.block_table import AttentionBlock
from models.detection.detector import Detector
from models.multiply_adds import multiply_adds
from models.specs.detection import DetectorSpec, RCNNSpec, SSDSpec
from models.specs.lite import lite_units
from models.specs.network import (
    RESNET_UNITS,
    CompactSpec,
    DigitSpec,
    LiteSpec,
    ModelSpec,
    NetworkSpec,
)
from models.specs.placement import LitePlace, Place, lite_places, places
from models.specs.wrapped import AttendingLayer, WrappedSpec


@runtime_checkable
class Network(Protocol):
    """What captures and pages ask of a network, besides being an nn.Module.

    ``places`` are those of its attention blocks, in the order they are passed; empty without.
    """

    spec: NetworkSpec
    places: tuple[Place, ...]

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``, one of ``places``."""

    def unit_at(self, place: Place) -> nn.Module:
        """Return the unit before ``place``: (B*T, C, H, W), T -> (B*T, C', H', W')."""

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside units by name, in the order they are passed."""

    def resume(self, place: Place, features: Tensor) -> Tensor:
        """Return the logits (B, classes) given what leaves ``place``, (B, C, T, H, W)."""


def _rcnn(spec: RCNNSpec) -> Detector:
    if spec.neck == "c4":
        from models.detection.rcnn_c4 import C4Detector

        return C4Detector(spec)
    if spec.inclusive:
        from models.detection.inclusive_fpn import InclusiveFPN

        return InclusiveFPN(spec)
    from models.detection.rcnn_fpn import FPNDetector  # imported late: torchvision takes seconds

    return FPNDetector(spec)


def _ssd(spec: SSDSpec) -> Detector:
    from models.detection.ssd import SSDDetector

    return SSDDetector(spec)


_NETWORKS = {
    RCNNSpec: _rcnn,
    SSDSpec: _ssd,
    ModelSpec: AttentionResNet,
    CompactSpec: compact,
    DigitSpec: DigitNetwork,
    LiteSpec: EfficientNetLite,
}


def places_of(spec: NetworkSpec | DetectorSpec | WrappedSpec) -> tuple[Place | AttendingLayer, ...]:
    """Return where a network's blocks are, without building it."""
    if isinstance(spec, WrappedSpec):
        return spec.layers
    if isinstance(spec, DetectorSpec):
        return spec.places
    if isinstance(spec, ModelSpec):
        return places(spec.depth, spec.placement)
    if isinstance(spec, LiteSpec):
        return lite_places(spec.size_name, spec.placement)
    return PLACES if isinstance(spec, DigitSpec) else ()


def stage_ends(spec: NetworkSpec | DetectorSpec) -> tuple[Place, ...]:
    """Return where a trunk can be looked at that has no blocks: after the last unit of res3, res4
    and res5, or of strides 8, 16 and 32. Empty for networks with blocks or gates, and small ones.
    """
    if getattr(spec, "block", None) is not None or getattr(spec, "gate", None) is not None:
        return ()
    if isinstance(spec, RCNNSpec):
        last = 5 if spec.neck == "fpn" else 4
        return tuple(place for place in stage_ends(spec.trunk) if place.stage <= last)
    if isinstance(spec, ModelSpec):
        units = enumerate(RESNET_UNITS[spec.depth], start=2)
        return tuple(Place(stage, count - 1) for stage, count in units if stage > 2)
    if isinstance(spec, LiteSpec):
        strides = [unit.total_stride for unit in lite_units(spec.size_name)]
        last = {stride: unit for unit, stride in enumerate(strides) if stride > 4}
        return tuple(LitePlace(0, unit) for unit in last.values())
    return ()


def build(spec: NetworkSpec | DetectorSpec) -> Network:
    """Return a fresh network in eval mode; a fresh attention block or gate is the identity."""
    return _NETWORKS[type(spec)](spec).eval()


def outline(spec: NetworkSpec | DetectorSpec) -> Network:
    """Return the network without memory (the meta device), to count it and compare shapes."""
    with torch.device("meta"):
        return build(spec)


def parameter_count(network: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in network.parameters())


def gmacs(spec: NetworkSpec, size: int, frames: int = 1) -> float:
    """Return the multiply-adds of one forward of ``frames`` x size x size pixels, in 1e9."""
    return gmacs_of(outline(spec), size, frames)


def gmacs_of(network: Network, size: int, frames: int = 1) -> float:
    """Return the multiply-adds of an outline as ``gmacs`` does.

    Convolutions, the classifier and the pairwise products of attention blocks, counted on shapes
    alone (the meta device). Of a detector what every picture costs: what its heads take depends on
    what is found.
    """
    shape = (1, network.spec.preprocessing.channels, frames, size, size)
    counted = network.dense if isinstance(network, Detector) else network
    return multiply_adds(counted, torch.empty(shape, device="meta")) / 1e9
