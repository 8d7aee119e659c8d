"""Feature similarity: the cosine of the block's input at the reference and everywhere else."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.blocks.layout import Grid, unfold_time
from models.build import Network, stage_ends
from models.specs.network import NetworkSpec
from models.specs.placement import Place
from models.specs.wrapped import WrappedSpec
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.kind import BrowserFactors, MapKind, Tap
from viz.attention.kinds.positions import check_cell, spread
from viz.geometry import Geometry
from viz.types import AttentionMap, Cell, Query


@dataclass(frozen=True, eq=False)
class FeatureCapture(BlockCapture):
    """Features at a place as vectors of length 1 at every position: features (N, C) float32.

    They are a block's input or, ``without_block``, what leaves the last unit of a stage. Where maps
    lie in a second picture, ``others`` (M, C) are its features and ``other_grid`` its cells.
    """

    kind: ClassVar[str] = "features"
    place: Place | None
    features: Tensor
    query_grid: Grid
    block_input: Tensor
    without_block: bool = False
    name: str = ""
    others: Tensor | None = None
    other_grid: Grid | None = None
    geometry: Geometry | None = None

    @property
    def label(self) -> str:
        """The name of the block."""
        return self.name or self.place.label

    @property
    def key_grid(self) -> Grid:
        """The cells of maps: those of references, or of the second picture."""
        return self.other_grid or self.query_grid

    @property
    def keys(self) -> Tensor:
        """What references are compared with, (M, C): the same features, or the second picture's."""
        return self.features if self.others is None else self.others


class FeatureSimilarity(MapKind):
    """cos(x_i, x_j) over all j: what the trunk finds alike, before the block has its say."""

    name = "features"
    title = "Cosine"
    menu = "cosine of its input"
    derived = True

    def belongs_to(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether a network is a trunk without blocks, whose stages end somewhere."""
        return bool(stage_ends(spec))

    def taps(self, network: Network) -> Iterable[Tap]:
        """Listen to the last units of the stages of a trunk without blocks."""
        for place in stage_ends(network.spec):
            yield Tap(place.label, network.unit_at(place), partial(_keep, place))

    def suits(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell that every network's layers have an input."""
        del spec
        return True

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether the block's input was kept."""
        return block.block_input is not None

    def derive(self, capture: Capture, block: BlockCapture) -> FeatureCapture:
        """Return the unit vectors of a block's input (1, C, T, H, W)."""
        del capture
        found = _captured(block.place, block.block_input, name=block.label)
        return replace(found, geometry=block.geometry)

    def joined(
        self, a: FeatureCapture, b: FeatureCapture
    ) -> tuple[FeatureCapture, FeatureCapture] | None:
        """Return the features of A as they are, and beside those of B; None of other lengths."""
        if a.features.shape[1] != b.features.shape[1]:
            return None
        return a, replace(a, others=b.features, other_grid=b.query_grid)

    def map(
        self, block: FeatureCapture, cell: Cell, choice: MapChoice | None = None
    ) -> AttentionMap:
        """Return the cosine of every position with the reference, in [-1, 1]."""
        del choice
        check_cell(cell, block.query_grid)
        position = cell.position(block.query_grid)
        values = (block.keys @ block.features[position]).reshape(block.key_grid)
        query = Query(block.label, cell)
        return AttentionMap(values.cpu().numpy(), query, "cosine, -1 to 1", "cosine")

    def browser(self, block: FeatureCapture, selection: Selection) -> BrowserFactors:
        """Return the vectors once, where queries and keys are the same."""
        del selection
        options = {
            "width": block.features.shape[1],
            "heads": 1,
            "groups": 1,
            "form": "product",
            "scale": 1.0,
            "normaliser": "none",
            "label": "cosine",
        }
        others = {} if block.others is None else {"keys": block.others}
        return BrowserFactors("rows", options, {"queries": block.features, **others})

    def sample(self, block: FeatureCapture, most: int) -> Tensor:
        """Return the maps of references, (1, R, N)."""
        positions = spread(block.query_grid, most)
        return (block.features[positions] @ block.keys.T).unsqueeze(0)

    def matrix_rows(self, block: FeatureCapture, start: int, stop: int) -> Tensor:
        """Return the cosines of positions ``start`` to ``stop`` with all, (r, N)."""
        return block.features[start:stop] @ block.keys.T

    def formula(self, block: FeatureCapture) -> str:
        """Return the formula of the cosine."""
        del block
        return r"m(j)=\frac{x_i^{\mathsf T}x_j}{\lVert x_i\rVert\,\lVert x_j\rVert}"

    def sentence(self, block: FeatureCapture) -> str:
        """Return what a value means."""
        where = "leave" if block.without_block else "enter"
        of_what = "the network" if block.without_block else "the block"
        return (
            f"Each value is the cosine of the features that {where} {block.label} at the reference "
            f"patch i and at position j: 1 is the same direction, 0 unrelated. No attention of "
            f"{of_what} is in it: it shows what the layers before find alike."
        )


def _captured(
    place: Place | None, x: Tensor, without_block: bool = False, name: str = ""
) -> FeatureCapture:
    """Return the unit vectors of features (1, C, T, H, W)."""
    features = F.normalize(x[0].float().flatten(1).T, dim=1)
    return FeatureCapture(place, features, Grid(*x.shape[2:]), x, without_block, name)


def _keep(place: Place, args: tuple, output: Tensor) -> FeatureCapture:
    """Keep what leaves a unit that was given (B*T, C, H, W) and T."""
    _entering, frames = args
    return _captured(place, unfold_time(output, frames), without_block=True)
