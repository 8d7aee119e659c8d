"""The Explore page as a person uses it: a real browser, a real server, the bundled networks."""

import re
from urllib.parse import quote

import numpy as np
from playwright.sync_api import expect

from tests.browser.bare.bare_picker import assert_same_picture, drawn, painted
from tests.browser.conftest import (
    PATIENCE_MS,
    SIZE,
    at_rest,
    cell_of,
    choose,
    expect_address,
    hover,
    open_explore,
)
from viz.attention import pipeline, queries
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import KINDS, kind_of
from viz.examples import bird
from viz.rendering.look import Look
from viz.types import Cell

COSINE, GRAD_CAM = KINDS["features"].menu, KINDS["class maps"].menu


def map_at(capture, cell, choice=None, kind=None):
    """One map of a network at a cell (row, column), by Python."""
    block = queries.block_of(capture, kind=kind)
    return kind_of(block).map(block, Cell(0, *cell), choice)


def assert_shows(page, panel, capture, attention, look):
    wanted = painted(bird.clip().frames[0], capture.geometry, attention, look)
    assert_same_picture(drawn(page, panel), wanted)


def shown_channel(page, panel=1):
    return int(re.search(r"channel (\d+)", page.locator(".caption").nth(panel).inner_text())[1])


def press(page):
    """Click where the pointer is."""
    page.mouse.down()
    page.mouse.up()


def test_it_opens_with_two_live_maps_that_follow_the_pointer_without_the_server(page, server):
    hosts, sent = set(), []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
    page.on("websocket", lambda socket: socket.on("framesent", lambda _frame: sent.append(1)))
    open_explore(page, server)
    expect(page.locator("canvas.picture")).to_have_count(2)
    expect(page.locator(".title").first).to_contain_text("e2-nl")
    expect(page.locator(".title").nth(1)).to_contain_text("e2-cgnl")
    expect(page.locator(".thumb")).to_have_count(13)
    assert (drawn(page) != bird.clip().frames[0]).any(), "no heat on the first picture"
    assert hosts <= {"localhost", ""}, "the page asked for something outside this machine"
    page.wait_for_timeout(500)
    before = len(sent)
    assert before > 0
    for k in range(12):
        hover(page, 0.1 + 0.06 * k, 0.4)
    first = drawn(page)
    hover(page, 0.2, 0.8, panel=1)
    assert (drawn(page) != first).any()
    assert len(sent) == before


def test_hover_paints_what_python_paints_in_both_networks(page, server, captures):
    open_explore(page, server, f"?size={SIZE}")
    nl, cgnl = captures.values()
    for x, y in ((0.3, 0.82), (0.62, 0.27), (0.55, 0.5)):
        hover(page, x, y)
        cell = cell_of(page)
        assert_shows(page, 0, nl, map_at(nl, cell), Look())
        channel = MapChoice("channel", shown_channel(page))
        assert_shows(page, 1, cgnl, map_at(cgnl, cell, channel), Look())
        block = queries.block_of(cgnl)
        best = kind_of(block).rank(block, Cell(0, *cell), "standout")
        assert channel.number in best[:2], "the browser ranks other channels"


def test_a_click_pins_and_the_page_shows_cell_and_exact_value(page, server, captures):
    open_explore(page, server, f"?size={SIZE}")
    hover(page, 0.42, 0.66)
    cell = cell_of(page)
    press(page)
    expect(page.get_by_label("Row", exact=True)).to_have_value(str(cell[0]))
    expect(page.get_by_label("Column", exact=True)).to_have_value(str(cell[1]))
    at_rest(page)
    expect_address(page, f"at={cell[0]}%2C{cell[1]}&")
    page.mouse.move(3, 3)
    expect(page.locator(".readout")).to_contain_text(f"row {cell[0]} column {cell[1]}")
    exact = map_at(captures["e2-nl"], cell).values[0, cell[0], cell[1]]
    cells = page.locator("[data-testid=stTable] td").all_text_contents()
    floats = [float(c) for c in cells if re.fullmatch(r"-?[\d.]+(e-?\d+)?", c)]
    assert any(np.isclose(v, exact, rtol=1e-3) for v in floats)


def test_the_address_bar_brings_the_view_back(page, server):
    open_explore(page, server, "?at=6%2C9&net=e2-cgnl&beside=none&focus=group%202&threshold=0.5")
    expect(page.locator("canvas.picture")).to_have_count(1)
    assert cell_of(page) == (6, 9)
    expect(page.locator(".caption")).to_contain_text("group 2")
    expect(page.locator(".cut")).to_contain_text("0.50")


def test_a_bad_address_opens_the_page_all_the_same(page, server):
    query = "?at=99,%3Cb%3E&net=nothing&threshold=8&size=-1&map=%00&channels=x&kind=%3Ci%3E"
    open_explore(page, server, query)
    expect(page.locator("canvas.picture")).to_have_count(2)


def test_what_is_clicked_typed_and_pressed_changes_picture_pin_and_address(page, server):
    open_explore(page, server)
    page.locator(".thumb", has_text="g4").click()
    expect(page.locator(".caption").nth(1)).to_contain_text("group 4")
    at_rest(page)
    expect_address(page, "focus=group")
    expect(page.locator(".thumb", has_text="g4")).to_have_attribute("aria-pressed", "true")
    row, col = cell_of(page)
    page.locator("canvas.picture").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f".picker[data-cell='{row + 1},{col - 1}']")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Row", exact=True)).to_have_value(str(row + 1))
    expect(page.get_by_label("Column", exact=True)).to_have_value(str(col - 1))
    at_rest(page)
    field = page.get_by_label("Column", exact=True)
    field.fill("3")
    field.press("Enter")
    page.wait_for_selector(".picker[data-cell$=',3']")
    at_rest(page)
    before, plain = drawn(page), bird.clip().frames[0]
    page.get_by_test_id("stSidebar").get_by_role("slider", name="Threshold").press("Home")
    expect(page.locator(".cut").first).to_contain_text("0.00", timeout=PATIENCE_MS)
    at_rest(page)
    assert (drawn(page) != plain).any(-1).sum() > (before != plain).any(-1).sum()


def test_the_back_button_goes_back_to_the_pin_before(page, server):
    open_explore(page, server, "?at=2%2C3")
    hover(page, 0.6, 0.7)
    there = cell_of(page)
    press(page)
    expect(page.get_by_label("Row", exact=True)).to_have_value(str(there[0]))
    at_rest(page)
    page.mouse.move(3, 3)
    page.go_back()
    page.wait_for_selector(".picker[data-cell='2,3']")


def test_cosine_and_grad_cam_are_chosen_shown_and_kept_in_the_address(page, server, captures):
    look, (nl, cgnl) = Look(threshold=0.5), captures.values()
    open_explore(page, server, f"?size={SIZE}&threshold=0.5&at=8%2C16")
    titles = ["Cosine · e2-nl · unit14", "Grad-CAM · e2-cgnl · unit14"]
    names = ("e2-nl", "e2-cgnl")
    for k, (name, option) in enumerate(zip(names, (COSINE, GRAD_CAM), strict=True)):
        choose(page, f"Map of {name}", option)
        expect(page.locator(".title").nth(k)).to_have_text(titles[k])
    assert_shows(page, 0, nl, map_at(nl, (8, 16), kind="features"), look)
    answer = pipeline.capture(cgnl.model, bird.clip(), "fit", 224)
    best = answer.logits.argsort(descending=True).tolist()
    names = [cgnl.model.class_name(index) for index in best]
    classes = [MapChoice("class", index) for index in best]
    assert_shows(page, 1, cgnl, map_at(cgnl, (8, 16), classes[0], "class maps"), look)
    expect(page.locator(".caption").nth(1)).to_contain_text(names[0])
    expect(page.locator(".thumb")).to_have_count(5)
    before = drawn(page, 1)
    hover(page, 0.2, 0.7)
    assert_shows(page, 0, nl, map_at(nl, cell_of(page), kind="features"), look)
    assert (drawn(page, 1) == before).all(), "a class map followed the pointer"
    expect(page.locator(".view").nth(1).locator(".box:visible")).to_have_count(0)
    page.locator(".thumb").nth(2).click()
    expect(page.locator(".caption").nth(1)).to_contain_text(names[2])
    assert_shows(page, 1, cgnl, map_at(cgnl, (8, 16), classes[2], "class maps"), look)
    at_rest(page)
    expect(page.get_by_role("combobox", name="Large map")).to_have_value("3rd-ranked class")
    expect_address(page, "class-focus=class")
    page.goto(page.url)
    page.wait_for_selector(".picker[data-draws]")
    at_rest(page)
    assert page.locator(".title").all_inner_texts() == titles
    assert_shows(page, 1, cgnl, map_at(cgnl, (8, 16), classes[2], "class maps"), look)


def test_the_rank_of_a_class_map_under_the_pointer_is_that_of_the_table(page, server, captures):
    open_explore(page, server, f"?size={SIZE}&net=e2-cgnl&beside=none&kind={quote(GRAD_CAM)}")
    cgnl = captures["e2-cgnl"]
    answer = pipeline.capture(cgnl.model, bird.clip(), "fit", 224)
    best = MapChoice("class", int(answer.logits.argmax()))
    values = map_at(cgnl, (0, 0), best, "class maps").values[0]
    ranks = (values > values[..., None, None]).sum((2, 3)) + 1
    halves = (values / values.max()).astype(np.float16)
    cells = np.argwhere(ranks != (halves > halves[..., None, None]).sum((2, 3)) + 1)
    assert len(cells), "rounding to halves changes no rank"
    for row, col in cells[:3]:
        hover(page, (col + 0.5) / values.shape[1], (row + 0.5) / values.shape[0])
        assert cell_of(page) == (row, col)
        rank = f"(rank {ranks[row, col]} of {values.size})"
        expect(page.locator(".readout")).to_contain_text(rank)


def test_a_phone_shows_everything_without_sideways_scrolling(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    open_explore(page, server)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(300)
        main = page.locator("[data-testid=stMain]")
        assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
        box = page.locator("canvas.picture").first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        for name in ("Pin for a figure", "PNG", "Maps", "Recipe", "Link"):
            box = page.locator(".st-key-toolbar").get_by_role("button", name=name).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
        text = page.locator(".picker").evaluate("e => getComputedStyle(e).color")
        app = page.locator("[data-testid=stApp]")
        paper = app.evaluate("e => getComputedStyle(e).backgroundColor")
        assert (bright(paper) > 380) == (scheme == "light")
        assert abs(bright(text) - bright(paper)) > 400


def bright(colour):
    """The sum of red, green and blue."""
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


def test_the_models_page_opens(page, server):
    page.goto(f"{server}/models")
    expect(page.get_by_text("These come with the program")).to_be_visible()


def test_the_look_in_the_address_is_the_look_on_the_canvas(page, server, captures):
    look = Look("clip", 0.35, "viridis", 0.9, "nearest")
    query = f"?size={SIZE}&at=8%2C16&threshold=0.35&map=viridis&opacity=0.9&smoothing=nearest"
    open_explore(page, server, query)
    capture = captures["e2-nl"]
    assert_shows(page, 0, capture, map_at(capture, (8, 16)), look)


def test_what_is_pinned_is_the_same_patch_in_readout_and_table_on_another_grid(page, server):
    open_explore(page, server)
    choose(page, "Compare with", "e2-birds-nl5")
    choose(page, "Block of e2-birds-nl5", "unit5")
    readout, table = page.locator(".readout"), page.get_by_test_id("stTable").first
    expect(readout).to_contain_text("of 2240")
    page.mouse.move(3, 3)
    row = table.get_by_role("row", name="Rank")
    expect(row).to_contain_text("of 2240")
    rank = re.search(r"(\d+) of 2240", row.inner_text())[1]
    expect(readout).to_contain_text(f"rank {rank} of 2240")
