"""What a user made stays: through a refresh, in another browser, after a restart of the server."""

import io
import re

import pytest
from playwright.sync_api import expect

from benchmarks.browser.dropping import drop
from benchmarks.server.serving import free_port
from tests.browser.conftest import (
    DRAWN,
    at_rest,
    choose,
    expect_address,
    fresh_tab,
    open_explore,
    running,
)
from viz.examples import bird

NAME = "my albatross.png"


def photo(shade: int = 40) -> bytes:
    """A picture of our own: the bird, darker, so that it is no example."""
    packed = io.BytesIO()
    bird.draw().resize((320, 240)).point(lambda v: max(0, v - shade)).save(packed, "PNG")
    return packed.getvalue()


def pin(page) -> None:
    page.get_by_role("button", name="Pin for a figure").click()
    page.mouse.move(5, 5)  # off the button, whose words lie over others
    expect(page.locator(".pin-cards .card").first).to_be_visible()
    at_rest(page)


def await_kept(page, words: str) -> None:
    """Wait until what the browser keeps has these words."""
    page.wait_for_function(
        "(words) => (localStorage.getItem('nonlocal-viz') ?? '').includes(words)", arg=words
    )


def in_use(page):
    return page.get_by_text(re.compile("In use: "))


@pytest.fixture
def kept(explore):
    """A page with an upload that was pinned."""
    drop(explore, NAME, photo())
    expect(in_use(explore)).to_contain_text(NAME)
    at_rest(explore)
    pin(explore)
    await_kept(explore, "pins")
    return explore


def test_a_browser_that_has_kept_nothing_is_shown_the_page_once(browser, server):
    sent = []
    with fresh_tab(browser) as page:
        page.on("websocket", lambda made: made.on("framesent", lambda frame: sent.append(frame)))
        open_explore(page, server)
        await_kept(page, "secret")
        at_rest(page)
        assert len(sent) == 1


def test_a_page_that_changes_nothing_leaves_what_another_has_kept(kept):
    other = kept.context.new_page()
    other.goto(kept.url)
    other.wait_for_selector(DRAWN)
    expect(other.locator(".pin-cards .card")).to_have_count(1)
    at_rest(other)
    pin(kept)
    two = "() => JSON.parse(localStorage.getItem('nonlocal-viz')).pins.split('label').length > 2"
    kept.wait_for_function(two)
    other.get_by_text("Explore", exact=True).first.click()
    at_rest(other)
    assert kept.evaluate(two)


def test_a_refresh_keeps_the_picture_the_patch_and_the_pins(kept):
    kept.reload()
    expect(in_use(kept)).to_contain_text(NAME)
    kept.wait_for_selector(DRAWN)
    expect(kept.locator(".pin-cards .card")).to_have_count(1)


def test_a_refresh_keeps_what_the_figure_page_is_set_to(kept):
    visit(kept, "Figure")
    choose(kept, "Preset", "Heatmaps")
    choose(kept, "Captions", "(A)")
    await_kept(kept, "(A)")
    kept.reload()
    expect(kept.get_by_role("combobox", name="Preset")).to_have_value("Heatmaps")
    expect(kept.get_by_role("combobox", name="Captions")).to_have_value("(A)")


def test_a_refresh_keeps_a_fixed_range_that_was_filled_in(explore):
    choose(explore, "Scaled to", "a fixed range")
    expect_address(explore, "low=-0.0", "high=0.0")
    inputs = [explore.get_by_role("spinbutton", name=name, exact=True) for name in ("From", "To")]
    filled = [one.input_value() for one in inputs]
    explore.reload()
    explore.wait_for_selector(DRAWN)
    at_rest(explore)
    assert [one.input_value() for one in inputs] == filled


@pytest.mark.parametrize("name", ["Figure", "Gates"])
def test_a_refresh_of_another_page_keeps_the_view_of_explore(kept, name):
    choose(kept, "Colour map", "jet")
    at_rest(kept)
    kept.get_by_role("spinbutton", name="Row").fill("5")
    kept.keyboard.press("Enter")
    kept.wait_for_url("**at=5*")
    at_rest(kept)
    address = kept.url.partition("?")[2]
    visit(kept, name)
    kept.wait_for_function(
        "(at) => (sessionStorage.getItem('nonlocal-viz') ?? '').includes(at)", arg='"at": "5,'
    )
    kept.reload()
    if name == "Gates":
        expect(in_use(kept)).to_contain_text(NAME)
    at_rest(kept)
    visit(kept, "Explore")
    expect(in_use(kept)).to_contain_text(NAME)
    kept.wait_for_selector(DRAWN)
    at_rest(kept)
    assert set(kept.url.partition("?")[2].split("&")) == set(address.split("&"))


def test_back_of_the_browser_after_an_upload_leaves_the_address_of_what_is_shown(page, server):
    page.goto(f"{server}/?example=kick&beside=none")
    page.wait_for_selector(DRAWN)
    at_rest(page)
    drop(page, NAME, photo())
    page.wait_for_url("**file=*")
    at_rest(page)
    page.go_back()
    page.wait_for_function(
        "location.search.includes('file=') && !location.search.includes('example=')"
    )
    expect(in_use(page)).to_contain_text(NAME)


PAGES = {
    "gates": ("Layer", "unit2"),
    "models": ("Bundled network", "e2-cgnl"),
    "evaluate": ("Measure", "energy"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_refresh_keeps_what_other_pages_are_set_to(page, server, name):
    label, option = PAGES[name]
    page.goto(f"{server}/{name}")
    chosen = page.get_by_role("combobox", name=label, exact=True)
    expect(chosen).to_be_visible()
    at_rest(page)
    chosen.click()
    page.get_by_role("option", name=option, exact=True).click()
    expect(chosen).to_have_value(option)
    at_rest(page)
    page.reload()
    expect(chosen).to_have_value(option)


CHOICES = (
    "mode=center-crop", "size=320", "channels=contrast", "focus=group+3", "cut=area", "share=0.3",
    "display=log", "scale=fixed+range", "map=jet", "arrows=true",
)  # fmt: skip


def visit(page, name: str) -> None:
    """Go to a page, and wait until it is drawn."""
    page.get_by_test_id("stSidebarNavItems").get_by_role("link", name=name).click()
    page.wait_for_timeout(500)
    at_rest(page)


def test_another_page_and_back_keeps_every_choice(page, server):
    open_explore(page, server, f"?{'&'.join(CHOICES)}")
    for name in ("Cost", "Explore"):
        visit(page, name)
    page.wait_for_selector(DRAWN)
    at_rest(page)
    expect_address(page, *CHOICES)


def test_another_page_and_back_keeps_where_a_clip_begins(page, server):
    address = "?example=kick&sampling=custom&frames=4&step=2&start=3"
    open_explore(page, server, address)
    for name in ("Cost", "Explore"):
        visit(page, name)
    page.wait_for_selector(DRAWN)
    at_rest(page)
    expect_address(page, "start=3")


def test_another_browser_is_asked_for_the_file_and_takes_it_by_its_hash(kept, browser):
    with fresh_tab(browser) as other:
        other.goto(kept.url)
        expect(other.get_by_text("Missing: 1 file")).to_be_visible()
        expect(other.get_by_text(NAME)).to_be_visible()
        assert not other.locator(".picker").count()
        drop(other, "another.png", photo(90), "Missing files")
        expect(other.get_by_text("is none of the missing files")).to_be_visible()
        drop(other, "renamed.png", photo(), "Missing files")
        other.wait_for_selector(DRAWN)
        expect(in_use(other)).to_contain_text("renamed.png")
        # Pins are the first browser's own.
        expect(other.locator(".pin-cards .card")).to_have_count(0)


def test_forget_removes_everything_from_the_browser(kept):
    kept.get_by_role("button", name="What is kept").click()
    kept.get_by_role("button", name="Forget everything").click()
    expect(kept.locator(".pin-cards .card")).to_have_count(0)
    at_rest(kept)
    assert "pins" not in kept.evaluate("localStorage.getItem('nonlocal-viz') ?? ''")


def pin_examples(page, server: str) -> None:
    open_explore(page, server)
    pin(page)
    page.get_by_role("button", name="kick").click()
    expect(in_use(page)).to_contain_text("kick")
    at_rest(page)
    pin(page)
    expect(page.locator(".pin-cards .card")).to_have_count(2)
    await_kept(page, "example:kick")


def pin_upload(page, server: str) -> None:
    open_explore(page, server)
    drop(page, NAME, photo())
    expect(in_use(page)).to_contain_text(NAME)
    at_rest(page)
    pin(page)
    await_kept(page, "albatross")


@pytest.fixture(scope="module")
def restarted(browser, tmp_path_factory):
    """The address of a server that started anew, and tabs of two browsers that pinned before that:
    two examples in the first, an upload in the second."""
    port, folder = free_port(), tmp_path_factory.mktemp("restarted")
    with fresh_tab(browser) as first, fresh_tab(browser) as second:
        with running(port, folder / "first.txt") as server:
            pin_examples(first, server)
            pin_upload(second, server)
        with running(port, folder / "second.txt"):
            yield server, first, second


def test_pins_survive_a_server_that_starts_anew(restarted):
    server, page, _ = restarted
    page.goto(f"{server}/")
    expect(page.locator(".pin-cards .card")).to_have_count(2)
    page.get_by_role("button", name="Remove Pin 1").click()
    expect(page.locator(".pin-cards .card")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".pin-cards .card")).to_have_count(2)


def test_a_pin_of_a_lost_upload_asks_for_its_file(restarted):
    _, _, page = restarted
    page.goto(page.url)
    expect(page.get_by_text("Missing: 1 file")).to_be_visible()
    expect(page.get_by_text("Waiting for the files of 1 pin.")).to_be_visible()
    at_rest(page)
    drop(page, "found.png", photo(), "Missing files")
    page.wait_for_selector(DRAWN)
    expect(page.locator(".pin-cards .card")).to_have_count(1)
