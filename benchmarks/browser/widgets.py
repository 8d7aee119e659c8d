"""A click to a new map by what a user would pick instead: streamlit-image-coordinates, plotly."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Error, Page

from benchmarks.browser.tab import opened_tab
from benchmarks.chromium import find_chromium
from benchmarks.server.serving import free_port

APP = Path(__file__).with_name("widget_app.py")
CLICKS, WARM_UP, PATIENCE_MS = 15, 3, 60_000
WIDGETS = {
    "streamlit-image-coordinates": ("image", "iframe", "img"),
    "plotly with a grid of points": ("plotly", ".js-plotly-plot", ""),
}
"""Name -> its word in the app's address, the element that is clicked, and what in its frame."""


def report() -> Iterator[str]:
    """Yield a line a widget: milliseconds from a click to the text that names its map."""
    chromium = find_chromium()
    if chromium is None:
        yield "clicks: skipped, no Chromium was found (make chromium)"
        return
    with opened_tab(chromium) as tab, _served() as address:
        for name, (word, outer, inner) in WIDGETS.items():
            try:
                taken = _clicks(tab, f"{address}/?widget={word}", outer, inner)
            except Error as problem:
                yield f"{name}: not measured ({str(problem).splitlines()[0][:100]})"
                continue
            low, _middle, high = quantiles(taken, n=4)
            yield (
                f"{name}, N = 784: a click to the text of its new map {1e3 * median(taken):.0f} ms "
                f"({1e3 * low:.0f} to {1e3 * high:.0f}); ours follows the pointer without one"
            )


def _clicks(tab: Page, address: str, outer: str, inner: str) -> list[float]:
    """Click here and there; return the seconds until the page names another map, each."""
    tab.goto(address)
    tab.wait_for_selector(outer, timeout=PATIENCE_MS)
    tab.get_by_text("map of").wait_for(timeout=PATIENCE_MS)
    tab.wait_for_timeout(2000)
    draw, taken = random.Random(3), []
    for _ in range(CLICKS + WARM_UP):
        place = tab.frame_locator(outer).locator(inner) if inner else tab.locator(outer)
        box = place.first.bounding_box()
        x = box["x"] + draw.uniform(0.3, 0.7) * box["width"]
        y = box["y"] + draw.uniform(0.3, 0.7) * box["height"]
        before = tab.get_by_text("map of").inner_text()
        began = time.perf_counter()
        tab.mouse.click(x, y)
        tab.wait_for_function(
            "before => ![...document.querySelectorAll('[data-testid=stText]')]"
            ".some(one => one.innerText === before)",
            arg=before, timeout=PATIENCE_MS, polling=5,
        )  # fmt: skip
        taken.append(time.perf_counter() - began)
        tab.wait_for_timeout(300)
    return taken[WARM_UP:]


@contextmanager
def _served() -> Iterator[str]:
    """Serve the app of a few lines on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port),
               "--server.headless", "true"]  # fmt: skip
    root = APP.parents[2]
    process = subprocess.Popen(
        command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    try:
        _await(port)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _await(port: int) -> None:
    for _ in range(1200):
        try:
            socket.create_connection(("localhost", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the app of a few lines did not answer within a minute")
