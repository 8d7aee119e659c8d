"""CGNL maps against the explicit (C'N) x (C'N) kernel, and rankings against hand computations."""

from math import exp, factorial

import numpy as np
import pytest
import torch

from errors import OutsideError
from models.blocks.kernels import kernel
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from models.specs.placement import Place
from viz.attention.kinds.channels import (
    CGNLCapture,
    best_per_group,
    channel_map,
    contrast,
    group_map,
    rank,
    response,
    responses,
    standout,
    top,
)
from viz.types import Cell

CHANNELS, GRID = 8, Grid(2, 3, 5)
N = GRID.cells
GAMMA = 0.09
KERNELS = ("dot_product", "embedded_gaussian", "gaussian_rbf")


def captured(spec, theta=None, phi=None, g=None, grid=GRID):
    torch.manual_seed(53)
    parts = [
        torch.randn(CHANNELS, grid.cells) if part is None else torch.as_tensor(part).float()
        for part in (theta, phi, g)
    ]
    return CGNLCapture(Place(4, 4), *parts, kernel(spec), spec.groups, grid, torch.zeros(1))


def explicit(spec, theta, phi):
    """Return the full kernel over all pairs of (channel, position), (C'N, C'N)."""
    product = theta.double().numpy().reshape(-1, 1) * phi.double().numpy().reshape(1, -1)
    if spec.kernel == "dot_product":
        return product
    rate, beta = (1, 1) if spec.kernel == "embedded_gaussian" else (2 * GAMMA, exp(-2 * GAMMA))
    if spec.order is None:
        return beta * np.exp(rate * product)
    return sum(beta * (rate * product) ** p / factorial(p) for p in range(spec.order + 1))


SPECS = [
    CGNLSpec(kernel=name, groups=groups, order=order, gamma=GAMMA)
    for name in KERNELS
    for groups in (1, 2, 8)
    for order in (3, None)
]
CELLS = [Cell(0, 0, 0), Cell(1, 2, 4), Cell(1, 0, 3)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.kernel}-{s.groups}-{s.order}")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_maps_are_rows_of_the_explicit_kernel(spec, cell):
    block = captured(spec)
    full = explicit(spec, block.theta, block.phi).reshape(CHANNELS, N, CHANNELS, N)
    i = (cell.t * 3 + cell.y) * 5 + cell.x
    for c in range(CHANNELS):
        found = channel_map(block, cell, c)
        assert found.values.shape == (2, 3, 5)
        assert found.values.dtype == np.float32
        np.testing.assert_allclose(found.values.ravel(), full[c, i, c], rtol=1e-4, atol=1e-5)
    crossed = channel_map(block, cell, 2, 7)
    np.testing.assert_allclose(crossed.values.ravel(), full[2, i, 7], rtol=1e-4, atol=1e-5)
    size = CHANNELS // spec.groups
    for k in range(spec.groups):
        own = range(k * size, (k + 1) * size)
        expected = sum(full[c, i, c] for c in own)
        found = group_map(block, cell, k).values.ravel()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.kernel}-{s.groups}-{s.order}")
def test_responses_are_the_explicit_kernel_within_groups_times_g(spec):
    block = captured(spec)
    group = np.repeat(np.arange(spec.groups), CHANNELS // spec.groups * N)
    full = explicit(spec, block.theta, block.phi) * (group[:, None] == group[None, :])
    expected = (full @ block.g.double().numpy().ravel()).reshape(CHANNELS, N)
    tolerance = 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(responses(block), expected, rtol=1e-3, atol=tolerance)
    np.testing.assert_allclose(
        response(block, 13), np.abs(expected[:, 13]), rtol=1e-3, atol=tolerance
    )


def test_the_map_of_a_dot_product_channel_has_one_shape_and_the_group_map_does_not():
    block = captured(CGNLSpec(groups=2))
    first, second = (channel_map(block, cell, 3).values.ravel() for cell in CELLS[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) == pytest.approx(1)
    first, second = (group_map(block, cell, 1).values.ravel() for cell in CELLS[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.99


def test_maps_are_labelled():
    block, cell = captured(CGNLSpec(groups=2)), Cell(1, 2, 4)
    assert channel_map(block, cell, 3).label == "c3"
    assert channel_map(block, cell, 3, 0).label == "c3>c0"
    assert group_map(block, cell, 0).label == "g0"
    assert group_map(block, cell, 0).query.block == "res4.4"


THETA = np.array([[0, 0, 0, 4], [2, 2, 2, 2], [0, 0, 0, -4], [1, 0, 1, 0]])
PHI = np.array([[0, 2, 0, 2], [5, 5, 5, 9], [0, 9, 0, 9], [7, 7, 7, 7]])
LINE = Grid(1, 1, 4)


def by_hand(groups=2, g=None):
    return captured(CGNLSpec(groups=groups), THETA, PHI, np.ones((4, 4)) if g is None else g, LINE)


def test_standout_is_the_z_score_of_theta_times_the_peak_of_phi_above_its_mean():
    # Channel 0: mean 1, deviation sqrt(3), z = sqrt(3) at position 3; channel 1: theta is flat;
    # channel 2: z = -sqrt(3); channel 3: phi is flat.
    peaks = [max(phi) - sum(phi) / 4 for phi in PHI]
    found = standout(by_hand(), 3)
    np.testing.assert_allclose(found, [3**0.5 * peaks[0], 0, -(3**0.5) * peaks[2], 0], atol=1e-5)


def test_contrast_is_the_range_of_each_channels_map():
    np.testing.assert_allclose(contrast(by_hand(), 3), [4 * 2, 2 * 4, 4 * 9, 0])


def test_response_is_the_size_of_y_at_the_reference():
    # Group 0 (channels 0, 1): scalar 4 + 24 = 28; group 1 (2, 3): 18 + 28 = 46.
    np.testing.assert_allclose(response(by_hand(), 3), [4 * 28, 2 * 28, 4 * 46, 0])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("standout", [0, 1, 3, 2]),
        ("contrast", [2, 0, 1, 3]),
        ("response", [2, 0, 1, 3]),
        ("one per group", [0, 3]),
    ],
)
def test_rank_lists_the_best_first(how, expected):
    assert rank(by_hand(), Cell(0, 0, 3), how, 4) == expected
    assert rank(by_hand(), Cell(0, 0, 3), how, 1) == expected[:1]


def test_rank_follows_the_reference():
    block = captured(CGNLSpec(groups=2))
    assert rank(block, CELLS[0]) != rank(block, CELLS[1])
    assert len(rank(block, CELLS[0])) == 5


def test_equal_scores_are_listed_in_channel_order():
    assert top(torch.tensor([1.0, 3.0, 3.0, 1.0, 3.0]), 4) == [1, 2, 4, 0]


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_one_per_group_takes_one_of_every_group(groups):
    scores = torch.randn(CHANNELS)
    found = best_per_group(scores, groups)
    size = CHANNELS // groups
    assert [c // size for c in found] == list(range(groups))
    assert all(scores[c] == scores[c // size * size :][:size].max() for c in found)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda b: channel_map(b, Cell(0, 0, 0), 8), "channels 0 to 7"),
        (lambda b: channel_map(b, Cell(0, 0, 0), -1), "channels 0 to 7"),
        (lambda b: channel_map(b, Cell(0, 0, 0), 0, 8), "channels 0 to 7"),
        (lambda b: group_map(b, Cell(0, 0, 0), 2), "groups 0 to 1"),
        (lambda b: group_map(b, Cell(0, 0, 0), -1), "groups 0 to 1"),
        (lambda b: group_map(b, Cell(0, 3, 0), 0), "rows 0 to 2"),
        (lambda b: channel_map(b, Cell(2, 0, 0), 0), "frames 0 to 1"),
        (lambda b: rank(b, Cell(0, 0, 5)), "columns 0 to 4"),
        (lambda b: rank(b, Cell(0, 0, 0), "beauty"), "use one of standout"),
    ],
)
def test_what_the_block_does_not_have_is_refused(ask, words, one_line):
    with pytest.raises(OutsideError, match=words) as caught:
        ask(captured(CGNLSpec(groups=2)))
    one_line(caught.value)
