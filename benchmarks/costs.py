"""What modules add in parameters and multiply-adds, beside what the CGD paper says they add.

Multiply-adds are those of convolutions, dense layers and matrix products, as torch counts them on
shapes alone, and of a CGD's scalings g (f^T w). Poolings, norms and the products of a gate with its
features are not counted, as they are not in the paper.
"""

from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor, nn

from benchmarks.cost_tables import TABLES, Cost, Row, Table
from models.blocks.cgd_block import CGDBlock
from models.blocks.comparison import BAMBlock
from models.build import outline, parameter_count
from models.multiply_adds import multiply_adds
from models.specs.network import NetworkSpec


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
    return cost_of(outline(spec), torch.empty(1, 3, frames, size, size, device="meta"))


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


def lines_of(table: Table) -> Iterator[str]:
    """Yield the lines of one table: module, ours, the paper's, and why they differ."""
    yield _line(table.title, "ours", "paper", table.note)
    plain = network_cost(table.base, table.frames, table.size)
    yield _line("  plain", str(plain), str(table.paper))
    for row in table.rows:
        yield _line(f"  + {row.name}", str(added(table, row)), str(row.paper), row.note)


def _line(name: str, ours: str, paper: str, note: str = "") -> str:
    remark = f"  ({note})" if note else ""
    return f"{name:<40} {ours:>17} | {paper:>17}{remark}"


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks costs`` prints: parameters, multiply-adds."""
    for table in TABLES:
        yield from lines_of(table)
