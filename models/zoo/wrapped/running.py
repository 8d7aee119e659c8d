"""Which module of a network is running: a stack kept by hooks for the time of one forward pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


@dataclass(eq=False)
class Frame:
    """A module that is running: its name in the network, what it was given, and how many calls of
    attention it has made so far."""

    name: str
    module: nn.Module
    args: tuple
    kwargs: dict[str, Any]
    calls: int = 0

    @property
    def tensor(self) -> Tensor | None:
        """The first tensor that it was given."""
        given = (*self.args, *self.kwargs.values())
        return next((value for value in given if isinstance(value, Tensor)), None)

    @property
    def numbers(self) -> Iterator[tuple[int, ...]]:
        """Every tuple of whole numbers that it was given: the grid of its tokens, often."""
        for value in (*self.args, *self.kwargs.values()):
            several = isinstance(value, tuple | list) and 2 <= len(value) <= 3
            if several and all(isinstance(one, int) for one in value):
                yield tuple(value)


@dataclass(eq=False)
class Running:
    """The modules that are running, the outermost first, and which run of the network this is."""

    stack: list[Frame] = field(default_factory=list)
    runs: int = 0

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Keep the stack while ``network`` runs; the hooks come off, whatever happens."""
        handles = []
        try:
            for name, module in network.named_modules():
                if module is network or not _is_plain_leaf(module):
                    handles += self._watch(name, module)
            yield
        finally:
            for handle in handles:
                handle.remove()
            self.stack.clear()

    def _watch(self, name: str, module: nn.Module) -> tuple:
        def enter(_module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
            self.runs += not name
            self.stack.append(Frame(name, module, args, kwargs))

        def leave(*_given: object) -> None:
            if self.stack:
                self.stack.pop()

        return (
            module.register_forward_pre_hook(enter, with_kwargs=True),
            module.register_forward_hook(leave, always_call=True),
        )


def _is_plain_leaf(module: nn.Module) -> bool:
    """Tell whether a module is one of torch's own without parts: nothing attends inside it."""
    own = type(module).__module__.startswith("torch.nn.modules")
    return own and not any(True for _ in module.children())
