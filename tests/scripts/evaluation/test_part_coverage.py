"""Part coverage on maps whose answer is known."""

import pytest
import torch

import viz
from models.blocks.layout import Grid
from scripts.evaluation.part_coverage import (
    Coverage,
    centred_blob,
    groups,
    measure,
    nl_rows,
    part_positions,
    top_cells,
    top_channels,
    unit_range,
)
from viz.attention import queries
from viz.attention.choice import Selection
from viz.attention.kinds.channel_scores import standout
from viz.attention.kinds.positions import cell_of
from viz.attention.kinds.registry import kind_of


def test_a_map_of_exactly_the_parts_covers_them_all():
    parts = torch.tensor([3, 11, 29])
    scores = torch.zeros(1, 3, 70)
    scores[..., parts] = 1
    coverage = Coverage()
    coverage.add(scores, parts)
    assert coverage.threshold.covered / coverage.threshold.count == 1
    assert coverage.threshold.area / coverage.threshold.count == pytest.approx(3 / 70)
    assert coverage.threshold.lift == pytest.approx(70 / 3)


def test_the_reference_itself_does_not_count():
    parts = torch.tensor([3, 11, 29])
    only_itself = torch.zeros(1, 3, 70)
    for row, part in enumerate(parts):
        only_itself[0, row, part] = 1
    coverage = Coverage()
    coverage.add(only_itself, parts)
    assert coverage.threshold.covered == 0


def test_random_maps_have_lift_one_at_equal_area():
    torch.manual_seed(5)
    coverage = Coverage()
    for _ in range(300):
        coverage.add(torch.rand(1, 5, 97), torch.randperm(97)[:5])
    assert coverage.equal_area.lift == pytest.approx(1, abs=0.06)


def test_several_maps_count_as_their_union_and_groups_one_by_one():
    parts = torch.tensor([0, 1])
    scores = torch.zeros(2, 2, 10)
    scores[0, :, 0], scores[1, :, 1] = 1, 1
    union, each = Coverage(), Coverage()
    union.add(scores, parts)
    each.add_each(scores, parts)
    assert union.threshold.covered / union.threshold.count == 1
    assert each.threshold.covered / each.threshold.count == 0.5


def test_top_cells_are_exactly_fifteen_per_cent_even_with_ties():
    assert top_cells(torch.zeros(2, 3, 100)).sum(-1).unique().tolist() == [15]
    lit = top_cells(torch.arange(100.0))
    assert lit[85:].all()
    assert not lit[:85].any()


def test_positions_and_blob_lie_where_they_should():
    grid = Grid(1, 5, 7)
    assert part_positions([(1, 0.99, 0.0), (2, 0.0, 0.99)], grid).tolist() == [6, 28]
    blob = centred_blob(grid, 2)
    assert blob.shape == (1, 2, 35)
    assert blob[0, 0].argmax() == 2 * 7 + 3


PARTS = [[(1, 0.1, 0.2), (2, 0.8, 0.7), (5, 0.5, 0.5)], [(3, 0.5, 0.5)]]
"""The second picture shows one part, which leaves nothing to highlight."""


def test_every_method_of_an_nl_network_is_measured_from_every_part(nl_model, tiny_clip):
    found = measure(nl_model, [tiny_clip] * 2, PARTS, 64)
    assert list(found) == ["NL row", "feature cosine", "centred blob"]
    assert [one.threshold.count for one in found.values()] == [3, 3, 3]
    assert all(one.equal_area.area / 3 == pytest.approx(2 / 16) for one in found.values())


def test_every_method_of_a_cgnl_network_is_measured_from_every_part(cgnl_model, tiny_clip):
    found = measure(cgnl_model, [tiny_clip] * 2, PARTS, 64)
    channels = [f"CGNL top 5 by {how}" for how in ("standout", "response", "contrast")]
    assert list(found) == [*channels, "CGNL groups", "feature cosine", "centred blob"]
    counts = [one.threshold.count for one in found.values()]
    assert counts == [3, 3, 3, 3 * 8, 3, 3]


def test_rows_channels_and_groups_are_the_maps_that_pages_show(nl_model, cgnl_model, tiny_clip):
    positions = torch.tensor([0, 7, 11])
    nl, cgnl = (queries.block_of(viz.capture(m, tiny_clip)) for m in (nl_model, cgnl_model))
    rows, best, sums = (
        nl_rows(nl, positions),
        top_channels(cgnl, positions, standout),
        groups(cgnl, positions),
    )
    for r, position in enumerate(positions.tolist()):
        cell = cell_of(nl.query_grid, position)
        shown = [kind_of(nl).map(nl, cell)]
        same(rows[:, r], shown)
        same(best[:, r], kind_of(cgnl).maps(cgnl, cell, Selection("standout", 5)))
        same(sums[:, r], kind_of(cgnl).maps(cgnl, cell, Selection(divisions=True)))


def same(scaled, maps):
    expected = unit_range(torch.stack([torch.from_numpy(one.values).flatten() for one in maps]))
    torch.testing.assert_close(scaled, expected, rtol=1e-4, atol=1e-5)
