"""The gates of a CGD network as panels: factors by layer, mean |activation| before and after."""

from dataclasses import replace

import numpy as np

from errors import InputError, OutsideError
from viz.attention.kinds.gates import GateCapture, gate_layers
from viz.figure.panels.panel_rows import Bars, Panel, Picture, Row, Shade
from viz.figure.panels.pictures import CONSTANT, crop_of
from viz.figure.recipe.recipe import Recipe, Reference, View
from viz.figure.resolve import Sources
from viz.geometry import Geometry
from viz.rendering import heat
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Clip, Query, moment

WHEN = ("before", "after")
_MEANING = "mean |activation|, 0 and above"


def rows(recipe: Recipe, sources: Sources, _frames: object) -> list[Row]:
    """Return a row a reference and view: input | factors by layer | before | after one gate.

    The factors are 1 + tanh(z) (He et al. 2019, eqs. 7-12); the two pictures share one scale.
    """
    return [
        _row(reference, view, recipe, sources)
        for reference in recipe.references
        for view in reference.views
    ]


def _row(reference: Reference, view: View, recipe: Recipe, sources: Sources) -> Row:
    clip = sources.clip(reference.medium)
    if reference.frame >= len(clip.frames):
        raise OutsideError(
            f"{reference.frame} is not a frame of the clip; it has frames 0 to "
            f"{len(clip.frames) - 1}."
        )
    capture = sources.capture(reference.medium, view)
    layers, geometry = gate_layers(capture), capture.geometry
    if not layers:
        raise InputError(
            f"{view.network.id} has no gates; the preset gates shows CGD, SE and CBAM networks."
        )
    layer = chosen(layers, view.block)
    crop = crop_of(clip, geometry, reference, recipe.layout)
    frame = clip.frames[reference.frame]
    low, high, pair = shades(layer, reference.frame, clip, geometry, recipe.look)
    note = CONSTANT if pair[0].heat.constant else ""
    pictures = [
        Panel(
            Picture(frame, crop, shade, size=clip.size),
            f"{when} the gate",
            layer.name,
            note,
            (low, high),
        )
        for when, shade in zip(WHEN, pair, strict=True)
    ]
    plain = (
        [Panel(Picture(frame, crop, size=clip.size), "input")] if recipe.layout.input_panel else []
    )
    label = ", ".join(part for part in (reference.label, view.label) if part)
    return Row(
        label,
        (*plain, Panel(bars(layers), "factor by layer", f"layers 1 to {len(layers)}"), *pictures),
        (),
        low,
        high,
    )


def chosen(layers: tuple[GateCapture, ...], name: str | None) -> GateCapture:
    """Return the gate called ``name``; None: the one whose factors differ most from 1."""
    if name is None:
        return max(layers, key=lambda layer: float(np.abs(layer.gate - 1).mean()))
    found = [layer for layer in layers if layer.name == name]
    if not found:
        known = ", ".join(layer.name for layer in layers)
        raise OutsideError(f"{name[:80]!r} is not a gate of this network; it has {known}.")
    return found[0]


def bars(layers: tuple[GateCapture, ...]) -> Bars:
    """Return least, mean and largest factor of every layer."""
    least, mean, largest = (
        np.array([take(layer.gate) for layer in layers], np.float32)
        for take in (np.min, np.mean, np.max)
    )
    return Bars(tuple(layer.name for layer in layers), least, mean, largest)


def shades(
    layer: GateCapture, frame: int, clip: Clip, geometry: Geometry, look: Look
) -> tuple[float, float, list[Shade]]:
    """Return lowest and highest mean |activation| of both, and their heat on that scale."""
    t = moment(frame, len(clip.frames), len(layer.mean_before))
    both = [values[t : t + 1] for values in (layer.mean_before, layer.mean_after)]
    low, high = (float(take(both)) for take in (np.min, np.max))
    look = replace(look, normalise="fixed", fixed_range=(low, high))
    query = Query(layer.name, Cell(0, 0, 0))
    return (
        low,
        high,
        [
            Shade(heat.normalise(AttentionMap(values, query, _MEANING), look), 0, geometry)
            for values in both
        ],
    )
