"""Drawn clips and captures made by hand, and what Python paints of them."""

import base64
import io
from dataclasses import replace

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from models.blocks import kernels, pairwise
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from models.specs.placement import Place
from tests.browser.bare.bare_picker import noise, picture_of
from ui.components.picker.payload import Panel, canvas_frames
from viz import geometry
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channels import CGNLCapture
from viz.attention.pipeline import Channels
from viz.rendering import heat, overlay
from viz.rendering.look import Look
from viz.types import Cell, Clip, moment

ROWS, COLS, WIDTH = 5, 7, 6
GRID, CHANNELS = Grid(6, ROWS, COLS), Channels()
BARE = Look(heat_opacity=0.0)
PICTURES = """(nodes) => nodes.map((c) => c.toDataURL("image/png").split(",")[1])"""


def clip_of(count, times=None):
    """A square that moves over a gradient, other in every frame."""
    y, x = np.mgrid[0:90, 0:120]
    frames = np.stack([y + 80, x + 60, (x + y) // 2], -1)[None].repeat(count, 0).astype(np.uint8)
    for t in range(count):
        frames[t, 20:50, 8 * t : 8 * t + 30] = (200, 30 * t % 256, 40)
    times = times or tuple(0.25 * t for t in range(count))
    return Clip(frames, times, "drawn.mp4", f"drawn {count}")


def plan_of(clip):
    return geometry.fit(clip.width, clip.height, 128, 32)


def nonlocal_block(name="dot_product", grid=GRID, keys=None, groups=1):
    width = 1 if name == "concatenation" else WIDTH
    keys = keys or grid
    return NonLocalCapture(
        Place(4, 4), noise(grid.cells, width), noise(keys.cells, width, seed=1),
        pairwise.pairwise(name, WIDTH, scaled=True), grid, keys, noise(1), groups,
    )  # fmt: skip


def cgnl_block(grid=GRID, kernel="dot_product", groups=4):
    theta, phi, g = (noise(groups * 3, grid.cells, seed=s) for s in (2, 3, 4))
    made = kernels.kernel(CGNLSpec(kernel=kernel, order=3, groups=groups, gamma=0.3))
    return CGNLCapture(Place(4, 4), theta, phi, g, made, groups, grid, noise(1))


def panel_of(block, clip, frame=0, row=1, col=2, channels=CHANNELS):
    cell = Cell(moment(frame, len(clip.frames), block.query_grid.frames), row, col)
    return Panel(str(id(block)), "title", "name", plan_of(clip), block, cell, channels, "", frame)


def strip(page, panel=0):
    """The canvases of a network's film strip, (T, H, W, 3)."""
    found = page.locator(".film").nth(panel).locator("canvas").evaluate_all(PICTURES)
    return np.stack([picture_of(base64.b64decode(one)) for one in found])


def painted(frames, clip, attention, look):
    """What Python paints on canvases, (T, H, W, 3), that show the clip's frames."""
    plan = replace(plan_of(clip), width=frames.shape[2], height=frames.shape[1])
    return overlay.paint(replace(clip, frames=frames), plan, heat.normalise(attention, look), look)


def large_frames(clip):
    """The frames that the large canvas shows, decoded from what is sent."""
    return np.stack([np.asarray(Image.open(io.BytesIO(c))) for c in canvas_frames(clip)])


def over_frame(page, number, x=0.5, y=0.5, panel=0):
    """Move the pointer over a frame of the strip and return the cell (frame, row, column)."""
    canvas = page.locator(".film").nth(panel).locator("canvas").nth(number)
    canvas.scroll_into_view_if_needed()
    box, before = canvas.bounding_box(), page.locator(".picker").get_attribute("data-draws")
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    expect(page.locator(".picker")).not_to_have_attribute("data-draws", before)
    return cell_of(page)


def cell_of(page):
    return tuple(int(v) for v in page.locator(".picker").get_attribute("data-cell").split(","))


def query(clip, block, cell):
    frame, row, col = cell
    return Cell(moment(frame, len(clip.frames), block.query_grid.frames), row, col)
