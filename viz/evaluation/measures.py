"""The measures by name: those of one map, a table; their definitions stand in their docstrings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from models.blocks.layout import Grid
from viz.evaluation import block_statistics, coverage
from viz.evaluation.answers import faithfulness, found_objects
from viz.evaluation.subject import Reference, Subject


class Cut(NamedTuple):
    """From which value of a map scaled to [0, 1] a cell is lit, and the share of cells at which
    maps are compared at equal area."""

    threshold: float = coverage.THRESHOLD
    area: float = coverage.EQUAL_AREA


@dataclass(frozen=True, eq=False)
class Case:
    """One map of one reference: values of one frame (h w,) float32 and their grid.

    What several measures look at is made once.
    """

    subject: Subject
    reference: Reference
    values: Tensor
    grid: Grid
    cut: Cut = Cut()

    @cached_property
    def position(self) -> int:
        """The reference's position on the map's grid."""
        return self.subject.position(self.reference.at, self.grid)

    @cached_property
    def others(self) -> Tensor:
        """The values scaled to [0, 1] over all cells but the reference's, which is 0."""
        return coverage.without(self.values, self.position)

    @cached_property
    def targets(self) -> Tensor:
        """The positions of the other references, where the values are."""
        return self.subject.targets(self.grid, self.reference).to(self.values.device)

    @cached_property
    def region(self) -> Tensor | None:
        """The cells of the object (h w,) bool, where the values are; None where it is not known."""
        found = self.subject.region(self.grid)
        return None if found is None else found.to(self.values.device)


@dataclass(frozen=True)
class Measure:
    """A row of MEASURES: ``of`` gives its value, None where the picture has not what it needs.

    ``better`` says which way is better: 1 up, -1 down, 0 neither. A ``slow`` one runs the network
    many times and is taken of the first reference of a picture only, when it is asked for.
    """

    of: Callable[[Case], float | None]
    better: int = 1
    slow: bool = False


def _share_lit(case: Case, lit: Tensor) -> float | None:
    targets = case.targets
    return lit.take(targets).float().mean().item() if len(targets) else None


def _lit(case: Case) -> Tensor:
    return case.others >= case.cut.threshold


def part_coverage(case: Case) -> float | None:
    """Share of the other visible parts whose cell is at or above the threshold (0.7, the cut of
    the papers' figures) of the map, the reference's own cell left out and the others scaled to
    [0, 1]."""
    return _share_lit(case, _lit(case))


def lit_area(case: Case) -> float:
    """Share of the cells that ``part_coverage`` counts as lit: what chance would cover."""
    return _lit(case).float().mean().item()


def part_coverage_equal_area(case: Case) -> float | None:
    """Share of the other visible parts on the highest cells, 15 % of all unless asked otherwise:
    the same area for all maps."""
    return _share_lit(case, coverage.top_cells(case.values, case.cut.area))


def pointing_game(case: Case) -> float | None:
    """1 where the highest cell but the reference's is on the object (its mask, outline or box) or
    next to it, else 0 (Zhang et al. 2016); without an object: on another part or next to it."""
    wanted = case.region
    if wanted is None:
        targets = case.targets
        if not len(targets):
            return None
        wanted = torch.zeros_like(case.values, dtype=torch.bool).index_fill_(0, targets, True)
    return float(coverage.hit(case.others, case.grid, wanted))


def energy(case: Case) -> float | None:
    """Share of the map's positive mass on the object (Wang et al. 2020, energy-based pointing
    game); a cell is on it when its middle is."""
    inside = case.region
    return None if inside is None else coverage.energy_inside(case.values, inside)


def object_area(case: Case) -> float | None:
    """Share of the cells that are on the object: the energy of an even map."""
    inside = case.region
    return None if inside is None else inside.float().mean().item()


def _seen(case: Case) -> tuple[Subject, Tensor, Grid]:
    return case.subject, case.values, case.grid


MEASURES: dict[str, Measure] = {
    "part coverage": Measure(part_coverage),
    "lit area": Measure(lit_area, better=0),
    "part coverage, equal area": Measure(part_coverage_equal_area),
    "pointing game": Measure(pointing_game),
    "energy": Measure(energy),
    "object area": Measure(object_area, better=0),
    "deletion": Measure(lambda case: faithfulness.deletion(*_seen(case)), -1, True),
    "insertion": Measure(lambda case: faithfulness.insertion(*_seen(case)), 1, True),
    "ROAD": Measure(lambda case: faithfulness.road(*_seen(case)), 1, True),
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


def of_case(case: Case, wanted: tuple[str, ...], first: bool) -> Iterator[tuple[str, float]]:
    """Yield (measure, value) of one map; slow ones only of the ``first`` reference."""
    for name in wanted:
        measure = MEASURES.get(name)
        if measure is None or (measure.slow and not (first and case.subject.predicts)):
            continue
        value = measure.of(case)
        if value is not None:
            yield name, value
