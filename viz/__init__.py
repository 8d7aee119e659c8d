"""From media to maps and figures.

import viz

model = viz.load("e2-nl")  # a name of `python -m viz models`, or the path of a checkpoint
capture = viz.capture(model, "bird.jpg")  # the only forward pass
row = viz.row(capture, at=(120, 80))  # NL: AttentionMap, values (T, h, w) float32
maps = viz.maps(viz.capture(viz.load("e2-cgnl"), "bird.jpg"), at=(120, 80))  # CGNL channels
vit = viz.load("timm:vit_small_patch14_dinov2.lvd142m")  # or torchvision:NAME, hf:ORG/NAME
own = viz.wrap(my_module, preprocessing=..., classes=...)  # any torch.nn.Module that attends
heads = viz.maps(viz.capture(vit, "bird.jpg"), at=(120, 80))  # a map a head
seen = viz.capture(viz.load("tv-maskrcnn-r50-fpn-nl"), "street.jpg")  # a detector
first = viz.mean_row(seen, viz.found_objects(seen)[0].number)  # over the patches of an object
done = viz.actions(viz.capture(viz.load("mmaction-ava-slowonly-nl-4x16"), "kick.mp4"))  # of people
fig = viz.figure.parts("bird.jpg", ["e2-nl", "e2-cgnl"], at=(120, 80))  # shows itself
fig.save("fig5.pdf")
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.specs.network import Preprocessing
    from models.zoo.wrapped.wrap import wrap
    from viz import figure
    from viz.attention.detection.people import actions, found_people
    from viz.attention.matches import matches, mutual_matches
    from viz.attention.pipeline import capture, load
    from viz.attention.queries import (
        feature_colours,
        found_objects,
        head_scores,
        maps,
        mean_row,
        row,
    )
    from viz.attention.query_dependence import query_dependence
    from viz.evaluation.block_statistics import block_statistics
    from viz.evaluation.strongest import strongest

__all__ = [
    "Preprocessing", "actions", "block_statistics", "capture", "feature_colours", "figure",
    "found_objects", "found_people", "head_scores", "load", "maps", "matches", "mean_row",
    "mutual_matches", "query_dependence", "row", "strongest", "wrap",
]  # fmt: skip

_PLACES = {
    "Preprocessing": "models.specs.network",
    "actions": "viz.attention.detection.people",
    "found_people": "viz.attention.detection.people",
    "block_statistics": "viz.evaluation.block_statistics",
    "capture": "viz.attention.pipeline",
    "feature_colours": "viz.attention.queries",
    "found_objects": "viz.attention.queries",
    "head_scores": "viz.attention.queries",
    "load": "viz.attention.pipeline",
    "maps": "viz.attention.queries",
    "matches": "viz.attention.matches",
    "mean_row": "viz.attention.queries",
    "mutual_matches": "viz.attention.matches",
    "query_dependence": "viz.attention.query_dependence",
    "row": "viz.attention.queries",
    "strongest": "viz.evaluation.strongest",
    "wrap": "models.zoo.wrapped.wrap",
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
