"""How blocks grow with the number of positions N, from a picture's to a video's."""

import math
from collections.abc import Callable

import torch
from matplotlib.figure import Figure

from models.blocks.block_table import block as block_of
from models.blocks.cgd_block import CGDBlock
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from viz.evaluation.costs.counting import cost_of
from viz.evaluation.costs.papers import short

CHANNELS = 1024
SIZES = ((1, 7, 7), (1, 14, 14), (1, 28, 28), (4, 14, 14), (8, 14, 14), (8, 28, 28), (32, 28, 28),
         (32, 56, 56))  # fmt: skip
"""Frames, rows, columns: res4 of a picture, to 32 frames at four times the resolution."""


def _attention(spec: NonLocalSpec | CGNLSpec) -> Callable[[int, tuple[int, int, int]], float]:
    def count(channels: int, grid: tuple[int, int, int]) -> float:
        with torch.device("meta"):
            module = block_of(spec, channels, stage=4).eval()
            x = torch.empty(1, channels, *grid)
        return cost_of(module, x).multiply_adds

    return count


def _cgd(channels: int, grid: tuple[int, int, int]) -> float:
    frames, rows, cols = grid
    with torch.device("meta"):
        block, x = CGDBlock(channels, CGDSpec()).eval(), torch.empty(frames, channels, rows, cols)
    return cost_of(block, x).multiply_adds


BLOCKS: dict[str, Callable[[int, tuple[int, int, int]], float]] = {
    "NL": _attention(NonLocalSpec()),
    "CGNL": _attention(CGNLSpec()),
    "CGD": _cgd,
}
"""Name -> multiply-adds of the whole block at (channels, grid)."""


def counted() -> dict[str, list[float]]:
    """Return the multiply-adds of each block at every size."""
    return {name: [count(CHANNELS, grid) for grid in SIZES] for name, count in BLOCKS.items()}


def exponent(values: list[float]) -> float:
    """Return the power of N with which multiply-adds grow between the two largest sizes.

    CGNL Table 1 and CGD Table 1 give the orders of the products: N^2 for NL, N for CGNL, and none
    for CGD on one frame, where convolutions no longer count.
    """
    first, last = (math.prod(grid) for grid in SIZES[-2:])
    return math.log(values[-1] / values[-2]) / math.log(last / first)


def steps(found: dict[str, list[float]]) -> str:
    """Return in a sentence why the curve of CGD has steps: its multiply-adds are, at every size,
    channels times frames times one number."""
    each = found["CGD"][0] / (CHANNELS * SIZES[0][0])
    return (
        f"CGD's curve has steps because the block costs {each:g} C multiply-adds a frame, however "
        "many positions the frame has (poolings, and the gate's product with the features, are not "
        "counted): it rises only where there are more frames."
    )


def lines() -> list[str]:
    """Return the lines of growth: positions, and each block's multiply-adds."""
    found = counted()
    head = f"{'T x H x W, C = 1024':<20}{'N':>8}" + "".join(f"{name:>12}" for name in found)
    made = [head]
    for k, grid in enumerate(SIZES):
        costs = "".join(f"{short(values[k]):>12}" for values in found.values())
        made.append(f"{' x '.join(map(str, grid)):<20}{math.prod(grid):>8}{costs}")
    powers = "".join(f"{exponent(values):>12.2f}" for values in found.values())
    return [*made, f"{'power of N, last two':<28}{powers}", steps(found)]


def drawn() -> Figure:
    """Return the growth as a plot, both axes logarithmic."""
    figure = Figure((4.5, 3.2))
    panel = figure.subplots()
    positions = [math.prod(grid) for grid in SIZES]
    order = sorted(range(len(SIZES)), key=positions.__getitem__)
    for name, values in counted().items():
        panel.plot([positions[k] for k in order], [values[k] for k in order], "o-", label=name)
    panel.set(xscale="log", yscale="log", xlabel="positions N", ylabel="multiply-adds")
    panel.legend(frameon=False)
    panel.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure
