"""The picker's modules in a browser, and what Python asks them for.

The modules are served as they are, on an address of no machine. What they get is what ``pack``
sends. The canvas is compared with what Python paints over the bird.
"""

import base64

import numpy as np
import pytest

from models.blocks.layout import Grid
from tests.browser.bare.bare_picker import assert_same_picture, canvas_pictures, drawn, painted
from tests.browser.bare.shot_maps import map_of, moved
from tests.browser.conftest import cell_of
from tests.ui.drawn_scenes import clip_of, drawn_scene
from ui.components import mount
from ui.components.picker.canvas import canvas_geometry
from ui.components.picker.payload import pack
from viz import geometry
from viz.examples import bird
from viz.rendering.look import Look

ORIGIN = "http://picker.test"
POSITIONS = (0, 17, 34, 55, 104)
GRID = Grid(3, 5, 7)
ROWS, COLS = 11, 13
"""Cells of the blocks that are drawn over the bird."""
HALF = 2.0**-11
"""How much of its size float16 rounds a number by."""

READ = """async (blob) => {
  const { arithmeticOf } = await import("/picker/arithmetic/arithmetic.js");
  const { readArrays } = await import("/picker/arithmetic/buffers.js");
  const { cellsOf } = await import("/picker/drawing/geometry.js");
  const bytes = Uint8Array.from(atob(blob), (c) => c.charCodeAt(0));
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const [panel] = header.panels;
  window.arrays = readArrays(bytes.buffer, 4 + size, panel.arrays);
  window.arithmetic = arithmeticOf(panel.arithmetic);
  window.panel = arithmetic.prepare({ ...panel, arrays });
  window.size = cellsOf(panel.keyGrid);
  return { panel, arrays: Object.fromEntries(Object.entries(arrays).map(([k, v]) => [k, [...v]])) };
}"""
ASK = """([names, positions]) => positions.map((i) => {
  const chosen = arithmetic.choose(panel, i);
  const maps = Object.fromEntries(names.map((name) => {
    const out = new Float32Array(size).fill(7);
    const words = arithmetic.map(panel, name, chosen, i, out);
    return [name, { ...words, values: [...out] }];
  }));
  return { chosen: [...chosen], maps };
})"""


@pytest.fixture(scope="session")
def modules(browser):
    """A page at whose address the files of ui/components are."""
    context = browser.new_context()
    page = context.new_page()

    def serve(route):
        path = route.request.url.removeprefix(f"{ORIGIN}/").split("?")[0]
        if not path:
            route.fulfill(content_type="text/html", body="<!doctype html>")
        else:
            body = (mount.FOLDER / path).read_text(encoding="utf-8")
            route.fulfill(content_type="text/javascript", body=body)

    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")
    yield page
    context.close()


class Asked:
    """A panel in the browser: its header, the arrays that arrived, and its maps at positions."""

    def __init__(self, page, found):
        blob = base64.b64encode(pack(found, Look())).decode()
        read = page.evaluate(READ, blob)
        self.page, self.panel = page, read["panel"]
        self.arrays = {name: np.array(values) for name, values in read["arrays"].items()}

    def maps(self, positions, names=None):
        names = names or self.panel["names"] or [""]
        return self.page.evaluate(ASK, [names, list(positions)])


def asked(page, block, **view):
    """Return the panel of a block in the browser, and its shot."""
    found = drawn_scene(clip_of(block.query_grid.frames), block, **view)
    return Asked(page, found), found.shots[0]


def at(shot, position):
    """The shot at a position of its grid."""
    grid = shot.block.query_grid
    t, inside = divmod(position, grid.rows * grid.cols)
    return moved(shot, grid.frames, (t, *divmod(inside, grid.cols)))


@pytest.fixture
def clip():
    return bird.clip()


@pytest.fixture
def plan(clip):
    return geometry.fit(clip.width, clip.height, 224, 32)


def assert_painted(page, found, look, choice=None, panel=0):
    """Check a large canvas against what Python paints for the cell that is drawn."""
    lead, shot = found.shots[0], found.shots[panel]
    row, col = cell_of(page)
    x, y = lead.geometry.cell_centre(row, col, lead.block.query_grid)
    cell = shot.geometry.nearest_cell(x, y, shot.block.query_grid)
    wanted = map_of(moved(shot, 1, cell), choice)
    frame = canvas_pictures(found)[0]
    seen = canvas_geometry(shot.geometry, found.clip)
    assert_same_picture(drawn(page, panel), painted(frame, seen, wanted, look))
    return wanted
