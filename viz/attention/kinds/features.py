"""Feature similarity: the cosine of the block's input at the reference and everywhere else."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.blocks.layout import Grid
from models.specs.placement import Place
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.kind import BrowserFactors, MapKind
from viz.attention.kinds.positions import check_cell, spread
from viz.types import AttentionMap, Cell, Query


@dataclass(frozen=True, eq=False)
class FeatureCapture(BlockCapture):
    """The block's input at every position as vectors of length 1: features (N, C) float32."""

    kind: ClassVar[str] = "features"
    place: Place
    features: Tensor
    query_grid: Grid
    block_input: Tensor

    @property
    def key_grid(self) -> Grid:
        """The cells of maps, those of references."""
        return self.query_grid


class FeatureSimilarity(MapKind):
    """cos(x_i, x_j) over all j: what the trunk finds alike, before the block has its say."""

    name = "features"
    title = "Cosine"
    menu = "cosine of its input"
    derived = True

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether the block's input was kept."""
        return block.block_input is not None

    def derive(self, capture: Capture, block: BlockCapture) -> FeatureCapture:
        """Return the unit vectors of a block's input (1, C, T, H, W)."""
        del capture
        x = block.block_input[0].float().cpu()
        features = F.normalize(x.flatten(1).T, dim=1)
        grid = Grid(*x.shape[1:])
        return FeatureCapture(block.place, features, grid, block.block_input)

    def map(
        self, block: FeatureCapture, cell: Cell, choice: MapChoice | None = None
    ) -> AttentionMap:
        """Return the cosine of every position with the reference, in [-1, 1]."""
        del choice
        check_cell(cell, block.query_grid)
        position = cell.position(block.query_grid)
        values = (block.features @ block.features[position]).reshape(block.query_grid)
        return AttentionMap(values.numpy(), Query(block.label, cell), "cosine, -1 to 1", "cosine")

    def browser(self, block: FeatureCapture, selection: Selection) -> BrowserFactors:
        """Return the vectors once: queries and keys are the same."""
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
        return BrowserFactors("rows", options, {"queries": block.features})

    def sample(self, block: FeatureCapture, most: int) -> Tensor:
        """Return the maps of references, (1, R, N)."""
        positions = spread(block.query_grid, most)
        return (block.features[positions] @ block.features.T).unsqueeze(0)

    def matrix_rows(self, block: FeatureCapture, start: int, stop: int) -> Tensor:
        """Return the cosines of positions ``start`` to ``stop`` with all, (r, N)."""
        return block.features[start:stop] @ block.features.T

    def formula(self, block: FeatureCapture) -> str:
        """Return the formula of the cosine."""
        del block
        return r"m(j)=\frac{x_i^{\mathsf T}x_j}{\lVert x_i\rVert\,\lVert x_j\rVert}"

    def sentence(self, block: FeatureCapture) -> str:
        """Return what a value means."""
        return (
            f"Each value is the cosine of the features that enter {block.label} at the reference "
            "patch i and at position j: 1 is the same direction, 0 unrelated. Nothing of the block "
            "is in it: it shows what the layers before find alike."
        )
