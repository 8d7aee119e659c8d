"""How maps lie on what matters, worked by hand."""

import pytest
import torch

from models.blocks.layout import Grid
from viz.evaluation import coverage


def test_the_reference_is_left_out_of_the_scale():
    scaled = coverage.without(torch.tensor([9.0, 1.0, 3.0, 2.0]), 0)
    assert scaled.tolist() == [0, 0, 1, 0.5]


def test_the_top_share_has_exactly_that_many_cells():
    assert coverage.top_cells(torch.zeros(20)).sum() == 3
    assert coverage.top_cells(torch.arange(20.0)).nonzero().flatten().tolist() == [17, 18, 19]


def test_mass_in_a_box_is_one_for_an_even_map_and_more_for_a_better_one():
    grid, box = Grid(1, 4, 4), (0.5, 0.0, 1.0, 0.5)
    inside = torch.zeros(4, 4)
    inside[:2, 2:] = 1
    assert coverage.mass_in_box(inside.flatten(), grid, box) == pytest.approx(4)
    assert coverage.mass_in_box(torch.ones(16), grid, box) == pytest.approx(1)
    assert coverage.mass_in_box(inside.flatten() - 0.5, grid, box) == pytest.approx(4)


def test_the_pointing_game_forgives_one_cell_and_not_two():
    grid, wanted = Grid(1, 3, 5), torch.zeros(15, dtype=torch.bool)
    wanted[0] = True
    found = [coverage.hit(torch.eye(15)[k], grid, wanted) for k in range(15)]
    assert [k for k, yes in enumerate(found) if yes] == [0, 1, 5, 6]


def test_the_reference_does_not_count_as_the_highest_cell():
    grid, wanted = Grid(1, 1, 7), torch.zeros(7, dtype=torch.bool)
    wanted[6] = True
    values = torch.tensor([9.0, 0, 0, 0, 0, 0, 5.0])
    assert not coverage.hit(values, grid, wanted)
    assert coverage.hit(coverage.without(values, 0), grid, wanted)


@pytest.mark.parametrize(("values", "share"), [([1.0, 3.0, 0.0], 0.25), ([-2.0, 1.0, -5.0], 0.0),
                                               ([0.0, 0.0, 0.0], 0.0)])  # fmt: skip
def test_energy_counts_positive_values(values, share):
    inside = torch.tensor([True, False, False])
    assert float(coverage.energy_inside(torch.tensor(values), inside)) == pytest.approx(share)


def test_maps_that_are_measured_together_give_what_each_gives_alone():
    grid, draw = Grid(1, 7, 11), torch.Generator().manual_seed(3)
    values = torch.randn(5, grid.cells, generator=draw)
    values[1, 2:9] = values[1].max()  # of equal cells the first counts
    inside = torch.rand(grid.cells, generator=draw) > 0.6
    wanted, positions = torch.rand(5, grid.cells, generator=draw) > 0.9, [0, 3, 3, 40, 76]
    parts = torch.randn(5, 3, grid.cells, generator=draw)
    together = (
        coverage.without(values, positions),
        coverage.top_cells(values),
        coverage.energy_inside(values, inside),
        coverage.hit(values, grid, wanted),
        coverage.hit(values, grid, inside),
        coverage.mean_of_scaled(parts),
    )
    for k in range(5):
        alone = (
            coverage.without(values[k], positions[k]),
            coverage.top_cells(values[k]),
            coverage.energy_inside(values[k], inside),
            coverage.hit(values[k], grid, wanted[k]),
            coverage.hit(values[k], grid, inside),
            coverage.mean_of_scaled(parts[k]),
        )
        assert all(torch.equal(a[k], b) for a, b in zip(together, alone, strict=True))
