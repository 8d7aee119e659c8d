"""What a map kind is: everything that the rest of the program asks of one sort of attention map."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from models.build import Network
from models.specs.network import NetworkSpec
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice, Selection
from viz.types import AttentionMap, Cell

Arithmetic = Literal["rows", "channels", "static"]
"""What the picker computes in the browser: rows of queries and keys, products of channels, or
nothing: the maps are sent."""


class Tap(NamedTuple):
    """A module that is listened to in the forward pass, and what its inputs and output leave."""

    label: str
    module: nn.Module
    keep: Callable[[tuple, Any], BlockCapture]


@dataclass(frozen=True, eq=False)
class BrowserFactors:
    """What the picker's ``arithmetic`` gets: ``options`` that JSON holds, ``halves`` that are sent
    as float16 and ``floats`` as float32, by name."""

    arithmetic: Arithmetic
    options: Mapping[str, object] = field(default_factory=dict)
    halves: Mapping[str, Tensor] = field(default_factory=dict)
    floats: Mapping[str, Tensor] = field(default_factory=dict)


class MapKind(ABC):
    """One kind of attention map, a row of ``viz.attention.kinds.KINDS``.

    A kind either taps modules (``taps``) or is ``derived`` from the capture of another kind's
    block. ``title`` names it over a panel; ``menu`` on pages. ``referenced`` tells whether a
    reference patch chooses among its maps. ``rankings`` are the orders of its maps, best first the
    default one; ``class_ranking`` is one that needs a class and a backward pass.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    menu: ClassVar[str]
    derived: ClassVar[bool] = False
    referenced: ClassVar[bool] = True
    rankings: ClassVar[tuple[str, ...]] = ()
    class_ranking: ClassVar[str] = ""
    ranking_help: ClassVar[str] = ""
    part: ClassVar[str] = ""
    """The word of ``choice.PARTS`` for its ranked maps; "" where a reference has one map."""
    division: ClassVar[str] = ""
    """The word for what its maps are grouped into (group, head); "" for nothing."""

    def belongs_to(self, spec: NetworkSpec) -> bool:
        """Tell whether the blocks of such a network are of this kind."""
        del spec
        return False

    def taps(self, network: Network) -> Iterable[Tap]:
        """Return what is listened to in a network; nothing for a derived kind."""
        del network
        return ()

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether this kind can be made from another kind's capture of a block."""
        del block
        return False

    def derive(self, capture: Capture, block: BlockCapture) -> BlockCapture:
        """Return this kind's factors of a block that another kind captured."""
        del capture
        raise InputError(f"{self.title} cannot be made from block {block.label}.")

    @abstractmethod
    def map(self, block: BlockCapture, cell: Cell, choice: MapChoice | None = None) -> AttentionMap:
        """Return one map at a reference: values (T, h, w) float32 over the key grid.

        ``choice`` is by number, never by rank; None where a reference has one map.
        """

    def caption(self, capture: Capture, attention: AttentionMap) -> str:
        """Return what stands under a map where a reference has several: its label, or a name."""
        del capture
        return attention.label

    @abstractmethod
    def formula(self, block: BlockCapture) -> str:
        """Return the formula of the block's maps, as LaTeX."""

    @abstractmethod
    def sentence(self, block: BlockCapture) -> str:
        """Return in one or two sentences how the map is read."""

    def parts(self, block: BlockCapture) -> int:
        """Return how many ranked maps there are (channels, classes); 0 where there is one map."""
        del block
        return 0

    def divisions(self, block: BlockCapture) -> tuple[MapChoice, ...]:
        """Return every group or head of the block, by number; empty for none."""
        del block
        return ()

    def division_words(self, block: BlockCapture) -> str:
        """Return what stands over the maps of groups or heads."""
        del block
        return plural(self.division) if self.division else ""

    def summaries(self, block: BlockCapture) -> tuple[MapChoice, ...]:
        """Return the maps that are made of all divisions (mean, maximum); empty for none."""
        del block
        return ()

    def rank(self, block: BlockCapture, cell: Cell, ranking: str) -> list[int]:
        """Return the numbers of all ranked maps at a reference, best first."""
        del block, cell
        raise OutsideError(f"{self.title} has no ranking {ranking!r}; it has one map.")

    def class_scores(self, capture: Capture, block: BlockCapture, index: int) -> Tensor:
        """Return a score a ranked map for class ``index``, for the ``class_ranking``."""
        del capture, block, index
        raise OutsideError(f"{self.title} has no ranking by class.")

    def browser(self, block: BlockCapture, selection: Selection) -> BrowserFactors:
        """Return what the picker needs to draw this kind's maps of a block."""
        del block, selection
        return BrowserFactors("static")

    def sample(self, block: BlockCapture, most: int) -> Tensor:
        """Return maps of up to ``most`` evenly spaced references, (K, R, M) float32, K sorts of
        maps (heads, groups) side by side: what the query dependence is taken over."""
        positions = spread(block.query_grid, most)
        cells = [cell_of(block.query_grid, int(position)) for position in positions]
        return torch.stack([torch.from_numpy(self.map(block, c).values).flatten() for c in cells])[
            None
        ]

    def matrix_rows(self, block: BlockCapture, start: int, stop: int) -> Tensor | None:
        """Return rows ``start`` to ``stop`` of the N x M matrix, or None where there is none."""
        del block, start, stop
        return None

    def has_matrix(self, block: BlockCapture) -> bool:
        """Tell whether the kind has an N x M matrix of weights."""
        return self.matrix_rows(block, 0, 0) is not None

    # What follows is the same for every kind.

    @property
    def union_words(self) -> str:
        """What the union of its maps shows."""
        several = plural(self.part or self.division)
        return f"{self.title}: the largest of its {several} at every cell"

    def is_single(self, block: BlockCapture) -> bool:
        """Tell whether a reference has one map only."""
        return not (self.parts(block) or self.divisions(block))

    def choices(self, block: BlockCapture, selection: Selection) -> tuple[MapChoice, ...]:
        """Return the maps that a page offers: ranked ones by rank, divisions, summaries."""
        by_rank = [
            MapChoice(self.part, k + 1, by_rank=True) for k in range(self._ranked(block, selection))
        ]
        return (*by_rank, *self.divisions(block), *self.summaries(block))

    def _ranked(self, block: BlockCapture, selection: Selection) -> int:
        """Return how many ranked maps a selection lists; none where it lists the divisions."""
        if selection.divisions or not self.parts(block):
            return 0
        shown = min(selection.count, self._most_ranked(block, selection.ranking))
        return len(selection.listed) or shown

    def _most_ranked(self, block: BlockCapture, ranking: str) -> int:
        """Return how many maps a ranking has; all of them unless a kind says otherwise."""
        del ranking
        return self.parts(block)

    def listed(self, block: BlockCapture, cell: Cell, selection: Selection) -> list[MapChoice]:
        """Return the maps of a selection at a reference, by number, best first.

        Empty where a reference has one map. OutsideError for numbers that the block does not have.
        """
        if self.is_single(block):
            return []
        if selection.divisions or not (self.parts(block) or selection.listed):
            return list(self._every_division(block))
        if selection.listed:
            for number in selection.listed:
                self.check(block, number)
            part = self.part if self.parts(block) else self.division
            return [MapChoice(part, number) for number in selection.listed]
        ranking = selection.ranking or self.rankings[0]
        if ranking not in self.rankings:
            raise OutsideError(
                f"{ranking!r} is not a ranking of {self.title}; use {', '.join(self.rankings)}."
            )
        best = self.rank(block, cell, ranking)[: selection.count]
        return [MapChoice(self.part, number) for number in best]

    def _every_division(self, block: BlockCapture) -> tuple[MapChoice, ...]:
        divisions = self.divisions(block)
        if not divisions:
            raise OutsideError(
                f"{self.title} has no groups or heads; use {', '.join(self.rankings)}, or numbers "
                "like 0,3,17."
            )
        return divisions

    def maps(self, block: BlockCapture, cell: Cell, selection: Selection) -> list[AttentionMap]:
        """Return what the block attends to at a cell: its one map, or those of the selection."""
        listed = self.listed(block, cell, selection)
        return [self.map(block, cell, one) for one in listed] or [self.map(block, cell)]

    def check(self, block: BlockCapture, number: int) -> None:
        """Refuse a number of its maps that the block does not have: of the ranked ones, else of
        heads or groups."""
        count, part = self.parts(block), self.part
        if not count:
            count, part = len(self.divisions(block)), self.division
        if not 0 <= number < count:
            raise OutsideError(
                f"{number} is not a {part} of {block.label}; it has {plural(part)} 0 to "
                f"{count - 1}."
            )

    def resolved(
        self, block: BlockCapture, cell: Cell, selection: Selection, choice: MapChoice | None
    ) -> MapChoice | None:
        """Return one map by number: a rank is looked up among those of the selection.

        None stands for the first: of the ranked maps, else of summaries and those listed; and for
        the one map where there is only one. OutsideError for one that is not there.
        """
        if self.is_single(block):
            return None
        if choice is None:
            choice = self._first(block, cell, selection)
        if not choice.by_rank:
            self._check_choice(block, choice)
            return choice
        if choice.part != self.part or not self.parts(block):
            raise self._no_such(block, choice)
        listed = self.listed(block, cell, selection)
        listed = [one for one in listed if one.part == self.part]
        if choice.number > len(listed):
            raise OutsideError(
                f"{choice} is not among the {len(listed)} maps asked for; raise the count, or show "
                "an earlier one."
            )
        return listed[choice.number - 1]

    def _first(self, block: BlockCapture, cell: Cell, selection: Selection) -> MapChoice:
        if self._ranked(block, selection):
            return MapChoice(self.part, 1, by_rank=True)
        return (*self.summaries(block), *self.listed(block, cell, selection))[0]

    def _check_choice(self, block: BlockCapture, choice: MapChoice) -> None:
        if choice.part == self.part and self.parts(block):
            self.check(block, choice.number)
        elif choice not in (*self.divisions(block), *self.summaries(block)):
            raise self._no_such(block, choice)

    def _no_such(self, block: BlockCapture, choice: MapChoice) -> OutsideError:
        divisions = self.divisions(block)
        words = [f"{divisions[0]} to {len(divisions) - 1}"] if divisions else []
        words += [f"{self.part} 1 (by rank)"] if self.parts(block) else []
        words += [str(one) for one in self.summaries(block)]
        return OutsideError(
            f"{choice} is not a map of {block.label} ({self.title}); it has {', '.join(words)}."
        )


def plural(word: str) -> str:
    """Return channels, groups, heads, classes."""
    return f"{word}es" if word.endswith("s") else f"{word}s"


def check_cell(cell: Cell, grid: Grid) -> None:
    """Refuse a cell that the grid does not have."""
    if not (0 <= cell.t < grid.frames and 0 <= cell.y < grid.rows and 0 <= cell.x < grid.cols):
        raise OutsideError(
            f"Frame {cell.t}, row {cell.y}, column {cell.x} is not a cell of the block; it has "
            f"frames 0 to {grid.frames - 1}, rows 0 to {grid.rows - 1}, columns 0 to "
            f"{grid.cols - 1}. Choose one inside."
        )


def spread(grid: Grid, most: int) -> Tensor:
    """Return up to ``most`` evenly spaced positions of a grid, ascending, (R,) int64."""
    return torch.linspace(0, grid.cells - 1, min(most, grid.cells)).round().long().unique()


def cell_of(grid: Grid, position: int) -> Cell:
    """Return the cell at an index in (t, y, x) order."""
    t, inside = divmod(position, grid.rows * grid.cols)
    return Cell(t, *divmod(inside, grid.cols))


def top(scores: Tensor, count: int | None = None) -> list[int]:
    """Return the indices of the ``count`` largest scores, largest first."""
    return scores.argsort(descending=True, stable=True)[:count].tolist()
