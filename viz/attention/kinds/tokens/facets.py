"""Facets: the cosine of a layer's queries or keys, all heads side by side, at the reference and
everywhere else."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.features import FeatureCapture, FeatureSimilarity
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.tokens.factors import HeadsCapture


@dataclass(frozen=True, eq=False)
class QueryCapture(FeatureCapture):
    """The queries of every cell as vectors of length 1, (N, H d)."""

    kind: ClassVar[str] = "queries"


@dataclass(frozen=True, eq=False)
class KeyCapture(FeatureCapture):
    """The keys of every cell as vectors of length 1, (N, H d)."""

    kind: ClassVar[str] = "keys"


class QuerySimilarity(FeatureSimilarity):
    """cos(q_i, q_j) over all j: which positions look for the same."""

    name = "queries"
    title = "Query cosine"
    menu = "cosine of its queries"
    letter: ClassVar[str] = "q"

    def belongs_to(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell that no block is of this kind by itself."""
        del spec
        return False

    taps = MapKind.taps

    def suits(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether the network's layers have heads."""
        return isinstance(spec, WrappedSpec)

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether every cell has queries of its own."""
        return isinstance(block, HeadsCapture) and bool(block.queries.shape[3]) and self._has(block)

    def _has(self, block: HeadsCapture) -> bool:
        return not block.is_query_free

    def derive(self, capture: Capture, block: HeadsCapture) -> FeatureCapture:
        """Return the unit vectors of every cell's queries."""
        del capture
        window, token = block.query_at.T
        vectors = block.queries[window, :, token].flatten(1)
        return QueryCapture(
            None, F.normalize(vectors, dim=1), block.query_grid, None, name=block.label
        )

    def formula(self, block: FeatureCapture) -> str:
        """Return the formula of the cosine."""
        del block
        i, j = f"{self.letter}_i", f"{self.letter}_j"
        return rf"m(j)=\frac{{{i}^{{\mathsf T}}{j}}}{{\lVert {i}\rVert\,\lVert {j}\rVert}}"

    def sentence(self, block: FeatureCapture) -> str:
        """Return what a value means."""
        return (
            f"Each value is the cosine of the {self.name} of {block.label}, all heads side by "
            "side, at the reference patch i and at position j: 1 is the same direction, 0 "
            "unrelated."
        )


class KeySimilarity(QuerySimilarity):
    """cos(k_i, k_j) over all j: which positions are found by the same queries."""

    name = "keys"
    title = "Key cosine"
    menu = "cosine of its keys"
    letter = "k"

    def _has(self, block: HeadsCapture) -> bool:
        return len(block.key_cell[block.key_cell >= 0].unique()) == block.key_grid.cells

    def derive(self, capture: Capture, block: HeadsCapture) -> FeatureCapture:
        """Return the unit vectors of every cell's keys; of one in several windows, the last's."""
        del capture
        vectors = F.normalize(_by_cell(block), dim=1)
        return KeyCapture(None, vectors, block.key_grid, None, name=block.label)


def _by_cell(block: HeadsCapture) -> Tensor:
    """Return the keys of every cell of the key grid, (M, H d)."""
    windows, tokens = (block.key_cell >= 0).nonzero().T
    out = block.keys.new_zeros(block.key_grid.cells, block.heads * block.keys.shape[3])
    out[block.key_cell[windows, tokens]] = block.keys[windows, :, tokens].flatten(1)
    return out
