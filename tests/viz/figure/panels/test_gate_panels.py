"""Panels of gates: factors by layer, and the same scale before and after one of them."""

from dataclasses import replace

import numpy as np
import pytest

from errors import InputError, OutsideError
from tests.viz.drawn_figures import (
    CROPPED,
    SEEN,
    Table,
    clip_of,
    gate_layers,
    nl,
    pinned,
    recipe_of,
)
from tests.viz.drawn_figures import view as seen_by
from viz.figure.panels import presets
from viz.figure.panels.gates import bars, chosen
from viz.geometry import Box


def gated(frames=1, moments=1, geometry=SEEN, layers=None) -> Table:
    made = {("photo", "cgd"): gate_layers(moments) if layers is None else layers}
    return Table({"photo": clip_of(frames)}, made, geometry)


def pin(**how):
    return pinned(**({"networks": ("cgd",), "at": None} | how))


def test_a_row_is_input_factors_before_and_after():
    (row,) = presets.panel_rows(recipe_of("gates", pin(label="A bird")), gated()).rows
    layer = chosen(gate_layers(), None)
    assert [p.head for p in row.panels] == [
        "input", "factor by layer", "before the gate", "after the gate"
    ]  # fmt: skip
    assert [p.label for p in row.panels] == ["", "layers 1 to 3", layer.name, layer.name]
    assert row.label == "A bird"
    both = np.stack([layer.mean_before[0], layer.mean_after[0]])
    low, high = both.min(), both.max()
    assert (row.low, row.high) == pytest.approx((low, high))
    for panel, values in zip(row.panels[2:], both, strict=True):
        shade = panel.content.shade
        np.testing.assert_allclose(
            shade.heat.values[shade.moment], (values - low) / (high - low), atol=1e-6
        )
    assert row.panels[0].content.shade is None


def test_both_pictures_say_the_ends_of_their_one_scale():
    (row,) = presets.panel_rows(recipe_of("gates", pin(), bar="map"), gated()).rows
    spans = [panel.span for panel in row.panels]
    assert spans[2] == spans[3] == (row.low, row.high)
    assert spans[:2] == [(None, None)] * 2
    assert [panel.has_heat for panel in row.panels] == [False, False, True, True]


def test_gates_of_a_network_with_attention_are_told_from_its_blocks():
    sources = gated(layers=(nl(), *gate_layers()))
    (row,) = presets.panel_rows(recipe_of("gates", pin()), sources).rows
    assert row.panels[1].label == "layers 1 to 3"


def test_bars_are_the_least_mean_and_largest_factor_of_every_layer():
    layers = gate_layers()
    found = bars(layers)
    assert found.names == ("layer0.gate", "layer1.gate", "layer2.gate")
    for k, layer in enumerate(layers):
        assert found.least[k] == min(layer.gate.tolist())
        assert found.largest[k] == max(layer.gate.tolist())
        assert found.mean[k] == pytest.approx(sum(layer.gate.tolist()) / len(layer.gate))


def test_the_gate_is_the_named_one_or_the_one_farthest_from_1(one_line):
    layers = gate_layers()
    assert chosen(layers, "layer1.gate") is layers[1]
    away = [np.abs(layer.gate - 1).mean() for layer in layers]
    assert chosen(layers, None) is layers[int(np.argmax(away))]
    flat = replace(layers[0], gate=np.full((5, 7), 1.9, np.float32))
    assert chosen((*layers, flat), None) is flat
    with pytest.raises(
        OutsideError, match="'layer9' is not a gate of this network; it has layer0"
    ) as caught:
        chosen(layers, "layer9")
    one_line(caught.value)


def test_the_view_names_the_gate_and_its_label_stands_in_the_row():
    networks = (seen_by("cgd", block="layer2.gate", label="CGD"),)
    recipe = recipe_of("gates", pin(networks=networks, label="A bird"), input_panel=False)
    (row,) = presets.panel_rows(recipe, gated()).rows
    assert row.label == "A bird, CGD"
    assert [p.label for p in row.panels] == ["layers 1 to 3", "layer2.gate", "layer2.gate"]


@pytest.mark.parametrize("frame", range(7))
def test_a_frame_of_a_clip_shows_its_moment(frame):
    recipe = recipe_of("gates", pin(frame=frame, frames=7))
    (row,) = presets.panel_rows(recipe, gated(7, 3)).rows
    layer = chosen(gate_layers(3), None)
    t = frame * 3 // 7
    low = min(layer.mean_before[t].min(), layer.mean_after[t].min())
    assert row.low == pytest.approx(low)
    shade = row.panels[2].content.shade
    assert shade.heat.values.shape == (1, 5, 7)
    np.testing.assert_array_equal(row.panels[0].content.frame, clip_of(7).frames[frame])
    scaled = (layer.mean_before[t] - low) / (row.high - low)
    np.testing.assert_allclose(shade.heat.values[0], scaled, atol=1e-6)


def test_the_crop_follows_what_the_network_saw():
    recipe = recipe_of("gates", pin(), crop="seen")
    (row,) = presets.panel_rows(recipe, gated(geometry=CROPPED)).rows
    assert {row.panels[k].content.crop for k in (0, 2, 3)} == {Box(16, 9, 51, 44)}


def test_gates_that_tell_nothing_apart_are_shown_empty_with_a_note():
    ones = np.ones((1, 5, 7), np.float32)
    even = tuple(replace(g, mean_before=ones, mean_after=ones) for g in gate_layers())
    (row,) = presets.panel_rows(recipe_of("gates", pin()), gated(layers=even)).rows
    for panel in row.panels[2:]:
        assert panel.content.shade.heat.constant
        assert panel.note == "constant map, nothing shown"


def test_what_is_missing_is_told(one_line):
    with pytest.raises(InputError, match="cgd has no gates") as caught:
        presets.panel_rows(recipe_of("gates", pin()), gated(layers=()))
    one_line(caught.value)
    with pytest.raises(
        OutsideError, match="4 is not a frame of the clip; it has frames 0 to 0"
    ) as caught:
        presets.panel_rows(recipe_of("gates", pin(frame=4, frames=7)), gated())
    one_line(caught.value)
