"""The only forward pass: run a network once and keep the factors of every block's maps."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from errors import AttentionVizError, MachineError
from models import devices
from models.detection.detector import Detector
from models.loaded import LoadedModel
from models.zoo.wrapped.network import WrappedNetwork
from viz.attention.captures import BlockCapture, Capture
from viz.attention.hooks import listening
from viz.attention.kinds.kind import Tap
from viz.attention.kinds.registry import KINDS
from viz.types import ModelInput

Watch = Callable[[float], None]
"""Called while a network runs, with the share of its modules that are done; whatever it raises ends
the forward pass."""


def capture(model: LoadedModel, model_input: ModelInput, watch: Watch | None = None) -> Capture:
    """Run the network once on (1, 3, T, H, W); return what every map kind keeps, and the logits."""
    (found,) = _together(model, [model_input], watch)
    return found


def captures(
    model: LoadedModel, inputs: Sequence[ModelInput]
) -> Iterator[Capture | AttentionVizError]:
    """Yield what each input leaves, or why it leaves nothing; those of one size that follow each
    other run together, as many as the device takes at once.

    Detectors and networks of other libraries run on one input after the other.
    """
    at_once = devices.at_once(devices.of(model.network)) if _takes_many(model) else 1
    for _shape, alike in groupby(inputs, lambda one: one.tensor.shape):
        together = list(alike)
        for first in range(0, len(together), at_once):
            yield from _tried(model, together[first : first + at_once])


def _tried(
    model: LoadedModel, inputs: Sequence[ModelInput]
) -> Iterator[Capture | AttentionVizError]:
    """Yield the captures of inputs of one size; one by one where together they do not fit."""
    try:
        yield from _together(model, inputs)
    except AttentionVizError as problem:
        if len(inputs) == 1:
            yield problem
        else:
            for one in inputs:
                yield from _tried(model, [one])


def _takes_many(model: LoadedModel) -> bool:
    return not isinstance(model.network, Detector | WrappedNetwork)


def _together(
    model: LoadedModel, inputs: Sequence[ModelInput], watch: Watch | None = None
) -> list[Capture]:
    """Run the network once on inputs of one size."""
    count = len(inputs)
    taps = [tap for kind in KINDS.values() for tap in kind.taps(model.network)]
    blocks: list[dict[str, BlockCapture]] = [{} for _ in inputs]
    weight = next(model.network.parameters(), inputs[0].tensor)
    listeners = [(tap.module, _keep_in(blocks, tap)) for tap in taps]
    listeners += _watching(model.network, watch) if watch else []
    x = inputs[0].tensor if count == 1 else torch.cat([one.tensor for one in inputs])
    x = x.to(weight.device, weight.dtype)
    with listening(model, listeners), torch.no_grad(), _fitting(model, x):
        with ExitStack() as around:
            seen = [around.enter_context(k.around(model.network, x)) for k in KINDS.values()]
            found = model.network(x)
        for some in seen:
            blocks[0] |= some  # kinds that stand around a pass see one input at a time
    of_input = ((one.geometry, one.frames, model) for one in inputs)
    if isinstance(model.network, Detector):
        detections = tuple(one.moved() for one in found)
        logits = torch.stack([one.evidence(model.spec.labels) for one in detections]).amax(0)
        return [Capture(blocks[0], logits, *next(of_input), detections)]
    logits = found.float().cpu()
    return [Capture(*one) for one in zip(blocks, logits, *zip(*of_input, strict=True), strict=True)]


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


def _watching(network: nn.Module, watch: Watch) -> list[tuple[nn.Module, Callable]]:
    """Return a forward hook for every module without modules in it, which tells how many are
    done."""
    leaves = [m for m in network.modules() if not any(m.children())]
    leaves = [m for m in leaves if not isinstance(m, torch.jit.ScriptModule)]
    done = [0]

    def tell(*_given: object) -> None:
        done[0] += 1
        watch(min(1.0, done[0] / len(leaves)))

    return [(leaf, tell) for leaf in leaves]


def _keep_in(blocks: list[dict[str, BlockCapture]], tap: Tap) -> Callable[..., None]:
    """Return a forward hook that keeps what a module leaves of each input under its label."""

    def keep(_module: nn.Module, args: tuple, output: Any) -> None:  # noqa: ANN401
        for number, kept in enumerate(blocks):
            own_args, own = (_share(value, number, len(blocks)) for value in (args, output))
            kept[tap.label] = tap.keep(own_args, own)

    return keep


def _share(value: Any, number: int, count: int) -> Any:  # noqa: ANN401
    """Return what belongs to input ``number`` of ``count``: every tensor's consecutive part, frames
    that are folded into the batch with it."""
    if count == 1:
        return value
    if isinstance(value, Tensor):
        return value.chunk(count)[number]
    if isinstance(value, tuple):
        parts = (_share(part, number, count) for part in value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value
