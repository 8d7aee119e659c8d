"""Heat over pictures: hand-computed pixels, the picked cell and no other, marks and regions."""

from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from errors import OutsideError
from models.blocks.layout import Grid
from viz import geometry
from viz.geometry import Box
from viz.rendering import heat, overlay
from viz.rendering.heat import Heat
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Clip, Query

SIZES = [(53, 67), (101, 31), (64, 64)]


def grey(height, width, frames=1, value=100):
    frames = np.full((frames, height, width, 3), value, np.uint8)
    return Clip(frames, (0.0,), "grey.png", "0" * 64)


def delta(rows, cols, cell, frames=1):
    values = np.zeros((frames, rows, cols), np.float32)
    values[cell] = 0.25
    attention = AttentionMap(values, Query("res4.4", Cell(*cell)), "weights, sum 1")
    return heat.normalise(attention, Look())


def changed(painted, clip):
    return (painted != clip.frames).any(-1)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_delta_lights_exactly_the_picked_cell(height, width):
    clip, grid = grey(height, width), Grid(1, 5, 7)
    plan = geometry.fit(width, height, 448, 32)
    for row, col in ((0, 0), (2, 3), (4, 6)):
        look = Look(interpolation="nearest")
        lit = changed(overlay.paint(clip, plan, delta(5, 7, (0, row, col)), look), clip)[0]
        for y in range(height):
            for x in range(width):
                at = plan.cell_at(x + 0.5, y + 0.5, grid)
                assert lit[y, x] == (at == (row, col)), (x, y)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_smooth_delta_is_a_blob_centred_on_the_picked_cell(height, width):
    clip, grid = grey(height, width), Grid(1, 5, 7)
    plan = geometry.fit(width, height, 448, 32)
    look = Look(threshold=0.5)
    lit = changed(overlay.paint(clip, plan, delta(5, 7, (0, 2, 3)), look), clip)[0]
    y, x = np.nonzero(lit)
    centre = plan.cell_centre(2, 3, grid)
    assert (x.mean() + 0.5, y.mean() + 0.5) == pytest.approx(centre, abs=0.5)
    box = plan.cell_box(2, 3, grid)
    assert x.min() + 0.5 >= box.left
    assert x.max() + 0.5 <= box.right
    assert y.min() + 0.5 >= box.top
    assert y.max() + 0.5 <= box.bottom


def test_only_the_frame_of_the_delta_lights():
    clip = grey(53, 67, frames=3)
    plan = geometry.fit(67, 53, 448, 32)
    painted = overlay.paint(clip, plan, delta(5, 7, (1, 2, 3), frames=3), Look())
    assert changed(painted, clip).any((1, 2)).tolist() == [False, True, False]


def test_pixels_are_picture_and_colour_mixed_by_the_opacity():
    pixels = np.array([[[[10, 200, 30], [90, 80, 70], [1, 2, 3]]] * 16], np.uint8)
    clip = Clip(np.repeat(pixels, 6, axis=2)[:, :, :18], (0.0,), "p", "0" * 64)
    plan = geometry.fit(18, 16, 64, 32)
    values = np.tile(np.float32([0.2, 0.8, 1.0]), (1, 1, 1))
    look = Look(colormap="viridis", heat_opacity=0.25, interpolation="nearest")
    painted = overlay.paint(clip, plan, Heat(values, 0, 1, False), look)
    table = matplotlib.colormaps["viridis"].colors
    for x, value in ((0, 0.2), (8, 0.8), (14, 1.0)):
        before = clip.frames[0, 3, x]
        colour = [int(channel * 255) for channel in table[round(value * 255)]]
        mixed = [0.75 * int(b) + 0.25 * c for b, c in zip(before, colour, strict=True)]
        expected = before if value < 0.7 else mixed
        np.testing.assert_allclose(painted[0, 3, x], expected, atol=1)


def test_full_opacity_shows_the_colour_and_none_the_picture():
    clip, plan = grey(53, 67), geometry.fit(67, 53, 448, 32)
    hot = Heat(np.ones((1, 5, 7), np.float32), 0, 1, False)
    full = overlay.paint(clip, plan, hot, Look(heat_opacity=1.0))
    assert (full == overlay.colour_table("inferno")[255]).all()
    assert np.array_equal(overlay.paint(clip, plan, hot, Look(heat_opacity=0.0)), clip.frames)


def test_outside_the_crop_and_below_the_threshold_the_picture_is_untouched():
    clip = grey(100, 200)
    plan = geometry.center_crop(200, 100, 100, 80)
    ramp = np.linspace(0, 1, 10, dtype=np.float32)[None, None].repeat(10, 1)
    look = Look(interpolation="nearest", threshold=0.5)
    lit = changed(overlay.paint(clip, plan, Heat(ramp, 0, 1, False), look), clip)[0]
    expected = np.zeros((100, 200), bool)
    expected[10:90, 60 + 40 : 140] = True
    assert np.array_equal(lit, expected)


@pytest.mark.parametrize("normalise", ["clip", "frame"])
def test_a_constant_map_leaves_the_picture_as_it_is_at_any_threshold(normalise):
    clip, plan = grey(53, 67), geometry.fit(67, 53, 448, 32)
    flat = AttentionMap(
        np.full((1, 5, 7), 0.3, np.float32), Query("b", Cell(0, 0, 0)), "weights, sum 1"
    )
    look = Look(normalise=normalise, threshold=0.0)
    found = heat.normalise(flat, look)
    assert np.array_equal(overlay.paint(clip, plan, found, look), clip.frames)
    assert overlay.regions(plan, found, look, 0) == []


def test_painting_does_not_touch_the_clip_itself():
    clip, plan = grey(53, 67), geometry.fit(67, 53, 448, 32)
    painted = overlay.paint(clip, plan, delta(5, 7, (0, 1, 1)), Look())
    assert (clip.frames == 100).all()
    assert painted.shape == clip.frames.shape
    assert painted.dtype == np.uint8


@pytest.mark.parametrize("name", overlay.COLORMAPS)
def test_every_colour_map_on_offer_is_a_table_of_256_colours(name):
    table = overlay.colour_table(name)
    assert table.shape == (256, 3)
    expected = np.asarray(matplotlib.colormaps[name](np.linspace(0, 1, 256)))[:, :3] * 255
    np.testing.assert_allclose(table, expected, atol=1)


def test_an_unknown_colour_map_is_refused(one_line):
    with pytest.raises(OutsideError, match="inferno") as caught:
        overlay.colour_table("rainbow\n<b>")
    one_line(caught.value)


def test_regions_are_the_boxes_of_what_touches_above_the_threshold():
    values = np.zeros((2, 5, 7), np.float32)
    values[1, 0, 0] = values[1, 1, 1] = 1  # touch at a corner: one region
    values[1, 4, 5:7] = 0.7
    values[1, 2, 4] = 0.69
    hot = Heat(values, 0, 1, False)
    plan = geometry.fit(70, 50, 448, 32)
    look = Look(interpolation="nearest")
    found = overlay.regions(plan, hot, look, 1)
    assert sorted(found, key=lambda b: b.left) == [Box(0, 0, 20, 20), Box(50, 40, 70, 50)]
    assert overlay.regions(plan, hot, look, 0) == []


def test_regions_of_a_crop_are_in_pixels_of_the_original():
    values = np.zeros((1, 8, 8), np.float32)
    values[0, 0, 7] = 1
    plan = geometry.center_crop(200, 100, 100, 80)
    found = overlay.regions(plan, Heat(values, 0, 1, False), Look(interpolation="nearest"), 0)
    assert found == [Box(130, 10, 140, 20)]


def test_a_mark_is_a_rectangle_just_inside_its_box():
    picture = np.zeros((50, 70, 3), np.uint8)
    marked = overlay.mark(picture, Box(10, 20, 30, 30), overlay.WHITE)
    lit = marked.any(-1)
    y, x = np.nonzero(lit)
    assert (x.min(), x.max(), y.min(), y.max()) == (10, 29, 20, 29)
    assert lit.sum() == 2 * 20 + 2 * 8
    assert (marked[lit] == 255).all()
    assert not picture.any()


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_reference_mark_is_green_and_around_its_cell(height, width):
    plan, grid = geometry.fit(width, height, 448, 32), Grid(1, 5, 7)
    marked = overlay.mark_reference(
        np.zeros((height, width, 3), np.uint8), plan, Cell(0, 4, 6), grid
    )
    y, x = np.nonzero(marked.any(-1))
    box = plan.cell_box(4, 6, grid)
    assert (x.min(), y.min()) == (round(box.left), round(box.top))
    assert (x.max(), y.max()) == (width - 1, height - 1)
    assert (marked[y[0], x[0]] == overlay.GREEN).all()


def test_a_mark_of_a_cell_smaller_than_a_pixel_is_still_seen():
    plan, grid = geometry.fit(16, 16, 896, 32), Grid(1, 56, 56)
    for cell in (Cell(0, 0, 0), Cell(0, 55, 55), Cell(0, 27, 30)):
        marked = overlay.mark_reference(np.zeros((16, 16, 3), np.uint8), plan, cell, grid)
        assert marked.any()


@pytest.mark.parametrize(("frames", "moments", "seen"), [(1, 4, [0]), (4, 2, [0, 0, 1, 1])])
def test_a_frame_gets_the_heat_of_its_moment(frames, moments, seen):
    rng = np.random.default_rng(5)
    clip = replace(grey(20, 30, frames), frames=rng.integers(0, 255, (frames, 20, 30, 3), np.uint8))
    plan = geometry.fit(30, 20, 32, 2)
    values = rng.random((moments, 5, 7), np.float32)
    look = Look(threshold=0.0, heat_opacity=1.0)
    painted = overlay.paint(clip, plan, Heat(values, 0.0, 1.0, False), look)
    for frame, moment in enumerate(seen):
        one = replace(clip, frames=clip.frames[frame : frame + 1])
        alone = Heat(values[moment : moment + 1], 0.0, 1.0, False)
        assert np.array_equal(painted[frame], overlay.paint(one, plan, alone, look)[0])


def slow_paint(clip, plan, found, look):
    """The same in the open: every frame on its own, all of it in float64."""
    out = clip.frames.copy()
    rows, cols = overlay.pixel_span(plan)
    for index in range(len(out)):
        region = out[index, rows, cols]
        t = index * len(found.values) // len(out)
        scaled = heat.upsample(found.values[t : t + 1], *region.shape[:2], look.interpolation)[0]
        colours = overlay.colour_table(look.colormap)[np.rint(scaled * 255).astype(int)]
        mixed = np.rint((1 - look.heat_opacity) * region + look.heat_opacity * colours)
        shown = scaled >= np.float32(look.threshold)
        out[index, rows, cols] = np.where(shown[..., None], mixed, region)
    return out


@pytest.mark.parametrize("opacity", [0.0, 0.3, 0.5, 0.6, 1.0])
@pytest.mark.parametrize("threshold", [0.0, 0.7, 1.0])
def test_painting_fast_gives_the_pixels_of_painting_slowly(opacity, threshold):
    rng = np.random.default_rng(7)
    frames = rng.integers(0, 256, (5, 37, 53, 3), np.uint8)
    clip = Clip(frames, tuple(range(5)), "noise", "0" * 64)
    found = Heat(rng.random((3, 5, 7), np.float32), 0.0, 1.0, False)
    for plan in (geometry.fit(53, 37, 64, 32), geometry.center_crop(53, 37, 40, 32)):
        for interpolation in ("smooth", "nearest"):
            look = Look("clip", threshold, heat_opacity=opacity, interpolation=interpolation)
            expected = slow_paint(clip, plan, found, look)
            assert np.array_equal(overlay.paint(clip, plan, found, look), expected)


def test_a_moment_is_enlarged_once_for_all_of_its_frames(monkeypatch):
    calls = []
    real = heat.upsample
    monkeypatch.setattr(heat, "upsample", lambda *a: calls.append(1) or real(*a))
    found = Heat(np.random.default_rng(1).random((2, 5, 7), np.float32), 0.0, 1.0, False)
    overlay.paint(grey(20, 30, frames=8), geometry.fit(30, 20, 32, 2), found, Look())
    assert len(calls) == 2


def test_the_strongest_are_the_highest_first_and_ties_stand_by_position():
    values = np.float32([[[1, 9], [np.nan, 3]], [[9, 2], [np.inf, -4]]])
    attention = AttentionMap(values, Query("b", Cell(0, 0, 0)), "response, any sign")
    found = overlay.strongest(attention, 4)
    assert found == [Cell(1, 1, 0), Cell(0, 0, 1), Cell(1, 0, 0), Cell(0, 1, 1)]
    assert overlay.strongest(attention)[-1] == Cell(0, 1, 0)  # not a number: last
    assert len(overlay.strongest(attention)) == 8
    assert overlay.strongest(attention, 0) == []
