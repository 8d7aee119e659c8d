"""The picker on clips: every frame of the strip and the large canvas against Python."""

import base64
from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from models.blocks.layout import Grid
from tests.browser.bare.bare_clips import (
    BARE,
    COLS,
    PICTURES,
    ROWS,
    cgnl_block,
    clip_of,
    large_frames,
    nonlocal_block,
    over_frame,
    painted,
    panel_of,
    plan_of,
    query,
    strip,
)
from tests.browser.bare.bare_picker import assert_same_picture, drawn, mount, picture_of, show
from viz.attention import pipeline
from viz.attention.kinds.channels import channel_map, group_map, rank
from viz.attention.pipeline import Channels
from viz.rendering.look import Look
from viz.types import Cell


def bare_strip(page, clip, panels, focus="channel 1"):
    """Mount with invisible heat and return the strip of the first network as it is without."""
    mount(page, clip, panels, BARE, focus)
    return strip(page)


def assert_frames_are_pythons(page, clip, block, look, bare):
    for number, x, y in ((0, 0.03, 0.05), (3, 0.6, 0.4), (len(clip.frames) - 1, 0.96, 0.93)):
        cell = over_frame(page, number, x, y)
        assert cell[0] == number
        [expected] = pipeline.maps_at(block, query(clip, block, cell), Channels())
        for seen, wanted in zip(strip(page), painted(bare, clip, expected, look), strict=True):
            assert_same_picture(seen, wanted)
        assert_same_picture(drawn(page), painted(large_frames(clip), clip, expected, look)[0])


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
def test_every_frame_is_painted_as_python_paints_it(page, name):
    clip, block, look = clip_of(6), nonlocal_block(name), Look(threshold=0.3)
    bare = bare_strip(page, clip, [panel_of(block, clip)])
    show(page, clip, [panel_of(block, clip)], look)
    assert_frames_are_pythons(page, clip, block, look, bare)


@pytest.mark.parametrize(
    ("frames", "block"),
    [
        (6, nonlocal_block(keys=Grid(6, 2, 3))),
        (8, nonlocal_block(grid=Grid(3, ROWS, COLS))),
        (7, nonlocal_block(grid=Grid(7, ROWS, COLS), keys=Grid(2, ROWS, COLS))),
        (6, nonlocal_block("embedded_gaussian", groups=3)),
        (4, nonlocal_block(grid=Grid(8, ROWS, COLS), groups=4)),
    ],
    ids=["pooled keys", "pooled time", "pooled keys in time", "grouped frames", "held frames"],
)
@pytest.mark.parametrize("normalise", ["clip", "frame"])
def test_grids_of_every_layout_are_painted_as_python_paints_them(page, frames, block, normalise):
    clip, look = clip_of(frames), Look(normalise, 0.4, interpolation="nearest")
    bare = bare_strip(page, clip, [panel_of(block, clip)])
    show(page, clip, [panel_of(block, clip)], look)
    assert_frames_are_pythons(page, clip, block, look, bare)


@pytest.mark.parametrize("kernel", ["dot_product", "embedded_gaussian", "gaussian_rbf"])
@pytest.mark.parametrize("focus", ["channel 2", "group 3"])
def test_cgnl_maps_are_painted_over_all_frames(page, kernel, focus):
    clip, block, look = clip_of(5), cgnl_block(Grid(5, ROWS, COLS), kernel), Look(threshold=0.5)
    bare = bare_strip(page, clip, [panel_of(block, clip)], focus)
    show(page, clip, [panel_of(block, clip)], look, focus)
    cell = over_frame(page, 3, 0.7, 0.3)
    at = query(clip, block, cell)
    channel = focus.startswith("channel")
    expected = channel_map(block, at, rank(block, at)[1]) if channel else group_map(block, at, 3)
    for seen, wanted in zip(strip(page), painted(bare, clip, expected, look), strict=True):
        assert_same_picture(seen, wanted)


def test_small_maps_are_rows_over_all_frames(page):
    clip, block, look = clip_of(5), cgnl_block(Grid(5, ROWS, COLS)), Look(threshold=0.5)
    mount(page, clip, [panel_of(block, clip)], BARE)
    minis = page.locator(".thumb", has_text="g2").locator("canvas")
    bare = np.stack([picture_of(base64.b64decode(one)) for one in minis.evaluate_all(PICTURES)])
    show(page, clip, [panel_of(block, clip)], look)
    at = query(clip, block, over_frame(page, 4, 0.2, 0.8))
    picker = page.locator(".picker")
    expect(picker).to_have_attribute("data-small", picker.get_attribute("data-draws"))
    seen = [picture_of(base64.b64decode(one)) for one in minis.evaluate_all(PICTURES)]
    for one, wanted in zip(seen, painted(bare, clip, group_map(block, at, 2), look), strict=True):
        assert_same_picture(one, wanted)
    tags = page.locator(".thumb span").all_inner_texts()
    assert tags == [f"c{c}" for c in rank(block, at)] + ["g0", "g1", "g2", "g3"]


def test_a_moving_delta_lights_the_right_cell_of_the_right_frame(page):
    clip, grid = clip_of(6), Grid(6, ROWS, COLS)
    spots = [(t % ROWS, (2 * t + 1) % COLS) for t in range(6)]
    keys = torch.zeros(6, ROWS, COLS)
    for t, (row, col) in enumerate(spots):
        keys[t, row, col] = 1
    block = replace(
        nonlocal_block(), queries=torch.ones(grid.cells, 1), keys=keys.reshape(-1, 1)
    )  # fmt: skip
    look = Look(threshold=0.9, colormap="gray", heat_opacity=1.0, interpolation="nearest")
    bare = bare_strip(page, clip, [panel_of(block, clip)])
    show(page, clip, [panel_of(block, clip)], look)
    over_frame(page, 2)
    height, width = bare.shape[1:3]
    for seen, before, (row, col) in zip(strip(page), bare, spots, strict=True):
        lit = np.argwhere((seen != before).any(-1))
        assert lit.min(0) == pytest.approx((row * height / ROWS, col * width / COLS), abs=1)
        assert lit.max(0) + 1 == pytest.approx(
            ((row + 1) * height / ROWS, (col + 1) * width / COLS), abs=1
        )


def test_a_frame_that_is_constant_stays_bare_when_each_is_scaled_for_itself(page):
    clip, block = clip_of(6), nonlocal_block()
    keys = block.keys.clone()
    keys[2 * ROWS * COLS : 3 * ROWS * COLS] = keys[0]
    block = replace(block, keys=keys)
    bare = bare_strip(page, clip, [panel_of(block, clip)])
    show(page, clip, [panel_of(block, clip)], Look("frame", 0.3))
    changed = [bool((a != b).any()) for a, b in zip(strip(page), bare, strict=True)]
    assert changed == [True, True, False, True, True, True]


def test_the_large_canvas_keeps_its_frame_while_the_pointer_is_on_the_strip(page):
    clip, block, look = clip_of(6), nonlocal_block(), Look(threshold=0.2)
    mount(page, clip, [panel_of(block, clip, frame=2)], look)
    cell = over_frame(page, 5, 0.3, 0.3)
    assert page.locator(".picker").get_attribute("data-frame") == "2"
    [row] = pipeline.maps_at(block, query(clip, block, cell), Channels())
    assert_same_picture(drawn(page), painted(large_frames(clip), clip, row, look)[2])
    stage = page.locator(".stage").first
    expect(stage.locator(".reference")).to_be_hidden()
    expect(page.locator(".frame").nth(5).locator(".reference")).to_be_visible()
    assert "frame 5 (1.25 s) row" in page.locator(".readout").inner_text()


def test_two_networks_with_other_moments_look_at_the_same_frame(page):
    clip = clip_of(6)
    fine, coarse = nonlocal_block(), nonlocal_block(grid=Grid(2, 3, 4))
    look, panels = Look(threshold=0.2), [panel_of(fine, clip), panel_of(coarse, clip)]
    mount(page, clip, panels, look)
    page.keyboard.press("Tab")
    frame, row, col = over_frame(page, 4, 0.9, 0.8)
    x, y = plan_of(clip).cell_centre(row, col, fine.query_grid)
    at = Cell(1, *plan_of(clip).cell_at(x, y, coarse.query_grid))
    [expected] = pipeline.maps_at(coarse, at, Channels())
    assert frame == 4
    assert_same_picture(drawn(page, 1), painted(large_frames(clip), clip, expected, look)[0])
