"""The picker on clips: picks, keys, play, arrows, and what is too large to follow the pointer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from models.blocks.layout import Grid
from tests.browser.bare.bare_clips import COLS, GRID, ROWS, over_frame, place_of
from tests.browser.bare.bare_picker import (
    assert_same_picture,
    canvas_pictures,
    drawn,
    mount,
    painted_frames,
    show,
)
from tests.browser.bare.shot_maps import map_of, moved
from tests.browser.conftest import hover
from tests.ui.drawn_scenes import (
    cgnl_block,
    clip_of,
    drawn_scene,
    nonlocal_block,
    scene_of,
    shot_of,
)
from ui.components.picker.payload import LIVE_LIMIT
from viz.attention.choice import MapChoice
from viz.rendering.look import Look


def painted_at(found, place, look, choice=None):
    """What Python paints on the large canvas for a reference, a picture a frame."""
    at = moved(found.shots[0], len(found.clip.frames), place)
    return painted_frames(canvas_pictures(found), at, map_of(at, choice), look)


def test_a_pick_carries_its_frame_and_a_click_on_the_strip_shows_it(page):
    mount(page, drawn_scene(clip_of(6), nonlocal_block(grid=GRID), frame=1), Look())
    hover(page, 0.5, 0.5)
    page.mouse.down()
    page.mouse.up()
    over_frame(page, 4, 0.04, 0.94)
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".picker")).to_have_attribute("data-frame", "4")
    assert page.evaluate("window.sent") == [
        ["pick", {"frame": 1, "row": 2, "col": 3}],
        ["pick", {"frame": 4, "row": 4, "col": 0}],
    ]
    expect(page.locator(".frame[aria-current]")).to_have_text("4 · 1.00 s")


def test_keys_step_through_time_and_move_the_reference_through_frames(page):
    mount(page, drawn_scene(clip_of(6), nonlocal_block(grid=GRID), frame=2), Look())
    page.locator("canvas.picture").focus()
    steps = [
        (".", "3", "2,1,2"), ("PageDown", "4", "2,1,2"), ("End", "5", "2,1,2"), (".", "5", "2,1,2"),
        (",", "4", "2,1,2"), ("PageUp", "3", "2,1,2"), ("Home", "0", "2,1,2"),
        ("]", "0", "3,1,2"), ("ArrowDown", "0", "3,2,2"), ("[", "0", "2,2,2"), ("<", "0", "1,2,2"),
        ("Escape", "2", "2,1,2"), ("]", "2", "3,1,2"),
    ]  # fmt: skip
    for key, frame, cell in steps:
        page.keyboard.press(key)
        page.wait_for_selector(f".picker[data-frame='{frame}'][data-cell='{cell}']")
    page.keyboard.press("Enter")
    assert page.evaluate("window.sent") == [["pick", {"frame": 3, "row": 1, "col": 2}]]
    expect(page.locator(".unseen")).to_contain_text("frame 3 (0.75 s) row 1 column 2")


def test_the_slider_shows_its_frame_with_the_heat_of_that_moment(page):
    look = Look(threshold=0.2)
    found = drawn_scene(clip_of(8), nonlocal_block(grid=Grid(4, ROWS, COLS)))
    mount(page, found, look)
    slider = page.get_by_role("slider", name="Frame shown large")
    slider.fill("5")
    page.wait_for_selector(".picker[data-frame='5']")
    assert_same_picture(drawn(page), painted_at(found, (0, 1, 2), look)[5])
    assert slider.get_attribute("aria-valuetext") == "frame 5, 1.25 s"


def test_play_follows_the_times_and_pauses(page):
    clip = clip_of(4, times=(0.0, 0.1, 0.2, 1.0))
    mount(page, drawn_scene(clip, nonlocal_block(grid=GRID)), Look(threshold=0.1))
    page.evaluate("""() => {
      window.steps = [];
      const root = document.querySelector(".picker");
      root.addEventListener("picker-drawn", () =>
        window.steps.push([root.dataset.frame, performance.now()]));
    }""")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("window.steps.some(([frame]) => frame === '3')")
    page.wait_for_function("window.steps.at(-1)[0] === '0'")
    page.locator("canvas.picture").focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".picker[data-playing='false']")
    first = {}
    for frame, time in page.evaluate("window.steps"):
        first.setdefault(frame, time)
    assert list(first) == ["0", "1", "2", "3"]
    assert first["3"] - first["2"] > 700
    assert first["2"] - first["1"] < 700
    frame = page.locator(".picker").get_attribute("data-frame")
    page.wait_for_timeout(350)
    assert page.locator(".picker").get_attribute("data-frame") == frame


def test_the_frame_that_is_shown_survives_a_rerun(page):
    clip, block = clip_of(6), nonlocal_block(grid=GRID)
    mount(page, drawn_scene(clip, block, frame=1), Look())
    page.locator("canvas.picture").focus()
    page.keyboard.press("End")
    page.wait_for_selector(".picker[data-frame='5']")
    show(page, drawn_scene(clip, block, frame=1), Look(threshold=0.1))
    assert page.locator(".picker").get_attribute("data-frame") == "5"
    show(page, drawn_scene(clip, block, frame=3), Look(threshold=0.1))
    assert page.locator(".picker").get_attribute("data-frame") == "3", "a new pin is shown"
    assert page.locator("canvas.picture").count() == 1


def test_arrows_end_at_the_twenty_highest_weights_and_follow_the_pointer(page):
    clip, grid = clip_of(8), Grid(4, ROWS, COLS)
    ranks = torch.randperm(grid.cells, generator=torch.Generator().manual_seed(3))
    block = replace(
        nonlocal_block(grid=grid),
        queries=torch.ones(grid.cells, 1),
        keys=(ranks / grid.cells).reshape(-1, 1),
    )
    mount(page, drawn_scene(clip, block), Look(arrows=20))
    frame, row, col = over_frame(page, 5, 0.4, 0.6)
    paths = page.locator(".arrows .over:visible").evaluate_all(
        "p => p.map(e => e.getAttribute('d'))"
    )
    seen = [[float(v) for v in np.array(path.split())[[1, 2, 4, 5]]] for path in reversed(paths)]
    origin = page.locator(".film").bounding_box()
    boxes = [one.bounding_box() for one in page.locator(".film .stage").all()]

    def spot(number, row, col):
        box = boxes[number]
        return (
            box["x"] - origin["x"] + (col + 0.5) * box["width"] / COLS,
            box["y"] - origin["y"] + (row + 0.5) * box["height"] / ROWS,
        )

    best = np.unravel_index(np.argsort(-ranks.numpy())[:20], tuple(grid))
    for (x1, y1, x2, y2), t, j, i in zip(seen, *(axis.tolist() for axis in best), strict=True):
        assert (x1, y1) == pytest.approx(spot(frame, row, col), abs=1)
        assert (x2, y2) == pytest.approx(spot(2 * t + 1, j, i), abs=1)


def test_above_the_live_limit_nothing_follows_the_pointer_and_a_click_picks(page):
    grid, look = Grid(4, 40, 40), Look(threshold=0.6)
    assert grid.cells > LIVE_LIMIT
    clip, block = clip_of(4), nonlocal_block(grid=grid)
    mount(page, drawn_scene(clip, block), look)
    before, place = drawn(page), place_of(page)
    assert "6,400 positions" in page.locator(".note").inner_text()
    hover(page, 0.63, 0.37)
    assert (drawn(page) == before).all()
    assert place_of(page) == place
    assert "NL row: click to compute" in page.locator(".readout").inner_text()
    page.mouse.down()
    page.mouse.up()
    assert page.evaluate("window.sent") == [["pick", {"frame": 0, "row": 14, "col": 25}]]
    expect(page.locator(".note")).to_contain_text("Computing the map of frame 0, row 14")
    found = drawn_scene(clip, block, row=14, col=25)
    show(page, found, look)
    assert_same_picture(drawn(page), painted_at(found, (0, 14, 25), look)[0])


def test_above_the_live_limit_cgnl_shows_the_maps_that_python_chose(page):
    look, block = Look(threshold=0.6), cgnl_block(groups=4, grid=Grid(4, 40, 40))
    found = drawn_scene(clip_of(4), block, shown=MapChoice("group", 1))
    mount(page, found, look)
    assert_same_picture(drawn(page), painted_at(found, (0, 1, 2), look, "group 1")[0])
    page.locator(".picker[data-small]").wait_for()
    chosen = [one.label for one in found.shots[0].maps]
    assert page.locator(".thumb span").all_inner_texts()[:5] == chosen
    page.locator(".thumb").first.click()
    page.wait_for_function("window.sent.length === 1")
    assert_same_picture(drawn(page), painted_at(found, (0, 1, 2), look, "channel 1")[0])
    expect(page.locator(".caption")).to_contain_text(f"channel {chosen[0][1:]}")


def test_above_the_live_limit_heads_and_cosines_are_the_maps_of_the_pin(page):
    grid, look = Grid(4, 40, 40), Look(threshold=0.6)
    clip, block = clip_of(4), nonlocal_block("embedded_gaussian", grid, heads=2)
    found = drawn_scene(clip, block, shown=MapChoice("head", 1))
    mount(page, found, look)
    assert_same_picture(drawn(page), painted_at(found, (0, 1, 2), look, "head 1")[0])
    page.locator(".thumb", has_text="maximum").click()
    page.wait_for_function("window.sent.length === 1")
    assert_same_picture(drawn(page), painted_at(found, (0, 1, 2), look, "maximum")[0])
    cosine = drawn_scene(clip, block, kind="features")
    show(page, cosine, look)
    assert_same_picture(drawn(page), painted_at(cosine, (0, 1, 2), look)[0])
    hover(page, 0.63, 0.37)
    assert "cosine: click to compute" in page.locator(".readout").inner_text()


def test_a_narrow_window_never_scrolls_sideways(page):
    clip, grid = clip_of(16), Grid(16, 5, 7)
    page.set_viewport_size({"width": 390, "height": 800})
    shots = shot_of(clip, nonlocal_block(grid=grid)), shot_of(clip, cgnl_block(grid=grid))
    mount(page, scene_of(clip, *shots), Look())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".film").first.locator(".frame").count() == 16
