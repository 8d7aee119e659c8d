"""The only forward pass: run a network once and keep the factors of every attention block."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from models.blocks.cgnl_block import CGNLBlock, CGNLFactors
from models.blocks.layout import grid_of
from models.blocks.nonlocal_block import NonLocalBlock, NonLocalFactors
from models.build import Network
from models.loaded import LoadedModel
from models.specs.placement import Place
from viz.types import BlockCapture, Capture, CGNLCapture, ModelInput, NonLocalCapture

Tap = tuple[Tensor, NonLocalFactors | CGNLFactors]


def attending(network: Network) -> tuple[Place, ...]:
    """Return the places of NL and CGNL blocks; others have no attention map."""
    blocks = NonLocalBlock | CGNLBlock
    return tuple(p for p in network.places if isinstance(network.block_at(p), blocks))


@contextmanager
def listening(
    model: LoadedModel, listeners: Iterable[tuple[nn.Module, Callable]]
) -> Iterator[None]:
    """Put forward hooks on modules for the forwards in the ``with``; they always come off.

    Holds the model's lock, and keeps every module's train/eval mode as it was.
    """
    with model.lock:
        modes = [(module, module.training) for module in model.network.modules()]
        handles = []
        try:
            for module, hook in listeners:
                handles.append(module.register_forward_hook(hook))
            model.network.eval()
            yield
        finally:
            for handle in handles:
                handle.remove()
            for module, was_training in modes:
                module.training = was_training


@contextmanager
def projections(model: LoadedModel) -> Iterator[dict[Place, Tap]]:
    """Collect (block input, factors) by place during forwards in the ``with``."""
    taps: dict[Place, Tap] = {}
    listeners = (
        (model.network.block_at(place).projection, _keep_in(taps, place))
        for place in attending(model.network)
    )
    with listening(model, listeners):
        yield taps


def _keep_in(taps: dict[Place, Tap], place: Place) -> Callable:
    """Return a forward hook that keeps a projection's input and output under ``place``."""

    def keep(_module: nn.Module, args: tuple[Tensor], factors: Tap) -> None:
        taps[place] = (args[0], factors)

    return keep


def capture(model: LoadedModel, model_input: ModelInput) -> Capture:
    """Run the network once on (1, 3, T, H, W) and return each block's factors and the logits."""
    weight = next(model.network.parameters())
    with projections(model) as taps, torch.no_grad():
        logits = model.network(model_input.tensor.to(weight.device, weight.dtype))[0]
    blocks = {
        place.label: _factors(model.network.block_at(place), place, tap)
        for place, tap in taps.items()
    }
    return Capture(blocks, logits.float().cpu(), model_input.geometry, model_input.frames)


def _factors(block: NonLocalBlock | CGNLBlock, place: Place, tap: Tap) -> BlockCapture:
    block_input, factors = tap
    if isinstance(block, NonLocalBlock):
        # Groups of frames come as a batch, in order.
        groups = len(factors.queries)
        frames = groups * factors.query_grid.frames
        return NonLocalCapture(
            place,
            factors.queries.flatten(0, 1).float().cpu(),
            factors.keys.flatten(0, 1).float().cpu(),
            block.pairwise,
            factors.query_grid._replace(frames=frames),
            factors.key_grid._replace(frames=frames),
            block.ungrouped(block_input, frames),
            groups,
        )
    channels = factors.theta.shape[1]
    theta, phi, g = (part[0].reshape(channels, -1).float().cpu() for part in block.entries(factors))
    return CGNLCapture(
        place, theta, phi, g, block.kernel, block.spec.groups, grid_of(block_input), block_input
    )
