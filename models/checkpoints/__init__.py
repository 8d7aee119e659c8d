"""Weight files of every published family: read safely, recognised, verified, loaded whole."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.checkpoints.loading import Inspection, Publishers, Read, inspect, load, unpublished

__all__ = ["Inspection", "Publishers", "Read", "inspect", "load", "unpublished"]


def __getattr__(name: str) -> object:
    """Import what makes networks when it is first asked for: the containers are read without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("models.checkpoints.loading"), name)
