"""Scales of panels: shared ones, fixed ones, and maps with nothing to tell apart."""

import numpy as np
import pytest
import torch

from tests.viz.drawn_figures import best, footage, photo, pinned, recipe_of, row_at
from tests.viz.drawn_figures import view as seen_by
from tests.viz.figure.panels.conftest import PLAIN, rows_of, shaded
from viz.attention.kinds.channels import channel_map
from viz.rendering.look import Look
from viz.types import Cell


def heats_of(rows):
    return [p.content.shade.heat for row in rows for p in row.panels if p.content.shade]


def test_one_range_for_a_row_is_that_of_all_maps_of_a_network():
    recipe = recipe_of("parts", pinned(networks=("cgnl",)), scale="row", input_panel=False)
    (row,) = rows_of(recipe, photo())
    block, cell = photo().blocks["photo", "cgnl"], Cell(0, 2, 3)
    maps = [channel_map(block, cell, c).values for c in best(block, cell, 5)]
    low, high = np.min(maps), np.max(maps)
    assert (row.low, row.high) == pytest.approx((low, high))
    for panel, values in zip(row.panels, maps, strict=True):
        np.testing.assert_allclose(shaded(panel), (values[0] - low) / (high - low), atol=1e-6)


@pytest.mark.parametrize("scale", ["map", "row", "figure"])
def test_the_scale_is_shared_as_far_as_the_layout_says(scale):
    places = [pinned(networks=("nl",), at=at) for at in ((3.0, 3.0), (31.0, 23.0), (60.0, 50.0))]
    found = rows_of(recipe_of("parts", *places, scale=scale, input_panel=False), photo())
    cells = [Cell(0, 0, 0), Cell(0, 2, 3), Cell(0, 4, 6)]
    maps = [row_at(photo().blocks["photo", "nl"], cell) for cell in cells]
    whole = [(m.min(), m.max()) for m in maps]
    if scale == "figure":
        whole = [(np.min(maps), np.max(maps))] * 3
    np.testing.assert_allclose([(row.low, row.high) for row in found], whole, rtol=1e-6)


def test_a_fixed_range_of_the_look_stays_whatever_the_scale():
    look = Look(normalise="fixed", fixed_range=(-2.0, 3.0))
    found = rows_of(recipe_of("parts", pinned(), pinned(), look=look, scale="figure"), photo())
    assert {(one.low, one.high) for one in heats_of(found)} == {(-2.0, 3.0)}


def test_scaled_by_the_frame_a_row_has_no_ends_of_its_own():
    look = Look(normalise="frame")
    recipe = recipe_of("frames", pinned("clip", ("nl",), frames=7), look=look, input_panel=False)
    (row,) = rows_of(recipe, footage())
    assert (row.low, row.high) == (None, None)
    for panel in row.panels:
        assert (shaded(panel).min(), shaded(panel).max()) == (0, 1)


def blank(value):
    """Return sources whose maps are constant, or no numbers."""
    made = photo()
    made.blocks["photo", "nl"].queries.fill_(value)
    made.blocks["photo", "cgnl"].theta.fill_(value)
    return made


CONSTANT = "constant map, nothing shown"


@pytest.mark.parametrize("value", [0.0, float("nan")])
@pytest.mark.parametrize("scale", ["map", "row", "figure"])
@pytest.mark.parametrize("preset", ["parts", "heatmaps", "groups"])
def test_a_map_with_nothing_to_tell_apart_is_shown_empty_with_a_note(preset, scale, value):
    sources, asked = blank(value), seen_by("cgnl", maps="3,5")
    recipe = recipe_of(
        preset, pinned(networks=("nl", asked)), look=PLAIN, scale=scale, regions="all"
    )
    (row,) = rows_of(recipe, sources)
    assert len(row.panels) > 2
    for panel in row.panels[1:]:
        assert panel.content.shade.heat.constant
        assert panel.note == CONSTANT
        assert panel.content.regions == ()
    assert row.panels[0].note == ""


def test_a_union_of_maps_with_nothing_to_tell_apart_is_shown_empty_too():
    recipe = recipe_of("frames", pinned(networks=("cgnl",)), look=PLAIN, one_map="union")
    (row,) = rows_of(recipe, blank(0.0))
    assert row.panels[1].content.shade.heat.constant
    assert row.panels[1].note == CONSTANT


def test_a_map_of_rounding_alone_is_not_enlarged_by_a_shared_scale():
    sources = photo()
    keys = sources.blocks["photo", "nl"].keys
    keys.copy_(keys[:1].expand_as(keys) * (1 + 1e-7 * torch.arange(35.0)[:, None]))
    for scale in ("map", "row", "figure"):
        recipe = recipe_of("parts", pinned(networks=("nl",)), scale=scale)
        (row,) = rows_of(recipe, sources)
        assert row.panels[1].note == CONSTANT, scale


def test_there_are_no_arrows_where_no_weight_is_higher_than_another():
    for value in (0.0, float("nan")):
        (row,) = rows_of(recipe_of("arrows", pinned(), look=Look(arrows=20)), blank(value))
        assert row.arrows == ()


def test_a_part_of_a_map_that_is_no_number_is_the_least():
    sources = photo()
    sources.blocks["photo", "cgnl"].phi[7, 12] = float("nan")
    asked = seen_by("cgnl", maps="7")
    (row,) = rows_of(recipe_of("parts", pinned(networks=(asked,))), sources)
    assert shaded(row.panels[1]).ravel()[12] == 0
    assert row.panels[1].note == ""
