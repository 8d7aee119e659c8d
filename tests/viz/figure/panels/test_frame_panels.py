"""Panels of clips and stills: a row a method, a column a frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blocks.layout import Grid
from tests.viz.drawn_figures import (
    Table,
    best,
    clip_of,
    footage,
    nl,
    photo,
    pinned,
    recipe_of,
    row_at,
)
from tests.viz.drawn_figures import view as seen_by
from tests.viz.figure.panels.conftest import PLAIN, heads, rows_of, scaled, shaded
from viz.attention.kinds.channels import channel_map, group_map
from viz.figure.panels import presets
from viz.figure.panels.heat import shown_frames
from viz.figure.resolve import Scene
from viz.types import Cell, Clip


@settings(deadline=None)
@given(st.integers(1, 300), st.data(), st.integers(1, 64))
def test_shown_frames_ascend_evenly_with_the_references_among_them(count, data, most):
    kept = data.draw(st.integers(0, count - 1))
    stills = np.zeros((count, 1, 1, 3), np.uint8)
    clip = Clip(stills, tuple(range(count)), "drawn", "")
    scene = Scene(pinned("clip", frame=kept, frames=count), clip, ())
    found = shown_frames(scene, most)
    assert len(found) == min(count, most)
    assert kept in found
    assert list(found) == sorted(set(found))
    assert found[0] >= 0
    assert found[-1] < count
    if count > most > 1:
        even = np.rint(np.linspace(0, count - 1, most))
        away = [abs(k - even).min() for k in found if k != kept]
        assert max(away, default=0) == 0
        steps = np.diff(found)
        assert steps.max() <= 2 * np.ceil((count - 1) / (most - 1))


def test_frames_are_a_row_a_method_and_a_column_a_frame():
    sources = footage()
    recipe = recipe_of("frames", pinned("clip", frame=4, frames=7, label="A kick"))
    plain, first, second = rows_of(recipe, sources)
    assert [row.label for row in (plain, first)] == ["A kick, input", "A kick, NL"]
    assert heads(first) == [f"0.{k}0 s" for k in range(7)] == heads(plain)
    expected = row_at(sources.blocks["clip", "nl"], Cell(4, 2, 1))
    for k, panel in enumerate(first.panels):
        np.testing.assert_allclose(shaded(panel), scaled(expected)[k], atol=1e-6)
        np.testing.assert_array_equal(panel.content.frame, sources.clips["clip"].frames[k])
        assert (panel.content.reference is not None) == (k == 4)
    assert (first.low, first.high) == pytest.approx((expected.min(), expected.max()))
    (channel,) = best(sources.blocks["clip", "cgnl"], Cell(4, 2, 1), 1)
    assert second.label == f"A kick, CGNL c{channel}"


@pytest.mark.parametrize(
    ("how", "labels"),
    [
        ({"one_map": "as pinned"}, ["NL", "CGNL g1"]),
        ({"one_map": "union"}, ["NL", "CGNL"]),
        ({"one_map": "each"}, ["NL", "CGNL c5", "CGNL c7"]),
    ],
)
def test_the_layout_says_which_maps_of_a_cgnl_block_get_a_row(how, labels):
    named = ("nl", seen_by("cgnl", maps="5,7", shown="group 1"))
    recipe = recipe_of("frames", pinned("clip", named, frames=7), input_panel=False, **how)
    assert [row.label for row in rows_of(recipe, footage())] == labels


def test_a_row_of_the_union_says_so_and_its_ends_are_0_and_1():
    recipe = recipe_of("frames", pinned("clip", frames=7), one_map="union", input_panel=False)
    panel_rows = presets.panel_rows(recipe, footage())
    _, row = panel_rows.rows
    assert (row.low, row.high) == (0.0, 1.0)
    assert row.note == panel_rows.note == "CGNL: the largest of its channels at every cell"
    cell = Cell(0, 2, 1)
    block = footage().blocks["clip", "cgnl"]
    maps = [channel_map(block, cell, c).values for c in best(block, cell, 5)]
    expected = np.stack([scaled(one) for one in maps]).max(0)
    for k, panel in enumerate(row.panels):
        np.testing.assert_allclose(shaded(panel), expected[k], atol=1e-6)


def test_groups_are_a_row_each():
    sources = footage()
    recipe = recipe_of("groups", pinned("clip", ("cgnl",), frames=7, frame=2), input_panel=False)
    found = rows_of(recipe, sources)
    assert [row.label for row in found] == ["CGNL g0", "CGNL g1", "CGNL g2"]
    for k, row in enumerate(found):
        expected = group_map(sources.blocks["clip", "cgnl"], Cell(2, 2, 1), k).values
        for t, panel in enumerate(row.panels):
            np.testing.assert_allclose(shaded(panel), scaled(expected)[t], atol=1e-6)


def test_a_still_picture_is_one_row_with_every_method():
    (row,) = rows_of(recipe_of("heatmaps", pinned(label="A bird"), look=PLAIN), photo())
    (channel,) = best(photo().blocks["photo", "cgnl"], Cell(0, 2, 3), 1)
    assert heads(row) == ["input", "NL", "CGNL"]
    assert row.label == "A bird"
    assert [panel.label for panel in row.panels] == ["", "", f"c{channel}"]
    assert (row.low, row.high) == (None, None)  # the two maps differ


def test_stills_and_clips_stand_below_each_other():
    sources = footage()
    still = photo()
    sources.clips |= still.clips
    sources.blocks |= still.blocks
    recipe = recipe_of("frames", pinned(), pinned("clip", frames=7), input_panel=True)
    found = rows_of(recipe, sources)
    assert [len(row.panels) for row in found] == [3, 7, 7, 7]


def test_fewer_frames_are_shown_where_the_layout_says_so():
    recipe = recipe_of("frames", pinned("clip", frame=1, frames=7), most_frames=3)
    for row in rows_of(recipe, footage()):
        assert heads(row) == ["0.10 s", "0.30 s", "0.60 s"]


@pytest.mark.parametrize("frames", [(0,), (3,), (6,)])
def test_a_movie_asks_for_one_frame_of_each_clip(frames):
    recipe = recipe_of("frames", pinned("clip", frame=3, frames=7))
    for row in rows_of(recipe, footage(), frames):
        (panel,) = row.panels
        assert panel.head == f"0.{frames[0]}0 s"


@pytest.mark.parametrize("moments", [2, 3, 7])
def test_frames_show_the_moment_that_a_network_pooled_them_into(moments):
    sources = footage(7, moments)
    recipe = recipe_of("frames", pinned("clip", ("nl",), frame=5, frames=7), input_panel=False)
    (row,) = rows_of(recipe, sources)
    cell = Cell(5 * moments // 7, 2, 1)
    expected = scaled(row_at(sources.blocks["clip", "nl"], cell))
    for k, panel in enumerate(row.panels):
        np.testing.assert_allclose(shaded(panel), expected[k * moments // 7], atol=1e-6)


def test_a_picture_that_is_held_still_shows_the_first_moment():
    held = nl(Grid(2, 5, 7))
    sources = Table({"photo": clip_of()}, {("photo", "nl"): held})
    (row,) = rows_of(recipe_of("heatmaps", pinned(networks=("nl",)), look=PLAIN), sources)
    expected = scaled(row_at(held, Cell(0, 2, 3)))[0]
    np.testing.assert_allclose(shaded(row.panels[1]), expected, atol=1e-6)
