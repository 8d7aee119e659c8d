"""The measures by name: those of one map, a table; their definitions stand in their docstrings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from models.blocks.layout import Grid
from viz.evaluation import block_statistics, coverage
from viz.evaluation.answers import faithfulness, found_objects
from viz.evaluation.subject import Subject


class Cut(NamedTuple):
    """From which value of a map scaled to [0, 1] a cell is lit, and the share of cells at which
    maps are compared at equal area."""

    threshold: float = coverage.THRESHOLD
    area: float = coverage.EQUAL_AREA


@dataclass(frozen=True, eq=False)
class Cases:
    """The maps of R references of a picture, those from the ``first`` on: values of one frame
    (R, h w) float32 and their grid.

    What several measures look at is made once.
    """

    subject: Subject
    values: Tensor
    grid: Grid
    cut: Cut = Cut()
    first: int = 0

    @cached_property
    def places(self) -> Tensor:
        """The positions of all P references of the picture, where the values are: int64."""
        return self.subject.places(self.grid).to(self.values.device)

    @property
    def own(self) -> Tensor:
        """The position of each map's reference, (R,)."""
        return self.places[self.first : self.first + len(self.values)]

    @cached_property
    def others(self) -> Tensor:
        """The values scaled to [0, 1] over all cells but the reference's, which is 0."""
        return coverage.without(self.values, self.own)

    @cached_property
    def region(self) -> Tensor | None:
        """The cells of the object (h w,) bool, where the values are; None where it is not known."""
        found = self.subject.region(self.grid)
        return None if found is None else found.to(self.values.device)

    @cached_property
    def on_other_parts(self) -> Tensor | None:
        """How many of the other references lie on each cell, (R, h w) int64; None without
        others."""
        if len(self.places) < 2:
            return None
        one = torch.ones_like(self.places)
        counts = one.new_zeros(self.grid.cells).index_add_(0, self.places, one)
        mine = torch.zeros_like(self.values, dtype=torch.int64)
        return counts - mine.scatter_(1, self.own.unsqueeze(1), 1)


@dataclass(frozen=True)
class Measure:
    """A row of MEASURES: ``of`` gives its value for each map, (R,) float32, None where the picture
    has not what it needs.

    ``better`` says which way is better: 1 up, -1 down, 0 neither. A ``slow`` one runs the network
    many times and is taken of the first reference of a picture only, when it is asked for: it is
    given that one map.
    """

    of: Callable[[Cases], Tensor | None]
    better: int = 1
    slow: bool = False


def _share_lit(cases: Cases, lit: Tensor) -> Tensor | None:
    parts = cases.on_other_parts
    return None if parts is None else (parts * lit).sum(1).float() / (len(cases.places) - 1)


def _lit(cases: Cases) -> Tensor:
    return cases.others >= cases.cut.threshold


def part_coverage(cases: Cases) -> Tensor | None:
    """Share of the other visible parts whose cell is at or above the threshold (0.7, the cut of
    the papers' figures) of the map, the reference's own cell left out and the others scaled to
    [0, 1]."""
    return _share_lit(cases, _lit(cases))


def lit_area(cases: Cases) -> Tensor:
    """Share of the cells that ``part_coverage`` counts as lit: what chance would cover."""
    return _lit(cases).float().mean(1)


def part_coverage_equal_area(cases: Cases) -> Tensor | None:
    """Share of the other visible parts on the highest cells, 15 % of all unless asked otherwise:
    the same area for all maps."""
    return _share_lit(cases, coverage.top_cells(cases.values, cases.cut.area))


def pointing_game(cases: Cases) -> Tensor | None:
    """1 where the highest cell but the reference's is on the object (its mask, outline or box) or
    next to it, else 0 (Zhang et al. 2016); without an object: on another part or next to it."""
    wanted = cases.region
    if wanted is None:
        if cases.on_other_parts is None:
            return None
        wanted = cases.on_other_parts > 0
    return coverage.hit(cases.others, cases.grid, wanted).float()


def energy(cases: Cases) -> Tensor | None:
    """Share of the map's positive mass on the object (Wang et al. 2020, energy-based pointing
    game); a cell is on it when its middle is."""
    inside = cases.region
    return None if inside is None else coverage.energy_inside(cases.values, inside)


def object_area(cases: Cases) -> Tensor | None:
    """Share of the cells that are on the object: the energy of an even map."""
    inside = cases.region
    return None if inside is None else inside.float().mean().expand(len(cases.values))


def _of_first(measure: Callable[[Subject, Tensor, Grid], float]) -> Callable[[Cases], Tensor]:
    """Return a measure of one map as one of cases."""
    return lambda cases: torch.tensor(
        [measure(cases.subject, cases.values[0], cases.grid)], dtype=torch.float64
    )


MEASURES: dict[str, Measure] = {
    "part coverage": Measure(part_coverage),
    "lit area": Measure(lit_area, better=0),
    "part coverage, equal area": Measure(part_coverage_equal_area),
    "pointing game": Measure(pointing_game),
    "energy": Measure(energy),
    "object area": Measure(object_area, better=0),
    "deletion": Measure(_of_first(faithfulness.deletion), -1, True),
    "insertion": Measure(_of_first(faithfulness.insertion), 1, True),
    "ROAD": Measure(_of_first(faithfulness.road), 1, True),
}
"""Name -> measure of one map."""
OF_PARTS = ("NMI", "ARI", "key point error")
"""Measures of groups or heads taken as parts, over all pictures together."""
OF_PAIRS = ("PCK@0.1",)
"""Measures of matches between two pictures."""
OF_ANSWERS = ("top-1", "top-1, block removed", "same answer, block removed")
"""Measures of the network's answers, one a picture."""
OF_OBJECTS = tuple(found_objects.NAMES)
"""Where the weight of the rows of detected objects lies."""
OF_BLOCKS = block_statistics.NAMES
"""What the maps of the block are like, one a picture."""
NAMES = (*MEASURES, *OF_PARTS, *OF_PAIRS, *OF_ANSWERS, *OF_OBJECTS, *OF_BLOCKS)
DEFAULT = tuple(name for name in NAMES if name not in MEASURES or not MEASURES[name].slow)


def of_cases(cases: Cases, wanted: tuple[str, ...]) -> list[dict[str, float]]:
    """Return {measure: value} of each map, in the order of ``wanted``; slow ones only of a
    picture's first reference."""
    found: list[dict[str, float]] = [{} for _ in cases.values]
    for name in wanted:
        measure = MEASURES.get(name)
        if measure is None or (measure.slow and (cases.first or not cases.subject.predicts)):
            continue
        values = measure.of(cases)
        if values is not None:
            for one, value in zip(found, values.tolist(), strict=not measure.slow):
                one[name] = value
    return found
