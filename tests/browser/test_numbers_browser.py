"""Evaluate, Strongest patches and Cost in a browser: drawn, their choices in the address, and read
on a phone."""

import re

from playwright.sync_api import expect

from benchmarks.browser.dropping import drop
from tests.browser.conftest import at_rest, choose
from tests.browser.test_kept import photo

PHONE = {"width": 390, "height": 844}


def opened(page, server: str, address: str, drawn: str):
    """Open a page of numbers and wait until ``drawn`` is there and the server is at rest."""
    page.goto(f"{server}/{address}")
    page.locator(drawn).first.wait_for()
    at_rest(page)
    return page


def assert_told(page, in_vain: str) -> None:
    """Check that the page names what its address asks for in vain."""
    told = page.get_by_test_id("stAlert").filter(has_text="asks for what is not here")
    expect(told).to_contain_text(in_vain)


def test_evaluate_keeps_its_choices_in_the_address(page, server):
    opened(page, server, "evaluate?evaluate-block=nowhere", ".js-plotly-plot")
    assert_told(page, "evaluate-block=nowhere")
    page.get_by_role("radio", name="channels").click()
    expect(page).to_have_url(re.compile("evaluate-parts=channels"))
    at_rest(page)
    expect(page.get_by_text("These are the earlier results")).to_be_visible()
    page.reload()
    expect(page.get_by_role("radio", name="channels")).to_be_checked()


def test_an_emptied_list_is_said_and_its_address_is_accepted(page, server):
    opened(page, server, "evaluate", ".js-plotly-plot")
    page.get_by_role("radio", name="groups").click()  # chosen already: it stays so
    for name in ("e2-nl", "e2-cgnl"):
        page.get_by_test_id("stSidebar").get_by_label(f"Remove {name}", exact=True).click()
        at_rest(page)
    expect(page.get_by_text("No network is chosen; choose one or more.")).to_be_visible()
    expect(page.get_by_text("These are the earlier results")).to_be_visible()
    expect(page).to_have_url(re.compile(r"evaluate\?evaluate-networks=$"))
    page.reload()
    expect(page.get_by_text("No network is chosen; choose one or more.")).to_be_visible()
    at_rest(page)
    expect(page.get_by_text("asks for what is not here")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"evaluate-networks=$"))


def test_the_measure_that_is_shown_is_the_one_that_is_named(page, server):
    opened(page, server, "evaluate", ".js-plotly-plot")
    measure = page.get_by_role("combobox", name="Measure", exact=True).first
    expect(measure).to_have_value("part coverage, equal area")
    choose(page, "Pictures", "Your own pictures")
    drop(page, "no points.png", photo(), "A zip of pictures")
    expect(page.get_by_text("In use: 1 single picture")).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Evaluate").click()
    expect(measure).not_to_have_value("part coverage, equal area")
    at_rest(page)
    plotted = page.locator(".js-plotly-plot .xtitle").first
    expect(plotted).to_contain_text(measure.input_value())
    choose(page, "Pictures", "Example: drawn birds")
    expect(page.get_by_text("12 pictures, e2-nl")).to_be_visible()
    choose(page, "Pictures", "Your own pictures")
    expect(page.get_by_text("1 uploaded picture: 1 picture")).to_be_visible()
    expect(page.get_by_text("These are the earlier results")).to_have_count(0)


def test_strongest_patches_are_read_on_a_phone(page, server):
    page.set_viewport_size(PHONE)
    opened(page, server, "strongest?strongest-number=3&data=mine", "img[alt^='channel 3:']")
    assert_told(page, "data=mine")
    box = page.locator("img[alt^='channel 3:']").bounding_box()
    assert box["width"] > 2 * PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    scrolled = page.locator(".st-key-wide-figure")
    assert scrolled.evaluate("e => (e.scrollLeft = 300, e.scrollLeft)") == 300


def test_cost_counts_what_its_address_says(page, server):
    address = "cost?cost-size=320&cost-frames=2&cost-side=3"
    opened(page, server, address, "[data-testid=stDataFrame]")
    assert_told(page, "cost-side")
    expect(page.get_by_text("One forward pass of 2 x 320 x 320")).to_be_visible()
    page.get_by_role("tab", name="Growth with N").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
