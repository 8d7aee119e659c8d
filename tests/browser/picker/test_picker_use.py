"""The picker used: keys, holding, keeping and dragging, and new data in place of the old."""

import pytest
from playwright.sync_api import expect

from models.blocks.layout import Grid
from tests.browser.bare.bare_picker import drawn, mount, show
from tests.browser.bare.shot_maps import map_of
from tests.browser.conftest import hover
from tests.browser.picker.conftest import COLS, ROWS, assert_painted
from tests.ui.drawn_scenes import cgnl_block, drawn_scene, nonlocal_block
from viz.attention.choice import MapChoice
from viz.rendering import heat as heats
from viz.rendering.look import Look


def test_arrows_move_enter_pins_and_escape_goes_back(page, clip, plan):
    mount(page, drawn_scene(clip, nonlocal_block("gaussian"), row=2, col=3, plan=plan), Look())
    page.locator("canvas.picture").focus()
    for key, expected in (("ArrowDown", "3,3"), ("ArrowRight", "3,4"), ("ArrowUp", "2,4")):
        page.keyboard.press(key)
        page.wait_for_selector(f".picker[data-cell='{expected}']")
    page.keyboard.press("Escape")
    page.wait_for_selector(".picker[data-cell='2,3']")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector(".picker[data-cell='2,2']")
    assert page.evaluate("window.sent") == [["pick", {"row": 2, "col": 2}]]
    assert "row 2 column 2" in page.locator(".unseen").inner_text()


def test_holding_the_pin_reads_values_without_moving_the_reference(page, clip, plan):
    found = drawn_scene(clip, nonlocal_block(), row=2, col=3, plan=plan)
    mount(page, found, Look())
    page.locator(".hold input").check()
    before = drawn(page)
    hover(page, 0.9, 0.9)
    assert (drawn(page) == before).all()
    row, col = plan.cell_at(0.9 * 640, 0.9 * 480, Grid(1, ROWS, COLS))
    values = map_of(found.shots[0]).values
    above = int((values > values[0, row, col]).sum())
    readout = page.locator(".readout").inner_text()
    assert f"row {row} column {col}" in readout
    assert f"NL row ≈ {values[0, row, col]:.3g} (rank {above + 1} of {ROWS * COLS})" in readout


def test_new_data_replaces_the_old_in_place(page, clip, plan):
    block = nonlocal_block()
    mount(page, drawn_scene(clip, block, plan=plan), Look(threshold=0.9))
    first = drawn(page)
    show(page, drawn_scene(clip, block, plan=plan), Look(threshold=0.1))
    assert (drawn(page) != first).any()
    assert page.locator("canvas.picture").count() == 1


def test_another_kind_of_the_same_block_replaces_the_map_and_what_is_offered(page, clip, plan):
    look, block = Look(threshold=0.4), cgnl_block()
    mount(page, drawn_scene(clip, block, plan=plan), look)
    expect(page.locator(".thumb")).to_have_count(10)
    found = drawn_scene(clip, block, plan=plan, kind="features")
    show(page, found, look)
    expect(page.locator(".thumb")).to_have_count(0)
    assert_painted(page, found, look)
    own = drawn_scene(clip, block, plan=plan, maps="contrast", shown=MapChoice("group", 1))
    show(page, own, look)
    expect(page.locator(".thumb")).to_have_count(10)
    assert_painted(page, own, look, "group 1")


def test_the_mark_on_the_colour_bar_is_dragged_and_python_hears_where_it_ends(page, clip, plan):
    found = drawn_scene(clip, nonlocal_block("gaussian"), plan=plan)
    mount(page, found, Look(threshold=0.9))
    bar = page.locator(".ramp").bounding_box()
    middle = bar["y"] + bar["height"] / 2
    page.mouse.move(bar["x"] + 0.9 * bar["width"], middle)
    page.mouse.down()
    for share in (0.7, 0.5, 0.25):
        page.mouse.move(bar["x"] + share * bar["width"], middle)
    assert page.evaluate("window.sent") == []
    page.mouse.up()
    ((name, value),) = page.evaluate("window.sent")
    assert (name, value) == ("threshold", pytest.approx(0.25, abs=0.011))
    page.locator(".cut").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.sent")[-1] == ["threshold", pytest.approx(value + 0.01)]
    expect(page.locator(".cut")).to_contain_text(f"threshold {value + 0.01:.2f}")


OPAQUE_FROM = """() => {
  const bar = document.querySelector(".ramp canvas").getContext("2d");
  const row = bar.getImageData(0, 0, 256, 1).data;
  for (let k = 0; k < 256; k++) if (row[4 * k + 3] === 255) return k;
}"""


def test_the_colour_bar_is_marked_from_where_the_share_of_each_map_begins(page, clip, plan):
    look = Look(cut="area", share=0.2)
    block = nonlocal_block()
    mount(page, drawn_scene(clip, block, row=2, col=3, plan=plan), look)
    seen = []
    for row, col in ((2, 3), (5, 6), (0, 1)):
        found = drawn_scene(clip, block, row=row, col=col, plan=plan)
        heat = heats.normalise(map_of(found.shots[0]), look)
        if seen:
            x, y = plan.cell_centre(row, col, Grid(1, ROWS, COLS))
            hover(page, x / 640, y / 480)
        seen.append(heat.level(0, look))
        assert page.evaluate(OPAQUE_FROM) / 255 == pytest.approx(seen[-1], abs=0.006)
    assert max(seen) - min(seen) > 0.05


def test_a_channel_that_is_kept_stays_whatever_the_reference(page, clip, plan):
    mount(page, drawn_scene(clip, cgnl_block(), plan=plan), Look())
    hover(page, 0.2, 0.2)
    kept = page.locator(".keep").inner_text().removeprefix("Keep ")
    page.locator(".keep input").check()
    assert page.evaluate("window.sent") == [["focus", kept]]
    for place in ((0.8, 0.3), (0.4, 0.9)):
        hover(page, *place)
        expect(page.locator(".caption")).to_contain_text(f"channel {kept[1:]} ")
    page.locator(".keep input").uncheck()
    assert page.evaluate("window.sent")[-1] == ["focus", "channel 1"]
