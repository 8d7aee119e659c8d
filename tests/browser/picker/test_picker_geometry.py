"""The picker's geometry: pixels, cells, frames and moments are Python's."""

from dataclasses import asdict

import numpy as np
import pytest

from models.blocks.layout import Grid
from viz import geometry
from viz.geometry import Geometry
from viz.rendering import marks
from viz.types import moment

PLACES = """async ([geometry, grid, points]) => {
  const g = await import("/picker/drawing/geometry.js");
  return {
    under: points.map(([x, y]) => g.cellUnder(geometry, grid, x, y)),
    nearest: points.map(([x, y]) => g.nearestCell(geometry, grid, x, y)),
    centres: points.map((_, k) =>
      g.centreOf(geometry, grid, { row: k % grid.rows, col: k % grid.cols })),
    cells: g.cellsOf(grid),
  };
}"""


@pytest.mark.parametrize(
    "plan",
    [geometry.fit(640, 480, 224, 32), geometry.center_crop(311, 701, 73, 64),
     Geometry(67, 53, 134, 106, 32, 18, 70, 70)],
    ids=["fit", "crop", "odd crop"],
)  # fmt: skip
def test_pixels_and_cells_are_pythons(modules, plan):
    grid, draw = Grid(2, 5, 7), np.random.default_rng(3)
    points = [*(draw.uniform(-20, 1.1, (200, 2)) % 1 * 1.2 - 0.1) * [plan.width, plan.height]]
    points = [[float(x), float(y)] for x, y in points]
    found = modules.evaluate(PLACES, [asdict(plan), grid._asdict(), points])
    assert found["cells"] == 70
    for k, (x, y) in enumerate(points):
        nearest = found["nearest"][k]["row"], found["nearest"][k]["col"]
        assert nearest == plan.nearest_cell(x, y, grid)
        seen = plan.seen
        inside = seen.left <= x < seen.right and seen.top <= y < seen.bottom
        under = found["under"][k]
        assert (under is not None) == inside
        assert under is None or (under["row"], under["col"]) == plan.cell_at(x, y, grid)
        centre = found["centres"][k]["x"], found["centres"][k]["y"]
        assert centre == pytest.approx(plan.cell_centre(k % 5, k % 7, grid))


def test_frames_and_moments_are_pythons(modules):
    found = modules.evaluate(
        """async (most) => {
          const g = await import("/picker/drawing/geometry.js"), out = {};
          for (let k = 0; k < most * most; k++) {
            const frames = 1 + Math.floor(k / most), moments = 1 + (k % most);
            out[`${frames},${moments}`] = [
              Array.from({ length: frames }, (_, k) => g.momentOf(k, frames, moments)),
              Array.from({ length: moments }, (_, t) => g.frameOf(t, frames, moments))];
          }
          return out;
        }""",
        13,
    )
    assert len(found) == 169
    for key, (to_moment, to_frame) in found.items():
        frames, moments = map(int, key.split(","))
        assert to_moment == [moment(k, frames, moments) for k in range(frames)], key
        assert to_frame == [marks.frame_of(t, frames, moments) for t in range(moments)], key
