"""CGNL maps against the explicit (C'N) x (C'N) kernel, and rankings against hand computations."""

import json
from math import exp, factorial

import numpy as np
import pytest
import torch

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from tests.viz.attention.captured import cgnl_block
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.channel_scores import (
    best_per_group,
    contrast,
    response,
    standout,
)
from viz.attention.kinds.channels import ChannelProducts, channel_map, group_map
from viz.types import Cell

CHANNELS, GRID = 8, Grid(2, 3, 5)
N = GRID.cells
GAMMA = 0.09
KERNELS = ("dot_product", "embedded_gaussian", "gaussian_rbf")
KIND = ChannelProducts()


def block_of(spec, theta=None, phi=None, g=None, grid=GRID):
    return cgnl_block(spec, grid, CHANNELS, theta, phi, g)


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
    block = block_of(spec)
    full = explicit(spec, block.theta, block.phi).reshape(CHANNELS, N, CHANNELS, N)
    i = (cell.t * 3 + cell.y) * 5 + cell.x
    for c in range(CHANNELS):
        found = KIND.map(block, cell, MapChoice("channel", c))
        assert found.values.shape == (2, 3, 5)
        assert found.values.dtype == np.float32
        np.testing.assert_allclose(found.values.ravel(), full[c, i, c], rtol=1e-4, atol=1e-5)
    crossed = channel_map(block, cell, 2, 7)
    np.testing.assert_allclose(crossed.values.ravel(), full[2, i, 7], rtol=1e-4, atol=1e-5)
    size = CHANNELS // spec.groups
    for k in range(spec.groups):
        own = range(k * size, (k + 1) * size)
        expected = sum(full[c, i, c] for c in own)
        found = KIND.map(block, cell, MapChoice("group", k)).values.ravel()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.kernel}-{s.groups}-{s.order}")
def test_responses_are_the_explicit_kernel_within_groups_times_g(spec):
    block = block_of(spec)
    group = np.repeat(np.arange(spec.groups), CHANNELS // spec.groups * N)
    full = explicit(spec, block.theta, block.phi) * (group[:, None] == group[None, :])
    expected = (full @ block.g.double().numpy().ravel()).reshape(CHANNELS, N)
    tolerance = 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(block.responses, expected, rtol=1e-3, atol=tolerance)
    np.testing.assert_allclose(
        response(block, 13), np.abs(expected[:, 13]), rtol=1e-3, atol=tolerance
    )


def test_the_map_of_a_dot_product_channel_has_one_shape_and_the_group_map_does_not():
    block = block_of(CGNLSpec(groups=2))
    first, second = (channel_map(block, cell, 3).values.ravel() for cell in CELLS[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) == pytest.approx(1)
    first, second = (group_map(block, cell, 1).values.ravel() for cell in CELLS[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.99


def test_maps_say_which_channel_or_group_they_are_of():
    block, cell = block_of(CGNLSpec(groups=2)), Cell(1, 2, 4)
    for found, expected in (
        (channel_map(block, cell, 3), ("c3", "channel", 3)),
        (channel_map(block, cell, 3, 0), ("c3>c0", "channel", 3)),
        (group_map(block, cell, 0), ("g0", "group", 0)),
        (KIND.map(block, cell, MapChoice("channel", 7)), ("c7", "channel", 7)),
        (KIND.map(block, cell, MapChoice("group", 1)), ("g1", "group", 1)),
    ):
        assert (found.label, found.part, found.number) == expected
        assert (found.query.block, found.query.cell) == ("res4.4", cell)
        assert found.meaning == "response, any sign"
        assert KIND.caption(None, found) == found.label


THETA = np.array([[0, 0, 0, 4], [2, 2, 2, 2], [0, 0, 0, -4], [1, 0, 1, 0]])
PHI = np.array([[0, 2, 0, 2], [5, 5, 5, 9], [0, 9, 0, 9], [7, 7, 7, 7]])
LINE = Grid(1, 1, 4)


def by_hand(groups=2, g=None):
    return block_of(CGNLSpec(groups=groups), THETA, PHI, np.ones((4, 4)) if g is None else g, LINE)


def test_standout_is_the_z_score_of_theta_times_the_peak_of_phi_above_its_mean():
    # Channel 0: mean 1, deviation sqrt(3), z = sqrt(3) at position 3; channel 1: theta is flat;
    # channel 2: z = -sqrt(3); channel 3: phi is flat.
    peaks = [max(phi) - sum(phi) / 4 for phi in PHI]
    found = standout(by_hand(), [3])[:, 0]
    np.testing.assert_allclose(found, [3**0.5 * peaks[0], 0, -(3**0.5) * peaks[2], 0], atol=1e-5)


def test_contrast_is_the_range_of_each_channels_map():
    np.testing.assert_allclose(contrast(by_hand(), [3])[:, 0], [4 * 2, 2 * 4, 4 * 9, 0])


def test_response_is_the_size_of_y_at_the_reference():
    # Group 0 (channels 0, 1): scalar 4 + 24 = 28; group 1 (2, 3): 18 + 28 = 46.
    np.testing.assert_allclose(response(by_hand(), [3])[:, 0], [4 * 28, 2 * 28, 4 * 46, 0])


RANKED = pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("standout", [0, 1, 3, 2]),
        ("contrast", [2, 0, 1, 3]),
        ("response", [2, 0, 1, 3]),
        ("one per group", [0, 3]),
    ],
)


@RANKED
def test_rank_lists_the_best_first(how, expected):
    block, cell = by_hand(), Cell(0, 0, 3)
    assert KIND.rank(block, cell, how) == expected
    for count in (1, 2, 4, 11):
        listed = KIND.listed(block, cell, Selection(how, count))
        assert listed == [MapChoice("channel", number) for number in expected[:count]]


@RANKED
def test_a_map_by_rank_is_that_place_of_the_ranking(how, expected):
    block, cell = by_hand(), Cell(0, 0, 3)
    for rank, number in enumerate(expected, start=1):
        choice = MapChoice("channel", rank, by_rank=True)
        found = KIND.resolved(block, cell, Selection(how), choice)
        assert found == MapChoice("channel", number)


def test_rank_follows_the_reference():
    block = block_of(CGNLSpec(groups=2))
    assert KIND.rank(block, CELLS[0], "standout") != KIND.rank(block, CELLS[1], "standout")
    listed = [KIND.listed(block, cell, Selection()) for cell in CELLS]
    assert [len(one) for one in listed] == [5, 5, 5]
    assert listed[0] == KIND.listed(block, CELLS[0], Selection("standout"))


def test_a_list_of_channels_is_kept_in_its_order():
    block, wanted = block_of(CGNLSpec(groups=2)), Selection(listed=(5, 2, 7))
    assert [one.label for one in KIND.maps(block, CELLS[0], wanted)] == ["c5", "c2", "c7"]
    third = KIND.resolved(block, CELLS[0], wanted, MapChoice("channel", 3, by_rank=True))
    assert third == MapChoice("channel", 7)
    first = KIND.resolved(block, CELLS[0], wanted, None)
    assert first == MapChoice("channel", 5)


def test_groups_are_its_divisions_and_the_first_is_meant_where_they_are_listed():
    block, wanted = block_of(CGNLSpec(groups=4)), Selection(divisions=True)
    groups = tuple(MapChoice("group", k) for k in range(4))
    assert KIND.divisions(block) == groups
    assert KIND.summaries(block) == ()
    assert KIND.parts(block) == 8
    assert not KIND.is_single(block)
    assert KIND.division_words(block) == "groups (sum of each group's 2 channel maps)"
    assert KIND.listed(block, CELLS[0], wanted) == list(groups)
    assert KIND.resolved(block, CELLS[0], wanted, None) == groups[0]
    assert KIND.choices(block, wanted) == groups


@pytest.mark.parametrize(
    ("wanted", "ranked"),
    [
        (Selection(), 5),
        (Selection(count=2), 2),
        (Selection(count=11), 8),
        (Selection("one per group"), 4),
        (Selection("one per group", 3), 3),
        (Selection(listed=(6, 1, 2, 0, 3, 4, 5, 7)), 8),
        (Selection(divisions=True), 0),
    ],
)
def test_a_page_offers_the_ranked_channels_and_every_group(wanted, ranked):
    block = block_of(CGNLSpec(groups=4))
    offered = KIND.choices(block, wanted)
    names = [f"channel {k + 1}" for k in range(ranked)] + [f"group {k}" for k in range(4)]
    assert [str(one) for one in offered] == names
    for one in offered:
        found = KIND.resolved(block, CELLS[1], wanted, one)
        assert found == KIND.resolved(block, CELLS[1], wanted, MapChoice.parse(str(one)))
        assert KIND.map(block, CELLS[1], found).values.shape == GRID


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_one_per_group_takes_one_of_every_group(groups):
    scores = torch.randn(CHANNELS)
    found = best_per_group(scores, groups)
    size = CHANNELS // groups
    assert [c // size for c in found] == list(range(groups))
    assert all(scores[c] == scores[c // size * size :][:size].max() for c in found)


FIRST = Cell(0, 0, 0)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda b: channel_map(b, FIRST, 8), "^8 is not a channel of res4.4; it has channels 0"),
        (lambda b: channel_map(b, FIRST, -1), "^-1 is not a channel .* channels 0 to 7"),
        (lambda b: channel_map(b, FIRST, 0, 8), "^8 is not a channel .* channels 0 to 7"),
        (lambda b: group_map(b, FIRST, 2), "^2 is not a group of res4.4; it has groups 0 to 1"),
        (lambda b: group_map(b, FIRST, -1), "^-1 is not a group .* groups 0 to 1"),
        (lambda b: group_map(b, Cell(0, 3, 0), 0), "rows 0 to 2"),
        (lambda b: channel_map(b, Cell(2, 0, 0), 0), "frames 0 to 1"),
        (lambda b: KIND.rank(b, Cell(0, 0, 5), "standout"), "columns 0 to 4"),
        (
            lambda b: KIND.listed(b, FIRST, Selection("beauty")),
            "^'beauty' is not a ranking of CGNL; use standout, response, contrast, one per group",
        ),
        (lambda b: KIND.listed(b, FIRST, Selection("class evidence")), "use standout"),
        (lambda b: KIND.listed(b, FIRST, Selection(listed=(3, 8))), "^8 is not a channel"),
    ],
)
def test_what_the_block_does_not_have_is_refused(ask, words, one_line):
    with pytest.raises(OutsideError, match=words) as caught:
        ask(block_of(CGNLSpec(groups=2)))
    one_line(caught.value)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("channel 6", "^channel 6 is not among the 5 maps asked for"),
        ("c8", "^8 is not a channel of res4.4; it has channels 0 to 7"),
        ("group 2", r"^group 2 is not a map .*CGNL.; it has group 0 to 1, channel 1 \(by rank"),
        ("head 0", "^head 0 is not a map of res4.4"),
        ("class 1", "^class 1 is not a map of res4.4"),
        ("k1", "^k1 is not a map of res4.4"),
        ("mean", "^mean is not a map of res4.4"),
        ("union", "^union is not a map of res4.4"),
    ],
)
def test_a_choice_that_the_block_does_not_have_is_refused(asked, words, one_line):
    block = block_of(CGNLSpec(groups=2))
    with pytest.raises(InputError, match=words) as caught:
        KIND.resolved(block, FIRST, Selection(), MapChoice.parse(asked))
    one_line(caught.value)


@pytest.mark.parametrize("ranking", ["", *KIND.rankings])
def test_the_browser_gets_what_its_ranking_needs(ranking):
    block = block_of(CGNLSpec(groups=2))
    found = KIND.browser(block, Selection(ranking, 3))
    assert found.arithmetic == "channels"
    options = json.loads(json.dumps(found.options))
    assert options == {
        "channels": 8,
        "groups": 2,
        "kernel": {"terms": [[1, 1.0]]},
        "ranking": ranking or "standout",
        "count": 3,
        "listed": [],
    }
    assert found.halves["theta"] is block.theta
    assert found.halves["phi"] is block.phi
    assert ("response" in found.halves) == (ranking == "response")
    theta, phi = block.theta.double().numpy(), block.phi.double().numpy()
    for name, expected in {
        "mean": theta.mean(1), "spread": theta.std(1), "contrast": phi.max(1) - phi.mean(1)
    }.items():  # fmt: skip
        np.testing.assert_allclose(found.floats[name], expected, rtol=1e-4, atol=1e-5)


def test_the_browser_gets_an_exact_kernel_by_its_numbers():
    exact = CGNLSpec(kernel="gaussian_rbf", groups=2, order=None, gamma=GAMMA)
    options = KIND.browser(block_of(exact), Selection(listed=(5, 1))).options
    assert json.loads(json.dumps(options))["kernel"] == {
        "linear": False, "outer": pytest.approx(exp(-2 * GAMMA)), "inner": pytest.approx(2 * GAMMA)
    }  # fmt: skip
    assert options["listed"] == [5, 1]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.kernel}-{s.groups}-{s.order}")
def test_a_sample_is_the_group_maps_of_references(spec):
    block = block_of(spec)
    found = KIND.sample(block, 7)
    positions = [0, 5, 10, 14, 19, 24, 29]
    assert found.shape == (spec.groups, 7, N)
    for k in range(spec.groups):
        for r, i in enumerate(positions):
            expected = group_map(block, Cell(i // 15, i % 15 // 5, i % 5), k).values.ravel()
            np.testing.assert_allclose(found[k, r], expected, rtol=1e-4, atol=1e-4)


def test_channels_have_no_matrix_of_weights():
    block = block_of(CGNLSpec(groups=2))
    assert not KIND.has_matrix
    assert KIND.matrix_rows(block, 0, 5) is None


def test_what_is_said_of_a_map_follows_its_kernel():
    said = {
        (KIND.formula(block), KIND.sentence(block))
        for block in map(block_of, (CGNLSpec(kernel=k, groups=2, order=o) for k in KERNELS[:2]
                                    for o in (3, None)))
    }  # fmt: skip
    assert len(said) == 4
    linear = block_of(CGNLSpec(groups=2, order=None))
    assert KIND.sentence(linear) == KIND.sentence(block_of(CGNLSpec(groups=2)))
    assert "outer product" in KIND.sentence(linear)
