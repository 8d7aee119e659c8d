"""What is beside the tensors of a checkpoint, as short text under dotted names."""

import json

from torch import Tensor

from errors import CheckpointError
from models.checkpoints.containers import arrays
from models.checkpoints.containers.pickles import Described

MAX_TEXT = 10**6
"""Characters of one value; the rest is cut off."""
MAX_ALL_TEXT = 32 * 10**6
MAX_LIST = 2_000
MAX_DEPTH = 8
_MAX_NAME = 200


def flatten(name: str, value: object, limit: int) -> dict[str, str]:
    """Return the texts, numbers and short lists in ``value`` as {dotted name: text}.

    Lists are JSON. What is none of these is left out. ``limit`` bounds the entries looked at:
    CheckpointError for a dictionary that holds itself over and over.
    """
    found: dict[str, str] = {}
    waiting, seen, size = [(name, value, 0)], 0, 0
    while waiting:
        path, item, depth = waiting.pop()
        seen += 1
        if isinstance(item, dict):
            if depth < MAX_DEPTH:
                waiting += [(f"{path}.{k}", v, depth + 1) for k, v in _last_first(item)]
        elif (text := as_text(item)) is not None:
            found[path] = text
            size += len(text)
        if seen + len(waiting) > limit or size > MAX_ALL_TEXT:
            raise CheckpointError(
                f"has far more beside its tensors than a checkpoint has (under {name!r:.50}); "
                "refused. Give the network's state_dict, saved alone."
            )
    return found


def as_text(value: object) -> str | None:
    """Return text, a number or a short list of them as text; None for anything else."""
    if isinstance(value, list | tuple):
        return _list_as_text(value)
    plain = _plain(value)
    if plain is None and value is not None:
        return None
    # a lone half of a character pair cannot be printed or written
    return str(plain)[:MAX_TEXT].encode("utf-8", "replace").decode()


def kind(value: object) -> str:
    """Name the type of a value from a file, for a message."""
    if arrays.is_array(value):
        return "a numpy array"
    if isinstance(value, Described):
        return f"a value of type {value.what[:100]}"
    if isinstance(value, dict):
        only_tensors = value and all(isinstance(v, Tensor) for v in value.values())
        return "a dictionary of tensors" if only_tensors else f"a dictionary of {len(value)}"
    return f"a value of type {type(value).__name__}"


def _last_first(entries: dict) -> list[tuple[object, object]]:
    """Entries in reverse, as a stack wants them, without those whose name is no name."""
    return [(k, v) for k, v in reversed(entries.items()) if len(str(k)[:_MAX_NAME]) < _MAX_NAME]


def _list_as_text(values: list | tuple) -> str | None:
    if len(values) > MAX_LIST or not all(v is None or _plain(v) is not None for v in values):
        return None
    plain = [_plain(v) for v in values]
    if sum(len(v) for v in plain if isinstance(v, str)) > MAX_TEXT:
        return None
    return json.dumps(plain)


def _plain(value: object) -> str | int | float | bool | None:
    """Return text and numbers, one-element tensors and numpy scalars too; None for the rest."""
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        return value.item()
    if arrays.is_number(value):
        return arrays.number(value)
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    return value if isinstance(value, str | int | float) else None
