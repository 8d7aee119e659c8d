"""Which maps of a kind are meant: its parts and rankings, and the look-up of a choice in them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from errors import OutsideError, counted, plural
from viz.attention.captures import BlockCapture
from viz.attention.choice import MapChoice, Selection
from viz.types import AttentionMap, Cell


class MapParts(ABC):
    """The maps that a reference has: one; or ranked ``part`` maps, groups or heads, and summaries.

    A kind says which there are (``parts``, ``divisions``, ``summaries``), ranks them, and makes one
    by its number; the rest is the same for every kind. ``title`` names the kind over a panel.
    """

    title: ClassVar[str]
    part: ClassVar[str] = ""
    """The word of ``choice.PARTS`` for its ranked maps; "" where a reference has one map."""
    division: ClassVar[str] = ""
    """The word for what its maps are grouped into (group, head); "" for nothing."""
    rankings: ClassVar[tuple[str, ...]] = ()
    """The orders of its ranked maps, the default one first."""
    answer_rankings: ClassVar[tuple[str, ...]] = ()
    """Those of ``rankings`` that are the order of the network's answer: its classes, the most
    probable first."""

    def parts(self, block: BlockCapture) -> int:
        """Return how many ranked maps there are (channels, classes); 0 where there is one map."""
        del block
        return 0

    def divisions(self, block: BlockCapture) -> tuple[MapChoice, ...]:
        """Return every group or head of the block, by number; empty for none."""
        del block
        return ()

    def summaries(self, block: BlockCapture) -> tuple[MapChoice, ...]:
        """Return the maps that are made of all divisions (mean, maximum); empty for none."""
        del block
        return ()

    def rank(self, block: BlockCapture, cell: Cell, ranking: str) -> list[int]:
        """Return the numbers of all ranked maps at a reference, best first."""
        del block, cell
        raise OutsideError(f"{self.title} has no ranking {ranking!r}; it has one map.")

    @abstractmethod
    def map(self, block: BlockCapture, cell: Cell, choice: MapChoice | None = None) -> AttentionMap:
        """Return one map at a reference: values (T, h, w) float32 over the key grid.

        ``choice`` is by number, never by rank; None where a reference has one map.
        """

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

    def listed_at(
        self, block: BlockCapture, cells: Sequence[Cell], selection: Selection
    ) -> list[list[MapChoice]]:
        """Return ``listed`` of each of several references."""
        return [self.listed(block, cell, selection) for cell in cells]

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

    def maps_at(
        self, block: BlockCapture, cells: Sequence[Cell], selection: Selection
    ) -> list[list[AttentionMap]]:
        """Return ``maps`` of each of several references."""
        return [self.maps(block, cell, selection) for cell in cells]

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
                f"{choice} is not among the {counted(len(listed), 'map')} asked for; raise the "
                "count, or show an earlier one."
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
