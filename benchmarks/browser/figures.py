"""The Figure page in Chromium: from a move of the threshold slider to the new preview."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browser.tab import REST, Figure, in_browser, spread
from benchmarks.figures import PANELS, ROWS, parts_figure
from viz.figure.recipe import recipe_json

PREVIEW = ".st-key-figure-page img"
MOVES, WARM_UP = 15, 3
MEDIAN_MS, SLOWEST_MS = 100, 200
_TIMED = """(selector) => new Promise((done, fail) => {
  setTimeout(() => fail(new Error("no new preview after 30 s")), 30000);
  const before = document.querySelector(selector).src;
  const began = performance.now();
  const look = () => {
    const image = document.querySelector(selector);
    if (!image || image.src === before) return;
    watch.disconnect();
    image.decode().then(() => done(performance.now() - began));
  };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { subtree: true, childList: true, attributeFilter: ["src"] });
})"""
"""Told of the change by the browser: looking for it in every frame would slow the server down."""


def report() -> Iterator[str]:
    """Measure in a fresh server and a fresh Chromium, and yield the lines."""
    return in_browser(_lines)


def _lines(tab: Page, address: str, _count_file: Path) -> Iterator[str]:
    _open(tab, address)
    times = _moves(tab)
    name = f"slider moved to new preview, {ROWS} x {PANELS} panels"
    yield Figure(f"{name}, median", spread(times)[0], MEDIAN_MS, "ms").line()
    yield Figure(f"{name}, slowest", max(times), SLOWEST_MS, "ms").line()


def _open(tab: Page, address: str) -> None:
    """Open the benchmark's figure from its recipe."""
    tab.goto(f"{address}/figure")
    tab.wait_for_selector("input[type=file]", state="attached")
    content = recipe_json.dumps(parts_figure().recipe).encode()
    tab.locator("input[type=file]").first.set_input_files(
        [{"name": "recipe.json", "mimeType": "application/json", "buffer": content}]
    )
    tab.wait_for_selector(PREVIEW)
    tab.wait_for_selector(REST)


def _moves(tab: Page) -> list[float]:
    """Move the slider with the keyboard; return ms from each key to the new picture."""
    slider = tab.get_by_role("slider", name="Threshold")
    slider.focus()
    times = []
    for number in range(MOVES + WARM_UP):
        started = tab.evaluate_handle(f"window.shown = ({_TIMED})({PREVIEW!r}), null")
        started.dispose()
        tab.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
        took = tab.evaluate("window.shown")
        tab.wait_for_selector(REST)
        tab.wait_for_timeout(150)
        if number >= WARM_UP:
            times.append(took)
    return times
