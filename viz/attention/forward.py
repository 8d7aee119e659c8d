"""The only forward pass: run a network once and keep the factors of every block's maps."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from errors import MachineError
from models.detection.detector import Detector
from models.loaded import LoadedModel
from viz.attention.captures import BlockCapture, Capture
from viz.attention.hooks import listening
from viz.attention.kinds.kind import Tap
from viz.attention.kinds.registry import KINDS
from viz.types import ModelInput


def capture(model: LoadedModel, model_input: ModelInput) -> Capture:
    """Run the network once on (1, 3, T, H, W); return what every map kind keeps, and the logits."""
    taps = [tap for kind in KINDS.values() for tap in kind.taps(model.network)]
    blocks: dict[str, BlockCapture] = {}
    weight = next(model.network.parameters(), torch.zeros(1))
    listeners = [(tap.module, _keep_in(blocks, tap)) for tap in taps]
    x = model_input.tensor.to(weight.device, weight.dtype)
    with listening(model, listeners), torch.no_grad(), _fitting(model, x):
        with ExitStack() as around:
            seen = [around.enter_context(k.around(model.network, x)) for k in KINDS.values()]
            found = model.network(x)
        for some in seen:
            blocks |= some
    of_input = (model_input.geometry, model_input.frames, model)
    if isinstance(model.network, Detector):
        detections = tuple(one.moved() for one in found)
        logits = torch.stack([one.evidence(model.spec.labels) for one in detections]).amax(0)
        return Capture(blocks, logits, *of_input, detections)
    return Capture(blocks, found[0].float().cpu(), *of_input)


@contextmanager
def _fitting(model: LoadedModel, x: Tensor) -> Iterator[None]:
    """Say in one line where a GPU has no room for an input."""
    try:
        yield
    except torch.OutOfMemoryError as problem:
        size = "x".join(map(str, x.shape[2:]))
        raise MachineError(
            f"An input of {size} to {model.id} does not fit into the memory of {x.device}; use a "
            "smaller size, or compute on cpu."
        ) from problem


def _keep_in(blocks: dict[str, BlockCapture], tap: Tap) -> Callable[..., None]:
    """Return a forward hook that keeps what a module leaves under its label."""

    def keep(_module: nn.Module, args: tuple, output: Any) -> None:  # noqa: ANN401
        blocks[tap.label] = tap.keep(args, output)

    return keep
