"""A checkpoint file of any container, as one flat state dict of tensors and what is beside it.

Nothing in a file is run, and nothing is loaded in part: ``read`` returns the whole or raises.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from errors import CheckpointError
from models.checkpoints.containers import contents
from models.checkpoints.containers.contents import WEIGHTS
from models.checkpoints.containers.tensors import kept_as
from models.report import Fact

__all__ = ["WEIGHTS", "RawCheckpoint", "read", "tensor_of"]


@dataclass(frozen=True, eq=False)
class RawCheckpoint:
    """A checkpoint file as it is: no key is renamed, no value changed.

    ``tensors`` are on the CPU, of the file's own dtypes, and may hold NaN; the rest is as in
    contents.Contents.
    """

    name: str
    container: str
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    ignored: dict[str, str]
    sha256: str
    weights: Fact | None = None


def read(path: Path, weights: str | None = None) -> RawCheckpoint:
    """Read the checkpoint file at ``path``, whatever its name; CheckpointError in one line.

    ``weights`` says which of several state dicts is meant; UndecidedError asks for it.
    """
    with contents.opened(path, path.name, weights) as found:
        tensors = {
            key: tensor_of(values.array.reshape(-1), values.dtype, values.array.shape)
            for key, values in found.values
        }
        return RawCheckpoint(
            path.name,
            found.container,
            tensors,
            found.metadata,
            found.ignored,
            found.sha256,
            found.weights,
        )


def tensor_of(buffer: object, dtype: str, shape: Sequence[int], offset: int = 0) -> Tensor:
    """Return bytes of a buffer as a tensor that shares them; CheckpointError where torch lacks the
    dtype.

    ``dtype`` is torch's name of it, ``offset`` counts bytes.
    """
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype) or kept_as(dtype).itemsize != kind.itemsize:
        raise CheckpointError(f"holds tensors of {dtype[:20]}, which this torch does not have.")
    if not prod(shape):
        return torch.zeros(tuple(shape), dtype=kind)
    flat = torch.frombuffer(buffer, dtype=kind, count=prod(shape), offset=offset)
    return flat.reshape(tuple(shape))
