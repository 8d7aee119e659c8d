"""What a CGD network's gates do to the picture in use: charts and before-and-after views."""

import numpy as np
import plotly.graph_objects as go

from ui.session import loaders
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.attention.kinds.gates import GateCapture
from viz.figure.draw import rasters
from viz.figure.panels.gates import WHEN, shades
from viz.figure.panels.panel_rows import Picture
from viz.geometry import Box
from viz.rendering.look import Look
from viz.types import Clip

_HEIGHT = 300
LONGEST_PX = 960
_LOOK = Look(threshold=0.0)


def captured(name: str, clip: Clip) -> Capture:
    """Return what a network's one forward pass on a picture left, its gates among it."""
    mode, size = pipeline.effective(loaders.network(name).spec)
    return loaders.captured(clip, name, mode, size)


def strongest(found: tuple[GateCapture, ...]) -> int:
    """Return the index of the layer whose factors differ most from 1."""
    return int(np.argmax([np.abs(layer.gate - 1).mean() for layer in found]))


def overview(found: tuple[GateCapture, ...]) -> go.Figure:
    """Return least, mean and largest factor of every layer."""
    names = [layer.name for layer in found]
    figure = go.Figure(layout={"height": _HEIGHT, "margin": {"t": 20, "b": 0}})
    for title, taken in (("largest", np.max), ("mean", np.mean), ("least", np.min)):
        values = [float(taken(layer.gate)) for layer in found]
        figure.add_scatter(x=names, y=values, name=title, mode="lines+markers")
    figure.add_hline(1.0, line_dash="dot", line_color="#888888")
    figure.update_yaxes(title="factor 1 + tanh(z)")
    return figure


def bars(layer: GateCapture) -> go.Figure:
    """Return the factors of one layer as bars; a gate over space as a picture."""
    figure = go.Figure(layout={"height": _HEIGHT, "margin": {"t": 20, "b": 0}})
    if layer.gate.ndim == 2:
        figure.add_heatmap(z=layer.gate, zmid=1.0, colorscale="RdBu_r")
        figure.update_yaxes(autorange="reversed")
        return figure
    figure.add_bar(x=np.arange(len(layer.gate)), y=layer.gate - 1, base=1, name="factor")
    figure.update_xaxes(title="channel")
    figure.update_yaxes(title="factor 1 + tanh(z)")
    return figure


def pictures(layer: GateCapture, clip: Clip, capture: Capture) -> dict[str, np.ndarray]:
    """Return the mean |activation| over the picture before and after the gate, on one scale and no
    larger than a page shows it."""
    _low, _high, pair = shades(layer, 0, clip, capture.geometry, _LOOK)
    frame, whole = clip.frames[0], Box(0, 0, clip.width, clip.height)
    scale = min(1.0, LONGEST_PX / max(frame.shape[:2]))
    high, wide = (max(1, round(side * scale)) for side in frame.shape[:2])
    return {
        f"{when} the gate": rasters.raster(
            Picture(frame, whole, shade, size=clip.size), wide, high, _LOOK, greyscale=False
        ).pixels
        for when, shade in zip(WHEN, pair, strict=True)
    }


def table(found: tuple[GateCapture, ...]) -> list[dict[str, object]]:
    """Return one row a layer: how many factors, how far they go, how many switch off or double."""
    return [
        {
            "Layer": layer.name,
            "Factors": layer.gate.size,
            "Least": f"{layer.gate.min():.4g}",
            "Mean": f"{layer.gate.mean():.4g}",
            "Largest": f"{layer.gate.max():.4g}",
            "Below 0.5": int((layer.gate < 0.5).sum()),
            "Above 1.5": int((layer.gate > 1.5).sum()),
        }
        for layer in found
    ]
