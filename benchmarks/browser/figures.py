"""The Figure page in Chromium: from a move of the threshold slider to the new preview."""

from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browser.dropping import drop
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
    for how, times in (("dragged", _dragged(tab)), ("moved by a key", _moved(tab))):
        name = f"slider {how} to new preview, {ROWS} x {PANELS} panels"
        yield Figure(f"{name}, median", spread(times)[0], MEDIAN_MS, "ms").line()
        yield Figure(f"{name}, slowest", max(times), SLOWEST_MS, "ms").line()


def _open(tab: Page, address: str) -> None:
    """Open the benchmark's figure from its recipe."""
    tab.goto(f"{address}/figure")
    content = recipe_json.dumps(parts_figure().recipe).encode()
    drop(tab, "recipe.json", content, "Open a recipe")
    tab.wait_for_selector(PREVIEW)
    tab.wait_for_selector(REST)


def _dragged(tab: Page) -> list[float]:
    """Drag the slider to the left; return ms from each move of the pointer to the new picture."""
    track = tab.locator(".st-key-figure-threshold").bounding_box()
    handle = tab.get_by_role("slider", name="Threshold").bounding_box()
    if track is None or handle is None:
        raise ValueError("the page has no slider of the threshold")
    left, middle = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    step = track["width"] / 40  # 0.7 of the track is to the left: more than all steps
    tab.mouse.move(left, middle)
    tab.mouse.down()
    times = _timed(tab, lambda number: tab.mouse.move(left - (number + 1) * step, middle))
    tab.mouse.up()
    tab.wait_for_selector(REST)
    return times


def _moved(tab: Page) -> list[float]:
    """Move the slider with the keyboard; return ms from each key to the new picture."""
    tab.get_by_role("slider", name="Threshold").focus()
    keys = ("ArrowRight", "ArrowLeft")
    return _timed(tab, lambda number: tab.keyboard.press(keys[number % 2]))


def _timed(tab: Page, move: Callable[[int], None]) -> list[float]:
    """Move the slider again and again; return ms from each move to the new picture."""
    times = []
    for number in range(MOVES + WARM_UP):
        started = tab.evaluate_handle(f"window.shown = ({_TIMED})({PREVIEW!r}), null")
        started.dispose()
        move(number)
        took = tab.evaluate("window.shown")
        tab.wait_for_selector(REST)
        tab.wait_for_timeout(150)
        if number >= WARM_UP:
            times.append(took)
    return times
