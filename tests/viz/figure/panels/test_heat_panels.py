"""Panels with heat: which maps of which cell stand in which row and column, with which marks."""

from dataclasses import replace

import numpy as np
import pytest

from tests.viz.drawn_figures import (
    CROPPED,
    HEIGHT,
    WIDTH,
    Table,
    best,
    nl,
    photo,
    pinned,
    recipe_of,
    row_at,
)
from tests.viz.drawn_figures import view as seen_by
from tests.viz.figure.panels.conftest import heads, rows_of, scaled, shaded
from viz.attention.kinds.channels import channel_map
from viz.figure.panels import presets
from viz.figure.panels.heat import part_names
from viz.figure.recipe.recipe import Part
from viz.geometry import Box
from viz.rendering.look import Look
from viz.types import Cell, Clip

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


def test_each_row_is_of_its_own_reference():
    places = [pinned(at=(3.0, 3.0)), pinned(at=(60.0, 50.0), networks=("nl",))]
    first, second = rows_of(recipe_of("parts", *places), photo())
    assert (len(first.panels), len(second.panels)) == (7, 2)
    boxes = [row.panels[0].content.reference for row in (first, second)]
    assert boxes[0].left == 0
    assert boxes[1].right == pytest.approx(WIDTH)
