"""What a map kind is: everything that the rest of the program asks of one sort of attention map."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from errors import InputError, OutsideError, plural
from models.build import Network
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.parts import MapParts
from viz.attention.kinds.positions import cell_of, spread
from viz.types import AttentionMap, Cell

Arithmetic = Literal["rows", "channels", "static"]
"""What the picker computes in the browser: rows of queries and keys, products of channels, or
nothing: the maps are sent."""


ROW = "row"
"""What answers where a reference has one map."""
AT_ONCE = 256
"""References whose maps are made at a time where those of all are gone through."""
KEYS_OF_BOTH = (
    "Two pictures: the block is given the keys of both, and the weights of both together sum to "
    "what those of one do. The layers before have seen each picture alone."
)


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


class MapKind(MapParts):
    """One kind of attention map, a row of ``viz.attention.kinds.registry.KINDS``.

    A kind either taps modules (``taps``) or is ``derived`` from the capture of another kind's
    block. ``title`` names it over a panel; ``menu`` on pages. ``referenced`` tells whether a
    reference patch chooses among its maps; ``class_ranking`` is one that needs a class and a
    backward pass.
    """

    name: ClassVar[str]
    menu: ClassVar[str]
    derived: ClassVar[bool] = False
    referenced: ClassVar[bool] = True
    class_ranking: ClassVar[str] = ""
    ranking_help: ClassVar[str] = ""
    has_labels: ClassVar[bool] = True
    """Whether its blocks are chosen by label wherever maps are asked for; gates are looked at all
    together."""
    without_reference: ClassVar[str] = ""
    """What the map shows, in a sentence, where no reference chooses among its maps."""
    ranking_words: ClassVar[Mapping[str, str]] = {}
    """What pages call a ranking that recipes know by another name."""
    joined_words: ClassVar[str] = (
        "Two pictures: the vector at the patch is compared with those of both."
    )
    """How the maps of ``joined`` are made."""

    def belongs_to(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether the blocks of such a network are of this kind."""
        del spec
        return False

    def taps(self, network: Network) -> Iterable[Tap]:
        """Return what is listened to in a network; nothing for a derived kind."""
        del network
        return ()

    def around(
        self, network: Network, x: Tensor
    ) -> AbstractContextManager[Mapping[str, BlockCapture]]:
        """Stand around the forward pass of a network on ``x``: what it gives holds, afterwards,
        blocks by label that no module's own inputs and output leave."""
        del network, x
        return nullcontext({})

    def suits(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether pages offer this derived kind for a network."""
        return not isinstance(spec, WrappedSpec)

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether this kind can be made from another kind's capture of a block."""
        del block
        return False

    def derive(self, capture: Capture, block: BlockCapture) -> BlockCapture:
        """Return this kind's factors of a block that another kind captured."""
        del capture
        raise InputError(f"{self.title} cannot be made from block {block.label}.")

    def joined(self, a: BlockCapture, b: BlockCapture) -> tuple[BlockCapture, BlockCapture] | None:
        """Return this kind's factors for references of picture A, with maps over A and with maps
        over picture B; None where no map reaches from one picture into another."""
        del a, b
        return None

    @property
    def reaches(self) -> bool:
        """Whether it has maps of two pictures: from one into the other by a ``joined`` of its own,
        or without a reference; else the cosine of the block's input is shown."""
        return not self.referenced or type(self).joined is not MapKind.joined

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

    def division_words(self, block: BlockCapture) -> str:
        """Return what stands over the maps of groups or heads."""
        del block
        return plural(self.division) if self.division else ""

    def class_scores(self, capture: Capture, block: BlockCapture, index: int) -> Tensor:
        """Return a score a ranked map for class ``index``, for the ``class_ranking``."""
        del capture, block, index
        raise OutsideError(f"{self.title} has no ranking by class.")

    def notes(self, block: BlockCapture, cell: Cell) -> tuple[str, ...]:
        """Return what has to be said of a reference beside its maps, a line each."""
        del block, cell
        return ()

    def scores(self, block: BlockCapture, cell: Cell) -> list[dict[str, object]]:
        """Return what heads are ranked by at a reference, a row a head; empty for none."""
        del block, cell
        return []

    def browser(self, block: BlockCapture, selection: Selection) -> BrowserFactors:
        """Return what the picker needs to draw this kind's maps of a block."""
        del block, selection
        return BrowserFactors("static")

    def sample(self, block: BlockCapture, most: int) -> Tensor:
        """Return maps of up to ``most`` evenly spaced references, (K, R, M) float32, K sorts of
        maps (heads, groups) side by side: what the query dependence is taken over."""
        first = MapChoice(self.part, 0) if self.parts(block) else None
        return self._made(block, spread(block.query_grid, most), (first,))

    def stacked(self, block: BlockCapture, cells: Sequence[Cell], selection: Selection) -> Tensor:
        """Return the maps of a selection at R references side by side, (R, K, T, h, w) float32,
        where the block's factors are."""
        found = self.maps_at(block, cells, selection)
        values = np.stack([np.stack([one.values for one in maps]) for maps in found])
        device = next((part.device for part in block.tensors), None)
        return torch.from_numpy(values).to(device)

    def whole_sample(self, block: BlockCapture, positions: Tensor) -> Tensor:
        """Return the maps of references (R,) over the whole grid, (K, R, M), K heads or groups,
        where the block's factors are; ``sample`` has those of one window where there are some."""
        first = MapChoice(self.part, 0) if self.parts(block) else None
        return self._made(block, positions, self.divisions(block) or (first,))

    def _made(
        self, block: BlockCapture, positions: Tensor, choices: tuple[MapChoice | None, ...]
    ) -> Tensor:
        """Return the maps of references (R,), (K, R, M), where the block's factors are."""
        cells = [cell_of(block.query_grid, int(position)) for position in positions]
        found = [[self.map(block, cell, one).values.ravel() for cell in cells] for one in choices]
        device = next((part.device for part in block.tensors), None)
        return torch.from_numpy(np.array(found)).to(device)

    def answering(self, block: BlockCapture) -> tuple[str, ...]:
        """Return the words of what answers to a reference: its ranked maps, its groups or heads;
        ROW where a reference has one map; empty where maps have no reference."""
        if not self.referenced:
            return ()
        ranked = (self.part,) if self.parts(block) else ()
        divided = (self.division,) if self.divisions(block) else ()
        return (*ranked, *divided) or (ROW,)

    def strengths(self, block: BlockCapture, part: str) -> Tensor:
        """Return how strongly each channel, group or head (``part``, a word of ``answering``)
        answers to each reference: the largest absolute value of its map, (K, N) float32."""
        choices = self._answers(block, part)
        cells = [cell_of(block.query_grid, k) for k in range(block.query_grid.cells)]
        found = [
            [abs(self.map(block, cell, one).values).max() for cell in cells] for one in choices
        ]
        return torch.tensor(found)

    def _answers(self, block: BlockCapture, part: str) -> tuple[MapChoice | None, ...]:
        words = self.answering(block)
        if part not in words:
            raise OutsideError(
                f"{part[:40]!r} is nothing that answers in {block.label}; use "
                f"{', '.join(words) or 'a block with a reference'}."
            )
        if part == ROW:
            return (None,)
        if part == self.part:
            return tuple(MapChoice(part, number) for number in range(self.parts(block)))
        return self.divisions(block)

    def matrix_rows(self, block: BlockCapture, start: int, stop: int) -> Tensor | None:
        """Return rows ``start`` to ``stop`` of the N x M matrix, or None where there is none."""
        del block, start, stop
        return None

    @property
    def has_matrix(self) -> bool:
        """Whether the kind has an N x M matrix of weights: a ``matrix_rows`` of its own."""
        return type(self).matrix_rows is not MapKind.matrix_rows

    @property
    def union_words(self) -> str:
        """What the union of its maps shows."""
        several = plural(self.part or self.division)
        return f"{self.title}: the largest of its {several} at every cell"


def top(scores: Tensor, count: int | None = None) -> list[int]:
    """Return the indices of the ``count`` largest scores, largest first."""
    return scores.argsort(descending=True, stable=True)[:count].tolist()
