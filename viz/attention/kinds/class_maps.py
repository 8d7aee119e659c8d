"""Class maps (Grad-CAM) at the block: where the evidence for a class lies, without a reference."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from errors import InputError
from models.blocks.layout import Grid, grid_of
from models.specs.placement import Place
from viz.attention.captures import BlockCapture, Capture, Memory
from viz.attention.choice import MapChoice
from viz.attention.hooks import listening
from viz.attention.kinds.channel_scores import check_class
from viz.attention.kinds.kind import MapKind, top
from viz.types import AttentionMap, Cell, Query


@dataclass(frozen=True, eq=False)
class ClassCapture(BlockCapture):
    """A block whose class maps are made when they are asked for: one backward pass a class."""

    kind: ClassVar[str] = "class maps"
    place: Place
    capture: Capture
    query_grid: Grid
    block_input: Tensor
    made: Memory

    @property
    def key_grid(self) -> Grid:
        """The cells of maps."""
        return self.query_grid


class ClassMaps(MapKind):
    """ReLU(sum_c w_c A_c(j)), w_c the mean gradient of the class's logit with respect to A_c, A
    what leaves the block (Selvaraju et al. 2017, eqs. 1-2)."""

    name = "class maps"
    title = "Grad-CAM"
    menu = "evidence for a class (Grad-CAM)"
    derived = True
    referenced = False
    without_reference = "The network's evidence for a class."
    part = "class"
    rankings = answer_rankings = ("probability",)
    ranking_help = "probability: the classes that the network finds most probable."

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether the network can be run on from the block."""
        return block.block_input is not None and block.place is not None

    def derive(self, capture: Capture, block: BlockCapture) -> ClassCapture:
        """Return what makes the block's class maps; InputError for a network without classes."""
        if not len(capture.logits):
            raise InputError(
                f"{capture.model.id} has no classifier, and class maps need one; choose another "
                "map, or give a checkpoint with its classifier."
            )
        x = block.block_input
        return ClassCapture(block.place, capture, grid_of(x), x, Memory(32))

    def parts(self, block: ClassCapture) -> int:
        """Return the number of classes."""
        return len(block.capture.logits)

    def rank(self, block: ClassCapture, cell: Cell, ranking: str) -> list[int]:
        """Return all classes, the most probable first."""
        del cell, ranking
        return top(block.capture.logits)

    def map(self, block: ClassCapture, cell: Cell, choice: MapChoice | None = None) -> AttentionMap:
        """Return the map of a class by number, the predicted one for None; 0 and above."""
        index = int(block.capture.logits.argmax()) if choice is None else choice.number
        check_class(block.capture, index)
        values = block.made.once(index, lambda: _grad_cam(block, index))
        return AttentionMap(
            values.cpu().numpy(),
            Query(block.label, cell),
            "class evidence, 0 and above",
            f"class {index}",
            "class",
            index,
        )

    def caption(self, capture: Capture, attention: AttentionMap) -> str:
        """Return the name of the map's class."""
        return capture.model.class_name(attention.number)

    def formula(self, block: ClassCapture) -> str:
        """Return the formula of Grad-CAM."""
        del block
        return (
            r"m(j)=\operatorname{ReLU}\Big(\sum_c w_c A_c(j)\Big),\qquad "
            r"w_c=\tfrac{1}{N}\sum_j\frac{\partial\,\mathrm{logit}}{\partial A_c(j)}"
        )

    def sentence(self, block: ClassCapture) -> str:
        """Return what a value means."""
        return (
            f"Each value is the evidence for the class in what leaves {block.label} at position j. "
            "The map has no reference patch: it is the same wherever the pointer is."
        )


def _grad_cam(block: ClassCapture, index: int) -> Tensor:
    """Run the units behind the block once more, forward and back: (T, h, w) float32."""
    model = block.capture.model
    network, x = model.network, block.block_input
    with listening(model, ()):
        with torch.no_grad():
            # Of a trunk without blocks, what leaves the unit is kept, and nothing is behind it.
            features = network.block_at(block.place)(x) if network.places else x
        features = features.detach().requires_grad_()
        with torch.enable_grad():
            logit = network.resume(block.place, features)[0, index]
            (gradient,) = torch.autograd.grad(logit, features)
    weights = gradient.mean((2, 3, 4), keepdim=True)
    return torch.relu((weights * features.detach()).sum(1))[0].float()
