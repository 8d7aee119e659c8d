"""Boxes of people: read from text, asked of a captured clip, refused in one line."""

import numpy as np
import pytest
import torch

import viz
from errors import InputError
from models.build import build
from models.class_names import class_names
from models.detection.detector import Detections
from models.loaded import LoadedModel
from models.specs.block import NonLocalSpec
from models.specs.detection import RCNNSpec
from models.specs.network import ModelSpec, Preprocessing
from viz.attention.captures import Capture
from viz.attention.detection import people
from viz.attention.predictions import prediction_words, top_classes
from viz.cli import main
from viz.cli import maps as maps_command
from viz.cli import people as people_command
from viz.geometry import Box, fit

PREP = Preprocessing(64, 64, stride=16, frames=2)
WITH_BLOCK = {"block": NonLocalSpec(pool_keys="after"), "placement": ("res3.1", "res4.0")}
BOXES = (Box(3, 5, 40, 31), Box(20, 0, 60, 40))


@pytest.fixture(scope="module", params=[WITH_BLOCK, {}], ids=["blocks", "no block"])
def model(request):
    torch.manual_seed(79)
    spec = ModelSpec(
        14, 8, num_classes=81, preprocessing=PREP, last_stride=1, head="people", **request.param
    )
    return LoadedModel("tiny-ava", spec, build(spec), class_names("ava-81"), "e" * 64)


def test_people_are_scored_from_one_capture_as_the_whole_network_would(model, tiny_clip):
    capture = viz.capture(model, tiny_clip)
    found = viz.actions(capture, BOXES)
    assert [one.number for one in found] == [0, 1]
    x = viz.attention.pipeline.prepare(model, tiny_clip).tensor
    geometry = capture.geometry
    with torch.no_grad():
        last = model.network.features(x, model.network.last_place)
        for one, box in zip(found, BOXES, strict=True):
            assert one.box == box
            corners = (*geometry.to_input(box.left, box.top),
                       *geometry.to_input(box.right, box.bottom))  # fmt: skip
            expected = model.network.people(last, torch.tensor([[0.0, *corners]])).sigmoid()
            np.testing.assert_allclose(one.scores.numpy(), expected[0].numpy(), atol=1e-5)
            assert one.best(3)[0][1] == float(one.scores.max())


def test_without_boxes_the_whole_picture_is_one_person_as_the_prediction_says(model, tiny_clip):
    capture = viz.capture(model, tiny_clip)
    (one,) = viz.actions(capture)
    np.testing.assert_allclose(one.scores.numpy(), capture.logits.sigmoid().numpy(), atol=1e-5)
    assert top_classes(capture) == [
        (action, pytest.approx(score, abs=1e-5)) for action, score in one.best()
    ]
    assert prediction_words(capture).endswith(", the whole picture as one person")
    assert 0 not in [action for action, _score in one.best()]


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ((Box(-9, -9, -1, -1),), "no part in what the network sees"),
        ((Box(5, 5, 5, 9),), "no part in what the network sees"),
        ((Box(1, 1, 9, 9),) * 301, "301 boxes are too many"),
    ],
)
def test_boxes_that_cannot_be_are_one_line(model, tiny_clip, boxes, words, one_line):
    capture = viz.capture(model, tiny_clip)
    with pytest.raises(InputError) as caught:
        viz.actions(capture, boxes)
    assert words in one_line(caught.value)


def test_a_classifier_tells_no_actions(nl_model, tiny_clip, one_line):
    capture = viz.capture(nl_model, tiny_clip)
    with pytest.raises(InputError, match="tells no actions of people") as caught:
        viz.actions(capture, BOXES)
    one_line(caught.value)
    with pytest.raises(InputError, match="finds no objects"):
        viz.found_people(capture)


def test_a_text_gives_a_box_a_line():
    text = b"\xef\xbb\xbf# the players\n3,5,40,31\n\n 20, 0 ,60,40  # the keeper\r\n"
    assert people.read_boxes(text, "p.txt") == BOXES


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds 0 boxes"),
        (b"# nobody\n", "holds 0 boxes"),
        (b"1,2,3\n", "line 1: '1,2,3' is no box"),
        (b"1,2,3,4\n1,2,3,4,5", "line 2"),
        (b"a,b,c,d", "is no box"),
        (b"1,2,nan,4", "is no box"),
        (b"1,2,inf,4", "is no box"),
        (b"9,2,3,4", "is empty"),
        (b"1,2,3,4\n" * 301, "holds 301 boxes"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"1" * 70_000, "too large"),
    ],
)
def test_a_text_that_is_no_list_of_boxes_is_one_line(content, words, one_line):
    with pytest.raises(InputError) as caught:
        people.read_boxes(content, "p.txt")
    assert words in one_line(caught.value)


def detected(labels, scores):
    """Return a capture of a detector that found boxes of such labels."""
    boxes = torch.tensor([[8.0 * k, 0, 8 * k + 8, 16] for k in range(len(labels))])
    found = Detections(boxes, torch.tensor(scores), torch.tensor(labels))
    spec = RCNNSpec(labels=3)
    model = LoadedModel("finder", spec, torch.nn.Identity(), ("background", "person", "dog"), "0")
    return Capture({}, torch.zeros(3), fit(64, 48, 64, 16), 1, model, (found,))


def test_a_detector_gives_the_boxes_of_people_alone(monkeypatch, tiny_clip, one_line):
    capture = detected([1, 2, 1, 1], [0.6, 0.9, 0.8, 0.2])
    assert [box.left for box in viz.found_people(capture)] == [16.0, 0.0]
    assert len(viz.found_people(capture, score=0.1)) == 3
    monkeypatch.setattr(people_command.pipeline, "load", lambda _name: None)
    monkeypatch.setattr(people_command.pipeline, "capture", lambda _model, clip: seen(clip))
    frames = []

    def seen(clip):
        frames.append(len(clip.frames))
        return capture

    assert people_command.boxes("finder", tiny_clip) == viz.found_people(capture)
    assert frames == [1]
    with pytest.raises(InputError, match=r"^gone.txt is not there"):
        people_command.boxes("gone.txt", tiny_clip)
    capture = detected([2], [0.9])
    with pytest.raises(InputError, match="finder finds no people in frame") as caught:
        people_command.boxes("finder", tiny_clip)
    one_line(caught.value)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.slow
def test_the_command_line_says_what_each_person_does(
    model, tiny_clip, tmp_path, capsys, monkeypatch
):
    from PIL import Image

    monkeypatch.setattr(maps_command.models_command, "load_answered", lambda _name, _told: model)
    Image.fromarray(tiny_clip.frames[0]).save(tmp_path / "photo.png")
    (tmp_path / "people.txt").write_text("3,5,40,31\n20,0,60,40\n")
    command = ["maps", str(tmp_path / "photo.png"), "--model", "tiny", "--at", "30,20"]
    if not model.network.places:
        command += ["--block", "res5.0"]
    asked = [*command, "--boxes", str(tmp_path / "people.txt"), "--out", str(tmp_path / "out")]
    assert main.main(asked) == 0
    said = capsys.readouterr().out
    assert "person 0, 3,5 to 40,31: " in said
    assert "person 1, 20,0 to 60,40: " in said
    rows = (tmp_path / "out" / "people.csv").read_text().splitlines()
    assert rows[0] == "person,x1,y1,x2,y2,action,name,score"
    assert len(rows) == 1 + 2 * 81
    assert main.main([*command, "--out", str(tmp_path / "whole")]) == 0
    said = capsys.readouterr().out
    assert "the whole picture counts as one person" in said
    assert "person 0, 0,0 to " in said
