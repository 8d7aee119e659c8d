"""Marks on pictures: connected regions, the highest values, and the frame that a moment is in."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from viz import geometry
from viz.geometry import Box, Geometry
from viz.rendering import heat, marks
from viz.rendering.heat import Heat
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Query, moment

NEAREST = Look(interpolation="nearest")


def a_map(values):
    return AttentionMap(np.float32(values), Query("b", Cell(0, 0, 0)), "response, any sign")


def test_regions_are_the_boxes_of_what_touches_above_the_threshold():
    values = np.zeros((2, 5, 7), np.float32)
    values[1, 0, 0] = values[1, 1, 1] = 1  # touch at a corner: one region
    values[1, 4, 5:7] = 0.7
    values[1, 2, 4] = 0.69
    hot, plan = Heat(values, 0, 1, False), geometry.fit(70, 50, 448, 32)
    found = marks.regions(plan, hot, NEAREST, 1)
    assert sorted(found, key=lambda b: b.left) == [Box(0, 0, 20, 20), Box(50, 40, 70, 50)]
    assert marks.regions(plan, hot, NEAREST, 0) == []


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 24),
    st.integers(1, 24),
    st.sampled_from([0.05, 0.4, 0.6, 0.95, 1.0]),
)
def test_regions_are_those_of_labelled_pixels(seed, high, wide, share):
    """Also at edges, in the holes of others, and in holes of those."""
    shown = np.random.default_rng(seed).random((1, high, wide)) < share
    plan = geometry.fit(wide, high, 448, 32)
    found = marks.regions(plan, Heat(np.float32(shown), 0, 1, False), NEAREST, 0)
    labels, count = ndimage.label(shown[0], np.ones((3, 3)))
    boxes = [Box(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(labels)[:count]]
    assert sorted(found, key=str) == sorted(boxes, key=str)
    assert [box.top for box in found] == sorted(box.top for box in found)


def test_regions_of_a_crop_are_in_pixels_of_the_original():
    values = np.zeros((1, 8, 8), np.float32)
    values[0, 0, 7] = 1
    plan = geometry.center_crop(200, 100, 100, 80)
    found = marks.regions(plan, Heat(values, 0, 1, False), NEAREST, 0)
    assert found == [Box(130, 10, 140, 20)]


@pytest.mark.parametrize("normalise", ["clip", "frame"])
def test_a_constant_map_has_no_regions_at_any_threshold(normalise):
    look = Look(normalise=normalise, threshold=0.0)
    flat = heat.normalise(a_map(np.full((1, 5, 7), 0.3)), look)
    assert marks.regions(geometry.fit(67, 53, 448, 32), flat, look, 0) == []


def test_the_strongest_are_the_highest_first_and_ties_stand_by_position():
    attention = a_map([[[1, 9], [np.nan, 3]], [[9, 2], [np.inf, -4]]])
    found = marks.strongest(attention, 4)
    assert found == [Cell(1, 1, 0), Cell(0, 0, 1), Cell(1, 0, 0), Cell(0, 1, 1)]
    assert marks.strongest(attention)[-1] == Cell(0, 1, 0)  # not a number: last
    assert len(marks.strongest(attention)) == 8
    assert marks.strongest(attention, 0) == []


@pytest.mark.parametrize(
    ("t", "frames", "moments", "frame"), [(0, 8, 8, 0), (7, 8, 8, 7), (1, 32, 8, 6), (3, 1, 4, 0)]
)
def test_an_arrow_into_a_moment_ends_in_the_middle_one_of_its_frames(t, frames, moments, frame):
    assert marks.frame_of(t, frames, moments) == frame


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 64), st.data())
def test_the_frame_of_a_moment_lies_in_it(frames, data):
    moments = data.draw(st.integers(1, frames))
    t = data.draw(st.integers(0, moments - 1))
    assert moment(marks.frame_of(t, frames, moments), frames, moments) == t


@settings(max_examples=100, deadline=None)
@given(st.integers(16, 400), st.integers(16, 400), st.sampled_from([16, 32]))
@example(349, 383, 16)
def test_the_pixels_that_the_network_sees_are_those_whose_middles_it_sees(width, height, stride):
    whole = marks.pixel_span(geometry.fit(width, height, 224, stride))
    assert whole == (slice(0, height), slice(0, width))
    plan = geometry.center_crop(width, height, 256, 224)
    rows, cols = marks.pixel_span(plan)
    down = [plan.to_input(0, y + 0.5)[1] for y in range(height)]
    across = [plan.to_input(x + 0.5, 0)[0] for x in range(width)]
    for span, places in ((rows, down), (cols, across)):
        for k, place in enumerate(places):
            if min(abs(place), abs(place - 224)) > 1e-6:  # at the very edge it may be either
                assert (0 < place < 224) == (span.start <= k < span.stop), k


def test_half_pixels_at_the_edge_of_a_crop_are_rounded_into_the_picture():
    where = Geometry(67, 53, 134, 106, 32, 18, 70, 70)
    assert marks.pixel_span(where) == (slice(9, 44), slice(16, 51))
