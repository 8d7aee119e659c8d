"""Context weights of a global context block: where it gathers what it gives to every position."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.blocks.context_block import GlobalContextBlock
from models.blocks.layout import Grid, grid_of
from models.build import Network
from models.specs.block import GlobalContextSpec
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from viz.attention.captures import BlockCapture
from viz.attention.choice import MapChoice
from viz.attention.kinds.kind import MapKind, Tap
from viz.types import AttentionMap, Cell, Query


@dataclass(frozen=True, eq=False)
class ContextCapture(BlockCapture):
    """The weights (N,) of one block, float32, 0 and above, sum 1, where the network is.

    ``added`` is the length of the vector that every position gets, ``length`` the mean length of
    those that it is added to. The block stands inside of a unit, so that nothing can be run on from
    it: it has a name and no place. ``block_input`` is float16.
    """

    kind: ClassVar[str] = "context"
    name: str
    weights: Tensor
    query_grid: Grid
    added: float
    length: float
    block_input: Tensor
    place: None = None

    @property
    def label(self) -> str:
        """The name of the unit that it stands in: res4.4."""
        return self.name

    @property
    def key_grid(self) -> Grid:
        """The cells of its map."""
        return self.query_grid


class ContextWeights(MapKind):
    """a_j = softmax_j(W_k x_j) (Cao et al. 2019, eq. 5): one map, whatever the reference."""

    name = "context"
    title = "GC"
    menu = "context weights of the block"
    referenced = False
    without_reference = (
        "What the block gathers from the picture: every position is given the same mean of it."
    )

    def belongs_to(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether the network's blocks are global context blocks."""
        return isinstance(getattr(spec, "block", None), GlobalContextSpec)

    def taps(self, network: Network) -> Iterable[Tap]:
        """Listen to global context blocks."""
        for place in network.places:
            block = network.block_at(place)
            if isinstance(block, GlobalContextBlock):
                yield Tap(place.label, block, _keeper(place.label, block))

    def map(
        self, block: ContextCapture, cell: Cell, choice: MapChoice | None = None
    ) -> AttentionMap:
        """Return the weight of every position."""
        del choice
        values = block.weights.reshape(block.query_grid).cpu().numpy()
        return AttentionMap(values, Query(block.label, cell), "weights, sum 1", "context")

    def notes(self, block: ContextCapture, cell: Cell) -> tuple[str, ...]:
        """Return how much the block adds."""
        del cell
        return (
            f"{block.label} adds one vector of length {block.added:.3g} to every position; those "
            f"that it is added to have a mean length of {block.length:.3g}.",
        )

    def formula(self, block: ContextCapture) -> str:
        """Return the formula of the block."""
        del block
        return (
            r"z_i=x_i+W_{v2}\,\operatorname{ReLU}\Big(\operatorname{LN}\Big(W_{v1}\sum_j a_j x_j"
            r"\Big)\Big),\qquad a_j=\operatorname{softmax}_j(W_k x_j)"
        )

    def sentence(self, block: ContextCapture) -> str:
        """Return what a value means."""
        return (
            f"Each value is the weight a_j that {block.label} gives to position j in the mean of "
            "the picture that it adds, transformed, to every position. The map has no reference "
            "patch: it is the same wherever the pointer is, and its query dependence is 0."
        )


def _keeper(name: str, block: GlobalContextBlock) -> Callable[[tuple, Tensor], ContextCapture]:
    def keep(args: tuple, _output: Tensor) -> ContextCapture:
        (x,) = args
        weights = block.weights(x)
        added = float(block.added(x, weights).norm())
        length = float(x.norm(dim=1).mean())
        return ContextCapture(name, weights[0, 0].float(), grid_of(x), added, length, x.half())

    return keep
