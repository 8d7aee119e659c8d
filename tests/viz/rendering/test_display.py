"""Displays and cuts of a look against maps whose answer is worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from viz.rendering import heat
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Query

ROW = [[8.0, 1.0, 2.0], [3.0, 4.0, 0.5]]
"""A row whose own cell (0, 0) is twice as high as every other."""


def map_of(values, own=(0, 0, 0)):
    array = np.array([values], np.float32)
    return AttentionMap(array, Query("res4", Cell(0, 0, 0)), "weight, sums to 1", own=own)


@pytest.mark.parametrize(
    ("values", "own", "display", "expected"),
    [
        (ROW, (0, 0, 0), "linear", "linear"),
        (ROW, (0, 0, 0), "auto", "without-reference"),
        (ROW, (0, 0, 1), "auto", "linear"),
        ([[7.0, 4.0, 1.0]], (0, 0, 0), "auto", "without-reference"),
        ([[6.9, 4.0, 1.0]], (0, 0, 0), "auto", "linear"),
        ([[2.0, 2.0, 2.0]], (0, 0, 0), "auto", "linear"),
        (ROW, None, "auto", "linear"),
        (ROW, (0, 0, 1), "without-reference", "without-reference"),
        (ROW, None, "without-reference", "linear"),
        (ROW, None, "log", "log"),
        ([[1.0, -0.1]], None, "log", "linear"),
        ([[0.0, 0.0]], None, "log", "linear"),
        ([[np.nan, np.inf]], (0, 0, 0), "auto", "linear"),
    ],
)
def test_a_map_is_displayed_as_asked_where_it_allows_it(values, own, display, expected):
    assert heat.display_of(map_of(values, own), Look(display=display)) == expected


def test_without_the_reference_its_cell_is_empty_and_counts_for_neither_end():
    found = heat.normalise(map_of(ROW), Look(display="without-reference"))
    assert (found.low, found.high) == (0.5, 4.0)
    np.testing.assert_allclose(
        found.values[0], [[0, 0.5 / 3.5, 1.5 / 3.5], [2.5 / 3.5, 1, 0]], rtol=1e-6
    )


def test_a_logarithm_leaves_zeros_empty_and_keeps_the_ends_in_units_of_the_map():
    found = heat.normalise(map_of([[0.0, 0.01, 0.1, 1.0]]), Look(display="log"))
    np.testing.assert_allclose(found.values[0], [[0, 0, 0.5, 1]], atol=1e-6)
    assert (found.low, found.high) == (pytest.approx(0.01), pytest.approx(1.0))
    fixed = Look(display="log", normalise="fixed", fixed_range=(0.01, 100.0))
    np.testing.assert_allclose(
        heat.normalise(map_of([[0.0, 0.01, 1.0, 100.0]]), fixed).values[0], [[0, 0, 0.5, 1]]
    )


@pytest.mark.parametrize(
    ("look", "shown"),
    [
        (Look(threshold=0.5), [[1, 0, 0], [0, 0, 0]]),
        (Look(cut="area", share=0.5), [[1, 0, 0], [1, 1, 0]]),
        (Look(cut="area", share=0.34), [[1, 0, 0], [1, 1, 0]]),  # up to whole cells
        (Look(cut="area", share=0.0), [[0, 0, 0], [0, 0, 0]]),
        (Look(cut="area", share=1.0), [[1, 1, 1], [1, 1, 1]]),
        (Look(cut="mass", share=0.43), [[1, 0, 0], [0, 0, 0]]),  # 8 of 18.5 are 0.432
        (Look(cut="mass", share=0.44), [[1, 0, 0], [0, 1, 0]]),
        (Look(cut="mass", share=0.4, display="without-reference"), [[0, 0, 0], [1, 1, 0]]),
        (Look(cut="mass", share=0.0), [[0, 0, 0], [0, 0, 0]]),
        (Look(cut="mass", share=1.0), [[1, 1, 1], [1, 1, 1]]),
    ],
)
def test_what_is_shown_is_the_cut(look, shown):
    found = heat.normalise(map_of(ROW), look)
    kept = heat.kept(found.values[0], found.level(0, look))
    assert kept.astype(int).tolist() == shown


@pytest.mark.parametrize("ends", [(0.0, 0.5), (90.0, 99.0), (-5.0, 900.0)])
@pytest.mark.parametrize(("cut", "share", "count"), [("area", 0.34, 3), ("mass", 0.44, 2)])
def test_a_share_is_exact_where_values_lie_beyond_a_fixed_range(ends, cut, share, count):
    look = Look(normalise="fixed", fixed_range=ends, cut=cut, share=share)
    attention = map_of(ROW)
    found = heat.normalise(attention, look)
    kept = heat.kept(found.values, found.level(0, look))
    best = np.sort(attention.values.ravel())[-count:]
    assert sorted(attention.values[kept]) == best.tolist()
    np.testing.assert_allclose(
        found.values, heat.normalise(attention, replace(look, cut="value")).values, atol=1.1e-4
    )


@pytest.mark.parametrize("cut", ["area", "mass"])
@pytest.mark.parametrize(
    "look", [Look(normalise="fixed", fixed_range=(-1.0, 1.0)), Look(normalise="frame")]
)
def test_of_cells_that_are_all_alike_none_is_among_the_highest(cut, look):
    values = np.array([[[0.0, 0.0, 0.0]], [[0.1, 0.2, 0.3]]], np.float32)
    attention = AttentionMap(values, Query("res4", Cell(0, 0, 0)), "evidence")
    look = replace(look, cut=cut, share=0.34)
    if look.normalise == "fixed":
        attention = replace(attention, values=values[:1])
    found = heat.normalise(attention, look)
    assert not found.constant
    assert not heat.kept(found.values[0], found.level(0, look)).any()


def test_what_overflowed_is_the_most_and_what_is_no_number_the_least_of_a_share():
    look = Look(normalise="fixed", fixed_range=(2.0, 3.0), cut="area", share=0.25)
    found = heat.normalise(map_of([[np.nan, -np.inf, 1.0, 2.5, 4.0, 1e9, np.inf, 0.5]]), look)
    order = np.argsort(found.values.ravel(), kind="stable").tolist()
    assert order == [0, 1, 7, 2, 3, 4, 5, 6]
    assert (found.values >= found.level(0, look)).sum() == 2


def test_a_map_with_negative_values_is_cut_by_value_and_not_by_mass():
    look = Look(cut="mass", share=0.1, threshold=0.5)
    found = heat.normalise(map_of([[-1.0, 0.0, 1.0]]), look)
    assert found.levels == ()
    assert found.level(0, look) == 0.5


def test_frames_that_are_scaled_alone_are_cut_alone():
    values = np.array([[[1.0, 2.0, 3.0, 4.0]], [[10.0, 40.0, 20.0, 30.0]]], np.float32)
    attention = AttentionMap(values, Query("res4", Cell(0, 0, 0)), "weight, sums to 1")
    look = Look(normalise="frame", cut="area", share=0.25)
    found = heat.normalise(attention, look)
    shown = [heat.kept(found.values[t], found.level(t, look)) for t in range(2)]
    assert [one.astype(int).tolist() for one in shown] == [[[0, 0, 0, 1]], [[0, 1, 0, 0]]]
