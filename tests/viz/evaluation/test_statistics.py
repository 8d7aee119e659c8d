"""Intervals: against scipy, and at their edges."""

import numpy as np
import pytest
from scipy import stats

from viz.evaluation import statistics


def test_the_interval_is_scipys_within_the_noise_of_resampling():
    values = np.random.default_rng(1).gamma(2.0, 1.0, 131)
    ours = statistics.bootstrapped(values, 5000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)
    assert statistics.bootstrapped(values, 5000) == ours


@pytest.mark.parametrize(("values", "expected", "pictures"), [
    ([], np.nan, 0), ([np.nan], np.nan, 0), ([0.25], 0.25, 1), ([0.25, np.nan], 0.25, 1),
])  # fmt: skip
def test_few_values_have_no_spread(values, expected, pictures):
    found = statistics.bootstrapped(np.array(values))
    assert found.pictures == pictures
    np.testing.assert_equal([found.value, found.low, found.high], [expected] * 3)


def test_differences_are_taken_picture_by_picture():
    first, second = {"a": 1.0, "b": 5.0, "c": 9.0}, {"b": 4.0, "a": 0.0, "d": 70.0}
    found = statistics.paired(first, second)
    assert (found.value, found.low, found.high, found.pictures) == (1.0, 1.0, 1.0, 2)
