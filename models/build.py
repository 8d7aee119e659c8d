"""ModelSpec -> network, and what a network costs."""

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.backbones.resnet import AttentionResNet
from models.specs import ModelSpec


def build(spec: ModelSpec) -> AttentionResNet:
    """Return a fresh network in eval mode; a fresh attention block is the identity."""
    return AttentionResNet(spec).eval()


def parameter_count(network: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in network.parameters())


def gmacs(spec: ModelSpec, size: int) -> float:
    """Return the multiply-adds of one forward at size x size pixels, in units of 1e9.

    Convolutions, the classifier and the pairwise products of attention blocks, counted by torch on
    shapes alone (the meta device).
    """
    with torch.device("meta"):
        network = AttentionResNet(spec).eval()
    # The meta device has no fused attention; the plain one multiplies the same numbers.
    plain = sdpa_kernel(SDPBackend.MATH)
    with torch.no_grad(), plain, FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 1, size, size, device="meta"))
    return counter.get_total_flops() / 2e9
