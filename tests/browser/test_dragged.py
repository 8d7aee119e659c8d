"""Sliders act while they are dragged, and what a page offers stays in view."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.browser.conftest import at_rest, expect_address


@contextmanager
def dragged(page: Page, key: str, share: float) -> Iterator[None]:
    """Hold the slider of a key at a share of its length for the ``with`` body."""
    slider = page.locator(f".st-key-{key} [role=group]")
    slider.scroll_into_view_if_needed()
    thumb, track = slider.locator("div[style*='left']").first, slider.bounding_box()
    box = thumb.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(track["x"] + share * track["width"], y, steps=4)
    yield
    page.mouse.up()
    at_rest(page)


def test_the_canvas_follows_the_sliders_of_the_sidebar(explore):
    mark = explore.locator(".cut").first
    before = explore.locator(".picker").get_attribute("data-draws")
    with dragged(explore, "threshold", 0.3):
        expect(mark).not_to_have_attribute("aria-valuenow", "0.70")
        expect(explore.locator(".picker")).not_to_have_attribute("data-draws", before)
        assert "threshold=" not in explore.url, "the server was asked before the slider was let go"
    value = explore.locator(".st-key-threshold input").get_attribute("aria-valuetext")
    expect(mark).to_have_attribute("aria-valuenow", value)
    expect_address(explore, "threshold=0.")


def test_the_preview_of_a_figure_follows_its_slider(page, server):
    page.goto(f"{server}/figure")
    page.get_by_role("button", name="Start with the example").click()
    picture = page.locator(".st-key-figure-page img")
    picture.wait_for()
    at_rest(page)
    before = picture.get_attribute("src")
    with dragged(page, "figure-threshold", 0.2):
        expect(picture).not_to_have_attribute("src", before)
        assert page.locator(".st-key-figure-threshold input").input_value() != "0.7"
    expect(picture).not_to_have_attribute("src", before)
    expect(page.locator(".st-key-figure-threshold input")).not_to_have_value("0.7")


ON_TOP = """button => {
  const { x, y, width, height } = button.getBoundingClientRect();
  return button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


def test_what_the_page_offers_stays_in_view_and_nothing_covers_it(explore):
    explore.set_viewport_size({"width": 1280, "height": 720})
    button = explore.get_by_role("button", name="Pin for a figure")
    main = explore.locator("[data-testid=stMain]")
    for place in (0, 500, 5000):
        main.evaluate("(element, top) => { element.scrollTop = top; }", place)
        explore.wait_for_timeout(200)
        assert button.evaluate(ON_TOP), place
