"""Panels with heat: which maps of which cell stand in which row and column, with which marks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blocks.layout import Grid
from tests.viz.drawn_figures import (
    CROPPED,
    HEIGHT,
    WIDTH,
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
from viz.attention.kinds.channels import channel_map, group_map
from viz.figure.panels import presets
from viz.figure.panels.heat import part_names, shown_frames
from viz.figure.recipe.recipe import Part
from viz.figure.resolve import Scene
from viz.geometry import Box
from viz.rendering.look import Look
from viz.types import Cell, Clip

PLAIN = Look(threshold=0.0)


def rows_of(recipe, sources, frames=None):
    return presets.panel_rows(recipe, sources, frames).rows


def heads(row):
    return [panel.head if panel else None for panel in row.panels]


def scaled(values):
    low, high = values.min(), values.max()
    return (values - low) / (high - low)


def shaded(panel):
    """Return the scaled values that a panel shows."""
    shade = panel.content.shade
    return shade.heat.values[shade.moment]


PARTS = (Part("beak", 13.0, 17.5), Part("tail", 50.0, 40.0))


def test_parts_are_input_nl_channels_and_truth_in_a_row_a_photo():
    sources = photo()
    recipe = recipe_of("parts", pinned(parts=PARTS, label="A bird"), regions="NL")
    (row,) = rows_of(recipe, sources)
    assert heads(row) == ["input", "NL", *["CGNL"] * 5, "parts"]
    assert row.label == "A bird"
    cell = Cell(0, 2, 3)
    expected = [row_at(sources.blocks["photo", "nl"], cell)]
    block = sources.blocks["photo", "cgnl"]
    channels = best(block, cell, 5)
    expected += [channel_map(block, cell, channel).values for channel in channels]
    for panel, one in zip(row.panels[1:7], expected, strict=True):
        np.testing.assert_allclose(shaded(panel), scaled(one[0]), atol=1e-6)
    assert [panel.label for panel in row.panels[1:7]] == ["", *(f"c{c}" for c in channels)]
    assert row.panels[0].content.shade is None
    assert row.panels[7].content.shade is None


def test_the_reference_box_is_that_of_its_cell_on_input_and_maps():
    (row,) = rows_of(recipe_of("parts", pinned(at=(31.0, 23.0), parts=PARTS)), photo())
    box = Box(3 / 7 * WIDTH, 2 / 5 * HEIGHT, 4 / 7 * WIDTH, 3 / 5 * HEIGHT)
    for panel in row.panels[:-1]:
        found = panel.content.reference
        assert (found.left, found.top) == pytest.approx((box.left, box.top))
        assert (found.right, found.bottom) == pytest.approx((box.right, box.bottom))
    assert row.panels[-1].content.reference is None


def test_points_of_parts_are_numbered_over_the_whole_figure():
    other = (Part("tail", 3.0, 4.0), Part("wing", 5.0, 6.0))
    recipe = recipe_of("parts", pinned(parts=PARTS), pinned(), pinned(parts=other))
    panel_rows = presets.panel_rows(recipe, photo())
    first, none, second = panel_rows.rows
    assert [(p.x, p.y, p.number) for p in first.panels[-1].content.points] == [
        (13.0, 17.5, 0),
        (50.0, 40.0, 1),
    ]
    assert [p.number for p in second.panels[-1].content.points] == [1, 2]
    assert none.panels[-1] is None
    assert panel_rows.legend == part_names(recipe.references) == ("beak", "tail", "wing")
    quiet = replace(recipe, layout=replace(recipe.layout, legend=False))
    assert presets.panel_rows(quiet, photo()).legend == ()


def test_a_figure_without_ground_truth_has_no_panel_for_it():
    (row,) = rows_of(recipe_of("parts", pinned(), input_panel=False), photo())
    assert heads(row) == ["NL", *["CGNL"] * 5]


def test_labels_of_views_stand_over_their_panels():
    named = (seen_by("nl", label="NL, 5 blocks"), seen_by("cgnl", count=2, label="Ours"))
    (row,) = rows_of(recipe_of("parts", pinned(networks=named)), photo())
    assert heads(row) == ["input", "NL, 5 blocks", "Ours", "Ours"]


def components(shown):
    """Return (left, top, right, bottom) of the 8-connected groups of true cells, by flooding."""
    left = {tuple(place) for place in np.argwhere(shown)}
    found = []
    while left:
        edge = group = {left.pop()}
        while edge:
            near = {(y + i, x + j) for y, x in edge for i in (-1, 0, 1) for j in (-1, 0, 1)}
            edge = near & left
            left -= edge
            group = group | edge
        rows, cols = zip(*group, strict=True)
        found.append((min(cols), min(rows), max(cols) + 1, max(rows) + 1))
    return sorted(found)


@pytest.mark.parametrize("regions", ["NL", "all", "none"])
def test_regions_are_the_boxes_around_connected_cells(regions):
    look = Look(threshold=0.7, interpolation="nearest")
    sources = photo(nl=nl(name="dot_product"))
    (row,) = rows_of(recipe_of("parts", pinned(), look=look, regions=regions), sources)
    several = 0
    for panel in row.panels[1:]:
        if regions == "none" or (regions == "NL" and panel.head != "NL"):
            assert panel.content.regions == ()
            continue
        expected = components(shaded(panel) >= np.float32(0.7))
        found = sorted(
            (b.left / WIDTH * 7, b.top / HEIGHT * 5, b.right / WIDTH * 7, b.bottom / HEIGHT * 5)
            for b in panel.content.regions
        )
        # To the pixel.
        np.testing.assert_allclose(found, expected, atol=0.06)
        several += len(expected)
    assert (several > 0) == (regions != "none")
    assert regions == "none" or several > 2


def test_of_a_large_picture_regions_are_found_at_a_smaller_size():
    big = Clip(np.zeros((1300, 3100, 3), np.uint8), (0.0,), "big", "1" * 64)
    where = replace(CROPPED, width=3100, height=1300, resized_width=70, resized_height=50)
    where = replace(where, crop_left=0, crop_top=0, input_width=70, input_height=50)
    block = nl(name="dot_product")
    sources = Table({"photo": big}, {("photo", "nl"): block}, where)
    look = Look(threshold=0.4, interpolation="nearest")
    recipe = recipe_of("parts", pinned(networks=("nl",)), look=look, regions="NL")
    (row,) = rows_of(recipe, sources)
    expected = components(shaded(row.panels[1]) >= np.float32(0.4))
    found = sorted(
        (b.left / 3100 * 7, b.top / 1300 * 5, b.right / 3100 * 7, b.bottom / 1300 * 5)
        for b in row.panels[1].content.regions
    )
    np.testing.assert_allclose(found, expected, atol=0.02)


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


def brute_arrows(values, count):
    """Return (t, y, x) of the ``count`` highest values, one after the other."""
    rest, found = values.astype(np.float64).copy(), []
    for _ in range(count):
        place = np.unravel_index(rest.argmax(), rest.shape)
        found.append(tuple(int(v) for v in place))
        rest[place] = -np.inf
    return found


def test_arrows_go_to_the_twenty_highest_weights_in_the_columns_of_their_frames():
    sources = footage()
    look = Look(threshold=0.0, heat_opacity=0.0, arrows=20)
    recipe = recipe_of(
        "arrows", pinned("clip", ("nl",), frame=4, frames=7), look=look, input_panel=False
    )
    (row,) = rows_of(recipe, sources)
    values = row_at(sources.blocks["clip", "nl"], Cell(4, 2, 1))
    assert len(row.arrows) == 20
    for (start, end), (t, y, x) in zip(row.arrows, brute_arrows(values, 20), strict=True):
        assert start.column == 4
        assert (start.x, start.y) == pytest.approx((WIDTH / 2, HEIGHT / 2))
        assert end.column == t
        assert (end.x, end.y) == pytest.approx(((x + 0.5) / 3 * WIDTH, (y + 0.5) / 5 * HEIGHT))
    assert all(panel.content.shade is None for panel in row.panels)
    assert not row.has_heat


def test_arrows_of_pooled_time_end_in_a_frame_of_their_moment():
    sources = footage(7, 3)
    look = Look(arrows=20)
    recipe = recipe_of("arrows", pinned("clip", ("nl",), frames=7), look=look, input_panel=False)
    (row,) = rows_of(recipe, sources)
    values = row_at(sources.blocks["clip", "nl"], Cell(0, 2, 1))
    for (_, end), (t, _, _) in zip(row.arrows, brute_arrows(values, 20), strict=True):
        assert end.column * 3 // 7 == t


def test_arrows_to_frames_that_are_not_shown_are_left_out():
    sources = footage()
    look = Look(arrows=20)
    recipe = recipe_of(
        "arrows", pinned("clip", ("nl",), frames=7), look=look, input_panel=False, most_frames=3
    )
    (row,) = rows_of(recipe, sources)
    values = row_at(sources.blocks["clip", "nl"], Cell(0, 2, 1))
    wanted = [t for t, _, _ in brute_arrows(values, 20) if t in (0, 3, 6)]
    assert [end.column for _, end in row.arrows] == [wanted_t // 3 for wanted_t in wanted]


def test_arrows_in_a_still_picture_stay_in_the_panel_of_their_method():
    look = Look(arrows=7)
    (row,) = rows_of(recipe_of("arrows", pinned(), look=look), photo())
    assert [(start.column, end.column) for start, end in row.arrows] == [(1, 1)] * 7 + [(2, 2)] * 7


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


@pytest.mark.parametrize(
    ("how", "crop", "box"),
    [
        ({}, None, (0, 0, WIDTH, HEIGHT)),
        ({"crop": "square"}, None, (4, 0, 57, 53)),
        ({"crop": "seen"}, None, (16, 9, 51, 44)),
        ({"crop": "seen"}, (10.2, 9.6, 30.0, 41.4), (10, 10, 30, 41)),
        ({}, (-500.0, 20.0, 9000.0, 900.0), (0, 20, WIDTH, HEIGHT)),
        ({}, (900.0, 900.0, 950.0, 950.0), (WIDTH - 1, HEIGHT - 1, WIDTH, HEIGHT)),
        ({}, (-90.0, -90.0, -50.0, -50.0), (0, 0, 1, 1)),
    ],
)
def test_the_crop_is_whole_pixels_of_the_picture(how, crop, box):
    sources = photo()
    sources.geometry = CROPPED
    recipe = recipe_of("parts", pinned(crop=crop, parts=PARTS), **how)
    (row,) = rows_of(recipe, sources)
    assert {panel.content.crop for panel in row.panels} == {Box(*box)}


@pytest.mark.parametrize(("x", "left"), [(1.0, 0), (30.5, 4), (35.5, 9), (66.0, 14)])
def test_a_square_has_the_reference_as_near_to_its_middle_as_the_picture_allows(x, left):
    recipe = recipe_of("parts", replace(pinned(), at=(x, 20.0)), crop="square")
    crop = rows_of(recipe, photo())[0].panels[0].content.crop
    assert (WIDTH, HEIGHT) == (67, 53)
    assert (crop.left, crop.top, crop.right, crop.bottom) == (left, 0, left + 53, 53)


def test_without_opacity_there_is_no_heat_to_explain():
    panel_rows = presets.panel_rows(
        recipe_of("parts", pinned(), look=Look(heat_opacity=0.0)), photo()
    )
    assert not panel_rows.has_heat


def test_a_picture_that_is_held_still_shows_the_first_moment():
    held = nl(Grid(2, 5, 7))
    sources = Table({"photo": clip_of()}, {("photo", "nl"): held})
    (row,) = rows_of(recipe_of("heatmaps", pinned(networks=("nl",)), look=PLAIN), sources)
    expected = scaled(row_at(held, Cell(0, 2, 3)))[0]
    np.testing.assert_allclose(shaded(row.panels[1]), expected, atol=1e-6)


def test_each_row_is_of_its_own_reference():
    places = [pinned(at=(3.0, 3.0)), pinned(at=(60.0, 50.0), networks=("nl",))]
    first, second = rows_of(recipe_of("parts", *places), photo())
    assert (len(first.panels), len(second.panels)) == (7, 2)
    boxes = [row.panels[0].content.reference for row in (first, second)]
    assert boxes[0].left == 0
    assert boxes[1].right == pytest.approx(WIDTH)
