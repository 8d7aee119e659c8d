"""What suites in a browser share: a fresh server, a fresh Chromium, figures beside their limits."""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.chromium import find_chromium
from benchmarks.server.serving import await_streamlit, free_port

ROOT = Path(__file__).parents[2]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DRAWN = ".picker[data-draws]"
REST = "[data-testid='stApp'][data-test-script-state='notRunning']"
SIZE = {"width": 1400, "height": 1200}
MOVES, WARM_UP = 50, 20
SETTLE_MS = 2000
PATIENCE_MS = 120_000
NO_CHROMIUM = "browser figures: skipped, no Chromium was found (make chromium)"


@dataclass(frozen=True)
class Figure:
    """One measured number beside what it should be at most."""

    name: str
    value: float
    limit: float
    unit: str

    def line(self) -> str:
        """Return the printed line."""
        verdict = "ok" if self.value <= self.limit else "MISSED"
        return (
            f"{self.name:<58} {self.value:8.2f} {self.unit:<3} (at most {self.limit:g}) {verdict}"
        )


def in_browser(lines: Callable[[Page, str, Path], Iterator[str]]) -> Iterator[str]:
    """Yield what ``lines`` measures in a fresh tab, given that, a fresh server's address, and the
    file that grows by a byte with every forward pass."""
    chromium = find_chromium()
    if chromium is None:
        yield NO_CHROMIUM
        return
    with tempfile.TemporaryDirectory() as folder, opened_tab(chromium) as tab:
        count_file = Path(folder) / "count"
        with served(count_file) as address:
            yield from lines(tab, address, count_file)


@contextmanager
def opened_tab(chromium: str) -> Iterator[Page]:
    """Open a fresh Chromium with one large empty tab."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            tab = browser.new_page(viewport=SIZE)
            tab.set_default_timeout(PATIENCE_MS)
            tab.goto("about:blank")
            yield tab
        finally:
            browser.close()


@contextmanager
def served(count_file: Path) -> Iterator[str]:
    """Serve the app on a free port; the address is handed over once it answers."""
    port = free_port()
    module = "benchmarks.server.counting_server"
    command = [sys.executable, "-m", module, str(count_file), str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://localhost:{port}"
        await_streamlit(address, process, 0.01)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def seconds_to(tab: Page, address: str, selector: str = DRAWN) -> float:
    """Open an address and return the seconds until ``selector`` is on the page."""
    began = time.perf_counter()
    tab.goto(address)
    tab.wait_for_selector(selector)
    return time.perf_counter() - began


_COLLECT = """() => {
  window.latencies = [];
  document.addEventListener("picker-drawn", ({ detail }) => {
    if (detail.painted) window.latencies.push(detail.latency);
  });
}"""


def drawn_latencies(tab: Page, places: list[tuple[float, float]]) -> list[float]:
    """Move the pointer from place to place; return ms from each event to the finished drawing, but
    of the first ones, which let the browser compile the script."""
    for number, place in enumerate(places):
        if number == WARM_UP:
            tab.evaluate(_COLLECT)
        tab.mouse.move(*place)
        tab.wait_for_timeout(60)
    return tab.evaluate("window.latencies")


def hover_figures(
    tab: Page, what: str, limits: tuple[float, float], networks: str = "two networks"
) -> list[Figure]:
    """Return median and 95th percentile of pointer to finished heat, beside their limits in ms."""
    tab.wait_for_timeout(SETTLE_MS)
    picture = tab.locator("canvas.picture").first
    picture.scroll_into_view_if_needed()
    box, spots = picture.bounding_box(), random.Random(5)
    shares = [(spots.uniform(0.15, 0.85), spots.uniform(0.05, 0.95)) for _ in range(_COUNT)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
    values = spread(drawn_latencies(tab, places))
    return [
        Figure(f"pointer to new heat, {what}, {networks}, {name}", value, limit, "ms")
        for name, value, limit in zip(("median", "p95"), values, limits, strict=True)
    ]


_COUNT = MOVES + WARM_UP


def drag_figure(tab: Page, what: str, limit: float) -> Figure:
    """Drag the mark on the first colour bar; return the 95th percentile of ms a move."""
    bar = tab.locator(".ramp").first
    bar.scroll_into_view_if_needed()
    box, spots = bar.bounding_box(), random.Random(7)
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 0.7 * box["width"], y)
    tab.mouse.down()
    places = [(box["x"] + spots.uniform(0.2, 0.95) * box["width"], y) for _ in range(_COUNT)]
    p95 = spread(drawn_latencies(tab, places))[1]
    tab.mouse.up()
    return Figure(f"threshold dragged on the colour bar, {what}, p95", p95, limit, "ms")


def spread(values: list[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[int(0.95 * len(ordered))]
