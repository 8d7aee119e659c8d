"""Gates inside residual units, as values."""

from dataclasses import dataclass
from typing import Literal, get_args

from models.specs.checks import one_of, switch, within

CGDVariant = Literal["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10"]
CGDAxis = Literal["channel", "height", "width", "space"]
GatePosition = Literal["conv1", "conv2", "out"]


@dataclass(frozen=True)
class CGDSpec:
    """A compact global descriptor (He et al. 2019, eqs. 7-12, Table 2).

    ``variant`` names the sub-descriptors f and g, ``axis`` what is gated ("space": height and
    width together, as the authors' spatial layer). ``position`` is the convolution of the unit
    that it directly follows. ``bias`` adds the authors' bias to every descriptor.
    """

    variant: CGDVariant = "v10"
    axis: CGDAxis = "channel"
    position: GatePosition = "conv1"
    bias: bool = True

    def __post_init__(self) -> None:
        one_of("CGD variant", self.variant, get_args(CGDVariant))
        one_of("CGD axis", self.axis, get_args(CGDAxis))
        one_of("CGD position", self.position, ("conv1", "conv2"))
        switch("CGD bias", self.bias)


@dataclass(frozen=True)
class SESpec:
    """Squeeze-and-excitation (Hu et al. 2018), for the cost tables of the CGD paper."""

    reduction: int = 16

    def __post_init__(self) -> None:
        within("Channel reduction", self.reduction, 1, 64)

    @property
    def position(self) -> GatePosition:
        """Before the addition of the shortcut."""
        return "out"


@dataclass(frozen=True)
class CBAMSpec:
    """Convolutional block attention (Woo et al. 2018), for the cost tables of the CGD paper."""

    reduction: int = 16
    kernel: int = 7

    def __post_init__(self) -> None:
        within("Channel reduction", self.reduction, 1, 64)
        one_of("Kernel of the spatial part", self.kernel, (1, 3, 5, 7, 9, 11, 13, 15))

    @property
    def position(self) -> GatePosition:
        """Before the addition of the shortcut."""
        return "out"


GateSpec = CGDSpec | SESpec | CBAMSpec
GATE_KINDS: dict[str, type] = {"cgd": CGDSpec, "se": SESpec, "cbam": CBAMSpec}
"""Name in files -> spec of a gate."""
