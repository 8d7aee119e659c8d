"""Which module of a network is running: a stack kept by hooks for the time of one forward pass."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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


class Attending(NamedTuple):
    """The names of the modules that attend themselves, and of all that they are in."""

    inner: frozenset[str]
    every: tuple[str, ...]


@dataclass(eq=False)
class Running:
    """The modules that are running, the outermost first, and which run of the network this is."""

    stack: list[Frame] = field(default_factory=list)
    runs: int = 0

    @contextmanager
    def watching(
        self, network: nn.Module, tap: AbstractContextManager, known: Attending | None = None
    ) -> Iterator[None]:
        """Keep the stack and let ``tap`` listen while ``network`` runs; it is left and the hooks
        come off, whatever happens.

        Where it is ``known`` which modules attend, only these and those around them are watched,
        and the tap listens only inside: it slows down every function that it hears.
        """
        inside, handles = _Inside(tap, known.inner if known else frozenset()), []
        try:
            for name, module in _named(network, known.every) if known else _every(network):
                handles += self._watch(name, module, inside)
            with nullcontext() if known else tap:
                yield
        finally:
            inside.close()
            for handle in handles:
                handle.remove()
            self.stack.clear()

    def _watch(self, name: str, module: nn.Module, inside: "_Inside") -> tuple:
        def enter(_module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
            self.runs += not name
            frame = Frame(name, module, args, kwargs)
            self.stack.append(frame)
            inside.entered(frame)

        def leave(*_given: object) -> None:
            if self.stack and self.stack[-1].module is module:
                inside.left(self.stack.pop())

        return (
            module.register_forward_pre_hook(enter, with_kwargs=True),
            module.register_forward_hook(leave, always_call=True),
        )


class _Inside:
    """A tap that listens while a module of ``names`` runs, once, however they lie in each other."""

    def __init__(self, tap: AbstractContextManager, names: frozenset[str]) -> None:
        self._tap, self._names = tap, names
        self._outermost: Frame | None = None

    def entered(self, frame: Frame) -> None:
        """Begin to listen with the outermost."""
        if self._outermost is None and frame.name in self._names:
            self._tap.__enter__()
            self._outermost = frame

    def left(self, frame: Frame) -> None:
        """Stop when it has run."""
        if frame is self._outermost:
            self.close()

    def close(self) -> None:
        """Stop listening, also half-way."""
        if self._outermost is not None:
            self._outermost = None
            self._tap.__exit__(None, None, None)


def _every(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in network.named_modules():
        if module is network or not _is_plain_leaf(module):
            yield name, module


def _named(network: nn.Module, names: Iterable[str]) -> Iterator[tuple[str, nn.Module]]:
    return ((name, network.get_submodule(name)) for name in names)


def _is_plain_leaf(module: nn.Module) -> bool:
    """Tell whether a module is one of torch's own without parts: nothing attends inside it."""
    own = type(module).__module__.startswith("torch.nn.modules")
    return own and not any(True for _ in module.children())
