"""Work that takes long: it can be stopped, and is not begun again until that is asked for."""

import io
import zipfile

from PIL import Image
from playwright.sync_api import expect

from benchmarks.browser.dropping import drop
from tests.browser.conftest import DRAWN, at_rest, open_explore, pixels

HEAVY = "?example=kick&net=e2-nl&beside=none&sampling=32+x+2&size=448"


def test_a_forward_pass_is_stopped_and_started_again(page, server):
    page.goto(f"{server}/{HEAVY}")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("stopped. Start it again")).to_be_visible()
    at_rest(page)
    assert not page.locator(".picker").count()
    page.get_by_role("button", name="Start again").click()
    page.wait_for_selector(DRAWN)


def test_reading_an_upload_is_stopped_and_what_was_shown_stays(page, server):
    open_explore(page, server, "?net=e2-nl&beside=none&size=224")
    drop(page, "first.png", picture(300, 200))
    expect(page.get_by_text("In use: first.png")).to_be_visible()
    at_rest(page)
    before = pixels(page)
    drop(page, "large.png", picture(9001, 8301))
    expect(page.get_by_text("Reading large.png, ")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Reading large.png: stopped")).to_be_visible()
    at_rest(page)
    expect(page.get_by_text("In use: first.png")).to_be_visible()
    assert pixels(page) == before
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_text("In use: large.png, 9001 x 8301 pixels")).to_be_visible()
    expect(page.get_by_text("stopped")).to_have_count(0)


def test_reading_the_zip_of_a_data_set_is_stopped_and_started_again(page, server, tmp_path):
    with zipfile.ZipFile(tmp_path / "birds.zip", "w") as packed:
        content = picture(400, 300) + bytes(3 * 2**20)  # what is behind a picture does no harm
        for number in range(70):
            packed.writestr(f"bird/{number}.png", content)
    page.goto(f"{server}/evaluate?data=Your+own+pictures")
    page.locator("input[type=file]").set_input_files(tmp_path / "birds.zip")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Reading birds.zip: stopped")).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_text("stopped")).to_have_count(0)
    expect(page.get_by_text("measures what is chosen")).to_be_visible()
    at_rest(page)
    pages = page.get_by_test_id("stSidebarNavItems")
    pages.get_by_role("link", name="Strongest patches").click()
    expect(page.get_by_text("In use: birds.zip (70 pictures)")).to_be_visible()


def picture(width, height):
    """A grey picture with transparency: small as a file, and long to read where it is large."""
    packed = io.BytesIO()
    Image.new("LA", (width, height), (90, 255)).save(packed, "PNG")
    return packed.getvalue()
