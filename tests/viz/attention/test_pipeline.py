"""From a picture to its capture in one call, as the network wants its input."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import viz
from errors import InputError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import NonLocalSpec
from models.specs.network import DigitSpec, ModelSpec, Preprocessing, TemporalSpec
from tests.viz.attention.captured import clip_of_frames
from viz.attention import pipeline
from viz.types import Sampling


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


def test_a_clip_that_is_too_short_for_the_network_is_one_line(tiny_clip, one_line):
    time = TemporalSpec(5, 2, 3, 2, halve_after_res2=True)
    spec = ModelSpec(base_width=8, num_classes=3, temporal=time)
    model = LoadedModel("i3d", spec, build(spec).eval(), (), "")
    frames = np.repeat(tiny_clip.frames, 4, axis=0)
    short = replace(tiny_clip, frames=frames, timestamps=(0.0, 0.1, 0.2, 0.3))
    with pytest.raises(
        InputError, match="^4 frames are too few: i3d pools time and needs at least 9"
    ) as caught:
        pipeline.prepare(model, short)
    one_line(caught.value)
    long = replace(short, frames=np.repeat(tiny_clip.frames, 9, axis=0))
    assert pipeline.prepare(model, long).frames == 9


def test_a_still_picture_is_one_frame_even_where_it_is_held(tiny_clip):
    spec = ModelSpec(
        depth=14, base_width=8, num_classes=3, preprocessing=Preprocessing(64, 64, frames=5),
        block=NonLocalSpec(), placement=("res4.0",),
    )  # fmt: skip
    model = LoadedModel("c2d", spec, build(spec).eval(), (), "")
    found = viz.capture(model, tiny_clip)
    assert found.frames == 1
    assert found.blocks["res4.0"].query_grid == (5, 4, 4)
    assert viz.row(found, at=(30, 30)).query.cell.t == 0


def test_a_capture_names_its_network_and_lies_as_its_input(nl_model, tiny_clip):
    found = viz.capture(nl_model, tiny_clip, mode="center-crop", size=96)
    assert found.model is nl_model
    assert found.geometry == pipeline.prepare(nl_model, tiny_clip, "center-crop", 96).geometry
    assert (found.geometry.input_width, found.geometry.input_height) == (96, 96)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, ("fit", 64)),
        ({"mode": "center-crop"}, ("center-crop", 64)),
        ({"size": 16}, ("fit", 16)),
        ({"mode": "center-crop", "size": 1024}, ("center-crop", 1024)),
    ],
)
def test_mode_and_size_take_effect_as_asked_or_as_the_network_has_them(nl_model, how, expected):
    assert pipeline.effective(nl_model.spec, **how) == expected


@pytest.mark.parametrize("how", [{}, {"mode": "center-crop"}, {"size": 96}])
def test_a_network_of_one_input_size_gets_that(how):
    assert pipeline.effective(DigitSpec(NonLocalSpec()), **how) == ("center-crop", 28)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"mode": "zoom"}, "^'zoom' is not a mode; use fit or center-crop"),
        ({"mode": "Fit"}, "^'Fit' is not a mode; use fit or center-crop"),
        ({"size": -5}, "^Size -5 is out of range"),
        ({"mode": "<b>\n" * 99}, "is not a mode; use fit or center-crop"),
        ({"size": 15}, "^Size 15 is out of range; give 16 to 1344 pixels"),
        ({"size": 1345}, "^Size 1345 is out of range"),
        ({"size": 0}, "^Size 0 is out of range"),
        ({"size": -64}, "^Size -64 is out of range"),
    ],
)
def test_a_mode_or_size_that_there_is_not_is_refused(nl_model, tiny_clip, how, words, one_line):
    for spec in (nl_model.spec, DigitSpec(NonLocalSpec())):
        with pytest.raises(InputError, match=words) as caught:
            pipeline.effective(spec, **how)
        one_line(caught.value)
    with pytest.raises(InputError, match=words):
        viz.capture(nl_model, tiny_clip, **how)


def test_clips_are_sampled_as_the_network_was_made_for_and_pictures_by_8_x_8():
    made = ModelSpec(preprocessing=Preprocessing(frames=32, frame_stride=2))
    assert pipeline.sampling_for(made) == Sampling(32, 2)
    assert pipeline.sampling_for(ModelSpec()) == Sampling(8, 8)


def test_a_clip_is_taken_as_it_is(nl_model, tiny_clip):
    clip = clip_of_frames(tiny_clip, 5)
    assert pipeline.sampled(nl_model, clip) is clip
    assert viz.capture(nl_model, clip).frames == 5


def test_longer_footage_gives_its_middle(nl_model, tiny_clip, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for k in range(67):
        Image.fromarray(np.full((32, 32, 3), 3 * k, np.uint8)).save(folder / f"{k:02}.png")
    found = pipeline.sampled(nl_model, folder)
    assert [int(frame[0, 0, 0]) // 3 for frame in found.frames] == [5, 13, 21, 29, 37, 45, 53, 61]


def test_a_file_that_is_not_there_is_one_line(nl_model, tmp_path, one_line):
    with pytest.raises(InputError, match="bird") as caught:
        viz.capture(nl_model, tmp_path / "bird.png")
    one_line(caught.value)


def test_a_network_that_there_is_not_is_one_line(one_line):
    with pytest.raises(InputError, match="no-such-network") as caught:
        viz.load("no-such-network")
    one_line(caught.value)
