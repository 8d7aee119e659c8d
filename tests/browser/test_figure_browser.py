"""From an uploaded photo to a figure and back, in a real browser."""

import io
import re
import time

from playwright.sync_api import expect
from pypdf import PdfReader

from benchmarks.browser.dropping import drop
from tests.browser.conftest import (
    PATIENCE_MS,
    at_rest,
    choose,
    fresh_tab,
    open_explore,
    saved,
)
from tests.browser.explore.test_explore_files import photo_like
from viz.figure.files import embedded_recipe
from viz.media import pictures

PREVIEW = ".st-key-figure-page img"
SLOWEST_S = 10.0
"""A bound for a busy machine; benchmarks measure how fast it is."""


def drawn(page):
    """The address of the preview, once it is there and loaded."""
    image = page.locator(PREVIEW)
    expect(image).to_be_visible()
    page.wait_for_function(f"() => document.querySelector('{PREVIEW}').naturalWidth > 0")
    at_rest(page)
    return image.get_attribute("src")


def fonts(reader):
    """Return the font descriptors of the first page."""
    found = reader.pages[0]["/Resources"]["/Font"].values()
    wholes = (font.get_object() for font in found)
    inner = (font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
             for font in wholes)  # fmt: skip
    return [font["/FontDescriptor"].get_object() for font in inner]


def pinned_photo(page, server):
    """Upload a photo on Explore, pin it, and go to its figure."""
    open_explore(page, server)
    drop(page, "my photo.jpg", photo_like())
    expect(page.get_by_text("In use: my photo.jpg, 500 x 333 pixels")).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Pin for a figure").click()
    page.get_by_role("link", name="Make a figure").first.click()
    return drawn(page)


def click_a_part(page, name, x, y):
    """Click (x, y), as shares of the sides, on the picture of ground-truth parts."""
    page.get_by_text("Ground-truth parts", exact=True).click()
    page.get_by_label("Name of the part that is clicked next").fill(name)
    page.keyboard.press("Enter")
    at_rest(page)
    target = page.locator(".points .target")
    box = target.bounding_box()
    target.click(position={"x": x * box["width"], "y": y * box["height"]})
    expect(page.get_by_role("button", name="Clear parts")).to_be_visible()
    at_rest(page)


def test_an_uploaded_photo_becomes_a_pdf_and_the_pdf_the_same_figure_again(page, server, browser):
    first = pinned_photo(page, server)
    page.get_by_role("slider", name="Threshold").focus()
    start = time.perf_counter()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(PREVIEW)).not_to_have_attribute("src", first)
    assert time.perf_counter() - start < SLOWEST_S
    expect(page.get_by_text("The same drawing as the files")).to_be_visible()
    click_a_part(page, "<b>beak</b>", 0.5, 0.25)
    content = saved(page, "Save the PDF")
    assert_holds_the_photo(embedded_recipe.read(content, "figure.pdf"))
    reader = PdfReader(io.BytesIO(content))
    assert fonts(reader)
    assert all("/FontFile2" in font for font in fonts(reader))
    assert "<b>beak</b>" in reader.pages[0].extract_text()
    assert round(float(reader.pages[0].mediabox.width) / 72 * 25.4, 1) == 139.7
    with fresh_tab(browser) as other:
        assert opened_elsewhere(other, server, content) == content


def assert_holds_the_photo(recipe):
    """Check that a recipe says what was done on the page."""
    [reference] = recipe.references
    assert reference.medium.sha256 == pictures.read(photo_like(), "x.jpg").sha256
    assert recipe.look.threshold == 0.69
    [part] = reference.parts
    assert part.name == "<b>beak</b>"
    assert abs(part.x - 250) < 6
    assert abs(part.y - 83) < 6


def opened_elsewhere(page, server, content):
    """Open a PDF in a session without its photo, give the photo, and return the PDF made there."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{server}/figure")
    expect(page.get_by_role("button", name="Start with the example")).to_be_visible()
    drop(page, "figure.pdf", content, "Open a recipe")
    expect(page.get_by_text("Missing: 1 file")).to_be_visible()
    drop(page, "renamed.jpg", photo_like(), "Missing files")
    drawn(page)
    return saved(page, "Save the PDF")


def test_the_example_is_two_clicks_and_cards_and_settings_work(page, server):
    page.goto(f"{server}/figure")
    page.get_by_role("button", name="Start with the example").click()
    first = drawn(page)
    choose(page, "Preset", "Heatmaps")
    expect(page.locator(PREVIEW)).not_to_have_attribute("src", first)
    page.get_by_label("Label of the pin's row").fill("<img src=x onerror=window.pwned=1> $x^2$")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name=re.compile(r"Pin 1: <img src=x"))
    expect(heading).to_be_visible()
    at_rest(page)
    svg = saved(page, "Save the SVG").decode()
    assert "&lt;img src=x onerror=window.pwned=1&gt; $x^2$" in svg
    assert page.evaluate("window.pwned") is None
    page.get_by_role("link", name="Models").first.click()
    page.get_by_role("link", name="Figure").first.click()
    drawn(page)
    expect(page.get_by_role("combobox", name="Preset")).to_have_value("Heatmaps")
    page.locator(".pin-cards .remove").click()
    expect(page.get_by_role("button", name="Start with the example")).to_be_visible()
