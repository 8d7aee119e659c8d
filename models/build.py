"""NetworkSpec -> network, and what a network costs."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.backbones.compact import compact
from models.backbones.digits import PLACES, DigitNetwork
from models.backbones.efficientnet_lite import EfficientNetLite
from models.backbones.resnet import AttentionResNet
from models.blocks.block_table import AttentionBlock
from models.specs.network import CompactSpec, DigitSpec, LiteSpec, ModelSpec, NetworkSpec
from models.specs.placement import Place, lite_places, places


class Network(Protocol):
    """What captures and pages ask of a network, besides being an nn.Module."""

    spec: NetworkSpec
    places: tuple[Place, ...]

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block that stands at ``place``."""

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside units by name, in the order they are passed."""

    def resume(self, place: Place, features: Tensor) -> Tensor:
        """Return the logits (B, classes) given what leaves ``place``, (B, C, T, H, W)."""


_NETWORKS = {
    ModelSpec: AttentionResNet,
    CompactSpec: compact,
    DigitSpec: DigitNetwork,
    LiteSpec: EfficientNetLite,
}


def places_of(spec: NetworkSpec) -> tuple[Place, ...]:
    """Return where a network's blocks stand, without building it."""
    if isinstance(spec, ModelSpec):
        return places(spec.depth, spec.placement)
    if isinstance(spec, LiteSpec):
        return lite_places(spec.size_name, spec.placement)
    return PLACES if isinstance(spec, DigitSpec) else ()


def build(spec: NetworkSpec) -> Network:
    """Return a fresh network in eval mode; a fresh attention block or gate is the identity."""
    return _NETWORKS[type(spec)](spec).eval()


def outline(spec: NetworkSpec) -> Network:
    """Return the network without memory (the meta device), to count it and compare shapes."""
    with torch.device("meta"):
        return build(spec)


def parameter_count(network: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in network.parameters())


def gmacs(spec: NetworkSpec, size: int, frames: int = 1) -> float:
    """Return the multiply-adds of one forward of ``frames`` x size x size pixels, in 1e9.

    Convolutions, the classifier and the pairwise products of attention blocks, counted by torch on
    shapes alone (the meta device).
    """
    shape = (1, spec.preprocessing.channels, frames, size, size)
    return multiply_adds(outline(spec), torch.empty(shape, device="meta")) / 1e9


def multiply_adds(module: nn.Module, x: Tensor) -> int:
    """Return the multiply-adds of one forward of ``module`` on x, as torch counts them."""
    # The meta device has no fused attention; the plain one multiplies the same numbers.
    plain = sdpa_kernel(SDPBackend.MATH)
    with torch.no_grad(), plain, FlopCounterMode(display=False) as counter:
        module(x)
    return counter.get_total_flops() // 2
