"""What modules add in parameters and multiply-adds, beside what the CGD paper says they add.

Multiply-adds are those of convolutions, dense layers and matrix products, as torch counts them on
shapes alone, and of a CGD's scalings g (f^T w). Poolings, norms and the products of a gate with its
features are not counted, as they are not in the paper.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import isnan, nan

import torch
from torch import Tensor, nn

from models.blocks.cgd_block import CGDBlock
from models.blocks.comparison import BAMBlock
from models.build import outline, parameter_count
from models.multiply_adds import multiply_adds
from models.specs.network import NetworkSpec
from viz.evaluation.costs import orders
from viz.evaluation.costs.papers import (
    RELATIVE_BASE,
    RELATIVE_FRAMES,
    RELATIVE_NOTE,
    RELATIVE_PAPER,
    RELATIVE_ROWS,
    RELATIVE_SIZE,
    RELATIVE_TITLE,
    TABLES,
    Cost,
    Row,
    Table,
)


def cost_of(module: nn.Module, x: Tensor) -> Cost:
    """Return what one forward of ``module`` costs for an input of the shape of x."""
    scalings = []

    def scaled(block: CGDBlock, args: tuple, _after: Tensor) -> None:
        """Add one multiplication for each w and frame: the scaling of g by f^T w."""
        weights = sum(p.numel() for name, p in block.named_parameters() if "bias" not in name)
        scalings.append(weights * args[0].shape[0])

    blocks = [part for part in module.modules() if isinstance(part, CGDBlock)]
    handles = [block.register_forward_hook(scaled) for block in blocks]
    try:
        counted = multiply_adds(module, x)
    finally:
        for handle in handles:
            handle.remove()
    return Cost(parameter_count(module), counted + sum(scalings))


@cache
def network_cost(spec: NetworkSpec, frames: int, size: int) -> Cost:
    """Return what a whole network costs for one clip."""
    return cost_of(outline(spec), _input(spec, frames, size))


def _input(spec: NetworkSpec, frames: int, size: int) -> Tensor:
    return torch.empty(1, spec.preprocessing.channels, frames, size, size, device="meta")


def block_costs(spec: NetworkSpec, frames: int, size: int) -> dict[str, Cost]:
    """Return what each attention block of a network costs, by its place (res4.4)."""
    network, inputs = outline(spec), {}
    blocks = {place.label: network.block_at(place) for place in network.places}
    for label, block in blocks.items():
        block.register_forward_hook(
            lambda _module, args, _out, label=label: inputs.update({label: args[0]})
        )
    with torch.no_grad():
        network(_input(spec, frames, size))
    fresh = outline(spec)
    return {
        place.label: cost_of(fresh.block_at(place), inputs[place.label]) for place in fresh.places
    }


def output_shapes(spec: NetworkSpec, units: tuple[str, ...], size: int) -> Iterator[tuple]:
    """Yield the output shapes (1, C, H, W) of named units of a network for one picture."""
    network, shapes = outline(spec), {}
    for name in units:
        network.get_submodule(name).register_forward_hook(
            lambda _module, _args, out, name=name: shapes.update({name: tuple(out.shape)})
        )
    with torch.no_grad():
        network(torch.empty(1, 3, 1, size, size, device="meta"))
    yield from (shapes[name] for name in units)


def added(table: Table, row: Row) -> Cost:
    """Return what the row's module adds to the table's plain network."""
    if row.make is None:
        whole = network_cost(row.spec, table.frames, table.size)
        base = network_cost(table.base, table.frames, table.size)
        return Cost(whole.parameters - base.parameters, whole.multiply_adds - base.multiply_adds)
    costs = []
    for shape in output_shapes(table.base, row.units, table.size):
        with torch.device("meta"):
            module, x = row.make(shape[1]).eval(), torch.empty(shape)
        # Blocks take clips, gates folded frames.
        costs.append(cost_of(module, x.unsqueeze(2) if isinstance(module, BAMBlock) else x))
    return Cost(sum(c.parameters for c in costs), sum(c.multiply_adds for c in costs))


@dataclass(frozen=True)
class Compared:
    """A line of a paper's table beside what is counted here; ``is_ratio`` where the paper prints
    its networks over the plain one. ``note`` says why they differ, where they do."""

    table: str
    name: str
    paper: Cost
    ours: Cost
    note: str = ""
    is_ratio: bool = False

    @property
    def differences(self) -> tuple[float, float]:
        """Ours over the paper's, minus 1: parameters and multiply-adds; NaN where it has none."""
        pairs = zip(self.ours, self.paper, strict=True)
        return tuple(nan if isnan(paper) else ours / paper - 1 for ours, paper in pairs)


def compared(table: Table) -> Iterator[Compared]:
    """Yield the lines of one table: the plain network, then what each module adds to it."""
    plain = network_cost(table.base, table.frames, table.size)
    yield Compared(table.title, "plain", table.paper, plain, table.note)
    for row in table.rows:
        yield Compared(table.title, f"+ {row.name}", row.paper, added(table, row), row.note)


def compared_ratios() -> Iterator[Compared]:
    """Yield the lines of the NL paper's Table 2 (e), which prints ratios to the plain network."""
    base = network_cost(RELATIVE_BASE, RELATIVE_FRAMES, RELATIVE_SIZE)
    yield Compared(RELATIVE_TITLE, "plain", RELATIVE_PAPER, base, RELATIVE_NOTE)
    for row in RELATIVE_ROWS:
        cost = network_cost(row.spec, RELATIVE_FRAMES, RELATIVE_SIZE)
        ours = Cost(*(one / plain for one, plain in zip(cost, base, strict=True)))
        paper = Cost(row.parameters, row.multiply_adds)
        yield Compared(RELATIVE_TITLE, row.name, paper, ours, row.note, is_ratio=True)


def every() -> Iterator[Compared]:
    """Yield every line of the papers' tables."""
    for table in TABLES:
        yield from compared(table)
    yield from compared_ratios()


def lines_of(lines: Iterable[Compared]) -> Iterator[str]:
    """Yield the text of lines, each table under its title: paper, ours, difference, and why."""
    title = ""
    for one in lines:
        if one.table != title:
            title = one.table
            yield _line(title, "paper", "ours", "difference")
        told = [words(cost, one.is_ratio) for cost in (one.paper, one.ours)]
        differences = " ".join(f"{relative(value):>8}" for value in one.differences)
        yield _line(f"  {one.name}", *told, differences, one.note)


def words(cost: Cost, is_ratio: bool = False) -> str:
    """Return a cost as text of one width: 2.1M 1.8G, or 1.20x 1.50x."""
    return f"{cost.parameters:>7.2f}x {cost.multiply_adds:>7.2f}x" if is_ratio else str(cost)


def relative(difference: float) -> str:
    """Return +2.1%; a dash where the paper prints nothing."""
    return "-" if isnan(difference) else f"{100 * difference:+.1f}%"


def _line(name: str, paper: str, ours: str, difference: str, note: str = "") -> str:
    remark = f"  ({note})" if note else ""
    return f"{name:<40} {paper:>17} | {ours:>17} | {difference:>17}{remark}"


def report() -> Iterator[str]:
    """Yield every table of the papers: parameters, multiply-adds; paper, ours, difference."""
    yield from lines_of(every())
    yield from orders.lines()
