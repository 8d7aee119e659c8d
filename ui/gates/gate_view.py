"""What a CGD network's gates do to the picture in use: charts and before-and-after views."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from models.loaded import LoadedModel
from models.zoo.catalogue import Entry
from ui.session import loaders, medium, own_networks
from viz.attention import pipeline
from viz.attention.gates import GateLayer, gate_layers
from viz.geometry import Geometry
from viz.rendering import heat, overlay
from viz.types import AttentionMap, Cell, Clip, Look, Query

BEFORE, AFTER = "before the gate", "after the gate"
_HEIGHT = 300


def gated_entries() -> list[Entry]:
    """Return the networks at hand that have gates: this session's own (none is published)."""
    return [e for e in own_networks.entries() if loaders.has_gates(e.spec)]


@st.cache_resource(scope="session", max_entries=4, show_spinner="Running the network once")
def _layers(
    _model: LoadedModel, _clip: Clip, key: tuple[str, ...]
) -> tuple[tuple[GateLayer, ...], Geometry]:
    del key
    prepared = pipeline.prepare(_model, _clip)
    return gate_layers(_model, prepared), prepared.geometry


def layers(name: str, clip: Clip) -> tuple[tuple[GateLayer, ...], Geometry]:
    """Return every gate of a network on a picture, and how the picture lies in its input."""
    model = loaders.network(name)
    return _layers(model, clip, (model.sha256, medium.key_of(clip)))


def overview(found: tuple[GateLayer, ...]) -> go.Figure:
    """Return least, mean and largest factor of every layer."""
    names = [layer.name for layer in found]
    figure = go.Figure(layout={"height": _HEIGHT, "margin": {"t": 20, "b": 0}})
    for title, taken in (("largest", np.max), ("mean", np.mean), ("least", np.min)):
        values = [float(taken(layer.gate)) for layer in found]
        figure.add_scatter(x=names, y=values, name=title, mode="lines+markers")
    figure.add_hline(1.0, line_dash="dot")
    figure.update_yaxes(title="factor 1 + tanh(z)")
    return figure


def bars(layer: GateLayer) -> go.Figure:
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


def pictures(layer: GateLayer, clip: Clip, geometry: Geometry) -> dict[str, np.ndarray]:
    """Return the mean |activation| over the picture before and after the gate, on one scale."""
    both = {BEFORE: layer.mean_before[:1], AFTER: layer.mean_after[:1]}
    low = float(min(values.min() for values in both.values()))
    high = float(max(values.max() for values in both.values()))
    look = Look("fixed", threshold=0.0, colormap="inferno", fixed_range=(low, high))
    query = Query(layer.name, Cell(0, 0, 0))
    return {
        title: overlay.paint(
            clip,
            geometry,
            heat.normalise(AttentionMap(values, query, "response, any sign"), look),
            look,
        )[0]
        for title, values in both.items()
    }


def table(found: tuple[GateLayer, ...]) -> list[dict[str, object]]:
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
