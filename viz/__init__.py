"""From media to maps and figures.

import viz

model = viz.load("r50n-nl")
capture = viz.capture(model, "bird.jpg")
row = viz.affinity_row(capture, at=(120, 80))
"""

from viz.dependence import query_dependence
from viz.pipeline import affinity_row, capture, load
from viz.pipeline import channel_maps_at as channel_maps

__all__ = ["affinity_row", "capture", "channel_maps", "load", "query_dependence"]
