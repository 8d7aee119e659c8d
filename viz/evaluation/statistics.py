"""Means with bootstrap intervals, and paired differences. Pictures are drawn, never single cases:
cases of one picture are not independent."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RESAMPLES, LEVEL, SEED = 1000, 0.95, 0
_DRAWS_AT_ONCE = 50


@dataclass(frozen=True)
class Mean:
    """A mean over ``pictures`` of the means of their cases, and its interval; NaN for none."""

    value: float
    low: float
    high: float
    pictures: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrapped(values: np.ndarray, resamples: int = RESAMPLES, level: float = LEVEL) -> Mean:
    """Return the mean of (S,), one value a picture, and its percentile bootstrap interval.

    The same values always give the same interval (fixed seed). NaN values are left out; one
    picture has no spread, so that its interval is its value.
    """
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if not len(values):
        return Mean(np.nan, np.nan, np.nan, 0)
    draw, means = np.random.default_rng(SEED), []
    for at in range(0, resamples, _DRAWS_AT_ONCE):
        shape = (min(_DRAWS_AT_ONCE, resamples - at), len(values))
        means.append(values[draw.integers(0, len(values), shape)].mean(1))
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return Mean(float(values.mean()), float(low), float(high), len(values))


def paired(first: dict[str, float], second: dict[str, float]) -> Mean:
    """Return the mean of first - second over the pictures that both have, with its interval."""
    both = [name for name in first if name in second]
    return bootstrapped(np.array([first[name] - second[name] for name in both]))


def resampled(
    pictures: int, statistic: Callable[[np.ndarray], float], resamples: int = RESAMPLES
) -> Mean:
    """Return a statistic of ``pictures`` pictures, and its percentile bootstrap interval, moved by
    the bias of the resamples (Efron 1979): a picture drawn twice agrees with itself.

    ``statistic`` takes the numbers of the pictures that are drawn, (S,) int64.
    """
    if not pictures:
        return Mean(np.nan, np.nan, np.nan, 0)
    draw = np.random.default_rng(SEED)
    found = [statistic(draw.integers(0, pictures, pictures)) for _ in range(resamples)]
    value = statistic(np.arange(pictures))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) + value - np.mean(found)
    return Mean(value, min(value, float(low)), max(value, float(high)), pictures)
