"""Explore with a detector in a real browser: the pointer takes an object's middle, or its mean.

What was found is read from the page: the weights are random, and other threads round otherwise.
"""

import io
import json
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from models.checkpoints import own
from tests.browser.conftest import (
    DRAWN,
    at_rest,
    cell_of,
    choose,
    expect_address,
    open_explore,
    saved,
)
from tests.viz.tiny_detectors import NAMES, c4, keypoints


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detectors")
    own.write(folder / "boxes.safetensors", c4().network, NAMES, "A tiny detector")
    people = keypoints().network
    own.write(folder / "people.safetensors", people, ("background", "person"), "A tiny one")
    return folder


@dataclass(frozen=True)
class Found:
    """A box on the page, in shares of the picture, and its words."""

    words: str
    left: float
    top: float
    width: float
    height: float

    def holds(self, x: float, y: float) -> bool:
        left, top = self.left - 0.01, self.top - 0.01
        right, bottom = self.left + self.width + 0.01, self.top + self.height + 0.01
        return left <= x < right and top <= y < bottom

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


def opened(page: Page, server: str, path) -> None:
    """Upload a detector, and look at the example with it, every object shown."""
    open_explore(page, server)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Your own").click()
    at_rest(page)
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text(path.name).first.wait_for()
    page.locator(".st-key-use_own button").click()
    page.wait_for_selector(DRAWN)
    at_rest(page)
    page.get_by_role("slider", name="Lowest score").focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(400)
    at_rest(page)


def listed(page: Page) -> list[Found]:
    boxes = page.locator(".found").evaluate_all(
        "all => all.map(b => [b.innerText, ...['left', 'top', 'width', 'height']"
        ".map(side => parseFloat(b.style[side]) / 100)])"
    )
    return [Found(*box) for box in boxes]


def taken_at(found: list[Found]) -> list[tuple[Found, tuple[float, float]]]:
    """Return objects with a spot where no smaller one is: the pointer takes the smallest."""
    free = []
    for one in found:
        spots = [
            (one.left + u * one.width, one.top + v * one.height)
            for u in (0.5, 0.1, 0.9)
            for v in (0.5, 0.1, 0.9)
        ]
        smaller = [o for o in found if o is not one and o.area <= one.area]
        clear = (s for s in spots if not any(other.holds(*s) for other in smaller))
        spot = next(clear, None)
        if spot and one.width > 0.03 and one.height > 0.03:
            free.append((one, spot))
    return free


def point(page: Page, spot: tuple[float, float], click: bool = False) -> str:
    """Move the pointer to a spot in shares of the picture; return what the readout says."""
    canvas = page.locator("canvas.picture").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + spot[0] * box["width"], box["y"] + spot[1] * box["height"]
    page.mouse.move(x, y)
    page.wait_for_timeout(200)
    if click:
        page.mouse.click(x, y)
        page.wait_for_timeout(400)
        at_rest(page)
    return page.locator(".readout").inner_text()


def test_the_pointer_takes_the_middle_or_the_mean_of_an_object(page, server, files):
    opened(page, server, files / "boxes.safetensors")
    one, spot = taken_at(listed(page))[0]
    number = one.words.split(" ")[0]

    choose(page, "The pointer takes", "the middle of the object under it")
    point(page, spot)
    with np.load(io.BytesIO(saved(page, "Maps"))) as kept:
        name = next(key for key in kept.files if key.startswith("grid_own"))
        _frames, rows, cols = kept[name].tolist()
    point(page, spot)
    x, y = one.middle
    assert cell_of(page) == (int(y * rows), int(x * cols))
    taken = page.locator(".found.taken")
    expect(taken).to_have_count(1)
    assert taken.inner_text().split(" ")[0] == number

    choose(page, "The pointer takes", "all patches of the object under it")
    said = point(page, spot, click=True)
    assert f"mean over {number} " in said
    expect_address(page, f"object={number}%2Cmean")
    page.mouse.move(5, 5)
    page.wait_for_timeout(200)
    value = float(page.locator(".readout").inner_text().partition("≈ ")[2].split(" ")[0])
    with np.load(io.BytesIO(saved(page, "Maps"))) as kept:
        labels, values = kept["labels_own-boxes"], kept["values_own-boxes"][0, 0]
        _t, row, col = kept["cell_own-boxes"].tolist()
    assert labels.tolist() == ["NL mean"]
    recipe = json.loads(saved(page, "Recipe"))["references"][0]
    assert (recipe["object"], recipe["mean"]) == (int(number), True)
    assert saved(page, "PNG").startswith(b"\x89PNG")
    assert value == pytest.approx(float(values[row, col]), rel=0.02, abs=2e-3 * float(values.max()))


def test_a_block_in_the_head_is_seen_inside_the_box_of_one_object(page, server, files):
    opened(page, server, files / "people.safetensors")
    taken = page.locator(".found.taken")
    expect(taken).to_have_count(1)
    number = taken.inner_text().split(" ")[0]
    free = taken_at(listed(page))
    other, spot = next(pair for pair in free if pair[0].words.split(" ")[0] != number)
    choose(page, "The pointer takes", "the middle of the object under it")
    point(page, spot)
    expect(page.locator(".note").first).to_contain_text("Click to see what the block saw of")
    point(page, spot, click=True)
    expect(taken).to_contain_text(other.words.split(" ")[0])
    # What is not in its box is dimmed: the bright part of the picture is the box.
    dims = (
        page.locator(".stage")
        .first.locator(".dim")
        .evaluate_all(
            "all => all.map(d => parseFloat(d.style.width) * parseFloat(d.style.height) / 1e4)"
        )
    )
    assert 1 - sum(dims) == pytest.approx(other.area, abs=0.02)
