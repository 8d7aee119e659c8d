"""The Explore page with a detector in Chromium: pointer to heat on an input of 800 x 1344 pixels.

The network is a Mask R-CNN on res4 with an NL block whose factors have the published one's size
(50 x 84 positions, 512 inner channels); its weights are random and its trunk is narrow, because the
pointer sees the factors only.
"""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from playwright.sync_api import Page

from benchmarks.browser.dropping import drop
from benchmarks.browser.tab import DRAWN, REST, hover_figures, in_browser
from models.build import build
from models.checkpoints import own
from models.specs.block import NonLocalSpec
from models.specs.detection import DetectorInput, RCNNSpec
from models.specs.network import ModelSpec
from viz.examples import bird

SIDES = (1344, 800)
LIMITS = (16, 50)
"""Limits of median and 95th percentile in ms."""
TAKEN = {"a patch": None, "the mean over an object": "all patches of the object under it"}
"""What the pointer takes -> the entry of the page, None for what it takes at first."""


def report() -> Iterator[str]:
    """Measure in a fresh server and a fresh Chromium, and yield the lines."""
    return in_browser(_lines)


def _lines(tab: Page, address: str, _count_file: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "detector.safetensors"
        own.write(weights, _network(), ("background", "cat", "dog"), "Random weights")
        _open(tab, address, weights)
    for what, entry in TAKEN.items():
        if entry is not None:
            _choose(tab, "The pointer takes", entry)
            tab.wait_for_timeout(500)
            tab.wait_for_selector(REST)
        for figure in hover_figures(tab, f"50x84, {what}", LIMITS, "one detector"):
            yield figure.line()
    rank = tab.locator(".readout").inner_text().partition("rank ")[2].partition(")")[0]
    yield f"rank under the pointer: {rank} positions; {tab.locator('.found').count()} boxes drawn"


def _network() -> torch.nn.Module:
    """Return the detector: all of its 100 objects are shown, whatever they score."""
    torch.manual_seed(3)
    trunk = ModelSpec(
        base_width=32, block=NonLocalSpec(reduction=1), placement="1",
        norm="frozen, no epsilon", strided="conv1",
    )  # fmt: skip
    prep = DetectorInput(size=1344, resize=1344, short=800, stride=16)
    return build(
        RCNNSpec(trunk, "c4", labels=3, masks=True, score=0.0, proposals=50, preprocessing=prep)
    )


def _choose(tab: Page, label: str, name: str) -> None:
    """Choose an option of a selectbox; a list that closes at once, as the page is drawn anew, is
    opened again."""
    option = tab.get_by_role("option", name=name, exact=True)
    for _ in range(5):
        tab.get_by_role("combobox", name=label).click()
        tab.wait_for_timeout(300)
        if option.is_visible():
            break
        tab.wait_for_selector(REST)
    option.click(timeout=30_000)


def _open(tab: Page, address: str, weights: Path) -> None:
    """Bring the network and the picture onto the Explore page, all objects shown."""
    tab.goto(f"{address}/models")
    tab.get_by_role("tab", name="Your own").click()
    tab.locator("input[type=file]").set_input_files(weights)
    tab.locator(".st-key-use_own button").click()
    tab.wait_for_selector(DRAWN)
    tab.wait_for_selector(REST)
    packed = io.BytesIO()
    bird.draw().resize(SIDES).save(packed, "PNG")
    drop(tab, "large.png", packed.getvalue())
    tab.get_by_text("In use: large.png").wait_for()
    tab.wait_for_selector(REST)
    _choose(tab, "Compare with", "none")
    tab.wait_for_selector(REST)
    slider = tab.get_by_role("slider", name="Lowest score")
    slider.focus()
    tab.keyboard.press("Home")
    tab.wait_for_timeout(500)
    tab.wait_for_selector(REST)
