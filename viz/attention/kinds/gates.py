"""Gates (CGD, SE, CBAM): what each channel is multiplied by, and the activations around it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from models.blocks.layout import Grid
from models.build import Network
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice
from viz.attention.kinds.kind import MapKind, Tap
from viz.types import AttentionMap, Cell, Query


@dataclass(frozen=True, eq=False)
class GateCapture(BlockCapture):
    """One gate: its factors and the mean |activation| over channels around it, float32.

    ``gate`` (C,) is what each channel is multiplied by (1 + tanh(z) of a CGD, 0 to 2), the same in
    all frames; a CGD over height, width or space has (H,), (W,) or (H, W). ``mean_before`` and
    ``mean_after`` are (T, H, W).
    """

    kind: ClassVar[str] = "gates"
    name: str
    gate: np.ndarray
    mean_before: np.ndarray
    mean_after: np.ndarray
    place: None = None
    block_input: None = None

    @property
    def label(self) -> str:
        """The gate's name, told from an attention block behind the same unit: res4.4 gate."""
        return _label(self.name)

    @property
    def query_grid(self) -> Grid:
        """The cells of its activations; a gate has no reference."""
        return Grid(*self.mean_after.shape)

    key_grid = query_grid


class Gates(MapKind):
    """1 + tanh(z), z = g(X) f(X)^T w (He et al. 2019, eqs. 7-12): a factor a channel, no reference
    and no row. Its picture is the mean |activation| behind the gate."""

    name = "gates"
    title = "Gate"
    menu = "gates"
    referenced = False
    has_labels = False

    def taps(self, network: Network) -> Iterable[Tap]:
        """Listen to every gate, in the order they are passed."""
        for name, gate in network.gated().items():
            yield Tap(_label(name), gate, _keeper(name, gate))

    def map(self, block: GateCapture, cell: Cell, choice: MapChoice | None = None) -> AttentionMap:
        """Return the mean |activation| after the gate."""
        del choice
        query = Query(block.label, cell)
        return AttentionMap(block.mean_after, query, "mean |activation|, 0 and above", "gate")

    def formula(self, block: GateCapture) -> str:
        """Return the formula of the compact global descriptor."""
        del block
        return r"y_c=\left(1+\tanh z_c\right)x_c,\qquad z=g(X)\,f(X)^{\mathsf T}w"

    def sentence(self, block: GateCapture) -> str:
        """Return what a factor means."""
        del block
        return (
            "A gate multiplies every channel by a factor that is made of the whole picture: 1 "
            "leaves it as it is, below 1 weakens it, above 1 strengthens it."
        )


def _label(name: str) -> str:
    return f"{name} gate"


def _keeper(name: str, gate: nn.Module) -> Callable[[tuple, Tensor], BlockCapture]:
    def keep(args: tuple, after: Tensor) -> GateCapture:
        before = args[0]
        # The batch is one clip, so its folded axis is T.
        factors = gate.gates(before, before.shape[0])[0]
        return GateCapture(name, _array(factors), _mean(before), _mean(after))

    return keep


def gate_layers(capture: Capture) -> tuple[GateCapture, ...]:
    """Return the gates of a network in the order they are passed; empty without gates."""
    return tuple(one for one in capture.blocks.values() if isinstance(one, GateCapture))


def _mean(features: Tensor) -> np.ndarray:
    """(T, C, H, W) -> mean |activation| over channels, (T, H, W)."""
    return _array(features.abs().mean(1))


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
