"""Gates inside residual units by their spec: one table."""

from torch import Tensor, nn

from errors import SpecError
from models.blocks.cgd_block import CGDBlock
from models.blocks.comparison import CBAM, SqueezeExcitation
from models.specs.gate import CBAMSpec, CGDSpec, GateSpec, SESpec

Gate = CGDBlock | SqueezeExcitation | CBAM
"""A gate takes x (B*T, C, H, W) and T; ``gates`` returns the factors of its channels, (B, C)."""

_CHANNEL_GATES: dict[type, type] = {SESpec: SqueezeExcitation, CBAMSpec: CBAM}


class NoGate(nn.Module):
    """In the place of a gate where a unit has none: (B*T, C, H, W) -> itself."""

    def forward(self, x: Tensor, frames: int = 1) -> Tensor:  # noqa: ARG002 (a gate's signature)
        """Return x."""
        return x


def gate(spec: GateSpec, channels: int, side: int | None = None) -> Gate:
    """Return a fresh gate for ``channels`` channels.

    ``side`` is the height and width of the features; only a CGD over height, width or space needs
    it, and the papers' networks have CGDs over channels only.
    """
    if isinstance(spec, CGDSpec):
        return CGDBlock(channels, spec, side)
    return _CHANNEL_GATES[type(spec)](channels, spec)


def cgd_or_none(spec: GateSpec | None, channels: int) -> CGDBlock | NoGate:
    """Return the gate of a compact network's unit; SpecError for other gates than CGD.

    It is where the authors' code has it in that family, whatever position the spec names.
    """
    if spec is None:
        return NoGate()
    if not isinstance(spec, CGDSpec):
        raise SpecError(
            f"{type(spec).__name__} is not a gate of compact networks; use CGD, none, or a ResNet."
        )
    return CGDBlock(channels, spec)
