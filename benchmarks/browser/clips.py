"""The Explore page with a clip in Chromium: pointer to heat on all of its frames."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browser.tab import DRAWN, REST, hover_figures, in_browser

VIEW = "?example=kick&net=e2-clip-nl&beside=e2-clip-cgnl&mode=center-crop&size={side}"
SIZES = {"8x14x14": (224, (16, 50)), "8x28x28": (448, (50, 50))}
"""Feature clip -> input side in pixels, and limits of median and p95 in ms."""


def report() -> Iterator[str]:
    """Measure in a fresh server and a fresh Chromium, and yield the lines."""
    return in_browser(_lines)


def _lines(tab: Page, address: str, _count_file: Path) -> Iterator[str]:
    for what, (side, limits) in SIZES.items():
        tab.goto(f"{address}/{VIEW.format(side=side)}")
        tab.wait_for_selector(DRAWN)
        tab.wait_for_selector(REST)
        for figure in hover_figures(tab, what, limits):
            yield figure.line()
