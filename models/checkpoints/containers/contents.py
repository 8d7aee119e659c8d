"""What a file of any container holds, without torch: one flat state dict, whose values are made one
after another, and what is beside it.

Nothing in a file is run.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from errors import CheckpointError
from models.checkpoints.containers import arrays, container_type, formats
from models.checkpoints.containers.formats import Opened
from models.checkpoints.containers.metadata import MAX_TEXT, flatten, kind
from models.checkpoints.containers.states import (
    MAX_ENTRIES,
    STATE_KEYS,
    by_name,
    candidates,
    holds_values,
    is_training,
)
from models.checkpoints.containers.tensors import Storages, Values, tensor
from models.report import Fact, Question, UndecidedError

WEIGHTS = "weights"
"""The name of the question which of several state dicts is meant."""
_WHICH = "Which of its weights are meant?"


@dataclass(frozen=True, eq=False)
class Contents:
    """What a checkpoint file holds; ``values`` are made as they are gone through, once.

    ``metadata`` is text, nested names joined with dots; lists are JSON. ``ignored`` gives the
    reason for each top-level entry that is in neither. ``weights`` says under which name the
    values were found, where that is one of several.
    """

    container: str
    values: Iterator[tuple[str, Values]]
    metadata: dict[str, str]
    ignored: dict[str, str]
    sha256: str
    weights: Fact | None = None


@contextmanager
def opened(path: Path, name: str, weights: str | None = None) -> Iterator[Contents]:
    """Open the checkpoint file at ``path``, which is called ``name``; CheckpointError in one line.

    ``weights`` says which of several state dicts is meant; UndecidedError asks for it.
    """
    try:
        with container_type.opened(path) as (file, size):
            found = _open(path, file, size)
            states = candidates(found.content)
            chosen = _chosen(states, found, weights, name)
            kept, others = _sorted_out(states[chosen])
            beside = _around(found.content, chosen) | others
            metadata, ignored = _beside(beside, found.storages)
            fact = None
            if len(states) > 1 or weights is not None:
                fact = Fact(WEIGHTS, chosen, "your answer", tuple(states))
            yield Contents(
                found.container,
                _values(kept, found.storages, size),
                {k: v[:MAX_TEXT] for k, v in found.header.items()} | metadata,
                ignored,
                _sha256(file),
                fact,
            )
    except UndecidedError:
        raise
    except CheckpointError as refusal:
        raise CheckpointError(f"{name} {refusal}") from refusal
    except (OSError, MemoryError) as problem:
        reason = getattr(problem, "strerror", None) or "not enough memory"
        raise CheckpointError(f"{name} could not be read ({reason}); try again.") from problem


def _open(path: Path, file: BinaryIO, size: int) -> Opened:
    match container_type.sniff(file, size):
        case container_type.SAFETENSORS:
            return formats.read_safetensors(str(path), file, size)
        case container_type.ZIP:
            return formats.read_zip(file, size)
        case container_type.LEGACY:
            return formats.read_legacy(file, size)
        case _:
            return formats.read_pickle(file)


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _chosen(
    found: dict[str, dict[str, object]], opened: Opened, weights: str | None, file_name: str
) -> str:
    """Return the name of the state dict that is meant."""
    if not found:
        raise CheckpointError(_nothing(opened.content))
    if weights is not None and weights not in found:
        raise CheckpointError(
            f"has no weights under {weights[:40]!r}; it has {', '.join(found) or 'nothing'}."
        )
    if len(found) > 1 and weights is None:
        raise UndecidedError(file_name, (Question(WEIGHTS, _WHICH, tuple(found)),))
    return next(iter(found)) if weights is None else weights


def _nothing(content: object) -> str:
    """Return the refusal of a file without weights."""
    if not isinstance(content, dict):
        return f"holds {kind(content)}, not a state dict; save the network's state_dict()."
    return (
        "holds no tensors. Weights are looked for at the top and under "
        f"{', '.join(STATE_KEYS[:6])} and the like; it has "
        f"{', '.join(map(str, list(content)[:5])) or 'nothing'}."
    )


def _around(content: object, name: str) -> dict[str, object]:
    """Return what is beside the state dict called ``name`` at the top of a file."""
    if not name or not isinstance(content, dict):
        return {}
    top = name.partition(".")[0]
    return {other: value for other, value in by_name(content).items() if other not in (name, top)}


def _sorted_out(state: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the entries of a state dict that hold values, and the others: Caffe2 keeps its
    iteration counter among the blobs, others numbers and None."""
    kept: dict[str, object] = {}
    others: dict[str, object] = {}
    for name, value in state.items():
        (kept if holds_values(value) else others)[name] = value
    return kept, others


def _values(
    state: dict[str, object], storages: Storages, size: int
) -> Iterator[tuple[str, Values]]:
    """Make the values of a file of ``size`` bytes, one after another, as far as it can hold."""
    total = 0
    for key, value in state.items():
        try:
            made = _made(value, storages)
        except CheckpointError as problem:
            raise CheckpointError(
                f"cannot be used: entry {key[:200]!r} {problem}; a state dict holds dense float "
                "or integer tensors only."
            ) from problem
        total += made.array.nbytes
        container_type.check_made(total, size)
        yield key, made


def _made(value: object, storages: Storages) -> Values:
    if arrays.is_array(value):
        found = arrays.array(value)
        return Values(found.dtype.name, found)
    return tensor(value, storages)


def _beside(
    entries: dict[str, object], storages: Storages
) -> tuple[dict[str, str], dict[str, str]]:
    """Sort what is beside the tensors into metadata and, with reasons, ignored."""
    metadata: dict[str, str] = {}
    ignored: dict[str, str] = {}
    for name, value in entries.items():
        if is_training(name):
            ignored[name] = "training state"
        elif found := flatten(name, value, MAX_ENTRIES - len(metadata), storages):
            metadata |= found
        else:
            ignored[name] = f"neither text nor numbers ({kind(value)})"
    return metadata, ignored
