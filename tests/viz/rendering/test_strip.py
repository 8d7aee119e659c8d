"""Strips of a clip's frames, read back: each frame its own heat, marks and arrows in place."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from viz.rendering.strip import View

from models.blocks.layout import Grid
from viz import geometry
from viz.rendering import heat, overlay, save, strip
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Clip, Query

ROWS, COLS = 3, 5
NEAREST = Look(interpolation="nearest")


def grey_clip(frames=5, height=96, width=160, value=100):
    pixels = np.full((frames, height, width, 3), value, np.uint8)
    return Clip(pixels, tuple(0.25 * k for k in range(frames)), "grey.mp4", "2" * 64)


def moving(moments=5):
    """(T, 3, 5): in moment t the cell (t mod 3, t mod 5) is 1, the others 0."""
    values = np.zeros((moments, ROWS, COLS), np.float32)
    for t in range(moments):
        values[t, t % ROWS, t % COLS] = 1
    return values


def a_view(clip, values, frame=2, cell=(2, 1, 3), title="net, res4.4"):
    found = Cell(*cell)
    shown = AttentionMap(values, Query("res4.4", found), "weights, sum 1")
    plan = geometry.fit(clip.width, clip.height, 160, 32)
    grid = Grid(*values.shape)
    return View("net", "3" * 64, title, "one map", plan, grid, found, (shown,), shown, frame)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def panel_of(picture, clip, index, unit):
    """Return the pixels of one frame of the first strip, found from the documented sizes."""
    margin, head = round(strip.MARGIN * unit), round(strip.HEAD * unit)
    table = strip.Table(len(clip.frames), clip.width, clip.height, unit)
    left, top = table.corner(index)
    left, top = left + margin, top + margin + head
    return picture[top : top + clip.height, left : left + clip.width]


def coloured(panel):
    return np.ptp(panel, axis=-1) > 40


def green(panel):
    return np.abs(panel - overlay.GREEN).max(-1) < 12


def test_a_moving_delta_lights_the_right_cell_of_the_right_frame():
    clip = grey_clip()
    picture = pixels(strip.png(clip, [a_view(clip, moving())], NEAREST))
    for t in range(5):
        panel = panel_of(picture, clip, t, 1.0)
        y, x = np.nonzero(coloured(panel) & ~green(panel))
        row, col = t % ROWS, t % COLS
        assert (y.min() // 32, y.max() // 32) == (row, row)
        assert (x.min() // 32, x.max() // 32) == (col, col)


def test_only_the_reference_frame_has_the_green_rectangle_and_it_is_around_its_cell():
    clip = grey_clip()
    picture = pixels(strip.png(clip, [a_view(clip, moving(), frame=3)], NEAREST))
    for t in range(5):
        y, x = np.nonzero(green(panel_of(picture, clip, t, 1.0)))
        assert bool(len(y)) == (t == 3)
        if t == 3:
            assert (y.min(), y.max(), x.min(), x.max()) == pytest.approx((32, 63, 96, 127), abs=2)


def test_every_frame_is_painted_as_overlay_paints_it():
    clip = replace(grey_clip(3), frames=np.random.default_rng(2).integers(
        0, 255, (3, 96, 160, 3), np.uint8))  # fmt: skip
    view = a_view(clip, np.random.default_rng(3).random((3, 3, 5), np.float32), frame=1)
    look = Look(threshold=0.4)
    painted = overlay.paint(clip, view.geometry, heat.normalise(view.shown, look), look)
    picture = pixels(strip.png(clip, [view], look))
    for t in (0, 2):
        assert np.abs(panel_of(picture, clip, t, 1.0) - painted[t]).max() <= 1


def test_frames_that_share_a_moment_share_its_heat():
    clip = grey_clip(4)
    picture = pixels(strip.png(clip, [a_view(clip, moving(2), frame=0, cell=(0, 0, 0))], NEAREST))
    lit = [coloured(panel_of(picture, clip, t, 1.0))[40:, :].any() for t in range(4)]
    assert lit == [False, False, True, True]


def test_one_strip_a_network_and_rows_of_eight_frames():
    clip = grey_clip(11)
    one = pixels(strip.png(clip, [a_view(clip, moving(11))], Look()))
    two = pixels(strip.png(clip, [a_view(clip, moving(11))] * 2, Look()))
    assert two.shape[1] == one.shape[1]
    assert two.shape[0] == pytest.approx(2 * one.shape[0], abs=2 * strip.MARGIN + 8)
    flat = (one == 100).all(-1)
    starts = np.flatnonzero(np.diff((flat.sum(1) > 200).astype(int)) == 1)
    assert len(starts) == 2  # two rows of frames
    upper, lower = (flat[s + 60].sum() for s in starts)
    assert upper / lower == pytest.approx(8 / 3, rel=0.05)


@pytest.mark.parametrize(
    ("frames", "height", "width"), [(8, 60, 1800), (40, 160, 90), (2, 700, 1300), (3, 16, 16)]
)
def test_the_whole_is_never_larger_than_its_caps_and_keeps_the_aspect(frames, height, width):
    clip = grey_clip(frames, height, width)
    view = a_view(clip, moving(frames), frame=0, cell=(0, 0, 0))
    picture = pixels(strip.png(clip, [view, view], Look()))
    assert picture.shape[1] <= strip.LARGEST_SIDE
    assert picture.shape[0] <= 2 * strip.LARGEST_SIDE
    size = overlay.fitted(clip, 400, 400)
    assert size[0] / size[1] == pytest.approx(width / height, rel=0.1)


def test_arrows_go_from_the_reference_to_the_highest_values():
    clip = grey_clip()
    values = moving()
    values[4] *= 2  # the highest of all: frame 4, row 1, column 4
    view = a_view(clip, values)
    plain = pixels(strip.png(clip, [view], Look(threshold=1.0)))
    drawn = pixels(strip.png(clip, [view], Look(threshold=1.0, arrows=1)))
    changed = (plain != drawn).any(-1)
    start, end = (round(3.5 * 32), 48), (round(4.5 * 32), 48)
    assert panel_of(changed, clip, 2, 1.0)[start[1] - 3 : start[1] + 4, start[0] + 8].any()
    assert panel_of(changed, clip, 4, 1.0)[end[1] - 4 : end[1] + 5, end[0] - 6 : end[0]].any()
    assert panel_of(changed, clip, 3, 1.0).any()  # it crosses what lies between
    assert not panel_of(changed, clip, 0, 1.0).any()


def test_arrow_ends_are_the_middles_of_the_strongest_cells_in_a_frame_of_their_moment():
    clip = grey_clip(6)
    values = np.zeros((2, 3, 5), np.float32)
    values[1, 0, 4] = 1
    view = a_view(clip, values, frame=0, cell=(0, 1, 3))
    table = strip.Table(6, 160, 96, 1.0)
    start, ends = strip.arrow_ends(view, table, 1)
    assert start == (3.5 * 32 - 0.5, 1.5 * 32 - 0.5)
    left, top = table.corner(4)  # frames 3, 4, 5 share moment 1
    assert ends == [(left + 4.5 * 32 - 0.5, top + 16 - 0.5)]


def test_a_held_still_gets_arrows_into_the_moment_that_is_drawn():
    clip = grey_clip(1)
    values = moving(4)
    values[0, 0, 0], values[3] = 0.5, 9
    view = a_view(clip, values, frame=0, cell=(0, 1, 3))
    _start, ends = strip.arrow_ends(view, strip.Table(1, 160, 96, 1.0), 1)
    assert ends == [(15.5, 15.5)]
    plain, drawn = (pixels(save.view_png(clip, [view], Look(arrows=n))) for n in (0, 3))
    assert (plain != drawn).any()


def test_the_same_strip_is_the_same_bytes():
    clip = grey_clip(3)
    view = a_view(clip, moving(3))
    first, second = (strip.png(clip, [view], Look(arrows=5)) for _ in range(2))
    assert first == second
    assert save.view_png(clip, [view], Look(arrows=5)) == first


def test_a_constant_map_is_a_strip_without_heat():
    clip = grey_clip(2)
    view = a_view(clip, np.full((2, 3, 5), 0.2, np.float32), frame=0, cell=(0, 0, 0))
    picture = pixels(strip.png(clip, [view], Look(threshold=0.0)))
    assert not coloured(panel_of(picture, clip, 1, 1.0)).any()


@pytest.mark.parametrize(
    ("t", "frames", "moments", "frame"), [(0, 8, 8, 0), (7, 8, 8, 7), (1, 32, 8, 6), (3, 1, 4, 0)]
)
def test_an_arrow_into_a_moment_ends_in_the_middle_one_of_its_frames(t, frames, moments, frame):
    assert overlay.frame_of(t, frames, moments) == frame


def test_a_frame_is_scaled_before_it_is_painted_and_left_alone_at_its_own_size():
    frame = grey_clip(1, 40, 60).frames[0]
    assert overlay.scaled(frame, 60, 40) is frame
    assert overlay.scaled(frame, 31, 20).shape == (20, 31, 3)
    assert overlay.fitted(grey_clip(1, 40, 400), 100, 100) == (100, 10)
    assert overlay.fitted(grey_clip(1, 40, 72), 1000, 1000) == (144, 80)
