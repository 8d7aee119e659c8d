"""Map figures by hand: lift, mass in a box, clusters against parts; a removed block comes back."""

import pytest
import torch

from models.blocks.layout import Grid
from models.build import build
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import LiteSpec
from scripts.evaluation import bird_maps
from scripts.evaluation.taps import BlockRemoved, normalised, tap, whole

DOT = NonLocalSpec("dot_product", scale=False)


def network(block):
    torch.manual_seed(7)
    made = build(LiteSpec("lite0", block, "1", num_classes=7))
    torch.nn.init.ones_(made.block_at(made.places[0]).norm.weight)
    return made


def test_the_reference_is_left_out_of_the_scale():
    scaled = bird_maps.without(torch.tensor([9.0, 1.0, 3.0, 2.0]), 0)
    assert scaled.tolist() == [0, 0, 1, 0.5]


def test_lift_is_coverage_over_area():
    tally = bird_maps.Tally()
    lit = torch.tensor([True, True, False, False, False, False, False, False])
    tally.add(lit, torch.tensor([0, 5]))
    assert (tally.covered, tally.area) == (0.5, 0.25)
    assert tally.line().endswith("lift 2.00")


def test_the_top_share_has_exactly_that_many_cells():
    assert bird_maps.top_cells(torch.zeros(20)).sum() == 3
    assert bird_maps.top_cells(torch.arange(20.0)).nonzero().flatten().tolist() == [17, 18, 19]


def test_mass_in_a_box_is_one_for_an_even_map_and_more_for_a_better_one():
    grid, box = Grid(1, 4, 4), (0.5, 0.0, 1.0, 0.5)
    inside = torch.zeros(4, 4)
    inside[:2, 2:] = 1
    assert bird_maps.mass_in_box(inside.flatten(), grid, box) == pytest.approx(4)
    assert bird_maps.mass_in_box(torch.ones(16), grid, box) == pytest.approx(1)
    assert bird_maps.mass_in_box(inside.flatten() - 0.5, grid, box) == pytest.approx(4)


def test_positions_are_row_first():
    parts = [(1, 0.99, 0.0), (2, 0.0, 0.5)]
    assert bird_maps.positions(parts, Grid(1, 2, 3)).tolist() == [2, 3]


def test_agreement_of_equal_and_of_unrelated_labels():
    first = torch.tensor([0, 0, 1, 1, 2, 2])
    assert bird_maps.agreement(first, 2 - first) == pytest.approx((100, 100))
    nmi, ari = bird_maps.agreement(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1]))
    assert nmi == pytest.approx(0, abs=1e-9)
    assert ari == pytest.approx(-50)


def test_clusters_find_directions():
    noise = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    vectors = torch.eye(3).repeat_interleave(10, 0) + 0.01 * noise
    found = set()
    for seed in range(8):  # a random start may put two centroids into one direction
        centroids = bird_maps.kmeans(vectors, 3, seed)
        found.add(len(set((vectors @ centroids.T).argmax(1)[::10].tolist())))
    assert max(found) == 3


@pytest.mark.parametrize("block", [DOT, CGNLSpec(groups=4)])
def test_a_tap_is_what_the_block_compares(block):
    made = network(block)
    clip = whole(
        torch.randint(0, 256, (2, 40, 80, 3), dtype=torch.uint8), made.spec.preprocessing, 64
    )
    assert clip.shape == (1, 3, 2, 32, 64)
    logits, found = tap(made, clip)
    with torch.no_grad():
        torch.testing.assert_close(logits, made(clip)[0])
    cells = 2 * 2 * 4
    assert found.grid == Grid(2, 2, 4)
    assert found.features.shape == (112, cells)
    lifts = bird_maps.PartLifts()
    lifts.add(found, [(1, 0.1, 0.1), (2, 0.9, 0.9)])
    assert len(lifts.lines()) == len(lifts.tallies) >= 4
    assert bird_maps.map_of(found, 3).shape == (cells,)
    if block is DOT:
        matrix = found.block.pairwise.matrix(found.factors.queries[0], found.factors.keys[0])
        torch.testing.assert_close(found.row(5), matrix[5])


def test_a_removed_block_comes_back():
    made = network(DOT)
    torch.nn.init.ones_(made.block_at(made.places[0]).norm.bias)
    x = normalised(torch.rand(1, 3, 64, 64), made.spec.preprocessing)
    with torch.no_grad():
        before = made(x)
        with BlockRemoved(made):
            removed = made(x)
        assert not torch.equal(before, removed)
        assert torch.equal(made(x), before)
