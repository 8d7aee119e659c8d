"""Pictures of panels: heat enlarged as torch does it, blended as the page shows it."""

import matplotlib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blocks.layout import Grid
from tests.viz.drawn_figures import HEIGHT, SEEN, WIDTH, drawn, heat_of
from viz import geometry as geometries
from viz.figure.draw import rasters
from viz.figure.draw.rasters import levels, raster
from viz.figure.panels.panel_rows import Matrix, Picture, Shade
from viz.geometry import Box, Geometry
from viz.rendering.colormaps import COLORMAPS, colour_table
from viz.rendering.heat import Heat
from viz.rendering.look import Look

WHOLE = Box(0, 0, WIDTH, HEIGHT)
PARTLY = Geometry(WIDTH, HEIGHT, WIDTH, HEIGHT, 16, 9, 35, 30)
"""Seen: x 16 to 51, y 9 to 39, whole pixels."""


def values(rows=5, cols=7, seed=11):
    return np.random.default_rng(seed).random((rows, cols)).astype(np.float32)


def enlarged(map_, height, width, how):
    """Return what torch makes of a map at another size."""
    mode = {"mode": "nearest-exact"} if how == "nearest" else {"mode": "bilinear"}
    mode |= {} if how == "nearest" else {"align_corners": False}
    stacked = torch.from_numpy(map_)[None, None]
    return F.interpolate(stacked, size=(height, width), **mode)[0, 0].numpy()


def sure(height, width, rows, cols):
    """Return which pixels do not lie in the very middle between two cells, (height, width)."""
    across = (np.arange(width) + 0.5) * cols / width
    down = (np.arange(height) + 0.5) * rows / height
    apart = [np.abs(one - np.rint(one)) > 1e-6 for one in (down, across)]
    return apart[0][:, None] & apart[1]


def seen_pixels(geometry):
    """Return the rows and columns of a picture whose middles the network sees."""
    box = geometry.seen
    middles = np.arange(max(geometry.height, geometry.width)) + 0.5
    down = (middles >= box.top) & (middles < box.bottom)
    across = (middles >= box.left) & (middles < box.right)
    return np.flatnonzero(down[: geometry.height]), np.flatnonzero(across[: geometry.width])


def slowly(frame, geometry, map_, look):
    """Return a frame with its heat, pixel by pixel in float64: what every drawing is held to.

    Also how far each pixel's heat is from the threshold: at it, rounding decides."""
    out, away = frame.copy(), np.full(frame.shape[:2], np.inf)
    ys, xs = seen_pixels(geometry)
    table = matplotlib.colormaps[look.colormap](np.arange(256))[:, :3] * 255
    high, wide = map_.shape
    box = geometry.seen
    for y in ys:
        v = (y + 0.5 - box.top) / (box.bottom - box.top) * high
        for x in xs:
            u = (x + 0.5 - box.left) / (box.right - box.left) * wide
            heat = bilinear(map_, v, u) if look.interpolation == "smooth" else map_[int(v), int(u)]
            away[y, x] = abs(heat - look.threshold)
            if heat >= np.float32(look.threshold):
                colour = table[round(255 * float(heat))]
                out[y, x] = np.rint((1 - look.heat_opacity) * frame[y, x]
                                    + look.heat_opacity * np.trunc(colour + 1e-9))  # fmt: skip
    return out, away


def bilinear(map_, v, u):
    """Return the value at (v, u) in cells, whose middles are at k + 0.5."""
    high, wide = map_.shape
    v, u = (min(max(at - 0.5, 0), most - 1) for at, most in ((v, high), (u, wide)))
    top, left = int(v), int(u)
    low, right = min(top + 1, high - 1), min(left + 1, wide - 1)
    upper = map_[top, left] * (1 - (u - left)) + map_[top, right] * (u - left)
    lower = map_[low, left] * (1 - (u - left)) + map_[low, right] * (u - left)
    return upper * (1 - (v - top)) + lower * (v - top)


sizes = st.integers(1, 90)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 7), st.integers(1, 11), sizes, sizes, st.sampled_from(["smooth", "nearest"]))
def test_levels_of_the_whole_picture_are_torchs(rows, cols, height, width, how):
    map_ = values(rows, cols)
    found = levels(Shade(heat_of(map_), 0, SEEN), WHOLE, width, height, Look(interpolation=how))
    expected = enlarged(map_, height, width, how)
    assert found.dtype == np.float32
    if how == "smooth":
        np.testing.assert_allclose(found, expected, atol=1e-5)
        return
    # Pixels in the very middle between two cells may go to either.
    decided = sure(height, width, rows, cols)
    np.testing.assert_array_equal(found[decided], expected[decided])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, WIDTH - 2), st.integers(0, HEIGHT - 2), st.data(), st.integers(1, 3),
    st.sampled_from(["smooth", "nearest"]),
)  # fmt: skip
def test_levels_of_a_crop_are_cut_out_of_those_of_the_whole(left, top, data, scale, how):
    right = data.draw(st.integers(left + 1, WIDTH))
    bottom = data.draw(st.integers(top + 1, HEIGHT))
    map_, look = values(), Look(interpolation=how)
    crop = Box(left, top, right, bottom)
    size = scale * (right - left), scale * (bottom - top)
    found = levels(Shade(heat_of(map_), 0, SEEN), crop, *size, look)
    full = enlarged(map_, scale * HEIGHT, scale * WIDTH, how)
    expected = full[scale * top : scale * bottom, scale * left : scale * right]
    if how == "smooth":
        np.testing.assert_allclose(found, expected, atol=1e-5)
    else:
        decided = sure(scale * HEIGHT, scale * WIDTH, *map_.shape)
        decided = decided[scale * top : scale * bottom, scale * left : scale * right]
        np.testing.assert_array_equal(found[decided], expected[decided])


def test_levels_are_not_a_number_where_the_network_does_not_see():
    found = levels(Shade(heat_of(values()), 0, PARTLY), WHOLE, WIDTH, HEIGHT, Look())
    seen = np.zeros((HEIGHT, WIDTH), bool)
    seen[9:39, 16:51] = True
    np.testing.assert_array_equal(np.isnan(found), ~seen)
    expected = enlarged(values(), 30, 35, "smooth")
    np.testing.assert_allclose(found[9:39, 16:51], expected, atol=1e-5)


def test_levels_are_of_the_shades_moment():
    maps = np.stack([values(seed=1), values(seed=2), values(seed=3)])
    found = levels(Shade(heat_of(maps), 2, SEEN), WHOLE, 30, 20, Look())
    np.testing.assert_allclose(found, enlarged(maps[2], 20, 30, "smooth"), atol=1e-5)


def own_size(map_, geometry, look, frame=None):
    """Return a picture with its heat at its own size, by the drawing and by hand, and which pixels
    are decided: at the threshold rounding may go either way."""
    frame = drawn()[0] if frame is None else frame
    high, wide, _rgb = frame.shape
    picture = Picture(frame, Box(0, 0, wide, high), Shade(heat_of(map_), 0, geometry))
    expected, away = slowly(frame, geometry, map_, look)
    return raster(picture, wide, high, look, False).pixels, expected, away > 1e-5


@pytest.mark.parametrize("geometry", [SEEN, PARTLY])
@pytest.mark.parametrize("threshold", [0.0, 0.45, 1.0])
@pytest.mark.parametrize("opacity", [0.0, 0.37, 1.0])
def test_at_its_own_size_every_pixel_is_the_one_worked_out_by_hand(geometry, threshold, opacity):
    look = Look(threshold=threshold, heat_opacity=opacity)
    map_ = values()
    map_[2, 3] = 1
    found, expected, decided = own_size(map_, geometry, look)
    if threshold not in (0.0, 1.0):  # nothing is below 0, and 1 is met by a cell's middle alone
        assert decided.mean() > 0.99
    assert np.abs(found.astype(int) - expected)[decided].max() <= 1
    if threshold < 1:
        assert (found != drawn()[0]).any() == (opacity > 0)


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_colour_map_is_blended_in(name):
    found, expected, decided = own_size(values(), SEEN, Look(colormap=name, threshold=0.3))
    assert np.abs(found.astype(int) - expected)[decided].max() <= 1


def test_full_opacity_shows_the_colour_and_none_the_picture():
    frame = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    hot = np.ones((5, 7), np.float32)
    full, _, _ = own_size(hot, SEEN, Look(heat_opacity=1.0), frame)
    assert (full == colour_table("inferno")[255]).all()
    none, _, _ = own_size(hot, SEEN, Look(heat_opacity=0.0), frame)
    np.testing.assert_array_equal(none, frame)


@pytest.mark.parametrize(("height", "width"), [(53, 67), (101, 31), (64, 64)])
def test_a_smooth_delta_is_a_blob_centred_on_the_picked_cell(height, width):
    frame, plan = np.full((height, width, 3), 100, np.uint8), geometries.fit(width, height, 448, 32)
    map_ = np.zeros((5, 7), np.float32)
    map_[2, 3] = 1
    found, _, _ = own_size(map_, plan, Look(threshold=0.5), frame)
    y, x = np.nonzero((found != frame).any(-1))
    box = plan.cell_box(2, 3, Grid(1, 5, 7))
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    assert (x.mean() + 0.5, y.mean() + 0.5) == pytest.approx(middle, abs=0.5)
    assert box.left <= x.min() + 0.5 < x.max() + 0.5 <= box.right
    assert box.top <= y.min() + 0.5 < y.max() + 0.5 <= box.bottom


@pytest.mark.parametrize("how", ["smooth", "nearest"])
def test_below_the_threshold_and_outside_of_what_is_seen_the_picture_is_untouched(how):
    look = Look(threshold=0.6, heat_opacity=1.0, interpolation=how)
    picture = Picture(drawn()[0], WHOLE, Shade(heat_of(values()), 0, PARTLY))
    made = raster(picture, WIDTH, HEIGHT, look, False)
    shown = np.zeros((HEIGHT, WIDTH), bool)
    shown[9:39, 16:51] = enlarged(values(), 30, 35, "smooth") >= 0.6
    changed = (made.pixels != picture.frame).any(2)
    if how == "nearest":
        assert not changed.any()  # the cells lie over it
        np.testing.assert_array_equal(made.cells[..., 3] > 0, values() >= np.float32(0.6))
    else:
        # The frame has none of the colour map's colours.
        assert not (picture.frame[..., None, :] == colour_table("inferno")).all(-1).any()
        np.testing.assert_array_equal(changed, shown)


def test_the_frame_itself_is_left_as_it_is():
    frame = drawn()[0]
    before = frame.copy()
    for how in ("smooth", "nearest"):
        for grey in (False, True):
            picture = Picture(frame, WHOLE, Shade(heat_of(values()), 0, SEEN))
            raster(picture, WIDTH, HEIGHT, Look(threshold=0.0, interpolation=how), grey)
            np.testing.assert_array_equal(frame, before)


def test_a_base_under_heat_is_left_as_it_is():
    picture = Picture(drawn()[0], WHOLE, Shade(heat_of(values()), 0, SEEN))
    base = rasters.base(picture, 90, 70, False)
    before = base.copy()
    assert (rasters.over(base, picture, Look(threshold=0.0), False).pixels != before).any()
    np.testing.assert_array_equal(base, before)


def test_nearest_heat_is_embedded_at_the_maps_own_resolution():
    look = Look(threshold=0.3, heat_opacity=0.6, interpolation="nearest")
    crop = Box(10, 9, 60, 49)
    picture = Picture(drawn()[0], crop, Shade(heat_of(values()), 0, PARTLY))
    made = raster(picture, 300, 240, look, False)
    assert made.cells.shape == (5, 7, 4)
    assert made.cells.dtype == np.uint8
    table = colour_table(look.colormap)
    np.testing.assert_array_equal(made.cells[..., :3], table[np.rint(values() * 255).astype(int)])
    assert set(made.cells[..., 3].ravel()) == {0, 153}
    assert made.where == Box(6 / 50, 0, 41 / 50, 30 / 40)
    assert made.pixels.shape == (240, 300, 3)


def test_a_crop_is_enlarged_as_a_picture_of_its_own():
    crop = Box(10, 9, 60, 49)
    made = raster(Picture(drawn()[0], crop), 100, 80, Look(), False)
    np.testing.assert_array_equal(made.pixels, rasters.scaled(drawn()[0][9:49, 10:60], 100, 80))
    same = raster(Picture(drawn()[0], crop), 50, 40, Look(), False)
    np.testing.assert_array_equal(same.pixels, drawn()[0][9:49, 10:60])
    assert made.level is None


def test_a_frame_is_left_alone_at_its_own_size_and_scaled_as_a_whole_else():
    frame = drawn()[0]
    assert rasters.scaled(frame, WIDTH, HEIGHT) is frame
    halved = rasters.scaled(frame[:52, :66], 33, 26)
    means = frame[:52, :66].reshape(26, 2, 33, 2, 3).mean((1, 3))
    assert np.abs(halved - means).max() <= 0.5
    even = np.full((40, 60, 3), (10, 200, 90), np.uint8)
    for width, height in ((13, 7), (200, 99)):
        assert (rasters.scaled(even, width, height) == even[0, 0]).all()


@pytest.mark.parametrize("how", ["smooth", "nearest"])
@pytest.mark.parametrize("grey", [False, True])
def test_a_constant_map_leaves_the_picture_as_it_is(how, grey):
    empty = Heat(np.zeros((1, 5, 7), np.float32), 0.0, 0.0, True)
    look = Look(threshold=0.0, interpolation=how)
    made = raster(Picture(drawn()[0], WHOLE, Shade(empty, 0, SEEN)), WIDTH, HEIGHT, look, grey)
    plain = raster(Picture(drawn()[0], WHOLE), WIDTH, HEIGHT, look, grey)
    np.testing.assert_array_equal(made.pixels, plain.pixels)
    assert made.cells is None


@pytest.mark.parametrize("how", ["smooth", "nearest"])
def test_in_greys_there_is_no_colour_and_more_heat_is_darker(how):
    look = Look(threshold=0.0, heat_opacity=1.0, interpolation=how)
    rising = np.linspace(0, 1, 7, dtype=np.float32)[None].repeat(5, 0)
    made = raster(Picture(drawn()[0], WHOLE, Shade(heat_of(rising), 0, SEEN)), 140, 50, look, True)
    assert made.cells is None
    assert (made.pixels == made.pixels[..., :1]).all()
    row = made.pixels[25, :, 0].astype(int)
    assert (np.diff(row) <= 0).all()
    assert (row[0], row[-1]) == (255, 0)
    plain = raster(Picture(drawn()[0], WHOLE), 140, 50, look, True).pixels
    assert (plain == plain[..., :1]).all()
    assert plain.min() >= 110


def test_the_table_of_greys_falls_and_the_others_are_the_looks():
    greys = rasters.colour_table(Look(), True)
    assert (np.diff(greys[:, 0].astype(int)) <= 0).all()
    for name in COLORMAPS:
        np.testing.assert_array_equal(
            rasters.colour_table(Look(colormap=name), False), colour_table(name)
        )


def test_a_matrix_is_coloured_from_its_lowest_to_its_highest_entry():
    table = rasters.colour_table(Look(), False)
    made = Matrix(np.array([[0.0, 0.25], [0.5, 1.0]], np.float32), (1, 1), (2, 2), (1, 1))
    np.testing.assert_array_equal(rasters.matrix_pixels(made, table), table[[[0, 64], [128, 255]]])
    logged = Matrix(np.array([[1e-9, 1e-6], [1e-3, 1.0]], np.float32), (1, 1), (2, 2), (1, 1), True)
    np.testing.assert_array_equal(rasters.matrix_pixels(logged, table), table[[[0, 0], [128, 255]]])
    for even in (0.0, -1.0, 0.3):
        for log in (False, True):
            flat = Matrix(np.full((2, 3), even, np.float32), (1, 1), (2, 3), (1, 1), log)
            assert (rasters.matrix_pixels(flat, table) == table[0]).all()


def test_outlines_run_around_what_is_shown():
    level = np.full((40, 60), np.nan, np.float32)
    level[5:35, 10:50] = 0.2
    level[12:20, 20:35] = 0.9
    (line,) = rasters.outlines(level, 0.7)
    assert line[0].tolist() == line[-1].tolist()
    np.testing.assert_allclose(line.min(0), (20, 12), atol=0.5)
    np.testing.assert_allclose(line.max(0), (35, 20), atol=0.5)
    (edge,) = rasters.outlines(np.ones((40, 60), np.float32), 0.7)
    np.testing.assert_allclose([edge.min(0), edge.max(0)], [(0, 0), (60, 40)], atol=0.5)
    assert rasters.outlines(np.zeros((40, 60), np.float32), 0.7) == []
