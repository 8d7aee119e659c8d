"""What is asked of a capture: rows and maps under a pixel, and one line for what cannot be."""

from dataclasses import replace

import numpy as np
import pytest

import viz
from errors import InputError, OutsideError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import (
    CompactSpec,
    DigitSpec,
    ModelSpec,
    Preprocessing,
    TemporalSpec,
)
from viz.attention import queries
from viz.attention.choice import Selection
from viz.attention.kinds.affinity import Affinity
from viz.attention.kinds.channels import ChannelProducts, channel_map
from viz.attention.kinds.registry import KINDS
from viz.types import Cell

LABELS = ["res3.1", "res3.3", "res4.1", "res4.3", "res4.5"]


def test_the_row_under_a_pixel_is_the_row_of_its_cell(nl_model, tiny_clip):
    capture = viz.capture(nl_model, tiny_clip, size=128)
    assert capture.blocks["res4.4"].query_grid == (1, 6, 8)
    found = viz.row(capture, at=(66.5, 30))
    expected = Affinity().map(capture.blocks["res4.4"], Cell(0, int(30 / 53 * 6), 7))
    assert found.query.cell == Cell(0, 3, 7)
    assert np.array_equal(found.values, expected.values)
    assert found.values.sum() == pytest.approx(1, abs=1e-4)


def test_moving_the_reference_never_runs_the_network_again(cgnl_model, tiny_clip):
    capture = viz.capture(cgnl_model, tiny_clip)
    calls = []
    cgnl_model.network.register_forward_hook(lambda *_args: calls.append(1))
    cgnl_model.network.conv1.register_forward_hook(lambda *_args: calls.append(1))
    for x in range(1, 67, 7):
        viz.maps(capture, at=(x, 20))
        viz.maps(capture, at=(x, 20), choose="groups")
        viz.row(capture, at=(x, 20), kind="features")
        viz.maps(capture, at=(x, 20), kind="class maps")
    viz.query_dependence(capture.blocks["res4.4"])
    assert calls == []


def test_a_crop_moves_the_reference_with_it(nl_model, tiny_clip):
    capture = viz.capture(nl_model, tiny_clip, mode="center-crop")
    seen = capture.geometry.seen
    centre = ((seen.left + seen.right) / 2 + 0.1, (seen.top + seen.bottom) / 2 + 0.1)
    assert viz.row(capture, at=centre).query.cell == Cell(0, 2, 2)
    with pytest.raises(OutsideError, match="the network sees"):
        viz.row(capture, at=(0.5, 0.5))


def test_the_nearest_cell_is_that_under_the_pixel_or_on_the_edge(nl_model, tiny_clip):
    capture = viz.capture(nl_model, tiny_clip, mode="center-crop")
    block, seen = capture.blocks["res4.4"], capture.geometry.seen
    inside = (seen.left + 20, seen.top + 30)
    found = queries.nearest_cell(capture, block, inside)
    assert found == queries.cell_at(capture, block, inside)
    last = block.query_grid
    assert queries.nearest_cell(capture, block, (0.5, 0.5)) == Cell(0, 0, 0)
    far = queries.nearest_cell(capture, block, (1e9, 1e9))
    assert far == Cell(0, last.rows - 1, last.cols - 1)


@pytest.mark.parametrize(
    ("choose", "labels"),
    [
        ("0,3,17", ["c0", "c3", "c17"]),
        (" 3 , 3,5 ", ["c3", "c5"]),
        ([5, 2], ["c5", "c2"]),
        ((7,), ["c7"]),
        ("groups", [f"g{k}" for k in range(8)]),
    ],
)
def test_maps_are_asked_for_by_number_or_as_groups(cgnl_model, tiny_clip, choose, labels):
    capture = viz.capture(cgnl_model, tiny_clip)
    maps = viz.maps(capture, at=(30, 30), choose=choose)
    assert [m.label for m in maps] == labels


@pytest.mark.parametrize(
    ("name", "count"),
    [("auto", 5), ("standout", 5), ("response", 5), ("contrast", 5), ("one per group", 5)],
)
def test_maps_are_asked_for_by_ranking(cgnl_model, tiny_clip, name, count):
    capture = viz.capture(cgnl_model, tiny_clip)
    maps = viz.maps(capture, at=(30, 30), choose=name)
    assert len({m.number for m in maps}) == len(maps) == count
    block, cell = capture.blocks["res4.4"], maps[0].query.cell
    ranking = "standout" if name == "auto" else name
    assert [m.number for m in maps] == ChannelProducts().rank(block, cell, ranking)[:5]
    for one in maps:
        assert np.array_equal(one.values, channel_map(block, cell, one.number).values)


def test_auto_is_what_is_shown_when_nothing_is_chosen(cgnl_model, tiny_clip):
    capture = viz.capture(cgnl_model, tiny_clip)
    usual, auto = viz.maps(capture, at=(30, 30)), viz.maps(capture, at=(30, 30), choose="auto")
    assert [m.label for m in usual] == [m.label for m in auto]
    first = ChannelProducts().listed(capture.blocks["res4.4"], usual[0].query.cell, Selection())
    assert [m.label for m in usual] == [one.tag for one in first]


@pytest.mark.parametrize(
    "choose",
    ["", "all", "1;;2", "-1", "1.5", "1,,2", "9" * 40, "64", "²", "<b>\n", [64], [-1], [],
     ["<b>\n"], "probability", "class evidence"],
)  # fmt: skip
def test_maps_that_make_no_sense_are_refused_in_one_line(cgnl_model, tiny_clip, choose, one_line):
    capture = viz.capture(cgnl_model, tiny_clip)
    with pytest.raises(InputError) as caught:
        viz.maps(capture, at=(30, 30), choose=choose)
    one_line(caught.value)


def test_asking_a_block_for_the_other_kinds_maps_names_the_right_call(
    nl_model, cgnl_model, plain_model, tiny_clip, one_line
):
    nl, cgnl, plain = (viz.capture(m, tiny_clip) for m in (nl_model, cgnl_model, plain_model))
    for ask, words in (
        (lambda: viz.maps(nl, at=(9, 9)), r"^Block res4.4 \(NL\) has one map .*; use row"),
        (lambda: viz.row(cgnl, at=(9, 9)), r"^Block res4.4 \(CGNL\) has several .*; use maps"),
        (lambda: viz.maps(plain, at=(9, 9)), r"^Block res5.2 \(Cosine\) has one map .*; use row"),
        (lambda: viz.row(nl, at=(9, 9), block="res3.1\n"), "is not a block .* it has res4.4"),
        (lambda: viz.row(nl, at=(9, 9), block="x" * 10_000), "is not a block"),
        (lambda: viz.row(nl, at=(9, 99)), "y 0 to 53"),
        (lambda: viz.row(nl, at=(9, 9), frame=1), "frames 0 to 0"),
        (lambda: viz.row(nl, at=(9, 9), kind="channels"), "is not a map of block res4.4"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            ask()
        one_line(caught.value)


def test_of_several_blocks_the_last_is_meant_unless_another_is_named(tiny_model, tiny_clip):
    capture = viz.capture(tiny_model(NonLocalSpec(), "5"), tiny_clip)
    assert list(capture.blocks) == LABELS
    assert queries.block_of(capture).label == "res4.5"
    for label in LABELS:
        assert queries.block_of(capture, label) is capture.blocks[label]
        assert queries.block_of(capture, label, "features").label == label
    assert viz.row(capture, at=(9, 9), block="res3.1").values.shape == (1, 8, 8)
    with pytest.raises(OutsideError, match="it has res3.1, res3.3, res4.1, res4.3, res4.5"):
        queries.block_of(capture, "res4.4")


def test_a_block_is_seen_as_a_kind_in_every_call(cgnl_model, tiny_clip):
    capture = viz.capture(cgnl_model, tiny_clip)
    assert viz.row(capture, at=(30, 30), kind="features").label == "cosine"
    assert viz.maps(capture, at=(30, 30), kind="channels")[0].part == "channel"
    assert viz.maps(capture, at=(30, 30), kind="class maps")[0].part == "class"


@pytest.mark.parametrize("frame", [1, -1])
def test_a_frame_outside_the_clip_is_refused(nl_model, tiny_clip, frame, one_line):
    capture = viz.capture(nl_model, tiny_clip)
    words = f"^{frame} is not a frame of the clip; it has frames 0 to 0"
    with pytest.raises(OutsideError, match=words) as caught:
        viz.row(capture, at=(20, 20), frame=frame)
    one_line(caught.value)


def test_the_frame_of_a_reference_is_a_frame_and_its_cell_a_moment(tiny_clip):
    spec = ModelSpec(
        depth=14, base_width=8, num_classes=3, block=NonLocalSpec(), placement=("res4.0",),
        temporal=TemporalSpec(halve_after_res2=True),
        preprocessing=Preprocessing(64, 64, frames=6),
    )  # fmt: skip
    model = LoadedModel("c2d", spec, build(spec).eval(), (), "")
    frames = np.repeat(tiny_clip.frames, 6, axis=0)
    clip = replace(tiny_clip, frames=frames, timestamps=tuple(k / 10 for k in range(6)))
    capture = viz.capture(model, clip)
    assert capture.frames == 6
    row = viz.row(capture, at=(20, 20), frame=5)
    assert row.query.cell.t == 2
    assert row.values.shape[0] == 3
    block = capture.blocks["res4.0"]
    nearest = queries.nearest_cell(capture, block, (20, 20), 5)
    assert nearest == row.query.cell


@pytest.mark.parametrize(
    ("spec", "labels", "kind"),
    [
        (ModelSpec(block=NonLocalSpec(), placement="5"), tuple(LABELS), "affinity"),
        (ModelSpec(block=CGNLSpec(), placement="1"), ("res4.4",), "channels"),
        (ModelSpec(block=NonLocalSpec(), placement=("res3.1",), gate=CGDSpec()), ("res3.1",),
         "affinity"),
        (ModelSpec(), ("res3.3", "res4.5", "res5.2"), "features"),
        (ModelSpec(gate=CGDSpec()), (), None),
        (CompactSpec("wrn", "10-1", 7, CGDSpec()), (), None),
        (DigitSpec(NonLocalSpec()), ("nl_1", "nl_2"), "affinity"),
    ],
)  # fmt: skip
def test_a_spec_says_which_blocks_have_maps_and_of_which_kind(spec, labels, kind):
    assert queries.block_labels(spec) == labels
    assert queries.own_kind(spec) is (KINDS[kind] if kind else None)


def test_the_labels_of_a_spec_are_those_of_a_capture(tiny_model, tiny_clip):
    for block, placement in ((NonLocalSpec(), "5"), (CGNLSpec(groups=2), "10"), (None, "none")):
        model = tiny_model(block, placement)
        assert queries.block_labels(model.spec) == tuple(viz.capture(model, tiny_clip).blocks)
