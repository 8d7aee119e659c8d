"""The class token's row: what the first token, which has no place, looks at. No reference."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from models.blocks.layout import Grid
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.tokens.factors import HeadsCapture, window_weights
from viz.types import AttentionMap, Cell, Query


@dataclass(frozen=True, eq=False)
class ClassRowCapture(BlockCapture):
    """A layer whose first token's row is asked for; its factors are those of ``layer``."""

    kind: ClassVar[str] = "class token"
    layer: HeadsCapture
    place: None = None
    block_input: None = None

    @property
    def label(self) -> str:
        """The name of the layer."""
        return self.layer.label

    @property
    def query_grid(self) -> Grid:
        """The cells of the layer's queries; the map has no reference."""
        return self.layer.query_grid

    @property
    def key_grid(self) -> Grid:
        """The cells of the map."""
        return self.layer.key_grid


class ClassRow(MapKind):
    """softmax_j(scale q_h,0 . k_h,j), token 0 the class token (Caron et al. 2021, Fig. 1)."""

    name = "class token"
    title = "Class token"
    menu = "what the class token looks at"
    derived = True
    referenced = False
    without_reference = "What the class token looks at."
    division = "head"

    def suits(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether a layer of the network has tokens without a place."""
        return isinstance(spec, WrappedSpec) and any(layer.prefix for layer in spec.layers)

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether the layer has a class token."""
        return isinstance(block, HeadsCapture) and block.prefix > 0 and block.kind == "heads"

    def derive(self, capture: Capture, block: HeadsCapture) -> ClassRowCapture:
        """Return what makes the class token's rows."""
        del capture
        return ClassRowCapture(block)

    def divisions(self, block: ClassRowCapture) -> tuple[MapChoice, ...]:
        """Return the heads, where there are several."""
        heads = block.layer.heads
        return tuple(MapChoice("head", h) for h in range(heads if heads > 1 else 0))

    def summaries(self, block: ClassRowCapture) -> tuple[MapChoice, ...]:
        """Return mean and maximum over heads."""
        return (MapChoice("mean"), MapChoice("maximum")) if block.layer.heads > 1 else ()

    def map(
        self, block: ClassRowCapture, cell: Cell, choice: MapChoice | None = None
    ) -> AttentionMap:
        """Return the row of a head, or of all, in every frame."""
        layer = block.layer
        rows = layer.queries.new_zeros(layer.heads, layer.key_grid.cells)
        for window, cells in enumerate(layer.key_cell):
            own = window_weights(layer, window, torch.zeros(1, dtype=torch.long))[:, 0]
            rows[:, cells[cells >= 0]] = own[:, cells >= 0]
        if choice is not None and choice.part == "head":
            self.check(block, choice.number)
        number = choice.number if choice is not None and choice.part == "head" else 0
        summary = {"mean": rows.mean(0), "maximum": rows.amax(0)}
        values = rows[number] if choice is None else summary.get(choice.part, rows[number])
        return AttentionMap(
            values.reshape(layer.key_grid).cpu().numpy(),
            Query(block.label, cell),
            "weights, sum 1",
            "class token" if choice is None else choice.tag,
            *(("", None) if choice is None else (choice.part, choice.number)),
        )

    def formula(self, block: ClassRowCapture) -> str:
        """Return the formula of a head."""
        del block
        return r"m_h(j)=\operatorname{softmax}_j\left(s\,q_{h,0}^{\mathsf T}k_{h,j}\right)"

    def sentence(self, block: ClassRowCapture) -> str:
        """Return what a value means."""
        return (
            f"Each value is the weight that the class token of {block.label} gives to position j. "
            "The map has no reference patch: it is the same wherever the pointer is."
        )
