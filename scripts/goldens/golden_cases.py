"""What a network shows of itself on a reference input, and how far that is from what is expected.

Every case is compared twice: in float32, as the program runs, and in float64, to measure how much
of the difference is rounding. Deep random-weight networks amplify the last bit of float32 to 1e-3
of their logits; a reference made in float32 is not more exact than that itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from models.blocks.cgnl_block import CGNLBlock, CGNLFactors
from models.blocks.nonlocal_block import NonLocalBlock, NonLocalFactors
from models.build import Network

RELATIVE, OF_LARGEST = 1e-4, 1e-4
"""A difference passes below RELATIVE * |expected| + OF_LARGEST * max |expected| ..."""
ROUNDING = 3.0
"""... plus so many times the largest difference between float32 and float64 of the same network."""
UNDECIDABLE = 0.02
"""Rounding above this share of the largest value proves nothing either way: a failure."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Logits (B, classes) and everything seen on the way, by name."""

    logits: Tensor
    attention: list[Tensor] = field(default_factory=list)
    taps: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """The largest difference of one quantity: absolute, what was allowed there, and rounding.

    ``exact`` says that it passes without any allowance for rounding.
    """

    name: str
    largest: float
    allowed: float
    rounding: float
    passed: bool
    exact: bool


@contextmanager
def _hooks(handles: list) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def observe(network: Network, batch: Tensor) -> Observed:
    """Run a network on (B, C, T, H, W) and keep logits, attention, block taps and gates."""
    attention: list[Tensor] = []
    taps: dict[str, Tensor] = {}
    handles = []
    for place in network.places:
        block = network.block_at(place)
        handles += [
            block.projection.register_forward_hook(partial(_factors, block, attention, taps)),
            block.register_forward_hook(partial(_block, taps)),
        ]
    for name, module in network.named_modules():
        if name.endswith("attention"):
            handles.append(module.register_forward_hook(partial(_gate, taps, name)))
    with _hooks(handles), torch.no_grad():
        logits = network(batch)
    return Observed(logits, attention, taps)


def _factors(
    block: nn.Module,
    attention: list[Tensor],
    taps: dict[str, Tensor],
    _module: nn.Module,
    _args: tuple,
    factors: NonLocalFactors | CGNLFactors,
) -> None:
    taps["z_in"] = block.respond(factors)
    if isinstance(block, CGNLBlock):
        taps.update(t=factors.theta, p=factors.phi, g=factors.g)
        return
    attention.append(block.pairwise.matrix(factors.queries, factors.keys))
    taps["attention"] = attention[-1]
    if isinstance(block, NonLocalBlock):
        for name, part in zip("tpg", factors[:3], strict=True):
            grid = factors.query_grid if name == "t" else factors.key_grid
            taps[name] = part.transpose(1, 2).unflatten(2, tuple(grid))


def _block(taps: dict[str, Tensor], _module: nn.Module, args: tuple, output: Tensor) -> None:
    taps.update(block_in=args[0], block_out=output)


def _gate(
    taps: dict[str, Tensor], name: str, module: nn.Module, args: tuple, _output: Tensor
) -> None:
    x = args[0]
    taps[f"{name}.gate"] = module.gates(*args)
    taps[f"{name}.in_mean"], taps[f"{name}.in_max"] = x.mean((2, 3)), x.amax((2, 3))


def observe_twice(network: Network, batch: Tensor) -> tuple[Observed, Observed]:
    """Observe in float32 and, with a copy of the network, in float64."""
    return observe(network, batch), observe(deepcopy(network).double(), batch.double())


def compare(name: str, ours: Tensor, precise: Tensor, expected: Tensor) -> Difference:
    """Compare one quantity; shapes may differ by sizes of one."""
    wanted = expected.double().flatten()
    found, fine = ours.double().flatten(), precise.double().flatten()
    if found.shape != wanted.shape:
        raise ValueError(f"{name} is {tuple(ours.shape)}, expected {tuple(expected.shape)}")
    largest = wanted.abs().max().item()
    rounding = (found - fine).abs().max().item()
    strict = RELATIVE * wanted.abs() + OF_LARGEST * largest
    allowed = strict + ROUNDING * rounding
    gap = (found - wanted).abs()
    worst = int((gap - allowed).argmax())
    exact = bool((gap <= strict).all())
    decided = rounding <= UNDECIDABLE * max(largest, 1e-30)
    passed = exact or (decided and bool((gap <= allowed).all()))
    return Difference(name, gap.max().item(), allowed[worst].item(), rounding, passed, exact)
