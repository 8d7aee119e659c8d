"""How well maps find birds and their parts: lift, mass in the box, parts as clusters."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from models.blocks.layout import Grid
from models.blocks.nonlocal_block import NonLocalBlock
from scripts.evaluation.taps import Tap

THRESHOLD, EQUAL_AREA = 0.7, 0.15
KMEANS_STEPS = 30

Part = tuple[int, float, float]
"""Part number, and where: x and y in [0, 1) of the picture."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in [0, 1] of the picture."""


@dataclass
class Tally:
    """Running means over maps of the share of targets lit and of the cells lit."""

    covered: float = 0.0
    area: float = 0.0
    count: int = 0

    def add(self, lit: Tensor, targets: Tensor) -> None:
        """Count one map: which of N cells are lit (bool), and which are targets (positions)."""
        self.covered += lit[targets].float().mean().item()
        self.area += lit.float().mean().item()
        self.count += 1

    def line(self) -> str:
        """Return coverage, area (what chance covers) and their ratio, the lift."""
        covered, area = self.covered / self.count, self.area / self.count
        lift = covered / max(area, 1e-9)
        return (
            f"covers {covered:.3f} of the parts on {100 * area:.1f} % of the cells, lift {lift:.2f}"
        )


def unit_range(values: Tensor) -> Tensor:
    """Min-max scale over the last axis; a flat map becomes 0."""
    low, high = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)
    return (values - low) / (high - low).clamp_min(1e-30)


def without(values: Tensor, position: int) -> Tensor:
    """Min-max scale (N,) over all cells but the reference's, which becomes 0."""
    others = torch.arange(len(values)) != position
    scaled = torch.zeros_like(values)
    scaled[others] = unit_range(values[others])
    return scaled


def top_cells(values: Tensor, share: float = EQUAL_AREA) -> Tensor:
    """Return where the highest ``share`` of the cells of (N,) is, ties by position: bool."""
    count = max(1, round(share * len(values)))
    best = values.argsort(descending=True, stable=True)[:count]
    return torch.zeros(len(values), dtype=torch.bool).index_fill_(0, best, True)


def positions(parts: list[Part], grid: Grid) -> Tensor:
    """Return the position of each part's cell."""
    return torch.tensor(
        [int(v * grid.rows) * grid.cols + int(u * grid.cols) for _number, u, v in parts]
    )


@dataclass
class PartLifts:
    """Tallies by map, over the parts of pictures, each part the reference of the others."""

    tallies: dict[str, Tally] = field(default_factory=dict)

    def add(self, found: Tap, parts: list[Part]) -> None:
        """Count every visible part of one picture as reference."""
        at = positions(parts, found.grid)
        for index, position in enumerate(at.tolist()):
            others = torch.cat([at[:index], at[index + 1 :]])
            if not len(others):
                continue
            for name, values, lit in _maps(found, position):
                self.tallies.setdefault(f"{name}, {lit}", Tally()).add(values, others)

    def lines(self) -> list[str]:
        """Return one line a map."""
        return [f"{name:48} {tally.line()}" for name, tally in self.tallies.items()]


def _maps(found: Tap, position: int) -> Iterable[tuple[str, Tensor, str]]:
    """Yield (map, which cells are lit, how they were chosen) of a reference."""
    if isinstance(found.block, NonLocalBlock):
        row = found.row(position)
        yield "NL row", unit_range(row) >= THRESHOLD, "0.7"
        other = without(row, position)
        yield "NL row", other >= THRESHOLD, "0.7, reference left out"
        yield "NL row", top_cells(row), "top 15 %"
    else:
        union = unit_range(found.best_channels(position)).amax(0)
        yield "five best CGNL channels", union >= THRESHOLD, "0.7"
        yield "five best CGNL channels", top_cells(union), "top 15 %"
    cosine = found.cosine(position)
    yield "cosine of the input", without(cosine, position) >= THRESHOLD, "0.7, reference left out"
    yield "cosine of the input", top_cells(cosine), "top 15 %"


def map_of(found: Tap, position: int) -> Tensor:
    """Return the one map that stands for a block, (N,): its row, or the mean of its best channels,
    each over its highest absolute value."""
    if isinstance(found.block, NonLocalBlock):
        return found.row(position)
    maps = found.best_channels(position)
    return (maps / maps.abs().amax(1, keepdim=True).clamp_min(1e-30)).mean(0)


def mass_in_box(values: Tensor, grid: Grid, box: Box) -> float:
    """Return the share of a map's positive mass inside the box, over the box's share of the cells.

    A cell is inside when its middle is. The highest possible value is one over the box's share.
    """
    x = (torch.arange(grid.cols) + 0.5) / grid.cols
    y = (torch.arange(grid.rows) + 0.5) / grid.rows
    left, top, right, bottom = box
    inside = ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]
    positive = values.clamp_min(0)
    share = positive[inside.flatten()].sum() / positive.sum().clamp_min(1e-30)
    return (share / inside.float().mean().clamp_min(1e-9)).item()


def kmeans(vectors: Tensor, count: int, seed: int) -> Tensor:
    """Return ``count`` unit centroids of the directions of (K, C)."""
    draw = torch.Generator().manual_seed(seed)
    unit = F.normalize(vectors, dim=1)
    centroids = unit[torch.randperm(len(unit), generator=draw)[:count]]
    for _ in range(KMEANS_STEPS):
        nearest = (unit @ centroids.T).argmax(1)
        sums = torch.zeros_like(centroids).index_add_(0, nearest, unit)
        empty = sums.norm(dim=1) == 0
        sums[empty] = centroids[empty]
        centroids = F.normalize(sums, dim=1)
    return centroids


def agreement(first: Tensor, second: Tensor) -> tuple[float, float]:
    """Return NMI (arithmetic mean) and adjusted Rand index of two labelings (K,), in percent."""
    table = torch.zeros(int(first.max()) + 1, int(second.max()) + 1, dtype=torch.float64)
    table.index_put_((first, second), torch.ones(len(first), dtype=torch.float64), accumulate=True)
    total = table.sum()
    joint, rows, cols = table / total, table.sum(1) / total, table.sum(0) / total
    entropies = [-(p[p > 0] * p[p > 0].log()).sum() for p in (rows, cols)]
    inside = joint > 0
    mutual = (joint[inside] * (joint / (rows[:, None] * cols[None]))[inside].log()).sum()
    nmi = mutual / (sum(entropies) / 2).clamp_min(1e-12)
    pairs, by_row, by_col = ((n * (n - 1) / 2).sum() for n in (table, table.sum(1), table.sum(0)))
    chance = by_row * by_col / (total * (total - 1) / 2)
    ari = (pairs - chance) / ((by_row + by_col) / 2 - chance).clamp_min(1e-12)
    return 100 * nmi.item(), 100 * ari.item()
