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
from types import ModuleType

from viz.attention.pipeline import capture, load
from viz.attention.queries import maps, row
from viz.attention.query_dependence import query_dependence

__all__ = ["capture", "figure", "load", "maps", "query_dependence", "row"]


def __getattr__(name: str) -> ModuleType:
    """Import viz.figure when it is first asked for: maps alone need nothing that draws pages."""
    if name == "figure":
        return importlib.import_module("viz.figure")
    raise AttributeError(f"module 'viz' has no attribute {name!r}")
