"""Where the weights are in what a file holds: state dicts under the names that people give them,
and networks that were pickled whole, whose parameters are found in their described state."""

from collections.abc import Iterator

from errors import CheckpointError
from models.checkpoints.containers import arrays
from models.checkpoints.containers.pickles import Described
from models.checkpoints.containers.tensors import is_tensor

STATE_KEYS = (
    "state_dict", "model_state", "model_state_dict", "model", "net", "blobs", "network", "weights",
    "params", "module", "ema", "model_ema", "ema_model", "ema_state_dict", "model_ema_state_dict",
    "state_dict_ema", "params_ema", "teacher", "student", "net_state_dict", "network_state_dict",
)  # fmt: skip
"""Names under which weights are looked for, in a file and one or two levels deeper."""

MAX_ENTRIES = 200_000
"""Entries looked at in one file, each as often as the file refers to it."""
_DEEPEST, _DEEPEST_MODULE = 2, 64
_FEW = 3
"""So many tensors beside a state dict are measures (best_acc), and no state dict themselves."""

_TRAINING = ("optim", "sched", "scaler", "amp", "lr", "message_hub", "param_sched", "callbacks")
"""How the names of what only training needs begin."""

State = dict[str, object]


def is_training(name: str) -> bool:
    """Tell whether an entry of this name is what only training needs."""
    return name.startswith(_TRAINING)


def candidates(content: object) -> dict[str, State]:
    """Return every state dict in a file by where it is, "ema" or "model.state_dict"; "" is the
    file itself. Empty where there are no weights."""
    whole = _state(content)
    named = _named(content) if not isinstance(content, Described) or not whole else {}
    if named:
        return named
    others = dict(_inside(content))
    if whole and (not others or sum(map(holds_values, whole.values())) > _FEW):
        return {"": whole}
    return others


def _inside(content: object) -> Iterator[tuple[str, State]]:
    """Yield the state dicts under names of any kind, but for those of training."""
    budget = _Budget()
    for name, value in (_entries(content) or {}).items():
        if is_training(name) or not isinstance(value, dict | Described):
            continue
        budget.spend(_width(value))
        if state := _state(value):
            yield name, state


class _Budget:
    """Bounds the entries that are looked at: one long list can be under each of many names."""

    def __init__(self) -> None:
        self._seen = 0

    def spend(self, count: int) -> None:
        """Note so many entries; CheckpointError for far more than a checkpoint has."""
        self._seen += count
        if self._seen > MAX_ENTRIES:
            raise CheckpointError("has far more parts than a network has; refused.")


def _width(value: object) -> int:
    return len(value.attributes if isinstance(value, Described) else value)


def _named(content: object, depth: int = 0) -> dict[str, State]:
    """Return what is under the known names, the same one once."""
    found: dict[str, State] = {}
    seen: set[int] = set()
    for name, value in (_entries(content) or {}).items():
        if name not in STATE_KEYS or id(value) in seen:
            continue
        seen.add(id(value))
        deeper = _named(value, depth + 1) if depth < _DEEPEST and not is_module(value) else {}
        if deeper:
            found |= {f"{name}.{inner}": state for inner, state in deeper.items()}
        elif state := _state(value):
            found[name] = state
    return found


def _state(value: object) -> State | None:
    """Return a state dict, that of a module that was pickled whole too; None for anything else."""
    entries = dict(_parameters(value)) if is_module(value) else _entries(value)
    return entries if entries and any(map(holds_values, entries.values())) else None


def _entries(value: object) -> State | None:
    """Return the named entries of a dictionary, or of an object that is described; keys of
    Python 2 and of numpy may be bytes."""
    if isinstance(value, Described) and not is_tensor(value) and not arrays.is_array(value):
        value = value.attributes
    return by_name(value) if isinstance(value, dict) else None


def by_name(entries: dict) -> State:
    """Check the size and the keys of a dictionary."""
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


def holds_values(value: object) -> bool:
    """Tell whether a value is a tensor or an array, or describes one."""
    return is_tensor(value) or arrays.is_array(value)


def is_module(value: object) -> bool:
    """Tell whether a value describes a network, or a part of one, that was pickled whole."""
    return isinstance(value, Described) and {"_parameters", "_modules"} <= value.attributes.keys()


def _parameters(module: Described) -> Iterator[tuple[str, object]]:
    """Yield the parameters and buffers of a described module under their names."""
    waiting, budget = [("", module, 0)], _Budget()
    while waiting:
        prefix, part, depth = waiting.pop()
        attributes = part.attributes
        passing = set(_texts(attributes.get("_non_persistent_buffers_set")))
        for kind in ("_parameters", "_buffers"):
            children = _children(attributes.get(kind))
            budget.spend(len(children))
            for name, value in children:
                if value is not None and name not in passing:
                    yield prefix + name, value
        children = _children(attributes.get("_modules"))
        waiting += [
            (f"{prefix}{name}.", child, depth + 1)
            for name, child in reversed(children)
            if is_module(child) and depth < _DEEPEST_MODULE
        ]
        budget.spend(1 + len(children) + len(passing))


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _children(value: object) -> list[tuple[str, object]]:
    entries = value.attributes if isinstance(value, Described) else value
    if not isinstance(entries, dict):
        return []
    return [(name, child) for name, child in entries.items() if isinstance(name, str)]
