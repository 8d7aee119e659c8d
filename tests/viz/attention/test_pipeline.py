"""From a picture to its maps in one call each, and one line for what cannot be asked."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import viz
from errors import InputError, OutsideError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing, TemporalSpec
from viz.attention import pipeline
from viz.attention.kinds import affinity
from viz.types import Cell


@pytest.fixture
def picture_path(tmp_path, tiny_clip):
    path = tmp_path / "bird.png"
    Image.fromarray(tiny_clip.frames[0]).save(path)
    return path


def test_a_path_and_a_clip_give_the_same_capture(nl_model, tiny_clip, picture_path):
    found = viz.capture(nl_model, picture_path)
    again = viz.capture(nl_model, tiny_clip)
    assert np.array_equal(found.logits, again.logits)
    assert (found.geometry.width, found.geometry.height) == (67, 53)


def test_the_row_under_a_pixel_is_the_row_of_its_cell(nl_model, tiny_clip):
    capture = viz.capture(nl_model, tiny_clip, size=128)
    assert capture.blocks["res4.4"].query_grid == (1, 6, 8)
    found = viz.affinity_row(capture, at=(66.5, 30))
    expected = affinity.row(capture.blocks["res4.4"], Cell(0, int(30 / 53 * 6), 7))
    assert found.query.cell == Cell(0, 3, 7)
    assert np.array_equal(found.values, expected.values)
    assert found.values.sum() == pytest.approx(1, abs=1e-4)


def test_moving_the_reference_never_runs_the_network_again(cgnl_model, tiny_clip):
    capture = viz.capture(cgnl_model, tiny_clip)
    calls = []
    cgnl_model.network.register_forward_hook(lambda *_args: calls.append(1))
    cgnl_model.network.conv1.register_forward_hook(lambda *_args: calls.append(1))
    for x in range(1, 67, 7):
        viz.channel_maps(capture, at=(x, 20))
        viz.channel_maps(capture, at=(x, 20), channels="groups")
    viz.query_dependence(capture.blocks["res4.4"])
    assert calls == []


def test_a_crop_moves_the_reference_with_it(nl_model, tiny_clip):
    capture = viz.capture(nl_model, tiny_clip, mode="center-crop")
    seen = capture.geometry.seen
    centre = ((seen.left + seen.right) / 2 + 0.1, (seen.top + seen.bottom) / 2 + 0.1)
    assert viz.affinity_row(capture, at=centre).query.cell == Cell(0, 2, 2)
    with pytest.raises(OutsideError, match="the network sees"):
        viz.affinity_row(capture, at=(0.5, 0.5))


@pytest.mark.parametrize(
    ("channels", "labels"),
    [
        ("0,3,17", ["c0", "c3", "c17"]),
        (" 3 , 3,5 ", ["c3", "c5"]),
        ([5, 2], ["c5", "c2"]),
        ("groups", [f"g{k}" for k in range(8)]),
    ],
)
def test_channels_are_asked_for_by_number_or_as_groups(cgnl_model, tiny_clip, channels, labels):
    capture = viz.capture(cgnl_model, tiny_clip)
    maps = viz.channel_maps(capture, at=(30, 30), channels=channels)
    assert [m.label for m in maps] == labels


@pytest.mark.parametrize(
    ("name", "count"), [("auto", 5), ("standout", 5), ("contrast", 5), ("one per group", 5)]
)
def test_channels_are_asked_for_by_ranking(cgnl_model, tiny_clip, name, count):
    capture = viz.capture(cgnl_model, tiny_clip)
    maps = viz.channel_maps(capture, at=(30, 30), channels=name)
    assert len({m.channel for m in maps}) == len(maps) == count


@pytest.mark.parametrize(
    "channels", ["", "all", "1;2", "-1", "1.5", "1,,2", "9" * 40, "64", "²", "<b>\n"]
)
def test_channels_that_make_no_sense_are_refused_in_one_line(
    cgnl_model, tiny_clip, channels, one_line
):
    capture = viz.capture(cgnl_model, tiny_clip)
    with pytest.raises(InputError) as caught:
        viz.channel_maps(capture, at=(30, 30), channels=channels)
    one_line(caught.value)


def test_asking_a_block_for_the_other_kinds_maps_names_the_right_call(
    nl_model, cgnl_model, plain_model, tiny_clip, one_line
):
    nl, cgnl, plain = (viz.capture(m, tiny_clip) for m in (nl_model, cgnl_model, plain_model))
    for ask, words in (
        (lambda: viz.channel_maps(nl, at=(9, 9)), "affinity_row"),
        (lambda: viz.affinity_row(cgnl, at=(9, 9)), "channel_maps"),
        (lambda: viz.affinity_row(plain, at=(9, 9)), "no attention block"),
        (lambda: viz.affinity_row(nl, at=(9, 9), block="res3.1\n"), "this network has res4.4"),
        (lambda: viz.affinity_row(nl, at=(9, 99)), "y 0 to 53"),
        (lambda: viz.affinity_row(nl, at=(9, 9), frame=1), "frames 0 to 0"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            ask()
        one_line(caught.value)


def test_of_several_blocks_the_last_is_meant_unless_another_is_named(tiny_model, tiny_clip):
    capture = viz.capture(tiny_model(NonLocalSpec(), "5"), tiny_clip)
    assert pipeline.block_of(capture).place.label == "res4.5"
    assert viz.affinity_row(capture, at=(9, 9), block="res3.1").values.shape == (1, 8, 8)


def test_a_clip_that_is_too_short_for_the_network_is_one_line(tiny_clip):
    time = TemporalSpec(5, 2, 3, 2, halve_after_res2=True)
    spec = ModelSpec(base_width=8, num_classes=3, temporal=time)
    model = LoadedModel("i3d", spec, build(spec).eval(), (), "")
    frames = np.repeat(tiny_clip.frames, 4, axis=0)
    short = replace(tiny_clip, frames=frames, timestamps=(0.0, 0.1, 0.2, 0.3))
    with pytest.raises(InputError, match="4 frames came; i3d pools time and needs at least 9"):
        pipeline.prepare(model, short)
    long = replace(short, frames=np.repeat(tiny_clip.frames, 9, axis=0))
    assert pipeline.prepare(model, long).frames == 9


def test_a_frame_outside_the_clip_is_refused(nl_model, tiny_clip):
    capture = viz.capture(nl_model, tiny_clip)
    with pytest.raises(OutsideError, match="Frame 1 came; the clip has frames 0 to 0"):
        viz.affinity_row(capture, at=(20, 20), frame=1)


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
    row = viz.affinity_row(capture, at=(20, 20), frame=5)
    assert row.query.cell.t == 2
    assert row.values.shape[0] == 3
