"""What a library gives for a name."""

from dataclasses import dataclass

from torch import nn

from models.specs.network import Preprocessing
from models.specs.wrapped import InputLayout


@dataclass(frozen=True, eq=False)
class Parts:
    """A module, what it is, the package with its version, its preprocessing, and its class names
    or how many there are."""

    module: nn.Module
    architecture: str
    source: str
    preprocessing: Preprocessing
    classes: tuple[str, ...] | int = 0
    layout: InputLayout = "BCHW"
