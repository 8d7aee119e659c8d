"""What is saved of a view: read back, it is what was shown; saved twice, the same bytes."""

import io
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from PIL import Image
from viz.rendering.save import LARGEST_SIDE, View, maps_npz, view_png

import viz
from tests.conftest import draw
from viz.rendering import heat, overlay, strip
from viz.rendering.look import Look
from viz.types import Clip


@pytest.fixture
def views(nl_model, cgnl_model, tiny_clip):
    found = []
    for model in (nl_model, cgnl_model):
        capture = viz.capture(model, tiny_clip)
        at = (30, 20)
        maps = (
            [viz.affinity_row(capture, at)]
            if model is nl_model
            else viz.channel_maps(capture, at, "3,17")
        )
        block = capture.blocks["res4.4"]
        found.append(
            View(
                model.id,
                model.sha256,
                "Title",
                "by hand",
                capture.geometry,
                block.query_grid,
                maps[0].query.cell,
                tuple(maps),
                maps[-1],
            )
        )
    return found


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def holds(picture, part):
    """Say whether ``part`` lies somewhere in ``picture``, pixel for pixel (to 1 of 255)."""
    height, width = part.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (height, width, 3))[:, :, 0]
    first = np.abs(windows[:, :, 0, 0].astype(int) - part[0, 0]).max(-1) <= 1
    return any(
        np.abs(windows[y, x].astype(int) - part).max() <= 1
        for y, x in zip(*np.nonzero(first), strict=True)
    )


def test_the_png_holds_each_overlay_pixel_for_pixel(views, tiny_clip):
    look = Look(threshold=0.4)
    saved = pixels(view_png(tiny_clip, views, look))
    for view in views:
        painted = overlay.paint(tiny_clip, view.geometry, heat.normalise(view.shown, look), look)
        marked = overlay.mark_reference(painted[0], view.geometry, view.cell, view.grid)
        assert holds(saved, marked)
    assert saved.shape[1] > 2 * tiny_clip.width


def test_the_same_view_gives_the_same_bytes_and_leaves_matplotlib_as_it_was(views, tiny_clip):
    before = dict(matplotlib.rcParams)
    assert view_png(tiny_clip, views, Look()) == view_png(tiny_clip, views, Look())
    assert maps_npz(views) == maps_npz(views)
    assert dict(matplotlib.rcParams) == before


def test_the_arrays_open_without_pickle_and_are_the_maps(views):
    with np.load(io.BytesIO(maps_npz(views)), allow_pickle=False) as saved:
        assert saved["values"].dtype == np.float32
        assert np.array_equal(saved["values"][0], views[0].maps[0].values)
        assert np.array_equal(saved["values_2"], np.stack([m.values for m in views[1].maps]))
        assert saved["labels_2"].tolist() == ["c3", "c17"]
        cell = views[0].cell
        assert saved["cell"].tolist() == [cell.t, cell.y, cell.x]


@pytest.mark.parametrize("title", ["a $\\frac{$ b", "<b>x</b>", "", "a_b^c"])
def test_a_foreign_title_is_only_text(views, tiny_clip, title):
    changed = [View(**{**vars(view), "title": title}) for view in views]
    assert pixels(view_png(tiny_clip, changed, Look())).std() > 0


def test_a_huge_picture_is_saved_at_the_largest_side(views):
    frames = np.zeros((1, 40, LARGEST_SIDE + 600, 3), np.uint8)
    saved = pixels(view_png(Clip(frames, (0.0,), "wide", "0" * 64), views[:1], Look()))
    assert LARGEST_SIDE <= saved.shape[1] < LARGEST_SIDE * 1.1


def as_clip(views, frames=4, numbers=(3, 11, 19, 27)):
    clip = Clip(draw(53, 67, frames), tuple(0.5 * k for k in range(frames)), "c", "4" * 64, numbers)
    return clip, [replace(view, frame=2) for view in views]


def test_a_clip_is_saved_as_a_strip_and_a_picture_is_not(views, tiny_clip):
    clip, shown = as_clip(views)
    assert view_png(clip, shown, Look()) == strip.png(clip, shown, Look())
    assert pixels(view_png(tiny_clip, views, Look())).shape[1] < 300


def test_the_arrays_of_a_clip_say_when_its_frames_are(views, tiny_clip):
    clip, shown = as_clip(views)
    with np.load(io.BytesIO(maps_npz(shown, clip)), allow_pickle=False) as saved:
        assert saved["timestamps"].tolist() == [0, 0.5, 1, 1.5]
        assert saved["numbers"].tolist() == [3, 11, 19, 27]
        assert (int(saved["frame"]), int(saved["frame_2"])) == (2, 2)
    with np.load(io.BytesIO(maps_npz(views, tiny_clip)), allow_pickle=False) as saved:
        assert "timestamps" not in saved
        assert int(saved["frame"]) == 0
