"""Map figures by hand: lift; a removed block comes back."""

import pytest
import torch

from models.blocks.layout import Grid
from models.build import build
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import LiteSpec
from scripts.evaluation import bird_maps
from scripts.evaluation.taps import normalised, tap, whole
from viz.evaluation.answers.ablation import BlockRemoved

DOT = NonLocalSpec("dot_product", scale=False)


def network(block):
    torch.manual_seed(7)
    made = build(LiteSpec("lite0", block, "1", num_classes=7))
    torch.nn.init.ones_(made.block_at(made.places[0]).norm.weight)
    return made


def test_lift_is_coverage_over_area():
    tally = bird_maps.Tally()
    lit = torch.tensor([True, True, False, False, False, False, False, False])
    tally.add(lit, torch.tensor([0, 5]))
    assert (tally.covered, tally.area) == (0.5, 0.25)
    assert tally.line().endswith("lift 2.00")


def test_positions_are_row_first():
    parts = [(1, 0.99, 0.0), (2, 0.0, 0.5)]
    assert bird_maps.positions(parts, Grid(1, 2, 3)).tolist() == [2, 3]


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
