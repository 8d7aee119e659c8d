"""What is beside the tensors of a checkpoint, as short text under dotted names."""

import json
from math import prod

import numpy as np

from errors import CheckpointError
from models.checkpoints.containers import arrays
from models.checkpoints.containers.pickles import Described
from models.checkpoints.containers.storage_claims import layout
from models.checkpoints.containers.tensors import (
    Placed,
    Storages,
    Values,
    described_tensor,
    is_tensor,
    no_storages,
    shape_of,
    tensor,
)

MAX_TEXT = 10**6
"""Characters of one value; the rest is cut off."""
MAX_ALL_TEXT = 32 * 10**6
MAX_LIST = 2_000
MAX_DEPTH = 8
_MAX_NAME = 200
_MAX_SMALL = 4096
"""Bytes of a storage that is read for one number."""


def flatten(
    name: str, value: object, limit: int, storages: Storages = no_storages
) -> dict[str, str]:
    """Return the texts, numbers and short lists in ``value`` as {dotted name: text}.

    Lists are JSON. What a described object holds counts as a dictionary; what is none of these is
    left out. ``limit`` bounds the entries looked at: CheckpointError for a dictionary that holds
    itself over and over. ``storages`` gives the bytes of tensors, of which single numbers are read.
    """
    found: dict[str, str] = {}
    waiting, seen, size = [(name, value, 0)], 0, 0
    while waiting:
        path, item, depth = waiting.pop()
        seen += 1
        if isinstance(item, Described) and not _is_plain(item):
            item = item.attributes
        if isinstance(item, dict):
            if depth < MAX_DEPTH:
                waiting += [(f"{path}.{k}", v, depth + 1) for k, v in _last_first(item)]
        elif (text := as_text(item, storages)) is not None:
            found[path] = text
            size += len(text)
        if seen + len(waiting) > limit or size > MAX_ALL_TEXT:
            raise CheckpointError(
                f"has far more beside its tensors than a checkpoint has (under {name!r:.50}); "
                "refused. Give the network's state_dict, saved alone."
            )
    return found


def as_text(value: object, storages: Storages = no_storages) -> str | None:
    """Return text, a number, a path or a short list of them as text; None for anything else."""
    if isinstance(value, list | tuple):
        return _list_as_text(value, storages)
    plain = _plain(value, storages)
    if plain is None and value is not None:
        return None
    # a lone half of a character pair cannot be printed or written
    return str(plain)[:MAX_TEXT].encode("utf-8", "replace").decode()


def kind(value: object) -> str:
    """Name the type of a value from a file, for a message."""
    if is_tensor(value):
        return "a tensor"
    if arrays.is_array(value):
        return "a numpy array"
    if isinstance(value, Described):
        return f"a value of type {value.what[:100]}"
    if isinstance(value, dict):
        only_tensors = value and all(map(is_tensor, value.values()))
        return "a dictionary of tensors" if only_tensors else f"a dictionary of {len(value)}"
    return f"a value of type {type(value).__name__}"


def _last_first(entries: dict) -> list[tuple[object, object]]:
    """Entries in reverse, as a stack wants them, without those whose name is no name."""
    return [(k, v) for k, v in reversed(entries.items()) if len(str(k)[:_MAX_NAME]) < _MAX_NAME]


def _list_as_text(values: list | tuple, storages: Storages) -> str | None:
    if len(values) > MAX_LIST:
        return None
    plain = [_plain(v, storages) for v in values]
    if any(found is None and given is not None for found, given in zip(plain, values, strict=True)):
        return None
    if sum(len(v) for v in plain if isinstance(v, str)) > MAX_TEXT:
        return None
    return json.dumps(plain)


def _is_plain(value: Described) -> bool:
    """Tell whether a described value may be read as text or as a number."""
    return arrays.is_number(value) or is_tensor(value) or arrays.is_array(value) or _is_path(value)


def _is_path(value: Described) -> bool:
    return value.what.startswith("pathlib.") and all(isinstance(a, str) for a in value.args)


def _plain(value: object, storages: Storages) -> str | int | float | bool | None:
    """Return text, numbers and paths, one-element tensors and numpy scalars too; None for the
    rest."""
    if is_tensor(value):
        return _single(value, storages)
    if arrays.is_number(value):
        return arrays.number(value)
    if isinstance(value, Described) and _is_path(value):
        return "/".join(value.args).replace("//", "/")
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    return value if isinstance(value, str | int | float) else None


def _single(value: object, storages: Storages) -> int | float | bool | None:
    """Return the number of a tensor of one element, whose storage holds little else."""
    if prod(shape_of(value)) != 1:
        return None
    if not isinstance(value, Placed) and layout(described_tensor(value)).claim.bytes > _MAX_SMALL:
        return None
    return _number(tensor(value, storages))


def _number(values: Values) -> int | float | bool | None:
    """Return the one value as a Python number; None for complex and 8-bit floats."""
    if values.dtype == "bfloat16":
        return (values.array.astype(np.uint32) << 16).view(np.float32).item()
    is_read = values.dtype == values.array.dtype.name and values.array.dtype.kind in "biuf"
    return values.array.item() if is_read else None
