"""The Models page in a real browser: a checkpoint of one's own, from upload to Explore."""

import pytest
import torch
from playwright.sync_api import Page, expect

from models.specs.block import CGNLSpec
from tests.browser.conftest import DRAWN, PATIENCE_MS, at_rest, expect_address, open_explore
from tests.conftest import make_tiny
from tests.models.zoo.test_catalogue import cgnl_state

TREE = "[data-testid='stCode']"


@pytest.fixture
def checkpoint(tmp_path):
    """A tiny network as the CGNL authors' code writes it; its name does not tell the kernel."""
    path = tmp_path / "model_best.pth.tar"
    torch.save({"state_dict": cgnl_state(make_tiny(CGNLSpec(groups=8))), "epoch": 1}, path)
    return path


@pytest.fixture
def models(page: Page, server: str) -> Page:
    """The Models page, opened as people do: from Explore."""
    open_explore(page, server)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Your own").wait_for()
    at_rest(page)
    return page


def own_tab(page: Page) -> None:
    page.get_by_role("tab", name="Your own").click()


def upload(page: Page, path) -> None:
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text(path.name).first.wait_for()
    page.wait_for_timeout(300)
    at_rest(page)


def test_an_own_checkpoint_is_asked_about_taken_apart_and_seen_in_explore(models, checkpoint):
    own_tab(models)
    upload(models, checkpoint)
    models.locator("[class*='st-key-answer-kernel'] input").click()
    models.get_by_role("option", name="cgnlx", exact=True).click()
    tree = models.locator(TREE).filter(has_text="gaussian rbf")
    expect(tree).to_contain_text("res4.4", timeout=PATIENCE_MS)
    models.locator(".st-key-use_own button").click()
    models.wait_for_selector(DRAWN)
    at_rest(models)
    expect(models.get_by_role("combobox", name="Network")).to_have_value("own-model_best")
    expect_address(models, "net=own-model_best")
    assert "block1=" not in models.url  # of the network before
    models.get_by_role("link", name="Models").click()
    at_rest(models)
    own_tab(models)
    expect(models.get_by_text("In use: model_best.pth.tar")).to_be_visible()
    expect(tree).to_contain_text("res4.4")
    models.get_by_role("button", name="Remove").click()
    expect(tree).to_have_count(0)


def test_a_file_that_is_no_checkpoint_is_one_line_and_explore_goes_on(models, tmp_path):
    page = tmp_path / "weights.pth"
    page.write_text("<html>Sign in</html>")
    own_tab(models)
    upload(models, page)
    expect(models.get_by_test_id("stAlert").filter(has_text="web page")).to_be_visible()
    models.get_by_role("link", name="Explore").click()
    models.wait_for_selector(DRAWN)


def test_no_tab_is_wider_than_the_window(models):
    for width in (390, 1400):
        models.set_viewport_size({"width": width, "height": 900})
        for name in ("Bundled", "Published", "Your own"):
            models.get_by_role("tab", name=name).click()
            models.wait_for_timeout(200)
            overflow = models.evaluate(
                "document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth"
            )
            assert overflow <= 0, (width, name)
