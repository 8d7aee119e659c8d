"""Statistics of maps whose answers are worked by hand."""

import math

import pytest
import torch

from models.blocks.layout import Grid
from models.specs.block import CGNLSpec, NonLocalSpec
from tests.conftest import make_tiny
from tests.viz.attention.captured import heads_block, nl_block
from viz.attention import forward, pipeline
from viz.attention.kinds import affinity
from viz.evaluation import block_statistics as statistics

GRID = Grid(2, 3, 5)
EVERY = torch.arange(30)
SELF = torch.eye(30).unsqueeze(0)
EVEN = torch.full((1, 30, 30), 7.0)


HALF = torch.tensor([[[1.0, 1, 0, 0]]])


@pytest.mark.parametrize(("maps", "expected"), [(SELF, 0), (EVEN, 1), (-EVEN, 1), (HALF, 0.5)])
def test_entropy_is_0_on_one_cell_and_1_for_an_even_map(maps, expected):
    assert statistics.row_entropy(maps) == pytest.approx(expected)


def test_who_attends_to_itself_is_near_and_who_attends_to_the_last_cell_is_not():
    assert statistics.distance_in_space(SELF, EVERY, GRID, GRID) == pytest.approx(0, abs=1e-6)
    assert statistics.distance_in_time(SELF, EVERY, GRID, GRID) == 0
    assert statistics.share_on_reference(SELF, EVERY, GRID, GRID) == 1
    last = torch.zeros(1, 30, 30)
    last[..., 29] = 1
    slow = [
        math.hypot((4 - k % 5) / 5, (2 - k // 5 % 3) / 3) / math.sqrt(2) for k in range(30)
    ]  # fmt: skip
    found = statistics.distance_in_space(last, EVERY, GRID, GRID)
    assert found == pytest.approx(sum(slow) / 30, rel=1e-5)
    assert statistics.distance_in_time(last, EVERY, GRID, GRID) == pytest.approx(0.5)
    assert statistics.share_on_reference(last, EVERY, GRID, GRID) == pytest.approx(1 / 30)


def test_a_reference_lies_in_a_larger_cell_of_pooled_keys():
    keys, own = Grid(1, 2, 2), torch.tensor([0, 3, 15])
    maps = torch.eye(4)[[0, 1, 3]].unsqueeze(0)
    assert statistics.share_on_reference(maps, own, Grid(1, 4, 4), keys) == 1


@pytest.mark.parametrize(("maps", "expected"), [
    (torch.eye(3).reshape(3, 1, 3), 0), (torch.ones(2, 4, 5), 1), (torch.ones(1, 4, 5), None),
    (torch.tensor([[[1.0, 2]], [[-1.0, -2]]]), -1),
])  # fmt: skip
def test_similarity_is_the_cosine_between_sorts_of_maps(maps, expected):
    assert statistics.similarity(maps) == (
        expected if expected is None else pytest.approx(expected)
    )


def test_frames_that_attend_in_groups_are_measured_against_the_keys_of_one():
    block = nl_block("embedded_gaussian", Grid(6, 5, 7), Grid(6, 2, 3), groups=3)
    block.queries.zero_()
    values = statistics.block_statistics(block)
    assert values["row entropy"] == pytest.approx(1)
    assert values["share on the reference"] == pytest.approx(1 / 12)


def test_the_heads_of_windows_have_every_statistic_over_the_whole_input():
    block = heads_block(Grid(1, 5, 7), windows=5, prefix=0)
    values = statistics.block_statistics(block)
    assert values.keys() == set(statistics.NAMES)
    # A window is a row of the picture: a map never leaves it.
    across = max(abs(one - other) / 7 for one in range(7) for other in range(7))
    assert 0 < values["distance in space"] < across / math.sqrt(2)
    assert 1 / 7 / 3 < values["share on the reference"] < 1


@pytest.mark.parametrize("block", [NonLocalSpec(), NonLocalSpec(pool_keys="after"),
                                   CGNLSpec(groups=8)])  # fmt: skip
def test_a_block_has_its_statistics(block, tiny_clip):
    model = make_tiny(block)
    (found,) = forward.capture(model, pipeline.prepare(model, tiny_clip)).blocks.values()
    values = statistics.block_statistics(found)
    several = isinstance(block, CGNLSpec)
    assert values.keys() == set(statistics.NAMES) - (
        set() if several else {"similarity of heads or groups"}
    )
    if not several:
        rows = torch.from_numpy(affinity.matrix(found)).double()
        slow = -(rows * rows.clamp_min(1e-30).log()).sum(1) / math.log(rows.shape[1])
        assert values["row entropy"] == pytest.approx(slow.mean().item(), rel=1e-5)
    assert values["distance in time"] == 0
