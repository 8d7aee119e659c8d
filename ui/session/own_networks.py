"""Networks that a user brought: they live in the session that brought them, and end with it."""

from models.loaded import LoadedModel
from models.zoo.catalogue import Entry
from ui import state

_KEPT = 3
"""Networks a session keeps; the oldest goes first."""


def add(model: LoadedModel, title: str) -> None:
    """Put a network at the disposal of this session."""
    kept = state.OWN_NETWORKS.once(dict)
    kept.pop(model.id, None)
    kept[model.id] = (model, title)
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]


def get(name: str) -> LoadedModel | None:
    """Return this session's network called ``name``, or None."""
    model, _title = (state.OWN_NETWORKS.get() or {}).get(name, (None, ""))
    return model


def entries() -> list[Entry]:
    """Return this session's networks, as lines of the catalogue."""
    kept = state.OWN_NETWORKS.get() or {}
    return [Entry(name, title, "yours", model.spec) for name, (model, title) in kept.items()]
