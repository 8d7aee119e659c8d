"""Forward hooks that always come off, under the model's lock."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from torch import nn

from models.loaded import LoadedModel


def _modules(network: nn.Module) -> list[nn.Module]:
    """Return a network and all modules in it, each once.

    ``network.modules()`` makes their names, too, which takes longer than all else here.
    """
    found, seen = [network], {network}
    for module in found:  # it grows meanwhile
        for inside in module._modules.values():
            if inside is not None and inside not in seen:
                seen.add(inside)
                found.append(inside)
    return found


@contextmanager
def listening(
    model: LoadedModel, listeners: Iterable[tuple[nn.Module, Callable]]
) -> Iterator[None]:
    """Put forward hooks on modules for the forwards in the ``with``; they always come off.

    Holds the model's lock, and keeps every module's train/eval mode as it was.
    """
    with model.lock:
        # Setting a mode is slow, and networks that are looked at are in eval mode already.
        training = [module for module in _modules(model.network) if module.training]
        handles = []
        try:
            for module, hook in listeners:
                handles.append(module.register_forward_hook(hook))
            for module in training:
                module.training = False
            yield
        finally:
            for handle in handles:
                handle.remove()
            for module in training:
                module.training = True
