"""axe-core's automatic checks of every page, light and dark: nothing serious or critical."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import DRAWN, PATIENCE_MS, at_rest
from tests.paths import ROOT

GRAVE = {"serious", "critical"}
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "explore")
VIEWS = ("", "?example=kick", "?net=e2-nl&beside=e2-cgnl&kind2=evidence+for+a+class+(Grad-CAM)")


def findings(page) -> list[str]:
    """The rules that are broken gravely on a page, with the first place of each, and names of
    elements that a screen reader says with backslashes."""
    found = Axe().run(page).response["violations"]
    spoken = page.locator(r'[aria-label*="\\"]').all()
    return [
        *(f"a backslash is read out: {one.get_attribute('aria-label')}" for one in spoken),
        *(
            f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['html'][:200]}"
            for one in found
            if one["impact"] in GRAVE
        ),
    ]


@pytest.fixture(params=["light", "dark"])
def themed(request, browser, server):
    """A tab in one of the two themes."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 1200}, color_scheme=request.param
    )
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    yield tab
    context.close()


def test_every_page_is_for_every_reader(themed, server):
    broken = {}
    for view in VIEWS:
        themed.goto(f"{server}/{view}")
        themed.wait_for_selector(DRAWN)
        at_rest(themed)
        broken[view] = findings(themed)
    for name in PAGES:
        themed.goto(f"{server}/{name}")
        themed.locator("h4").first.wait_for()
        if name == "figure":
            themed.get_by_role("button", name="Start with the example").click()
            themed.locator(".st-key-figure-page img").wait_for()
        at_rest(themed)
        broken[name] = findings(themed)
    assert not {place: what for place, what in broken.items() if what}
