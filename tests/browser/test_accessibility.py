"""axe-core's automatic checks of every page, light and dark: nothing serious or critical."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import at_rest, open_explore
from tests.paths import ROOT

GRAVE = {"serious", "critical"}
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "explore")
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = {
    **EVERYTHING,
    "runOnly": {"type": "tag", "values": ["cat.color"]},
    "rules": {"color-contrast-enhanced": {"enabled": False}},  # as it is unless it is asked for
}
"""All that the second theme can change: elements, their names and their order stay."""
VIEWS = ("?example=kick", "?net=e2-nl&beside=e2-cgnl&kind2=evidence+for+a+class+(Grad-CAM)")


def findings(page, asked: dict) -> list[str]:
    """The rules that are broken gravely on a page, with the first place of each, and names of
    elements that a screen reader says with backslashes."""
    found = Axe().run(page, options=asked).response["violations"]
    spoken = page.locator(r'[aria-label*="\\"]').all()
    return [
        *(f"a backslash is read out: {one.get_attribute('aria-label')}" for one in spoken),
        *(
            f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['html'][:200]}"
            for one in found
            if one["impact"] in GRAVE
        ),
    ]


SETTLED = """() => !document.querySelector("[data-stale=true]") &&
  !document.getAnimations().some(
    (one) => one instanceof CSSTransition && one.playState === "running"
  )"""
"""What Streamlit draws anew is pale until it is there."""


def findings_in_both_themes(page) -> list[str]:
    at_rest(page)
    found = []
    for scheme, asked in (("light", EVERYTHING), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme)
        at_rest(page)  # what is drawn anew is pale for a while
        page.wait_for_timeout(300)
        page.wait_for_function(SETTLED)
        found += [f"{scheme}: {line}" for line in findings(page, asked)]
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_explore_is_for_every_reader(page, server, view):
    open_explore(page, server, view)
    assert not findings_in_both_themes(page)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_for_every_reader(page, server, name):
    page.goto(f"{server}/{name}")
    page.locator("h4").first.wait_for()
    if name == "figure":
        page.get_by_role("button", name="Start with the example").click()
        page.locator(".st-key-figure-page img").wait_for()
    assert not findings_in_both_themes(page)
