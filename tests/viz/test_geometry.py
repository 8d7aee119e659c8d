"""Clicks, cells and pixels: round trips at any size, and torchvision's own numbers."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from errors import OutsideError
from models.blocks.layout import Grid
from viz import geometry
from viz.geometry import Box

sides = st.integers(16, 1500)
grids = st.builds(Grid, st.just(1), st.integers(1, 40), st.integers(1, 40))
shares = st.floats(0.001, 0.999)


@st.composite
def layouts(draw):
    width, height = draw(sides), draw(sides)
    assume(max(width, height) <= 32 * min(width, height))
    if draw(st.booleans()):
        return geometry.fit(
            width, height, draw(st.integers(32, 700)), draw(st.sampled_from([8, 32]))
        )
    crop = draw(st.integers(32, 500))
    return geometry.center_crop(width, height, crop + draw(st.integers(0, 80)), crop)


@settings(max_examples=50, deadline=None)
@given(plan=layouts(), x=st.floats(-2000, 2000), y=st.floats(-2000, 2000))
def test_original_to_input_and_back_is_where_it_started(plan, x, y):
    assert plan.to_original(*plan.to_input(x, y)) == pytest.approx((x, y), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(plan=layouts(), grid=grids, row_share=shares, col_share=shares, u=shares, v=shares)
def test_any_point_of_a_cells_box_is_in_that_cell(plan, grid, row_share, col_share, u, v):
    row, col = int(row_share * grid.rows), int(col_share * grid.cols)
    box = plan.cell_box(row, col, grid)
    x = box.left + u * (box.right - box.left)
    y = box.top + v * (box.bottom - box.top)
    assert plan.cell_at(x, y, grid) == (row, col)
    assert plan.cell_at(*plan.cell_centre(row, col, grid), grid) == (row, col)


@settings(max_examples=50, deadline=None)
@given(plan=layouts(), grid=grids)
def test_cells_tile_what_the_network_sees_and_nothing_else(plan, grid):
    seen = plan.seen
    corners = [plan.cell_box(r, c, grid) for r in (0, grid.rows - 1) for c in (0, grid.cols - 1)]
    assert min(b.left for b in corners) == pytest.approx(seen.left, abs=1e-6)
    assert max(b.right for b in corners) == pytest.approx(seen.right, abs=1e-6)
    assert min(b.top for b in corners) == pytest.approx(seen.top, abs=1e-6)
    assert max(b.bottom for b in corners) == pytest.approx(seen.bottom, abs=1e-6)
    for row in range(grid.rows - 1):
        below = plan.cell_box(row + 1, 0, grid).top
        assert plan.cell_box(row, 0, grid).bottom == pytest.approx(below, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(plan=layouts(), grid=grids, x=st.floats(-3000, 3000), y=st.floats(-3000, 3000))
def test_a_point_is_refused_exactly_when_the_network_does_not_see_it(plan, grid, x, y):
    seen, edge = plan.seen, 1e-6
    assume(min(abs(x - seen.left), abs(x - seen.right)) > edge)
    assume(min(abs(y - seen.top), abs(y - seen.bottom)) > edge)
    if seen.left < x < seen.right and seen.top < y < seen.bottom:
        row, col = plan.cell_at(x, y, grid)
        assert 0 <= row < grid.rows
        assert 0 <= col < grid.cols
    else:
        with pytest.raises(OutsideError):
            plan.cell_at(x, y, grid)


def test_every_pixel_of_a_fitted_picture_belongs_to_the_cell_of_its_proportion():
    plan = geometry.fit(67, 53, 64, 32)
    grid = Grid(1, 5, 7)
    for x in range(67):
        for y in range(53):
            assert plan.cell_at(x + 0.5, y + 0.5, grid) == (
                int((y + 0.5) / 53 * 5),
                int((x + 0.5) / 67 * 7),
            )


@pytest.mark.parametrize(
    "at", [(-0.1, 5), (67, 5), (5, -1), (5, 53), (1e9, 1e9), (nan, 5), (5, inf), (-inf, nan)]
)
def test_a_point_outside_is_refused_with_the_accepted_range(at, one_line):
    plan = geometry.fit(67, 53, 64, 32)
    with pytest.raises(OutsideError, match="x 0 to 67, y 0 to 53 of this 67 x 53") as caught:
        plan.cell_at(*at, Grid(1, 2, 2))
    one_line(caught.value)


def test_a_point_in_the_picture_but_outside_the_crop_is_refused_with_the_crop():
    plan = geometry.center_crop(200, 100, 100, 80)
    assert plan.seen == Box(60, 10, 140, 90)
    with pytest.raises(OutsideError, match="x 60 to 140, y 10 to 90 of this 200 x 100"):
        plan.cell_at(59.9, 50, Grid(1, 5, 5))
    assert plan.cell_at(60, 10, Grid(1, 5, 5)) == (0, 0)
    assert plan.cell_at(139.9, 89.9, Grid(1, 5, 5)) == (4, 4)


@settings(max_examples=50, deadline=None)
@given(width=sides, height=sides, size=st.integers(16, 900), stride=st.sampled_from([8, 16, 32]))
def test_fitted_sides_are_multiples_of_the_stride_and_keep_the_aspect(width, height, size, stride):
    plan = geometry.fit(width, height, size, stride)
    assert plan.input_width % stride == plan.input_height % stride == 0
    assert min(plan.input_width, plan.input_height) >= stride
    scale = size / max(width, height)
    for got, side in ((plan.input_width, width), (plan.input_height, height)):
        assert abs(got - side * scale) <= stride / 2 or got == stride
    assert plan.seen == Box(0, 0, width, height)


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(16, 300),
    height=st.integers(16, 300),
    crop=st.integers(8, 40),
    border=st.integers(0, 9),
)
def test_center_crop_has_the_sizes_and_offsets_of_torchvision(width, height, crop, border):
    resize = crop + border
    plan = geometry.center_crop(width, height, resize, crop)
    resized = v2.Resize(resize)(Image.new("L", (width, height)))
    assert (plan.resized_width, plan.resized_height) == resized.size
    y, x = np.mgrid[0 : plan.resized_height, 0 : plan.resized_width]
    places = Image.fromarray((y * plan.resized_width + x).astype(np.int32))
    first = np.asarray(v2.CenterCrop(crop)(places))[0, 0]
    assert divmod(int(first), plan.resized_width) == (plan.crop_top, plan.crop_left)
    assert (plan.input_width, plan.input_height) == (crop, crop)
