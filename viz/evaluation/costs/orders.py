"""The papers' orders of growth (CGNL Table 1, CGD Table 1) beside the powers that are measured.

Multiplications of one frame are counted at C channels and N positions, at twice the positions and
at twice the channels; a power is the binary logarithm of what that adds up to.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from models.blocks import kernels
from models.blocks.block_table import block as block_of
from models.blocks.cgd_block import CGDBlock
from models.specs.block import A2Spec, BlockSpec, CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec

CHANNELS, ROWS, COLS = 32, 8, 8
What = Literal["embedding", "product"]
aten = torch.ops.aten
_CONVOLUTIONS = (aten.convolution, aten._convolution, aten.mkldnn_convolution)
_ELEMENTWISE = (aten.mul, aten.pow, aten.linalg_vecdot)


@dataclass(frozen=True)
class Order:
    """A cell of a paper's table: its formula, and the powers of N and C in it."""

    table: str
    method: str
    what: What
    paper: str
    powers: tuple[float, float]
    count: Callable[[int, int, int], float]
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """An order with the powers of N and C that were measured."""

    order: Order
    powers: tuple[float, float]


class _Multiplications(TorchDispatchMode):
    """Adds up the multiplications of convolutions (the embeddings) and of matrix products; and of
    vectors, which are all that a kernel has."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = {"embedding": 0.0, "product": 0.0, "vectors": 0.0}

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: object,  # noqa: ARG002 (torch's signature)
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet in flop_registry:
            what = "embedding" if packet in _CONVOLUTIONS else "product"
            formula = flop_registry[packet]
            self.counts[what] += formula(*args, **(kwargs or {}), out_val=result) / 2
        elif packet in _ELEMENTWISE:
            taken = [one.numel() for one in (*args, result) if isinstance(one, Tensor)]
            self.counts["vectors"] += max(taken)
        return result


def _counted(run: Callable[[Tensor], object], x: Tensor) -> dict[str, float]:
    # What is fused is counted as the plain operation: the numbers it multiplies are the same.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _Multiplications() as counter:
        run(x)
    return counter.counts


def _of_block(spec: BlockSpec, what: What) -> Callable[[int, int, int], float]:
    def count(channels: int, rows: int, cols: int) -> float:
        module = block_of(spec, channels, stage=4).eval()
        return _counted(module, torch.zeros(1, channels, 1, rows, cols))[what]

    return count


def _of_kernel(spec: CGNLSpec) -> Callable[[int, int, int], float]:
    kernel = kernels.kernel(spec)

    def count(channels: int, rows: int, cols: int) -> float:
        entries = torch.zeros(1, 1, channels * rows * cols)
        counts = _counted(lambda x: kernel.response(x, x, x), entries)
        return counts["product"] + counts["vectors"]

    return count


def _of_cgd(channels: int, _rows: int, _cols: int) -> float:
    """Return the multiplications of the descriptor's scalings, as ``counting.cost_of`` does."""
    block = CGDBlock(channels, CGDSpec())
    return sum(p.numel() for name, p in block.named_parameters() if "bias" not in name)


_ONE, _TWO = "CGNL, Table 1", "CGD, Table 1"
_EXACT = CGNLSpec("dot_product", order=None, groups=1)
_TAYLOR = CGNLSpec("gaussian_rbf", groups=1)
ORDERS = (
    Order(_ONE, "GNL", "product", "2(NC)^2", (2, 2), _of_kernel(_EXACT)),
    Order(_ONE, "CGNL", "product", "NC(P+1)", (1, 1), _of_kernel(_TAYLOR)),
    Order(_TWO, "NL", "embedding", "C^2 N", (1, 2), _of_block(NonLocalSpec(), "embedding")),
    Order(_TWO, "NL", "product", "C N^2", (2, 1), _of_block(NonLocalSpec(), "product")),
    Order(_TWO, "A2", "embedding", "C^2 N", (1, 2), _of_block(A2Spec(), "embedding")),
    Order(_TWO, "A2", "product", "C^2 N", (1, 2), _of_block(A2Spec(), "product")),
    Order(_TWO, "CGNL", "embedding", "C^2 N", (1, 2), _of_block(_TAYLOR, "embedding")),
    Order(_TWO, "CGNL", "product", "C N (P+1)", (1, 1), _of_kernel(_TAYLOR)),
    Order(_TWO, "CGD", "product", "C", (0, 1), _of_cgd, "it has no embedding"),
)
"""Rows of both tables; N = HW of one frame."""


def measured() -> tuple[Measured, ...]:
    """Return every order with its measured powers of N and C."""
    return tuple(Measured(one, _powers(one.count)) for one in ORDERS)


def _powers(count: Callable[[int, int, int], float]) -> tuple[float, float]:
    base = count(CHANNELS, ROWS, COLS)
    more_positions, more_channels = count(CHANNELS, 2 * ROWS, COLS), count(2 * CHANNELS, ROWS, COLS)
    return math.log2(more_positions / base), math.log2(more_channels / base)


def lines() -> Iterator[str]:
    """Yield a line an order: the paper's formula, and the measured powers."""
    yield f"{'Orders (one frame, N = HW)':<40} {'paper':>17} | {'measured':>17}"
    for one in measured():
        name = f"  {one.order.table}: {one.order.method}, {one.order.what}"
        note = f"  ({one.order.note})" if one.order.note else ""
        yield f"{name:<40} {f'O({one.order.paper})':>17} | {words(one.powers):>17}{note}"


def words(powers: tuple[float, float]) -> str:
    """Return N^2.00 C^1.00."""
    return f"N^{powers[0]:.2f} C^{powers[1]:.2f}"
