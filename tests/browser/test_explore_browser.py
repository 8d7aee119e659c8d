"""The Explore page as a person uses it: a real browser, a real server, the bundled networks."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import (
    SIZE,
    address_cell,
    at_rest,
    cell_of,
    hover,
    open_explore,
    pixels,
)
from viz.attention import pipeline
from viz.examples import bird
from viz.rendering import heat, overlay
from viz.rendering.look import Look
from viz.types import Cell


def drawn(page, panel=0):
    return np.asarray(Image.open(io.BytesIO(pixels(page, panel))).convert("RGB")).astype(int)


def python_overlay(capture, attention, look):
    clip = bird.clip()
    return overlay.paint(clip, capture.geometry, heat.normalise(attention, look), look)[0].astype(
        int
    )


def assert_same_picture(screen, python):
    """Within 16/255 but for a few pixels at the edge of the threshold (float16 factors)."""
    assert screen.shape == python.shape
    assert (np.abs(screen - python).max(-1) > 16).mean() < 0.004


def shown_channel(page, panel=1):
    return int(re.search(r"channel (\d+)", page.locator(".caption").nth(panel).inner_text())[1])


def test_it_opens_with_a_picture_a_reference_and_two_live_maps(page, server):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
    open_explore(page, server)
    expect(page.locator("canvas.picture")).to_have_count(2)
    expect(page.locator(".title").first).to_contain_text("r50n-nl")
    expect(page.locator(".title").nth(1)).to_contain_text("r50n-cgnl")
    expect(page.locator(".thumb")).to_have_count(13)
    assert (drawn(page) != bird.clip().frames[0]).any(), "no heat on the first picture"
    assert hosts <= {"localhost", ""}, "the page asked for something outside this machine"


def test_hover_paints_what_python_paints_in_both_networks(page, server, captures):
    open_explore(page, server, f"?size={SIZE}")
    look = Look()
    for x, y in ((0.3, 0.82), (0.62, 0.27), (0.55, 0.5)):
        hover(page, x, y)
        cell = Cell(0, *cell_of(page))
        nl, cgnl = (pipeline.block_of(c) for c in captures.values())
        [row] = pipeline.maps_at(nl, cell, pipeline.Channels())
        assert_same_picture(drawn(page), python_overlay(captures["r50n-nl"], row, look))
        wanted = pipeline.Channels(listed=(shown_channel(page),))
        [channel] = pipeline.maps_at(cgnl, cell, wanted)
        assert_same_picture(drawn(page, 1), python_overlay(captures["r50n-cgnl"], channel, look))
        best = pipeline.choose_channels(cgnl, cell, pipeline.Channels())
        assert shown_channel(page) in best[:2], "the browser ranks other channels"


def test_hover_over_the_second_picture_moves_the_first(page, server):
    open_explore(page, server)
    before = drawn(page)
    hover(page, 0.2, 0.8, panel=1)
    assert (drawn(page) != before).any()


def test_hover_never_asks_the_server(page, server):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _frame: sent.append(1)))
    open_explore(page, server)
    page.wait_for_timeout(500)
    before = len(sent)
    for k in range(12):
        hover(page, 0.1 + 0.06 * k, 0.4)
    assert len(sent) == before
    assert before > 0


def test_a_click_pins_and_the_page_shows_cell_and_exact_value(page, server, captures):
    open_explore(page, server, f"?size={SIZE}")
    hover(page, 0.42, 0.66)
    cell = cell_of(page)
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_label("Row", exact=True)).to_have_value(str(cell[0]))
    expect(page.get_by_label("Column", exact=True)).to_have_value(str(cell[1]))
    at_rest(page)
    assert address_cell(page) == cell
    page.mouse.move(3, 3)
    expect(page.locator(".readout")).to_contain_text(f"row {cell[0]} column {cell[1]}")
    [row] = pipeline.maps_at(
        pipeline.block_of(captures["r50n-nl"]), Cell(0, *cell), pipeline.Channels()
    )
    exact = row.values[0, cell[0], cell[1]]
    cells = page.locator("[data-testid=stDataFrame] [role=gridcell]").all_text_contents()
    floats = [float(c) for c in cells if re.fullmatch(r"-?[\d.]+(e-?\d+)?", c)]
    assert any(np.isclose(v, exact, rtol=1e-3) for v in floats)


def test_the_address_bar_brings_the_view_back(page, server):
    open_explore(page, server, "?at=6%2C9&net=r50n-cgnl&beside=none&focus=group%202&threshold=0.5")
    expect(page.locator("canvas.picture")).to_have_count(1)
    assert cell_of(page) == (6, 9)
    expect(page.locator(".caption")).to_contain_text("group 2")
    expect(page.locator(".cut")).to_contain_text("0.50")


def test_a_bad_address_opens_the_page_all_the_same(page, server):
    open_explore(page, server, "?at=99,%3Cb%3E&net=nothing&threshold=8&size=-1&map=%00&channels=x")
    expect(page.locator("canvas.picture")).to_have_count(2)


def test_the_threshold_changes_the_picture(page, server):
    open_explore(page, server)
    before = drawn(page)
    thumb = page.get_by_role("slider", name="Threshold")
    thumb.focus()
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".cut").first).to_contain_text("0.30")
    at_rest(page)
    now = drawn(page)
    plain = bird.clip().frames[0]
    assert (now != plain).any(-1).sum() > (before != plain).any(-1).sum()


def test_a_small_map_that_is_clicked_is_shown_large(page, server):
    open_explore(page, server)
    page.locator(".thumb", has_text="g4").click()
    expect(page.locator(".caption").nth(1)).to_contain_text("group 4")
    at_rest(page)
    assert "focus=group" in page.url
    expect(page.locator(".thumb", has_text="g4")).to_have_attribute("aria-pressed", "true")


def test_arrow_keys_and_enter_pin(page, server):
    open_explore(page, server)
    row, col = cell_of(page)
    page.locator("canvas.picture").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f".picker[data-cell='{row + 1},{col - 1}']")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Row", exact=True)).to_have_value(str(row + 1))
    expect(page.get_by_label("Column", exact=True)).to_have_value(str(col - 1))


def test_the_back_button_goes_back_to_the_pin_before(page, server):
    open_explore(page, server, "?at=2%2C3")
    hover(page, 0.6, 0.7)
    there = cell_of(page)
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_label("Row", exact=True)).to_have_value(str(there[0]))
    at_rest(page)
    page.mouse.move(3, 3)
    page.go_back()
    page.wait_for_selector(".picker[data-cell='2,3']")


def test_number_inputs_move_the_reference(page, server):
    open_explore(page, server)
    field = page.get_by_label("Column", exact=True)
    field.fill("3")
    field.press("Enter")
    page.wait_for_selector(".picker[data-cell$=',3']")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_sideways_scrolling(page, server, scheme):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)
    open_explore(page, server)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    box = page.locator("canvas.picture").first.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    text = page.locator(".picker").evaluate("e => getComputedStyle(e).color")
    app = page.locator("[data-testid=stApp]")
    paper = app.evaluate("e => getComputedStyle(e).backgroundColor")
    brightness = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in (text, paper)]
    assert abs(brightness[0] - brightness[1]) > 400


def test_the_models_page_opens(page, server):
    page.goto(f"{server}/models")
    expect(page.get_by_text("These are in this folder")).to_be_visible(timeout=60_000)


def test_the_look_in_the_address_is_the_look_on_the_canvas(page, server, captures):
    look = Look("clip", 0.35, "viridis", 0.9, "nearest")
    query = f"?size={SIZE}&at=8%2C16&threshold=0.35&map=viridis&opacity=0.9&smoothing=nearest"
    open_explore(page, server, query)
    capture = captures["r50n-nl"]
    [row] = pipeline.maps_at(pipeline.block_of(capture), Cell(0, 8, 16), pipeline.Channels())
    assert_same_picture(drawn(page), python_overlay(capture, row, look))
