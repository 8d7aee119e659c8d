"""ModelSpec -> network, and what a network costs."""

from math import prod

import torch
from torch import nn

from models.backbones.resnet import AttentionResNet
from models.specs import ModelSpec


def build(spec: ModelSpec) -> AttentionResNet:
    """Return a fresh network in eval mode; a fresh attention block is the identity."""
    return AttentionResNet(spec).eval()


def parameter_count(network: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in network.parameters())


def gmacs(spec: ModelSpec, size: int) -> float:
    """Return the multiply-adds of convolutions and the classifier at size x size pixels, in
    units of 1e9.

    Counted on shapes alone (the meta device); the pairwise products of attention blocks are
    left out.
    """
    with torch.device("meta"):
        network = AttentionResNet(spec).eval()
    total = 0

    def count(module: nn.Module, _args: tuple, out: torch.Tensor) -> None:
        nonlocal total
        per_output = module.weight[0].numel()
        total += prod(out.shape) * per_output

    handles = [
        m.register_forward_hook(count)
        for m in network.modules()
        if isinstance(m, nn.Conv2d | nn.Linear)
    ]
    try:
        with torch.no_grad():
            network(torch.empty(1, 3, 1, size, size, device="meta"))
    finally:
        for handle in handles:
            handle.remove()
    return total / 1e9
