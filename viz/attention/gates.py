"""What the gates of a network do to one picture or clip: their factors, and before and after."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.loaded import LoadedModel
from viz.attention.hooks import listening
from viz.types import ModelInput


@dataclass(frozen=True, eq=False)
class GateLayer:
    """One gate: its factors and the mean |activation| over channels around it, float32.

    ``gate`` (C,) is what each channel is multiplied by (1 + tanh(z) of a CGD, 0 to 2), the same in
    all frames; a CGD over height, width or space has (H,), (W,) or (H, W). ``mean_before`` and
    ``mean_after`` are (T, H, W).
    """

    name: str
    gate: np.ndarray
    mean_before: np.ndarray
    mean_after: np.ndarray


def gate_layers(model: LoadedModel, model_input: ModelInput) -> tuple[GateLayer, ...]:
    """Run the network once on (1, 3, T, H, W); return its gates in the order they are passed.

    Empty for a network without gates, which is not run.
    """
    gates = model.network.gated()
    if not gates:
        return ()
    layers: list[GateLayer] = []
    weight = next(model.network.parameters())
    listeners = ((gate, _add_to(layers, name)) for name, gate in gates.items())
    with listening(model, listeners), torch.no_grad():
        model.network(model_input.tensor.to(weight.device, weight.dtype))
    return tuple(layers)


def _add_to(layers: list[GateLayer], name: str) -> Callable:
    """Return a forward hook that appends what a gate did to its one clip."""

    def add(gate: nn.Module, args: tuple, after: Tensor) -> None:
        before = args[0]
        # The batch is one clip, so its folded axis is T.
        factors = gate.gates(before, before.shape[0])[0]
        layers.append(GateLayer(name, _array(factors), _mean(before), _mean(after)))

    return add


def _mean(features: Tensor) -> np.ndarray:
    """(T, C, H, W) -> mean |activation| over channels, (T, H, W)."""
    return _array(features.abs().mean(1))


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
