"""How well the maps of a tap find the parts of birds: lift."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.blocks.layout import Grid
from models.blocks.nonlocal_block import NonLocalBlock
from scripts.evaluation.taps import Tap
from viz.evaluation.coverage import THRESHOLD, mean_of_scaled, top_cells, unit_range, without

Part = tuple[int, float, float]
"""Part number, and where: x and y in [0, 1) of the picture."""


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
    return mean_of_scaled(found.best_channels(position))
