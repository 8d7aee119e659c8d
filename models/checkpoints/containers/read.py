"""A checkpoint file of any container, as one flat state dict and what is beside it.

Nothing in a file is run, and nothing is loaded in part: ``read`` returns the whole or raises.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from errors import CheckpointError
from models.checkpoints.containers import arrays, container_type, readers
from models.checkpoints.containers.metadata import MAX_TEXT, flatten, kind
from models.checkpoints.containers.readers import Opened

STATE_KEYS = ("state_dict", "model_state", "model_state_dict", "model", "net", "blobs")
"""Where the state dict is looked for, in this order; otherwise the file is one itself."""

MAX_ENTRIES = 200_000
"""Entries looked at in one file, each as often as the file refers to it."""

_TRAINING = ("optim", "sched", "scaler", "amp", "lr", "message_hub", "param_sched", "callbacks")
"""How the names of what only training needs begin."""


@dataclass(frozen=True, eq=False)
class RawCheckpoint:
    """A checkpoint file as it is: no key is renamed, no value changed.

    ``tensors`` are on the CPU, of the file's own dtypes, and may hold NaN. ``metadata`` is text,
    nested names joined with dots; lists are JSON. ``ignored`` gives the reason for each top-level
    entry that is in neither.
    """

    name: str
    container: str
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    ignored: dict[str, str]
    sha256: str


def read(path: Path) -> RawCheckpoint:
    """Read the checkpoint file at ``path``, whatever its name; CheckpointError in one line."""
    try:
        with container_type.opened(path) as (file, size):
            opened = _open(path, file, size)
            sha256 = _sha256(file)
        tensors, beside = _state_dict(opened)
        metadata, ignored = _beside(beside)
        metadata = {k: v[:MAX_TEXT] for k, v in opened.header.items()} | metadata
        return RawCheckpoint(path.name, opened.container, tensors, metadata, ignored, sha256)
    except CheckpointError as refusal:
        raise CheckpointError(f"{path.name} {refusal}") from refusal
    except (OSError, MemoryError) as problem:
        reason = getattr(problem, "strerror", None) or "not enough memory"
        raise CheckpointError(f"{path.name} could not be read ({reason}); try again.") from problem


def _open(path: Path, file: BinaryIO, size: int) -> Opened:
    match container_type.sniff(file, size):
        case container_type.SAFETENSORS:
            return readers.read_safetensors(str(path))
        case container_type.ZIP:
            return readers.read_zip(file, size)
        case container_type.LEGACY:
            return readers.read_legacy(file, size)
        case _:
            return readers.read_caffe2(file)


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _state_dict(opened: Opened) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Return the tensors, and what is beside them."""
    if not isinstance(opened.content, dict):
        raise CheckpointError(
            f"holds {kind(opened.content)}, not a state dict; save the network's state_dict()."
        )
    state, beside = _found(_by_name(opened.content))
    if opened.container == container_type.PICKLE:
        # Caffe2 keeps its iteration counter among the blobs
        state, counters = _sorted_out(state)
        beside |= counters
    return _tensors(state), beside


def _found(content: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the state dict in a file, or the file that is one itself, and what is beside it."""
    for key in STATE_KEYS:
        if _is_state(content.get(key)):
            beside = {name: value for name, value in content.items() if name != key}
            return _by_name(content[key]), beside
    if not _is_state(content):
        raise CheckpointError(
            f"holds no tensors. Weights are looked for at the top and under "
            f"{', '.join(STATE_KEYS)}; it has {', '.join(list(content)[:5]) or 'nothing'}."
        )
    return content, {}


def _sorted_out(state: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the entries of a state dict that hold values, and the others."""
    kept: dict[str, object] = {}
    others: dict[str, object] = {}
    for name, value in state.items():
        (kept if _holds_values(value) else others)[name] = value
    return kept, others


def _by_name(entries: dict) -> dict[str, object]:
    """Check the size and the keys of a dictionary; Python 2's and numpy's keys may be bytes."""
    if len(entries) > MAX_ENTRIES:
        raise CheckpointError(f"has {len(entries):,} entries; up to {MAX_ENTRIES:,} are read.")
    named = {k.decode("latin-1") if isinstance(k, bytes) else k: v for k, v in entries.items()}
    wrong = [key for key in named if not isinstance(key, str)]
    if wrong:
        raise CheckpointError(
            f"has an entry with the key {wrong[0]!r:.50}, which is no text; save the network's "
            "state_dict()."
        )
    return named


def _holds_values(value: object) -> bool:
    return isinstance(value, Tensor) or arrays.is_array(value)


def _is_state(value: object) -> bool:
    return isinstance(value, dict) and any(_holds_values(entry) for entry in value.values())


def _tensors(state: dict[str, object]) -> dict[str, Tensor]:
    tensors, total = {}, 0
    for key, value in state.items():
        try:
            tensors[key] = _tensor(value)
        except CheckpointError as problem:
            raise CheckpointError(
                f"cannot be used: entry {key[:200]!r} {problem}; a state dict holds dense float "
                "or integer tensors only."
            ) from problem
        total += tensors[key].numel() * tensors[key].element_size()
        if total > container_type.MAX_TENSOR_BYTES:
            raise CheckpointError(
                f"unpacks to more than {container_type.MAX_TENSOR_BYTES / 2**30:.0f} GB; refused."
            )
    return tensors


def _tensor(value: object) -> Tensor:
    if arrays.is_array(value):
        return torch.from_numpy(arrays.array(value))
    if not isinstance(value, Tensor):
        raise CheckpointError(f"is {kind(value)}")
    if value.is_quantized or value.layout != torch.strided or value.device.type != "cpu":
        raise CheckpointError("is no dense tensor in memory")
    return value.detach().contiguous()


def _beside(entries: dict[str, object]) -> tuple[dict[str, str], dict[str, str]]:
    """Sort what is beside the tensors into metadata and, with reasons, ignored."""
    metadata: dict[str, str] = {}
    ignored: dict[str, str] = {}
    for name, value in entries.items():
        if name.startswith(_TRAINING):
            ignored[name] = "training state"
        elif found := flatten(name, value, MAX_ENTRIES - len(metadata)):
            metadata |= found
        else:
            ignored[name] = f"neither text nor numbers ({kind(value)})"
    return metadata, ignored
