"""A module that this program did not define, as a network: clips in, class scores out."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from errors import InputError
from models.specs.wrapped import WrappedSpec
from models.zoo.wrapped.cells import TokenCells, UnplacedError, place
from models.zoo.wrapped.grids import Picture, Tokens
from models.zoo.wrapped.running import Attending, Running
from models.zoo.wrapped.tap import AttentionTap, Call


class WrappedNetwork(nn.Module):
    """``module`` behind the interface of ``models.build.Network``; it has no blocks of ours.

    Networks of pictures see the frames of a clip one after the other. ``answer`` is the user's
    grid and prefix of tokens that fit none.
    """

    places = ()

    def __init__(self, module: nn.Module, spec: WrappedSpec, answer: Tokens | None = None) -> None:
        super().__init__()
        self.module, self.spec, self._answer = module, spec, answer
        self._cells: dict[tuple[int, ...], dict[str, TokenCells | UnplacedError]] = {}
        self._attending: dict[tuple[int, ...], Attending] = {}

    def gated(self) -> dict[str, nn.Module]:
        """Return no gates."""
        return {}

    def forward(self, x: Tensor) -> Tensor:
        """(1, 3, T, H, W) -> logits (1, classes), the mean over frames where they are seen apart;
        (1, 0) without classes. InputError says in one line what the module cannot do."""
        if self.spec.layout == "BCHW":
            made = [self._run(x[:, :, t]) for t in range(x.shape[2])]
        else:
            made = [self._run(x if self.spec.layout == "BCTHW" else x.transpose(1, 2))]
        if not self.spec.num_classes:
            return x.new_zeros(len(x), 0)
        return torch.stack([scores_of(one) for one in made]).mean(0)

    def _run(self, x: Tensor) -> Any:  # noqa: ANN401
        try:
            with _as_written(self.module):
                return self.module(x)
        except Exception as problem:
            said = " ".join(str(problem).split())[:200]
            raise InputError(
                f"{self.spec.architecture} does not run on an input of "
                f"{' x '.join(map(str, x.shape))} ({type(problem).__name__}: {said}); give a "
                "module that takes one such tensor, or another size or number of frames."
            ) from problem

    @contextmanager
    def tapped(self, size: tuple[int, int, int] | None = None) -> Iterator[list[Call]]:
        """Listen to attention while the network runs; the list holds the calls afterwards.

        At a ``size`` whose cells are known, only inside the modules that attend.
        """
        running = Running()
        tap = AttentionTap(running)
        with running.watching(self.module, tap, self._attending.get(size)):
            yield tap.calls

    def cells(self, calls: list[Call], size: tuple[int, int, int]) -> dict[str, TokenCells]:
        """Return the cells of each call of one run by its label, for an input of ``size``; found
        once a size. Calls that fit no grid are left out; ``unplaced`` has them."""
        if size not in self._cells:
            with torch.no_grad():
                picture = Picture(size, self._answer)
                self._cells[size] = {c.label: _placed(c, picture) for c in calls}
            self._attending[size] = _attending(calls)
        found = self._cells[size].items()
        return {name: one for name, one in found if isinstance(one, TokenCells)}

    def unplaced(self, size: tuple[int, int, int]) -> dict[str, str]:
        """Return why layers were left out at a size, by their labels."""
        found = self._cells[size].items()
        return {name: str(one) for name, one in found if isinstance(one, UnplacedError)}


def _as_written(module: nn.Module) -> AbstractContextManager:
    """Run compiled parts as they are written: a compiled call cannot be listened to."""
    compiled = any(
        "_orig_mod" in part._modules or part._compiled_call_impl is not None
        for part in module.modules()
    )
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()


def _attending(calls: list[Call]) -> Attending:
    names = (frame.name for call in calls for frame, _number in call.frames)
    inner = frozenset(call.frames[-1][0].name for call in calls if call.frames)
    return Attending(inner, tuple(dict.fromkeys(names)))


def _placed(call: Call, picture: Picture) -> TokenCells | UnplacedError:
    try:
        return place(call, picture)
    except UnplacedError as problem:
        return problem.with_traceback(None)  # which would keep every tensor of the run


def runs_of(calls: list[Call]) -> dict[str, list[Call]]:
    """Return the calls by label, one a run (a frame, where frames are seen apart).

    A module that attends several times in one run has labels of its own: "attn", "attn (2)".
    """
    found: dict[str, list[Call]] = {}
    seen: dict[tuple[int, str], int] = {}
    for call in calls:
        key = (call.run, call.label)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            call.label = f"{call.label} ({seen[key]})"
        found.setdefault(call.label, []).append(call)
    return found


def scores_of(output: Any) -> Tensor:  # noqa: ANN401
    """Return the class scores (B, K) in what a module gives: a tensor, or an output that has them
    as ``logits``, or first."""
    if isinstance(output, Tensor):
        return output
    if (logits := getattr(output, "logits", None)) is not None:
        return logits
    if isinstance(output, dict) and "logits" in output:
        return output["logits"]
    return output[0]
