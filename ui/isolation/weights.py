"""Checkpoints read by children: the same as models.checkpoints reads, whose tensors lie in shared
memory until a network has taken them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from errors import CheckpointError
from models.checkpoints import Read
from models.checkpoints.containers import container_type
from models.checkpoints.containers.contents import WEIGHTS
from models.checkpoints.containers.read import RawCheckpoint, tensor_of
from models.report import Fact, Question, UndecidedError
from ui.isolation import channel
from ui.isolation.given import Look, pool
from ui.isolation.pool import nothing
from ui.isolation.read_weights import ALIGNED
from viz.media.limits import safe_name


def reader(look: Look = nothing) -> Read:
    """Return what reads checkpoints in a child, for ``models.checkpoints.load`` and ``inspect``."""

    def read(path: Path, weights: str | None) -> RawCheckpoint:
        with container_type.opened(path) as (file, size):
            request = {"kind": "weights", "names": [path.name], "weights": weights}
            name = safe_name(path.name)
            told, blocks = pool().run(request, [file.fileno()], name, look)
        try:
            return _raw(told, blocks, path.name, size)
        except (channel.BrokenChannelError, LookupError, TypeError, ValueError) as problem:
            raise CheckpointError(
                f"{name} could not be read ({problem}); save the network's state_dict again."
            ) from problem
        finally:
            channel.close(blocks)

    return read


def _raw(told: dict, blocks: list[int], name: str, size: int) -> RawCheckpoint:
    """Return what a child told of a file of ``size`` bytes; it is checked as the file would be."""
    if "questions" in told:
        raise UndecidedError(name, tuple(_question(*one) for one in told["questions"]))
    if told["container"] not in container_type.CONTAINERS:
        raise channel.BrokenChannelError("a container that is not known")
    places = told["places"]
    length = channel.length(blocks[0], "u1")
    container_type.check_made(length - ALIGNED * len(places), size)
    whole = channel.array(blocks[0], (length,), "u1") if length else np.zeros(0, np.uint8)
    return RawCheckpoint(
        name,
        told["container"],
        {str(key): _tensor(whole, *place) for key, *place in places},
        _texts(told["metadata"]),
        _texts(told["ignored"]),
        str(told["sha256"])[:64],
        told["weights"] and _fact(*told["weights"]),
    )


def _tensor(whole: np.ndarray, dtype: str, shape: list[int], place: int) -> Tensor:
    whole_numbers = all(type(number) is int and number >= 0 for number in (*shape, place))
    if not whole_numbers or place % ALIGNED:
        raise channel.BrokenChannelError("a tensor without a place")
    return tensor_of(whole, str(dtype), shape, place)  # ValueError outside of the block


def _texts(entries: Mapping[str, str]) -> dict[str, str]:
    return {str(key): str(value) for key, value in dict(entries).items()}


def _question(name: str, text: str, choices: list[str]) -> Question:
    return Question(str(name), str(text), tuple(map(str, choices)))


def _fact(value: str, choices: list[str]) -> Fact:
    return Fact(WEIGHTS, str(value), "your answer", tuple(map(str, choices)))
