"""Affinity rows: what an NL block, or a head of self-attention, gives every position's weight."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from models.blocks.nonlocal_block import NonLocalBlock, NonLocalFactors
from models.blocks.pairwise import Pairwise
from models.build import Network
from models.specs.block import NonLocalSpec
from models.specs.network import NetworkSpec
from models.specs.placement import Place
from viz.attention.captures import BlockCapture
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.kind import AT_ONCE, KEYS_OF_BOTH, BrowserFactors, MapKind, Tap
from viz.attention.kinds.positions import check_cell, spread
from viz.geometry import Geometry
from viz.types import AttentionMap, Cell, Query

MATRIX_LIMIT_BYTES = 512 * 2**20
"""Largest affinity matrix that is made without saying so first."""


@dataclass(frozen=True, eq=False)
class NonLocalCapture(BlockCapture):
    """The factors of a block's affinity: queries (N, H d), keys (M, H d) of H heads, float32,
    where the network is.

    With ``groups`` > 1 the positions lie in so many consecutive groups, and a reference attends
    only to keys of its own. The columns of queries and keys are those of head 0, then head 1, ...
    Where keys of a second picture take part, maps are those of the key grid's, from the ``first``.
    ``geometry`` is where its cells lie, where it sees a part of the picture only; ``name`` says
    which, and replaces the place's.
    """

    kind: ClassVar[str] = "affinity"
    place: Place
    queries: Tensor
    keys: Tensor
    pairwise: Pairwise
    query_grid: Grid
    key_grid: Grid
    block_input: Tensor
    groups: int = 1
    heads: int = 1
    first: int = 0
    geometry: Geometry | None = None
    name: str = ""

    @property
    def label(self) -> str:
        """The name of the block."""
        return self.name or self.place.label

    def factors(self, group: int, head: int = 0) -> tuple[Tensor, Tensor]:
        """Return the queries (N/groups, d) and keys (M/groups, d) of one group and head."""
        if self.groups == self.heads == 1:
            return self.queries, self.keys
        return tuple(
            part.chunk(self.groups)[group].chunk(self.heads, dim=1)[head]
            for part in (self.queries, self.keys)
        )


class Affinity(MapKind):
    """f(x_i, x_j) / C(x) over all j (Wang et al. 2018, eqs. 1-6); with heads one row a head."""

    name = "affinity"
    title = "NL"
    menu = "what the block computes"
    division = "head"
    joined_words = KEYS_OF_BOTH

    def belongs_to(self, spec: NetworkSpec) -> bool:
        """Tell whether the network's blocks are NL blocks."""
        return isinstance(getattr(spec, "block", None), NonLocalSpec)

    def taps(self, network: Network) -> Iterable[Tap]:
        """Listen to the projections of NL blocks."""
        for place in network.places:
            block = network.block_at(place)
            if isinstance(block, NonLocalBlock):
                yield Tap(place.label, block.projection, _keeper(block, place))

    def divisions(self, block: NonLocalCapture) -> tuple[MapChoice, ...]:
        """Return the heads, where there are several."""
        heads = block.heads if block.heads > 1 else 0
        return tuple(MapChoice("head", number) for number in range(heads))

    def summaries(self, block: NonLocalCapture) -> tuple[MapChoice, ...]:
        """Return mean and maximum over heads."""
        return (MapChoice("mean"), MapChoice("maximum")) if block.heads > 1 else ()

    def joined(
        self, a: NonLocalCapture, b: NonLocalCapture
    ) -> tuple[NonLocalCapture, NonLocalCapture] | None:
        """Return the rows of a block that is given both pictures at once: the keys of A, then those
        of B, under one normaliser. What lies before the block has seen each picture alone."""
        alike = a.queries.shape[1] == b.queries.shape[1] and a.heads == b.heads
        if not alike or a.groups > 1 or b.groups > 1:
            return None
        both = replace(a, keys=torch.cat([a.keys, b.keys]))
        return both, replace(both, key_grid=b.key_grid, first=len(a.keys))

    def map(
        self, block: NonLocalCapture, cell: Cell, choice: MapChoice | None = None
    ) -> AttentionMap:
        """Return the affinity row of the reference, in O(M d); 0 outside its group of frames."""
        check_cell(cell, block.query_grid)
        if choice is None or choice.part == "head":
            values = _row(block, cell, 0 if choice is None else choice.number)
        else:
            rows = torch.stack([_row(block, cell, head) for head in range(block.heads)])
            values = rows.mean(0) if choice.part == "mean" else rows.amax(0)
        values = values[block.first : block.first + block.key_grid.cells]
        return AttentionMap(
            values.reshape(block.key_grid).cpu().numpy(),
            Query(block.label, cell),
            "weights, sum 1" if block.pairwise.sums_to_one else "response, any sign",
            "NL" if choice is None else choice.tag,
            *(("", None) if choice is None else (choice.part, choice.number)),
        )

    def stacked(
        self, block: NonLocalCapture, cells: Sequence[Cell], selection: Selection
    ) -> Tensor:
        """Return the rows of a selection side by side: the one row, or those of heads."""
        if block.heads > 1:
            return super().stacked(block, cells, selection)
        for cell in cells:
            check_cell(cell, block.query_grid)
        # One by one, as maps are: a product of several queries rounds differently.
        rows = torch.stack([_row(block, cell, 0) for cell in cells])
        return rows.reshape(-1, 1, *block.key_grid)

    def browser(self, block: NonLocalCapture, selection: Selection) -> BrowserFactors:
        """Return queries and keys, and how a row is made of them."""
        del selection
        pairwise = block.pairwise
        options = {
            "width": block.queries.shape[1] // block.heads,
            "heads": block.heads,
            "groups": block.groups,
            "form": "sum" if pairwise.name == "concatenation" else "product",
            "scale": pairwise.scale,
            "normaliser": "softmax" if pairwise.sums_to_one else "count",
            "first": block.first,
            "label": "NL row",
        }
        factors = {"queries": block.queries, "keys": block.keys}
        return BrowserFactors("rows", options, factors)

    def sample(self, block: NonLocalCapture, most: int) -> Tensor:
        """Return rows of references of the first group, a sort a head."""
        grid = block.query_grid
        positions = spread(grid._replace(frames=grid.frames // block.groups), most)
        factors = (block.factors(0, head) for head in range(block.heads))
        return torch.stack([block.pairwise.matrix(q[positions], k) for q, k in factors])

    def strengths(self, block: NonLocalCapture, part: str) -> Tensor:
        """Return the largest absolute weight of every row, (H, N)."""
        found = []
        for head in range(len(self._answers(block, part))):
            of_groups = [block.factors(group, head) for group in range(block.groups)]
            some = [(q, keys) for queries, keys in of_groups for q in queries.split(AT_ONCE)]
            found.append(torch.cat([block.pairwise.matrix(q, k).abs().amax(1) for q, k in some]))
        return torch.stack(found)

    def matrix_rows(self, block: NonLocalCapture, start: int, stop: int) -> Tensor:
        """Return rows ``start`` to ``stop``, (r, M): the mean over heads."""
        queries, keys = block.query_grid.cells, block.key_grid.cells
        size, span = queries // block.groups, keys // block.groups
        out = torch.zeros(stop - start, keys, device=block.queries.device)
        for group in range(start // size, -(-stop // size)):
            low, high = max(start, group * size), min(stop, (group + 1) * size)
            rows = slice(low - group * size, high - group * size)
            across = slice(group * span, (group + 1) * span)
            for head in range(block.heads):
                own_queries, own_keys = block.factors(group, head)
                made = block.pairwise.matrix(own_queries[rows], own_keys)
                out[low - start : high - start, across] += made / block.heads
        return out

    def formula(self, block: NonLocalCapture) -> str:
        """Return the formula of the pairwise function."""
        return _WORDS[block.pairwise.name][0]

    def sentence(self, block: NonLocalCapture) -> str:
        """Return what a value means."""
        return _WORDS[block.pairwise.name][1]


def _keeper(block: NonLocalBlock, place: Place) -> Callable[[tuple, NonLocalFactors], BlockCapture]:
    def keep(args: tuple[Tensor], factors: NonLocalFactors) -> NonLocalCapture:
        # Groups of frames come as a batch, in order.
        groups = len(factors.queries)
        frames = groups * factors.query_grid.frames
        return NonLocalCapture(
            place,
            factors.queries.flatten(0, 1).float(),
            factors.keys.flatten(0, 1).float(),
            block.pairwise,
            factors.query_grid._replace(frames=frames),
            factors.key_grid._replace(frames=frames),
            block.ungrouped(args[0], frames),
            groups,
        )

    return keep


def _row(block: NonLocalCapture, cell: Cell, head: int) -> Tensor:
    """Return the row of one head over all keys, (M,)."""
    if not 0 <= head < block.heads:
        raise OutsideError(
            f"{head} is not a head of {block.label}; it has heads 0 to {block.heads - 1}."
        )
    size = block.query_grid.cells // block.groups
    group, position = divmod(cell.position(block.query_grid), size)
    queries, keys = block.factors(group, head)
    own = block.pairwise.matrix(queries[position : position + 1], keys)[0]
    if block.groups == 1:
        return own
    values = own.new_zeros(block.groups, len(keys))
    values[group] = own
    return values.flatten()


def matrix(block: NonLocalCapture, limit_bytes: int = MATRIX_LIMIT_BYTES) -> np.ndarray:
    """Return all rows, (N, M) float32; refused above ``limit_bytes``, with the size stated."""
    return _matrix(block, limit_bytes).cpu().numpy()


def _matrix(block: NonLocalCapture, limit_bytes: int) -> Tensor:
    queries, keys = block.query_grid.cells, block.key_grid.cells
    needed = queries * keys * 4
    if needed > limit_bytes:
        raise InputError(
            f"The affinity matrix of {queries} x {keys} weights would take "
            f"{needed / 2**20:.0f} MB; up to {limit_bytes / 2**20:.0f} MB is made. Use single "
            "rows, a smaller input, or raise the limit."
        )
    return Affinity().matrix_rows(block, 0, queries)


_WEIGHT = (
    "Each value is the weight that the reference patch i gives to position j when the "
    "block sums up the picture; the weights of one reference sum to 1."
)
_WORDS = {
    "gaussian": (r"m(j)=\operatorname{softmax}_j\left(x_i^{\mathsf T}x_j\right)", _WEIGHT),
    "embedded_gaussian": (
        r"m(j)=\operatorname{softmax}_j\left(s\,\theta_i^{\mathsf T}\phi_j\right)",
        _WEIGHT,
    ),
    "dot_product": (
        r"m(j)=\tfrac{1}{N}\,s\,\theta_i^{\mathsf T}\phi_j",
        "Each value is the similarity of the reference patch i and position j; it can have "
        "either sign, and nothing makes the values sum to 1.",
    ),
    "concatenation": (
        r"m(j)=\tfrac{1}{N}\operatorname{ReLU}\left(w_f^{\mathsf T}[\theta_i,\phi_j]\right)",
        "Each value is a learned function of the reference patch i and position j; it is 0 "
        "where the two together stay below zero, so whole maps can be empty.",
    ),
}
"""Pairwise function -> formula, and how a value is read."""
