"""Figures for papers: ``viz.figure.parts``, ``frames``, ``load`` ...; see viz/figure/api.py."""

import importlib
import importlib.util


def __getattr__(name: str) -> object:
    """Import what draws pages when a figure is first asked for: maps alone do not need it, nor do
    the modules beside it, which processes without torch import."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = f"{__name__}.{name}"
    if importlib.util.find_spec(module):  # from viz.figure import keypoints
        return importlib.import_module(module)
    api = importlib.import_module("viz.figure.api")
    try:
        return getattr(api, name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    """List the functions of the api, so that editors complete them."""
    return sorted(importlib.import_module("viz.figure.api").__all__)
