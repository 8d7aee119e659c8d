"""The Explore page in Chromium: server, address, pointer and colour bar to the map; forwards."""

import io
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect

from benchmarks.browser.dropping import drop
from benchmarks.browser.tab import (
    DRAWN,
    PATIENCE_MS,
    REST,
    SIZE,
    Figure,
    drag_figure,
    hover_figures,
    in_browser,
    seconds_to,
)
from viz.examples import bird

NETWORKS, PASSES = 2, 2
"""Networks on the page, and forwards of each: its maps, and its answer at its training's size."""
FIRST_MAP_S, ADDRESS_S, DRAG_MS = 2, 2.5, 33
VIEWS = ("?at=6,20&threshold=0.5", "?example=bird&net=e2-cgnl&beside=none&at=3,17&map=viridis")
"""Addresses of views, as links have them."""


def report() -> Iterator[str]:
    """Measure in a fresh server and a fresh Chromium, and yield the lines."""
    return in_browser(_lines)


def _lines(tab: Page, address: str, count_file: Path) -> Iterator[str]:
    first_map = seconds_to(tab, address)
    yield Figure("server serving to first map on screen", first_map, FIRST_MAP_S, "s").line()
    tab.wait_for_selector(REST)
    after_start = _count(count_file)
    yield Figure("forwards a network for the example", after_start / NETWORKS, PASSES, "").line()
    yield Figure(
        "address to view, warm server, slowest", _of_addresses(tab, address), ADDRESS_S, "s"
    ).line()
    uploaded = _forwards_of_an_upload(tab, count_file)
    name = "forwards a network for an upload, whatever is moved"
    yield Figure(name, uploaded / NETWORKS, PASSES, "").line()
    seconds_to(tab, f"{address}/?size=448&mode=center-crop")
    tab.wait_for_selector(REST)
    for figure in hover_figures(tab, "N=784", (8, 16)):
        yield figure.line()
    yield drag_figure(tab, "N=784, two networks", DRAG_MS).line()


def _of_addresses(tab: Page, address: str) -> float:
    """Open links in browsers of their own; return the slowest's seconds."""
    times = []
    for view in VIEWS:
        context = tab.context.browser.new_context(viewport=SIZE)
        other = context.new_page()
        other.set_default_timeout(PATIENCE_MS)
        times.append(seconds_to(other, f"{address}/{view}"))
        other.wait_for_selector(REST)
        context.close()
    return max(times)


def _forwards_of_an_upload(tab: Page, count_file: Path) -> int:
    """Upload a picture, then move everything that can be moved; return the forwards it took."""
    before = _count(count_file)
    packed = io.BytesIO()
    bird.draw().crop((60, 40, 600, 460)).save(packed, "PNG")
    drop(tab, "upload.png", packed.getvalue())
    expect(tab.get_by_text("In use: upload.png")).to_be_visible(timeout=PATIENCE_MS)
    _settle(tab)
    picture = tab.locator("canvas.picture").first
    for x, y in ((60, 70), (160, 120), (240, 200)):
        picture.hover(position={"x": x, "y": y})
        picture.click(position={"x": x, "y": y})
        _settle(tab)
    tab.locator(".st-key-threshold input").focus()
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    tab.locator(".thumb").nth(2).click()
    _settle(tab)
    tab.get_by_role("button", name="Papers' look").click()
    _settle(tab)
    return _count(count_file) - before


def _settle(tab: Page) -> None:
    """Wait until the server has answered what was just done."""
    tab.wait_for_timeout(400)
    tab.wait_for_selector(REST)
    tab.wait_for_selector(DRAWN)


def _count(count_file: Path) -> int:
    return count_file.stat().st_size if count_file.exists() else 0
