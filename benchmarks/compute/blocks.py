"""NL and CGNL blocks against what the machine can move and multiply, and against an N x N form.

The floors are measured in the same run: a copy for the bandwidth; for the rate a matrix product,
also as a convolution, the fastest of which counts (libraries differ by a factor of two).
"""

from collections.abc import Callable, Iterator
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.compute import networks, peers
from benchmarks.timing import Runs, in_turns
from models import devices
from models.blocks.block_table import block as block_of
from models.specs.block import CGNLSpec, NonLocalSpec
from viz.evaluation.costs.counting import cost_of

CHANNELS, GRID, ROUNDS = 1024, (1, 28, 28), 15
GPU_GRID = (8, 28, 28)
_MIB = 2**20


def _seconds(run: Callable[[], object], device: str) -> float:
    """Return the median seconds of a run, the first ones left out."""
    return median(in_turns({"it": run}, ROUNDS, 3, device)["it"])


def _fastest(runs: Runs, device: str) -> float:
    """Return the seconds of the fastest run of all: no work of this kind takes less."""
    return min(min(taken) for taken in in_turns(runs, ROUNDS, 3, device).values())


def bandwidth(device: str, size: int) -> float:
    """Return bytes a second of a copy of ``size`` bytes: read and written."""
    x = torch.empty(size, dtype=torch.uint8, device=device)
    y = torch.empty_like(x)
    return 2 * size / _fastest({"copy": lambda: y.copy_(x)}, device)


def product_rate(device: str, dtype: torch.dtype, side: int) -> float:
    """Return the most multiply-adds a second of a square product: of matrices, or as a 1 x 1
    convolution with its channels outermost or innermost."""
    x = torch.randn(side, side, device=device, dtype=dtype)
    outer = x.reshape(1, side, -1, 32)
    inner, weight = outer.to(memory_format=torch.channels_last), x.reshape(side, side, 1, 1)
    runs = {
        "matrices": lambda: x @ x,
        "outermost": lambda: F.conv2d(outer, weight),
        "innermost": lambda: F.conv2d(inner, weight),
    }
    return side**3 / _fastest(runs, device)


def traffic(block: nn.Module, x: Tensor) -> int:
    """Return the least bytes that a block moves: its input twice, its output, its weights."""
    weights = sum(p.numel() for p in block.parameters())
    return (3 * x.numel() + weights) * x.element_size()


@torch.no_grad()
def floors(device: str, dtype: torch.dtype, grid: tuple[int, int, int]) -> Iterator[str]:
    """Yield a line a block: its time over the larger of its two floors."""
    on_gpu = device == "cuda"
    moved = bandwidth(device, (512 if on_gpu else 64) * _MIB)
    rate = product_rate(device, dtype, 8192 if on_gpu else 1024)
    kind = str(dtype).removeprefix("torch.")
    yield f"{device}, {kind}: {moved / 1e9:.0f} GB/s copied, {2 * rate / 1e12:.2f} TFLOP/s"
    for name, spec in (("NL", NonLocalSpec()), ("CGNL", CGNLSpec())):
        block = block_of(spec, CHANNELS, stage=4).eval().to(device, dtype)
        x = torch.randn(1, CHANNELS, *grid, device=device, dtype=dtype)
        with torch.device("meta"):
            outline, shape = block_of(spec, CHANNELS, stage=4).eval(), torch.empty(x.shape)
        counted = cost_of(outline, shape).multiply_adds
        floor = max(traffic(block, x) / moved, counted / rate)
        took = _seconds(lambda block=block, x=x: block(x), device)
        frames, rows, cols = grid
        yield (
            f"  {name}, C = {CHANNELS}, {frames} x {rows} x {cols}: {1e3 * took:.2f} ms, "
            f"{took / floor:.2f} times its floor of {1e3 * floor:.2f} ms"
        )


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks blocks`` prints."""
    yield from floors("cpu", torch.float32, GRID)
    if not torch.cuda.is_available():
        yield "GPU: this machine has none, so that nothing was measured on one"
        return
    devices.found("cuda")
    for dtype in (torch.float32, torch.bfloat16):
        yield from floors("cuda", dtype, GPU_GRID)
    yield from networks.capture_ratio("cuda")
    yield from networks.cgnl_ratio("cuda")
    yield from peers.affinities("cuda")
