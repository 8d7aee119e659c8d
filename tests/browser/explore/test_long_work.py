"""Work that takes long: it can be stopped, and is not begun again until that is asked for."""

from playwright.sync_api import expect

from tests.browser.conftest import DRAWN, at_rest

HEAVY = "?example=kick&net=e2-nl&beside=none&sampling=32+x+2&size=448"


def test_a_forward_pass_is_stopped_and_started_again(page, server):
    page.goto(f"{server}/{HEAVY}")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("stopped. Start it again")).to_be_visible()
    at_rest(page)
    assert not page.locator(".picker").count()
    page.get_by_role("button", name="Start again").click()
    page.wait_for_selector(DRAWN)
