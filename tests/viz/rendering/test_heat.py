"""Maps to heat: normalisation, upsampling against numpy, thresholds, and nothing ever NaN."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from viz.rendering import heat
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Query

QUERY = Query("res4.4", Cell(0, 0, 0))


def a_map(values):
    return AttentionMap(np.asarray(values, np.float32), QUERY, "response, any sign")


TWO_FRAMES = a_map([[[1.0, 2.0, 3.0]], [[5.0, 9.0, 5.0]]])


def test_the_default_is_min_max_over_all_frames():
    found = heat.normalise(TWO_FRAMES, Look())
    np.testing.assert_allclose(found.values, [[[0, 0.125, 0.25]], [[0.5, 1, 0.5]]])
    assert (found.low, found.high, found.constant) == (1, 9, False)
    assert found.values.dtype == np.float32


def test_per_frame_every_frame_has_its_own_range():
    found = heat.normalise(TWO_FRAMES, Look(normalise="frame"))
    np.testing.assert_allclose(found.values, [[[0, 0.5, 1]], [[0, 1, 0]]])
    assert (found.low, found.high) == (1, 9)


def test_a_fixed_range_clips_what_is_outside():
    found = heat.normalise(TWO_FRAMES, Look(normalise="fixed", fixed_range=(2.0, 6.0)))
    np.testing.assert_allclose(found.values, [[[0, 0, 0.25]], [[0.75, 1, 0.75]]])
    assert (found.low, found.high) == (2, 6)


@pytest.mark.parametrize("mode", ["clip", "frame"])
@pytest.mark.parametrize("value", [0.0, -3.5, 1 / 784, 1e30, 1e-40])
def test_a_constant_map_is_empty_and_says_so(mode, value):
    found = heat.normalise(a_map(np.full((2, 3, 5), value)), Look(normalise=mode))
    assert found.constant
    assert (found.values == 0).all()


def test_a_fixed_range_of_no_width_is_empty_too():
    found = heat.normalise(TWO_FRAMES, Look(normalise="fixed", fixed_range=(4.0, 4.0)))
    assert found.constant
    assert (found.values == 0).all()


def test_one_constant_frame_beside_another_is_not_a_constant_map():
    found = heat.normalise(a_map([[[4.0, 4.0]], [[1.0, 3.0]]]), Look(normalise="frame"))
    np.testing.assert_allclose(found.values, [[[0, 0]], [[0, 1]]])
    assert not found.constant


@pytest.mark.parametrize(
    "values",
    [[1, np.nan, 2], [1, np.inf, 2], [-np.inf, 0, np.inf], [-3e38, 0, 3e38], [np.nan] * 3],
    ids=str,
)
@pytest.mark.parametrize("mode", ["clip", "frame", "fixed"])
def test_values_that_are_not_numbers_never_reach_the_picture(mode, values):
    found = heat.normalise(a_map([[values]]), Look(normalise=mode))
    assert np.isfinite(found.values).all()
    assert found.values.min() >= 0
    assert found.values.max() <= 1


def test_an_overflowed_value_is_the_hottest_and_a_missing_one_the_coldest():
    found = heat.normalise(a_map([[[1, np.inf, 3, np.nan, -np.inf]]]), Look())
    assert found.values.tolist() == [[[0, 1, 1, 0, 0]]]
    assert (found.low, found.high, found.constant) == (1, 3, False)


@settings(max_examples=50, deadline=None)
@given(
    values=arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=3, max_dims=3, max_side=5),
        elements=st.floats(-(2.0**100), 2.0**100, width=32),
    ),
    mode=st.sampled_from(["clip", "frame", "fixed"]),
)
def test_heat_is_always_within_zero_and_one_and_keeps_the_order(values, mode):
    found = heat.normalise(a_map(values), Look(normalise=mode)).values
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
    for before, after in zip(values, found, strict=True):
        order = before.ravel().argsort()
        assert (np.diff(after.ravel()[order]) >= 0).all()


def half_pixel_bilinear(values, height, width):
    """(h, w) -> (height, width): pixel k looks at (k + 0.5) h / height - 0.5, clamped."""

    def weights(many, few):
        table = np.zeros((many, few))
        for k in range(many):
            at = min(max((k + 0.5) * few / many - 0.5, 0), few - 1)
            low = int(at)
            high = min(low + 1, few - 1)
            table[k, low] += 1 - (at - low)
            table[k, high] += at - low
        return table

    return weights(height, values.shape[0]) @ values @ weights(width, values.shape[1]).T


@pytest.mark.parametrize(("height", "width"), [(53, 67), (7, 5), (3, 4), (2, 101), (1, 1)])
def test_smooth_upsampling_is_bilinear_with_half_pixel_centres(height, width):
    values = np.random.default_rng(5).random((2, 3, 4), dtype=np.float32)
    found = heat.upsample(values, height, width, "smooth")
    assert found.shape == (2, height, width)
    for frame, grown in zip(values, found, strict=True):
        np.testing.assert_allclose(grown, half_pixel_bilinear(frame, height, width), atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(53, 67), (7, 5), (2, 101)])
def test_nearest_upsampling_takes_the_cell_that_the_pixels_middle_is_in(height, width):
    values = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    found = heat.upsample(values, height, width, "nearest")
    for y in range(height):
        for x in range(width):
            cell = values[0, int((y + 0.5) * 3 / height), int((x + 0.5) * 4 / width)]
            assert found[0, y, x] == cell


def test_the_threshold_keeps_what_is_equal_to_it():
    values = np.array([0.7, np.nextafter(np.float32(0.7), np.float32(0)), 0.71, 0], np.float32)
    assert heat.kept(values, 0.7).tolist() == [True, False, True, False]
    assert heat.kept(values, 0.0).all()


def test_rounding_noise_on_a_constant_map_counts_as_constant_and_a_faint_map_does_not():
    ripple = np.random.default_rng(0).random((1, 5, 157))
    assert heat.normalise(a_map((1 + 4e-6 * ripple) / 785), Look()).constant
    assert not heat.normalise(a_map((1 + 1e-4 * ripple) / 785), Look()).constant
    exact = Look(normalise="fixed", fixed_range=(0.0, 1e-9))
    assert not heat.normalise(a_map(ripple), exact).constant
