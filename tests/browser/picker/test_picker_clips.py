"""The picker on clips: every frame of the strip and the large canvas against Python."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from models.blocks.layout import Grid
from tests.browser.bare.bare_clips import (
    BARE,
    COLS,
    GRID,
    ROWS,
    bare_strip,
    over_frame,
    pictures,
    small_maps_are_painted,
    strip,
)
from tests.browser.bare.bare_picker import (
    assert_same_picture,
    canvas_pictures,
    drawn,
    mount,
    painted_frames,
    show,
)
from tests.browser.bare.shot_maps import map_of, moved
from tests.ui.drawn_scenes import (
    cgnl_block,
    clip_of,
    drawn_scene,
    fitted,
    nonlocal_block,
    scene_of,
    shot_of,
)
from viz.attention.choice import MapChoice
from viz.rendering.look import Look


def assert_frames_are_pythons(page, found, look, bare, choice=None, *, points):
    """Check strip and large canvas (frame 0) for the pointer over (frame, x, y) of the strip."""
    [shot], count = found.shots, len(found.clip.frames)
    for number, x, y in points:
        cell = over_frame(page, number, x, y)
        assert cell[0] == number
        at = moved(shot, count, cell)
        expected = map_of(at, choice)
        wanted = painted_frames(bare, at, expected, look)
        for seen, one in zip(strip(page), wanted, strict=True):
            assert_same_picture(seen, one)
        large = painted_frames(canvas_pictures(found), at, expected, look)
        assert_same_picture(drawn(page), large[0])


def corners(count):
    """A frame at either end and one between, at other spots of each."""
    return (0, 0.03, 0.05), (3, 0.6, 0.4), (count - 1, 0.96, 0.93)


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
def test_every_frame_is_painted_as_python_paints_it(page, name):
    look = Look(threshold=0.3)
    found = drawn_scene(clip_of(6), nonlocal_block(name, GRID))
    bare = bare_strip(page, found)
    show(page, found, look)
    assert_frames_are_pythons(page, found, look, bare, points=corners(6))


@pytest.mark.parametrize(
    ("frames", "block"),
    [
        (6, nonlocal_block(grid=GRID, keys=Grid(6, 2, 3))),
        (8, nonlocal_block(grid=Grid(3, ROWS, COLS))),
        (7, nonlocal_block(grid=Grid(7, ROWS, COLS), keys=Grid(2, ROWS, COLS))),
        (6, nonlocal_block("embedded_gaussian", GRID, groups=3)),
        (4, nonlocal_block(grid=Grid(8, ROWS, COLS), groups=4)),
    ],
    ids=["pooled keys", "pooled time", "pooled keys in time", "grouped frames", "held frames"],
)
@pytest.mark.parametrize("normalise", ["clip", "frame"])
def test_grids_of_every_layout_are_painted_as_python_paints_them(page, frames, block, normalise):
    look = Look(normalise, 0.4, interpolation="nearest")
    found = drawn_scene(clip_of(frames), block)
    bare = bare_strip(page, found)
    show(page, found, look)
    assert_frames_are_pythons(page, found, look, bare, points=corners(frames))


@pytest.mark.parametrize("kernel", ["dot_product", "embedded_gaussian", "gaussian_rbf"])
@pytest.mark.parametrize("shown", ["channel 2", "group 3"])
def test_cgnl_maps_are_painted_over_all_frames(page, kernel, shown):
    look, block = Look(threshold=0.5), cgnl_block(kernel, grid=Grid(5, ROWS, COLS))
    found = drawn_scene(clip_of(5), block, shown=MapChoice.parse(shown))
    bare = bare_strip(page, found)
    show(page, found, look)
    assert_frames_are_pythons(page, found, look, bare, shown, points=[(3, 0.7, 0.3)])


@pytest.mark.parametrize(
    ("view", "choice"),
    [({"kind": "features"}, None), ({"shown": MapChoice("mean")}, "mean")],
    ids=["cosine", "mean of heads"],
)
def test_other_maps_are_painted_over_all_frames(page, view, choice):
    look, block = Look(threshold=0.6), nonlocal_block("embedded_gaussian", GRID, heads=2)
    found = drawn_scene(clip_of(6), block, **view)
    bare = bare_strip(page, found)
    show(page, found, look)
    assert_frames_are_pythons(page, found, look, bare, choice, points=[(4, 0.2, 0.7)])


def test_small_maps_are_rows_over_all_frames(page):
    look, block = Look(threshold=0.5), cgnl_block(groups=4, grid=Grid(5, ROWS, COLS))
    found = drawn_scene(clip_of(5), block)
    mount(page, found, BARE)
    minis = page.locator(".thumb", has_text="g2").locator("canvas")
    bare = pictures(minis)
    show(page, found, look)
    at = moved(found.shots[0], 5, over_frame(page, 4, 0.2, 0.8))
    small_maps_are_painted(page)
    wanted = painted_frames(bare, at, map_of(at, "group 2"), look)
    for seen, one in zip(pictures(minis), wanted, strict=True):
        assert_same_picture(seen, one)
    tags = page.locator(".thumb span").all_inner_texts()
    assert tags == [one.label for one in at.maps] + ["g0", "g1", "g2", "g3"]


def test_a_moving_delta_lights_the_right_cell_of_the_right_frame(page):
    spots = [(t % ROWS, (2 * t + 1) % COLS) for t in range(6)]
    keys = torch.zeros(6, ROWS, COLS)
    for t, (row, col) in enumerate(spots):
        keys[t, row, col] = 1
    block = replace(
        nonlocal_block(grid=GRID), queries=torch.ones(GRID.cells, 1), keys=keys.reshape(-1, 1)
    )
    look = Look(threshold=0.9, colormap="gray", heat_opacity=1.0, interpolation="nearest")
    found = drawn_scene(clip_of(6), block)
    bare = bare_strip(page, found)
    show(page, found, look)
    over_frame(page, 2)
    height, width = bare.shape[1:3]
    for seen, before, (row, col) in zip(strip(page), bare, spots, strict=True):
        lit = np.argwhere((seen != before).any(-1))
        assert lit.min(0) == pytest.approx((row * height / ROWS, col * width / COLS), abs=1)
        assert lit.max(0) + 1 == pytest.approx(
            ((row + 1) * height / ROWS, (col + 1) * width / COLS), abs=1
        )


def test_a_frame_that_is_constant_stays_bare_when_each_is_scaled_for_itself(page):
    block = nonlocal_block(grid=GRID)
    keys = block.keys.clone()
    keys[2 * ROWS * COLS : 3 * ROWS * COLS] = keys[0]
    found = drawn_scene(clip_of(6), replace(block, keys=keys))
    bare = bare_strip(page, found)
    show(page, found, Look("frame", 0.3))
    changed = [bool((a != b).any()) for a, b in zip(strip(page), bare, strict=True)]
    assert changed == [True, True, False, True, True, True]


def test_the_large_canvas_keeps_its_frame_while_the_pointer_is_on_the_strip(page):
    look = Look(threshold=0.2)
    found = drawn_scene(clip_of(6), nonlocal_block(grid=GRID), frame=2)
    mount(page, found, look)
    at = moved(found.shots[0], 6, over_frame(page, 5, 0.3, 0.3))
    assert page.locator(".picker").get_attribute("data-frame") == "2"
    wanted = painted_frames(canvas_pictures(found), at, map_of(at), look)
    assert_same_picture(drawn(page), wanted[2])
    stage = page.locator(".stage").first
    expect(stage.locator(".reference")).to_be_hidden()
    expect(page.locator(".frame").nth(5).locator(".reference")).to_be_visible()
    assert "frame 5 (1.25 s) row" in page.locator(".readout").inner_text()


def test_two_networks_with_other_moments_look_at_the_same_frame(page):
    clip, look = clip_of(6), Look(threshold=0.2)
    fine = shot_of(clip, nonlocal_block(grid=GRID))
    coarse = shot_of(clip, nonlocal_block(grid=Grid(2, 3, 4)))
    found = scene_of(clip, fine, coarse)
    mount(page, found, look)
    page.keyboard.press("Tab")
    frame, row, col = over_frame(page, 4, 0.9, 0.8)
    x, y = fitted(clip).cell_centre(row, col, GRID)
    at = moved(coarse, 6, (4, *fitted(clip).cell_at(x, y, coarse.block.query_grid)))
    assert (frame, at.cell.t) == (4, 1)
    wanted = painted_frames(canvas_pictures(found), at, map_of(at), look)
    assert_same_picture(drawn(page, 1), wanted[0])
