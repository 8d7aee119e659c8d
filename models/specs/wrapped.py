"""What is known of a network that this program did not define: its input, what attends in it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from models.specs.checks import one_of, within
from models.specs.network import MAX_CLASSES, Preprocessing

InputLayout = Literal["BCHW", "BCTHW", "BTCHW"]
"""How a module takes its input: pictures, or clips with channels or frames first."""


class AttendingLayer(NamedTuple):
    """One call of attention: the name of its module, its heads, and the (frames, rows, columns) of
    its queries and keys at the network's own input size; ``prefix`` tokens have no cell."""

    label: str
    heads: int
    query_grid: tuple[int, int, int]
    key_grid: tuple[int, int, int]
    prefix: int = 0


@dataclass(frozen=True)
class WrappedSpec:
    """A module of a library, or of the user: ``source`` says which (timm 1.0.31, your module).

    ``num_classes`` is 0 where its output is no class scores. ``left_out`` are (layer, reason) of
    what attends and cannot be shown.
    """

    source: str
    architecture: str
    layers: tuple[AttendingLayer, ...]
    preprocessing: Preprocessing
    num_classes: int = 0
    layout: InputLayout = "BCHW"
    parameters: int = 0
    left_out: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        one_of("Input layout", self.layout, get_args(InputLayout))
        within("Number of classes", self.num_classes, 0, MAX_CLASSES)
