"""The Explore page in Chromium: pointer to heat, server start to first map, forward passes."""

import io
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.chromium import find_chromium
from benchmarks.server.serving import free_port
from viz.examples import bird

ROOT = Path(__file__).parents[1]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DRAWN = ".picker[data-draws]"
REST = "[data-testid='stApp'][data-test-script-state='notRunning']"
MOVES, WARM_UP = 50, 20
SETTLE_MS = 2000
PATIENCE_MS = 120_000
NETWORKS = 2


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


def report() -> list[str]:
    """Measure in a fresh server and a fresh Chromium, and return the lines."""
    chromium = find_chromium()
    if chromium is None:
        return ["browser figures: skipped, no Chromium was found (make chromium)"]
    with tempfile.TemporaryDirectory() as folder, opened_tab(chromium) as tab:
        count_file = Path(folder) / "count"
        with served(count_file) as address:
            figures = _measure(tab, address, count_file)
    return [figure.line() for figure in figures]


def in_browser(lines: Callable[[Page, str], Iterator[str]]) -> Iterator[str]:
    """Yield what ``lines`` measures in a fresh tab, given that and a fresh server's address."""
    chromium = find_chromium()
    if chromium is None:
        yield "browser figures: skipped, no Chromium was found (make chromium)"
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        opened_tab(chromium) as tab,
        served(Path(folder) / "count") as address,
    ):
        yield from lines(tab, address)


@contextmanager
def opened_tab(chromium: str) -> Iterator[Page]:
    """Open a fresh Chromium with one large empty tab."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            tab = browser.new_page(viewport={"width": 1400, "height": 1200})
            tab.set_default_timeout(PATIENCE_MS)
            tab.goto("about:blank")
            yield tab
        finally:
            browser.close()


def _measure(tab: Page, address: str, count_file: Path) -> list[Figure]:
    started = time.perf_counter()
    tab.goto(address)
    tab.wait_for_selector(DRAWN)
    first_map = time.perf_counter() - started
    tab.wait_for_selector(REST)
    after_start = _count(count_file)
    uploaded = _forwards_of_an_upload(tab, count_file)
    tab.goto(f"{address}/?size=448&mode=center-crop")
    tab.wait_for_selector(DRAWN)
    tab.wait_for_selector(REST)
    return [
        *hover_figures(tab, "N=784", (8, 16)),
        Figure("server serving to first map on screen", first_map, 5, "s"),
        Figure("forwards a network for the example", after_start / NETWORKS, 1, ""),
        Figure("forwards a network for an upload, whatever is moved", uploaded / NETWORKS, 1, ""),
    ]  # fmt: skip


_COLLECT = """() => {
  window.latencies = [];
  document.addEventListener("picker-drawn", ({ detail }) => {
    if (detail.painted) window.latencies.push(detail.latency);
  });
}"""


def hover_figures(
    tab: Page, what: str, limits: tuple[float, float], networks: str = "two networks"
) -> list[Figure]:
    """Return median and 95th percentile of pointer to finished heat, beside their limits in ms."""
    latencies = sorted(_hover(tab))
    values = statistics.median(latencies), latencies[int(0.95 * len(latencies))]
    return [
        Figure(f"pointer to new heat, {what}, {networks}, {name}", value, limit, "ms")
        for name, value, limit in zip(("median", "p95"), values, limits, strict=True)
    ]


def _hover(tab: Page) -> list[float]:
    """Move to 50 random spots; return ms from each pointer event to its finished drawing."""
    tab.wait_for_timeout(SETTLE_MS)
    picture = tab.locator("canvas.picture").first
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    spots = random.Random(5)
    count = MOVES + WARM_UP
    places = [(spots.uniform(0.15, 0.85), spots.uniform(0.05, 0.95)) for _ in range(count)]
    for number, (x, y) in enumerate(places):
        if number == WARM_UP:  # the first ones let the browser compile the script
            tab.evaluate(_COLLECT)
        tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        tab.wait_for_timeout(60)
    return tab.evaluate("window.latencies")


def _forwards_of_an_upload(tab: Page, count_file: Path) -> int:
    """Upload a picture, then move everything that can be moved; return the forwards it took."""
    before = _count(count_file)
    packed = io.BytesIO()
    bird.draw().crop((60, 40, 600, 460)).save(packed, "PNG")
    tab.locator("input[type=file]").first.set_input_files(
        [{"name": "upload.png", "mimeType": "image/png", "buffer": packed.getvalue()}]
    )
    tab.get_by_text("In use: upload.png").wait_for()
    tab.wait_for_selector(REST)
    picture = tab.locator("canvas.picture").first
    for x, y in ((60, 70), (160, 120), (240, 200)):
        picture.hover(position={"x": x, "y": y})
        picture.click(position={"x": x, "y": y})
        tab.wait_for_timeout(400)
    slider = tab.get_by_role("slider", name="Threshold", exact=True)
    slider.focus()
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    tab.locator(".thumb", has_text="g3").click()
    tab.get_by_role("button", name="Papers' look").click()
    tab.wait_for_timeout(1500)
    tab.wait_for_selector(REST)
    return _count(count_file) - before


def _count(count_file: Path) -> int:
    return count_file.stat().st_size if count_file.exists() else 0


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
        _await_health(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _await_health(address: str, process: subprocess.Popen) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise RuntimeError(
                "the app stopped before it served anything; run `make app` to see why"
            )
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the app did not answer within a minute")
