"""Film strips on the empty page: their pictures, and the pointer over their frames."""

import base64

import numpy as np
from playwright.sync_api import Page, expect

from models.blocks.layout import Grid
from tests.browser.bare.bare_picker import mount, picture_of
from viz.figure.resolve import Scene
from viz.rendering.look import Look

ROWS, COLS = 5, 7
GRID = Grid(6, ROWS, COLS)
BARE = Look(heat_opacity=0.0)
PICTURES = """(nodes) => nodes.map((c) => c.toDataURL("image/png").split(",")[1])"""


def pictures(canvases) -> np.ndarray:
    """What some canvases show, (T, H, W, 3)."""
    return np.stack([picture_of(base64.b64decode(one)) for one in canvases.evaluate_all(PICTURES)])


def strip(page: Page, panel: int = 0) -> np.ndarray:
    """The canvases of a network's film strip, (T, H, W, 3)."""
    return pictures(page.locator(".film").nth(panel).locator("canvas"))


def bare_strip(page: Page, found: Scene) -> np.ndarray:
    """Mount with invisible heat and return the strip of the first network as it is without."""
    mount(page, found, BARE)
    return strip(page)


def over_frame(page: Page, number: int, x=0.5, y=0.5, panel=0) -> tuple[int, int, int]:
    """Move the pointer over a frame of the strip and return the cell (frame, row, column)."""
    canvas = page.locator(".film").nth(panel).locator("canvas").nth(number)
    canvas.scroll_into_view_if_needed()
    box, before = canvas.bounding_box(), page.locator(".picker").get_attribute("data-draws")
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    expect(page.locator(".picker")).not_to_have_attribute("data-draws", before)
    return place_of(page)


def place_of(page: Page) -> tuple[int, int, int]:
    """The frame, row and column that are drawn."""
    return tuple(int(v) for v in page.locator(".picker").get_attribute("data-cell").split(","))


def small_maps_are_painted(page: Page) -> None:
    """Wait for the small maps, which come after the large ones."""
    picker = page.locator(".picker")
    expect(picker).to_have_attribute("data-small", picker.get_attribute("data-draws"))
