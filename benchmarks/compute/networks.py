"""What the networks cost: capture against a plain forward, our CGNL block against Python loops."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.timing import in_turns, milliseconds, ratio
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
ROUNDS, CGNL_ROUNDS = 9, 25


class GroupLoopBlock(nn.Module):
    """The authors' form: the same block with its kernel in a Python loop over groups."""

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
def capture_ratio(device: str = "cpu") -> Iterator[str]:
    """Time capturing both kinds of block, as the catalogue loads networks (channels innermost):
    against the plain forward of the same network, and of its trunk alone in both layouts."""
    x = torch.randn(1, 3, 1, CAPTURE_SIDE, CAPTURE_SIDE, device=device)
    plan = ModelInput(x, fit(CAPTURE_SIDE, CAPTURE_SIDE, CAPTURE_SIDE, 32))
    plain = build(ModelSpec()).to(device)
    trunk = build(ModelSpec()).to(device, memory_format=torch.channels_last)
    runs: dict[str, Callable[[], object]] = {"plain": lambda: plain(x), "trunk": lambda: trunk(x)}
    for name, block in (("NL", NonLocalSpec()), ("CGNL", CGNLSpec())):
        spec = ModelSpec(block=block, placement="1")
        network = build(spec).to(device, memory_format=torch.channels_last)
        model = LoadedModel(name, spec, network, (), "")
        runs[name] = lambda model=model: capture(model, plan)
        runs[f"{name} forward"] = lambda network=network: network(x)
    times = in_turns(runs, ROUNDS, 1 if device == "cpu" else 5, device)
    peers = {
        "forward of the same network (goal <= 1.05)": ("NL forward", "CGNL forward"),
        "plain trunk as torchvision lays it out (goal <= 1.10)": ("plain", "plain"),
        "plain trunk, channels innermost": ("trunk", "trunk"),
    }
    for what, (nl, cgnl) in peers.items():
        yield (
            f"capture / {what}, ResNet-50 at {CAPTURE_SIDE} px, {device}: "
            f"NL {ratio(times, 'NL', nl)}, CGNL {ratio(times, 'CGNL', cgnl)}; "
            f"{milliseconds(times, nl)}"
        )


@torch.no_grad()
def cgnl_ratio(device: str = "cpu") -> Iterator[str]:
    """Time our CGNL block against its authors' form and a loop over whole blocks, after checking
    that all three agree; and the three projections alone, which all forms compute.

    No exact form of them is cheaper here. Phi^T g of a group is also a sum over W_phi X X^T W_g^T,
    but X X^T alone has the C^2 N multiply-adds of phi and g together; W_z W_theta made one matrix
    takes C^2 N where the two take C C' N (1 + 1/G). A norm over groups depends on its input, so
    that it cannot be folded into W_z. They are one product already, at the processor's rate.
    """
    block = CGNLBlock(CGNL_CHANNELS, CGNLSpec(groups=CGNL_GROUPS)).eval().to(device)
    nn.init.ones_(block.norm.weight)
    peers = {"authors' form": GroupLoopBlock(block), "loop over groups": WholeLoopBlock(block)}
    x = torch.randn(1, CGNL_CHANNELS, 1, CGNL_SIDE, CGNL_SIDE, device=device)
    for peer in peers.values():
        torch.testing.assert_close(peer(x), block(x), rtol=1e-3, atol=1e-3)
    runs = {"ours": lambda: block(x)} | {k: lambda peer=p: peer(x) for k, p in peers.items()}
    runs["projections"] = lambda: block.projection(x)
    times = in_turns(runs, CGNL_ROUNDS, 3, device)
    yield (
        f"CGNL block, C = {CGNL_CHANNELS}, {CGNL_SIDE} x {CGNL_SIDE}, {CGNL_GROUPS} groups, "
        f"{device}: ours {milliseconds(times, 'ours')}"
    )
    authors, loop = peers
    of_ours, of_theirs = (ratio(times, "projections", one) for one in ("ours", authors))
    yield (
        f"  ours / the {authors} (goal <= 0.50; the three projections, which both compute, alone "
        f"are {of_theirs}): {ratio(times, 'ours', authors)}"
    )
    yield f"  ours / the {loop}: {ratio(times, 'ours', loop)}"
    yield f"  the three projections, one product at the processor's rate / ours: {of_ours}"


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks explore`` prints for the networks."""
    yield from capture_ratio()
    yield from cgnl_ratio()
