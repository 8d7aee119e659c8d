"""Heads: the self-attention of any network, one row a head, prefix tokens left out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from models.build import Network
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from models.zoo.wrapped.grids import Picture, arranged
from models.zoo.wrapped.network import WrappedNetwork, runs_of
from models.zoo.wrapped.tap import Call
from viz.attention.captures import BlockCapture
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.kind import AT_ONCE, KEYS_OF_BOTH, BrowserFactors, MapKind
from viz.attention.kinds.positions import check_cell, spread
from viz.attention.kinds.tokens import head_scores
from viz.attention.kinds.tokens.browser import factors_of
from viz.attention.kinds.tokens.factors import (
    HeadsCapture,
    captured,
    joined,
    over_cells,
    together,
)
from viz.types import AttentionMap, Cell, Query


class Heads(MapKind):
    """softmax_j(scale q_h,i . k_h,j + bias_h,ij), a row a head: the embedded Gaussian of Wang et
    al. 2018, as many times as there are heads (Vaswani et al. 2017, eq. 1)."""

    name = "heads"
    title = "Attention"
    menu = "self-attention by head"
    division = "head"
    joined_words = KEYS_OF_BOTH

    def belongs_to(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether the network is one that this program did not define."""
        return isinstance(spec, WrappedSpec)

    @contextmanager
    def around(self, network: Network, x: Tensor) -> Iterator[Mapping[str, BlockCapture]]:
        """Listen to attention while a network runs on (1, 3, T, H, W)."""
        found: dict[str, BlockCapture] = {}
        if not isinstance(network, WrappedNetwork):
            yield found
            return
        size = tuple(x.shape[2:])
        one = (1, *size[1:]) if network.spec.layout == "BCHW" else size
        with network.tapped(one) as calls:
            yield found
        found.update(_blocks(network, runs_of(calls), one))

    def divisions(self, block: HeadsCapture) -> tuple[MapChoice, ...]:
        """Return the heads, where there are several."""
        return tuple(MapChoice("head", h) for h in range(block.heads if block.heads > 1 else 0))

    def summaries(self, block: HeadsCapture) -> tuple[MapChoice, ...]:
        """Return mean and maximum over heads."""
        return (MapChoice("mean"), MapChoice("maximum")) if block.heads > 1 else ()

    def map(self, block: HeadsCapture, cell: Cell, choice: MapChoice | None = None) -> AttentionMap:
        """Return the row of a head, or of all; 0 outside the window of the reference."""
        check_cell(cell, block.query_grid)
        (rows,), _shares = over_cells(block, torch.tensor([cell.position(block.query_grid)]))
        if choice is None or choice.part == "head":
            number = 0 if choice is None else choice.number
            if choice is not None and block.heads > 1:
                self.check(block, number)
            values = rows[number]
        else:
            values = rows.mean(0) if choice.part == "mean" else rows.amax(0)
        return AttentionMap(
            values.reshape(block.key_grid).cpu().numpy(),
            Query(block.label, cell),
            "weights, sum 1",
            "attention" if choice is None else choice.tag,
            *(("", None) if choice is None else (choice.part, choice.number)),
        )

    def joined(self, a: HeadsCapture, b: HeadsCapture) -> tuple[HeadsCapture, HeadsCapture] | None:
        """Return the rows of a layer whose keys are the tokens of both pictures, A's first; None
        where it attends inside windows, or adds what depends on places."""
        return joined(a, b)

    def notes(self, block: HeadsCapture, cell: Cell) -> tuple[str, ...]:
        """Return the share of prefix tokens and padding, and which cells are outside the window."""
        return head_scores.notes(block, cell)

    def scores(self, block: HeadsCapture, cell: Cell) -> list[dict[str, object]]:
        """Return entropy, distance, contrast, how far the reference stands out, and the share of
        keys without a cell, a row a head."""
        return head_scores.table(block, cell)

    def browser(self, block: HeadsCapture, selection: Selection) -> BrowserFactors:
        """Return queries and keys, what is added to their products, and where keys lie."""
        del selection
        return factors_of(block)

    def sample(self, block: HeadsCapture, most: int) -> Tensor:
        """Return rows of references, (H, R, M); of one window over its own cells, where there are
        several."""
        if len(block.queries) == 1:
            rows, _shares = over_cells(block, spread(block.query_grid, most))
            return rows.transpose(0, 1)
        window = int(block.query_at[block.query_grid.cells // 2, 0])
        own = (block.query_at[:, 0] == window).nonzero().flatten()[:most]
        rows, _shares = over_cells(block, own)
        cells = block.key_cell[window]
        return rows[:, :, cells[cells >= 0]].transpose(0, 1)

    def strengths(self, block: HeadsCapture, part: str) -> Tensor:
        """Return the largest weight of every row over the cells, (H, N)."""
        self._answers(block, part)
        some = torch.arange(block.query_grid.cells).split(AT_ONCE)
        return torch.cat([over_cells(block, one)[0].amax(2).T for one in some], 1)

    def matrix_rows(self, block: HeadsCapture, start: int, stop: int) -> Tensor:
        """Return rows ``start`` to ``stop``, (r, M): the mean over heads."""
        if start == stop:
            return block.queries.new_zeros(0, block.key_grid.cells)
        rows, _shares = over_cells(block, torch.arange(start, stop))
        return rows.mean(1)

    def formula(self, block: HeadsCapture) -> str:
        """Return the formula of a head."""
        logits = r"s\,q_{h,i}^{\mathsf T}k_{h,j}" + (r"+b_{h,ij}" if block.added else "")
        return rf"m_h(j)=\operatorname{{softmax}}_j\left({logits}\right)"

    def sentence(self, block: HeadsCapture) -> str:
        """Return what a value means."""
        words = (
            "Each value is the weight that a head gives to position j when it updates the "
            "reference patch i; over all tokens the weights of a head sum to 1."
        )
        if block.prefix:
            words += (
                f" Tokens without a place (class, registers; here {block.prefix}) take part and "
                "are left out of the picture; their share is stated below."
            )
        if block.is_query_free:
            words += " This layer has one query for the whole picture: every reference has one map."
        return words


def _blocks(
    network: WrappedNetwork, found: dict[str, list[Call]], size: tuple[int, int, int]
) -> dict[str, BlockCapture]:
    """Return the captures of all layers whose tokens have cells, by label; ``size`` is of one
    run."""
    cells = network.cells([calls[0] for calls in found.values()], size)
    return {
        label: captured(calls, cells[label], _features(calls, cells[label].query_grid, size))
        for label, calls in found.items()
        if label in cells
    }


def _features(
    calls: list[Call], grid: tuple[int, int, int], size: tuple[int, int, int]
) -> Tensor | None:
    """Return what a layer was given as (1, C, T, H, W) float16; None where it fits another grid."""
    made = [_features_of(call, grid, Picture(size)) for call in calls]
    return None if any(one is None for one in made) else together(made, 2)


def _features_of(call: Call, grid: tuple[int, int, int], picture: Picture) -> Tensor | None:
    for frame, _number in reversed(call.frames):
        where = arranged(frame, call, picture)
        if where is None:
            continue
        if where.tokens.grid != grid:
            return None
        x = frame.tensor.detach().to(torch.float16)
        if where.spatial:
            x = x if where.axis == 2 else x.movedim(-1, 1)
            return x.reshape(1, -1, *grid)
        tokens = x.select(1 - where.axis, 0)[where.tokens.prefix :]
        return tokens.T.reshape(1, -1, *grid).contiguous()
    return None
