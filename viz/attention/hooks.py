"""Forward hooks that always come off, under the model's lock."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from torch import nn

from models.loaded import LoadedModel


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
