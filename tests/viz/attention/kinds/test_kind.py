"""What all map kinds share, on kinds that the test makes up."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from errors import InputError, OutsideError, plural
from models.blocks.layout import Grid
from models.specs.network import ModelSpec
from models.specs.placement import Place
from tests.viz.attention.captured import SMALL, captured, cells
from viz.attention.captures import BlockCapture
from viz.attention.choice import MapChoice, Selection, ranked
from viz.attention.kinds.kind import MapKind, top
from viz.attention.kinds.positions import cell_of, check_cell, spread
from viz.types import AttentionMap, Cell, Query

grids = st.builds(Grid, *(st.integers(1, 7) for _ in range(3)))
CELL = Cell(1, 2, 3)


@dataclass(frozen=True, eq=False)
class Drawn(BlockCapture):
    kind: ClassVar[str] = "drawn"
    channels: int = 0
    groups: int = 0
    summed: bool = False
    place: Place = Place(3, 1)
    query_grid: Grid = SMALL
    key_grid: Grid = SMALL
    block_input: None = None


class Kind(MapKind):
    """Maps whose every value is their number; channels are ranked from the last to the first."""

    name = title = menu = "drawn"
    part, division = "channel", "group"
    rankings = ("backward", "forward")

    def parts(self, block):
        return block.channels

    def divisions(self, block):
        return tuple(MapChoice("group", k) for k in range(block.groups))

    def summaries(self, block):
        return (MapChoice("mean"),) if block.summed else ()

    def rank(self, block, cell, ranking):
        check_cell(cell, block.query_grid)
        order = list(range(block.channels))
        return order[::-1] if ranking == "backward" else order

    def map(self, block, cell, choice=None):
        check_cell(cell, block.query_grid)
        values = np.full(SMALL, -1 if choice is None else choice.number or 0, np.float32)
        values[cell.t, cell.y, cell.x] += 0.5
        label = "" if choice is None else choice.tag
        return AttentionMap(values, Query(block.label, cell), "response, any sign", label)

    def formula(self, block):
        return f"m of {block.label}"

    sentence = formula


class Plain(Kind):
    """A kind that says no more than it must."""

    part = division = ""
    rankings = ()
    parts, divisions, summaries, rank = (
        MapKind.parts, MapKind.divisions, MapKind.summaries, MapKind.rank
    )  # fmt: skip


KIND, PLAIN = Kind(), Plain()


def test_a_kind_must_say_its_maps_formula_and_sentence():
    with pytest.raises(TypeError, match="formula.*map.*sentence"):
        MapKind()


def test_a_kind_that_says_no_more_than_it_must_has_one_map():
    block = Drawn()
    assert PLAIN.is_single(block)
    assert (PLAIN.parts(block), PLAIN.divisions(block), PLAIN.summaries(block)) == (0, (), ())
    assert (PLAIN.division_words(block), list(PLAIN.taps(None))) == ("", [])
    assert not PLAIN.belongs_to(ModelSpec())
    assert not PLAIN.can_derive(block)
    assert not PLAIN.has_matrix
    assert PLAIN.browser(block, Selection()).arithmetic == "static"
    [only] = PLAIN.maps(block, CELL, Selection(listed=(3,)))
    assert only.values[0, 0, 0] == -1
    assert PLAIN.caption(captured(), only) == only.label


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda b: PLAIN.rank(b, CELL, "contrast"), "drawn has no ranking 'contrast'"),
        (lambda b: PLAIN.class_scores(captured(), b, 3), "drawn has no ranking by class"),
        (lambda b: PLAIN.derive(captured(), b), "drawn cannot be made from block res3.1"),
        (lambda b: KIND.listed(b, CELL, Selection("sideways")), "use backward, forward"),
        (lambda b: KIND.listed(b, CELL, Selection(divisions=True)), "drawn has no groups or heads"),
        (lambda b: KIND.maps(b, CELL, Selection(divisions=True)), "use backward, forward, or num"),
        (lambda b: KIND.resolved(b, CELL, Selection(divisions=True), None), "no groups or heads"),
    ],
)
def test_what_a_kind_does_not_have_is_refused_in_one_line(ask, words, one_line):
    with pytest.raises(InputError, match=words) as caught:
        ask(Drawn(channels=7))
    one_line(caught.value)


def test_a_sample_is_the_maps_of_evenly_spaced_references():
    found = PLAIN.sample(Drawn(), 7)
    assert found.shape == (1, 7, 30)
    assert found[0].argmax(1).tolist() == [0, 5, 10, 14, 19, 24, 29]
    assert PLAIN.sample(Drawn(), 64).shape == (1, 30, 30)


@pytest.mark.parametrize(
    ("block", "wanted", "first"),
    [
        (Drawn(channels=7), Selection(), "c6"),
        (Drawn(channels=7), Selection("forward"), "c0"),
        (Drawn(channels=7), Selection(listed=(4, 2)), "c4"),
        (Drawn(channels=7, groups=3), Selection(), "c6"),
        (Drawn(channels=7, groups=3), Selection(divisions=True), "group 0"),
        (Drawn(channels=7, groups=3, summed=True), Selection(divisions=True), "mean"),
        (Drawn(groups=3), Selection(), "group 0"),
        (Drawn(groups=3), Selection(listed=(2, 1)), "group 2"),
        (Drawn(groups=3, summed=True), Selection(listed=(2, 1)), "mean"),
        (Drawn(groups=3, summed=True), Selection(), "mean"),
    ],
)
def test_the_first_map_is_the_best_ranked_then_a_summary_then_a_division(block, wanted, first):
    found = KIND.resolved(block, CELL, wanted, None)
    assert str(found) == first
    if not block.summed:
        assert found == KIND.listed(block, CELL, wanted)[0]


@given(
    channels=st.integers(0, 11),
    groups=st.integers(0, 5),
    summed=st.booleans(),
    wanted=st.one_of(
        st.builds(Selection, st.sampled_from(("", "backward", "forward")), st.integers(1, 13)),
        st.just(Selection(divisions=True)),
        st.lists(st.integers(0, 4), min_size=1, unique=True).map(
            lambda numbers: Selection(listed=tuple(numbers))
        ),
    ),
)
def test_every_choice_on_offer_is_a_map_and_nothing_is_offered_of_a_single_one(
    channels, groups, summed, wanted
):
    block = Drawn(channels=channels, groups=groups, summed=summed and groups > 0)
    offered = KIND.choices(block, wanted)
    without = wanted.divisions and not groups
    assert (offered == ()) == (KIND.is_single(block) or without)
    assert len(set(map(str, offered))) == len(offered)
    there = not channels or max(wanted.listed, default=0) < channels
    if there:
        for one in offered:
            found = KIND.resolved(block, CELL, wanted, MapChoice.parse(str(one)))
            assert not found.by_rank
            assert KIND.map(block, CELL, found).label == found.tag
            if found.part == "channel":
                assert found in KIND.listed(block, CELL, wanted)


@pytest.mark.parametrize(
    ("block", "asked", "words"),
    [
        (Drawn(channels=7), ranked("channel", 6), "^channel 6 is not among the 5 maps asked for"),
        (Drawn(channels=7), MapChoice("channel", 7), "^7 is not a channel .* has channels 0 to 6"),
        (Drawn(channels=7), MapChoice("group", 0), "it has channel 1 .by rank."),
        (Drawn(channels=7, groups=3), MapChoice("group", 3), "it has group 0 to 2, channel 1"),
        (Drawn(groups=3), ranked("channel", 1), r"^channel 1 is not .* group 0 to 2\.$"),
        (Drawn(groups=3), MapChoice("channel", 0), r"^c0 is not a map .* group 0 to 2\.$"),
        (Drawn(groups=3, summed=True), MapChoice("maximum"), "it has group 0 to 2, mean"),
        (Drawn(channels=7, groups=3), ranked("class", 1), "^class 1 is not a map"),
    ],
)  # fmt: skip
def test_a_choice_that_is_not_there_is_refused_in_one_line(block, asked, words, one_line):
    with pytest.raises(OutsideError, match=words) as caught:
        KIND.resolved(block, CELL, Selection(), asked)
    one_line(caught.value)


def test_numbers_are_those_of_channels_or_else_of_groups(one_line):
    both, groups = Drawn(channels=7, groups=3), Drawn(groups=3)
    assert KIND.listed(both, CELL, Selection(listed=(6, 1))) == [
        MapChoice("channel", 6),
        MapChoice("channel", 1),
    ]
    assert KIND.listed(groups, CELL, Selection(listed=(2, 1))) == [
        MapChoice("group", 2),
        MapChoice("group", 1),
    ]
    for block, words in ((both, "7 is not a channel"), (groups, "7 is not a group")):
        with pytest.raises(OutsideError, match=f"^{words} of res3.1") as caught:
            KIND.listed(block, CELL, Selection(listed=(0, 7)))
        one_line(caught.value)


@given(grid=grids)
def test_a_cell_and_its_position_are_one(grid):
    for position, cell in enumerate(cells(grid)):
        assert cell_of(grid, position) == cell
        assert cell.position(grid) == position
        check_cell(cell, grid)


@pytest.mark.parametrize(
    "cell",
    [Cell(2, 0, 0), Cell(-1, 0, 0), Cell(0, 3, 0), Cell(0, -1, 0), Cell(0, 0, 5), Cell(0, 0, -1)],
)
def test_a_cell_outside_a_grid_is_refused_with_the_range(cell, one_line):
    words = "frames 0 to 1, rows 0 to 2, columns 0 to 4"
    with pytest.raises(OutsideError, match=words) as caught:
        check_cell(cell, SMALL)
    assert f"row {cell.y}, column {cell.x}" in one_line(caught.value)


@given(grid=grids, most=st.integers(2, 70))
def test_spread_positions_ascend_from_the_first_to_the_last(grid, most):
    found = spread(grid, most).tolist()
    assert found == sorted(set(found))
    assert len(found) == min(most, grid.cells)
    assert found[0] == 0
    assert found[-1] == grid.cells - 1
    gaps = np.diff(found)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_equal_scores_are_listed_in_order():
    assert top(torch.tensor([1.0, 3.0, 3.0, 1.0, 3.0]), 4) == [1, 2, 4, 0]
    assert top(torch.tensor([1.0, 3.0, 2.0])) == [1, 2, 0]


@pytest.mark.parametrize(
    ("word", "several"),
    [("channel", "channels"), ("class", "classes"), ("group", "groups"), ("head", "heads")],
)
def test_words_have_a_plural(word, several):
    assert plural(word) == several
