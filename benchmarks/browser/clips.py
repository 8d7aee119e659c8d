"""The Explore page with a clip in Chromium: pointer to heat on all of its frames."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.chromium import find_chromium
from benchmarks.explore import DRAWN, REST, hover_figures, opened_tab, served

VIEW = "?example=kick&net=e2-clip-nl&beside=e2-clip-cgnl&mode=center-crop&size={side}"
SIZES = {"8x14x14": (224, (16, 50)), "8x28x28": (448, (50, 50))}
"""Feature clip -> input side in pixels, and limits of median and p95 in ms."""


def report() -> Iterator[str]:
    """Measure in a fresh server and a fresh Chromium, and yield the lines."""
    chromium = find_chromium()
    if chromium is None:
        yield "browser figures: skipped, no Chromium was found (make chromium)"
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        opened_tab(chromium) as tab,
        served(Path(folder) / "count") as address,
    ):
        for what, (side, limits) in SIZES.items():
            tab.goto(f"{address}/{VIEW.format(side=side)}")
            tab.wait_for_selector(DRAWN)
            tab.wait_for_selector(REST)
            for figure in hover_figures(tab, what, limits):
                yield figure.line()
