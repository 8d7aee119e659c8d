"""What the networks cost: capture against a plain forward, our CGNL block against Python loops."""

import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.blocks.cgnl_block import CGNLBlock
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec
from viz.attention.forward import capture
from viz.geometry import fit
from viz.types import ModelInput

CAPTURE_SIDE = 448
CGNL_CHANNELS, CGNL_SIDE, CGNL_GROUPS = 1024, 28, 8


def alternately(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each run, in turns, so that noise hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    return {name: median(values[1:]) for name, values in times.items()}


class GroupLoopBlock(nn.Module):
    """The peer: the same block with its kernel, as published, in a Python loop over groups."""

    def __init__(self, block: CGNLBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, 1, H, W) -> the same shape."""
        folded, projection = x.squeeze(2), self.block.projection
        theta, phi, g = (p(folded) for p in (projection.theta, projection.phi, projection.g))
        responses = []
        groups = self.block.spec.groups
        for parts in zip(*(v.chunk(groups, 1) for v in (theta, phi, g)), strict=True):
            batch, channels, height, width = parts[0].shape
            t, p, v = (part.reshape(batch, 1, -1) for part in parts)
            attention = torch.bmm(p, v.transpose(1, 2))
            responses.append(torch.bmm(attention, t).reshape(batch, channels, height, width))
        expanded = self.block.expand(torch.cat(responses, 1))
        return x + self.block.norm(expanded).unsqueeze(2)


class WholeLoopBlock(nn.Module):
    """The same block written for one group, run once a group on its share of every weight."""

    def __init__(self, block: CGNLBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, 1, H, W) -> the same shape."""
        folded, block = x.squeeze(2), self.block
        groups, projection = block.spec.groups, block.projection
        outputs = []
        for k in range(groups):
            theta, phi, g = (
                F.conv2d(folded, p.weight.chunk(groups)[k])
                for p in (projection.theta, projection.phi, projection.g)
            )
            y = theta * (phi * g).sum((1, 2, 3), keepdim=True)
            expanded = F.conv2d(y, block.expand.weight.chunk(groups)[k])
            weight, bias = (v.chunk(groups)[k] for v in (block.norm.weight, block.norm.bias))
            outputs.append(F.group_norm(expanded, 1, weight, bias))
        return x + torch.cat(outputs, 1).unsqueeze(2)


@torch.no_grad()
def capture_ratio() -> list[str]:
    """Time capturing both kinds of block, as the catalogue loads networks (channels innermost).

    Against the plain forward of the same trunk, in torchvision's memory format and in the
    catalogue's, and against the plain forward of the same network, block included.
    """
    x = torch.randn(1, 3, 1, CAPTURE_SIDE, CAPTURE_SIDE)
    plan = ModelInput(x, fit(CAPTURE_SIDE, CAPTURE_SIDE, CAPTURE_SIDE, 32))
    plain, trunk = build(ModelSpec()), build(ModelSpec()).to(memory_format=torch.channels_last)
    runs: dict[str, Callable[[], object]] = {"plain": lambda: plain(x), "trunk": lambda: trunk(x)}
    for name, block in (("NL", NonLocalSpec()), ("CGNL", CGNLSpec())):
        spec = ModelSpec(block=block, placement="1")
        network = build(spec).to(memory_format=torch.channels_last)
        model = LoadedModel(name, spec, network, (), "")
        runs[name] = lambda model=model: capture(model, plan)
        runs[f"{name} forward"] = lambda network=network: network(x)
    times = alternately(runs, 9)
    peers = {
        "plain trunk as torchvision lays it out (goal <= 1.10)": ("plain", "plain"),
        "plain trunk, channels innermost": ("trunk", "trunk"),
        "forward of the same network with its block": ("NL forward", "CGNL forward"),
    }
    return [
        f"capture / {what}, ResNet-50 at {CAPTURE_SIDE} px: NL {times['NL'] / times[nl]:.2f}, "
        f"CGNL {times['CGNL'] / times[cgnl]:.2f} ({1e3 * times[nl]:.0f} ms)"
        for what, (nl, cgnl) in peers.items()
    ]


@torch.no_grad()
def cgnl_ratio() -> str:
    """Time our CGNL block against loops over its groups, after checking that all three agree."""
    block = CGNLBlock(CGNL_CHANNELS, CGNLSpec(groups=CGNL_GROUPS)).eval()
    nn.init.ones_(block.norm.weight)
    peers = {"kernel loop": GroupLoopBlock(block), "whole-block loop": WholeLoopBlock(block)}
    x = torch.randn(1, CGNL_CHANNELS, 1, CGNL_SIDE, CGNL_SIDE)
    for peer in peers.values():
        torch.testing.assert_close(peer(x), block(x), rtol=1e-4, atol=1e-4)
    runs = {"ours": lambda: block(x)} | {k: lambda peer=p: peer(x) for k, p in peers.items()}
    times = alternately(runs, 30)
    ratios = ", ".join(f"{times['ours'] / times[name]:.2f} of the {name}" for name in peers)
    return (
        f"CGNL block, C = {CGNL_CHANNELS}, {CGNL_SIDE} x {CGNL_SIDE}, {CGNL_GROUPS} groups "
        f"(goal <= 0.70): {ratios} (ours {1e3 * times['ours']:.1f} ms)"
    )


def report() -> list[str]:
    """Return the lines that ``python -m benchmarks explore`` prints for the networks."""
    return [*capture_ratio(), cgnl_ratio()]
