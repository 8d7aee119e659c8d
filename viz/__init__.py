"""From media to maps and figures.

import viz

model = viz.load("e2-nl")  # a name of `python -m viz models`, or the path of a checkpoint
capture = viz.capture(model, "bird.jpg")  # the only forward pass
row = viz.row(capture, at=(120, 80))  # NL: AttentionMap, values (T, h, w) float32
maps = viz.maps(viz.capture(viz.load("e2-cgnl"), "bird.jpg"), at=(120, 80))  # CGNL channels
fig = viz.figure.parts("bird.jpg", ["e2-nl", "e2-cgnl"], at=(120, 80))  # shows itself
fig.save("fig5.pdf")
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viz import figure
    from viz.attention.pipeline import capture, load
    from viz.attention.queries import maps, row
    from viz.attention.query_dependence import query_dependence

__all__ = ["capture", "figure", "load", "maps", "query_dependence", "row"]

_PLACES = {
    "capture": "viz.attention.pipeline",
    "load": "viz.attention.pipeline",
    "maps": "viz.attention.queries",
    "row": "viz.attention.queries",
    "query_dependence": "viz.attention.query_dependence",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (functions and a module)
    """Import what is first asked for: maps need nothing that draws pages, and the command line
    nothing of this."""
    if name == "figure":
        return importlib.import_module("viz.figure")
    if name not in _PLACES:
        raise AttributeError(f"module 'viz' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
