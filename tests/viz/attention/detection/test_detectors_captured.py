"""A detector goes the way of every network: one forward pass leaves its objects and its rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import viz
from errors import InputError
from models.blocks.layout import Grid
from models.detection.detector import Detections
from models.specs.block import CGNLSpec
from tests.conftest import draw
from tests.viz.tiny_detectors import c4, keypoints
from viz.attention import pipeline, queries
from viz.attention.detection import objects
from viz.types import Clip


def picture(height: int = 53, width: int = 67, frames: int = 1) -> Clip:
    times = tuple(k / 10 for k in range(frames))
    return Clip(draw(height, width, frames), times, "street.png", "5" * 64)


@pytest.fixture(scope="module")
def captured():
    return pipeline.capture(c4(), picture())


def test_a_capture_holds_what_was_found_and_the_factors_of_the_block(captured):
    assert list(captured.blocks) == ["res4.4"]
    found = objects.found(captured, score=0.0)
    assert len(found) >= 1
    assert {one.name for one in found} <= {"cat", "dog"}
    assert found[0].mask.shape == (14, 14)
    row = queries.row(captured, found[0].centre)
    assert row.values.shape == captured.blocks["res4.4"].key_grid
    assert row.values.sum() == pytest.approx(1, abs=1e-4)


def test_logits_are_the_best_score_of_each_label(captured):
    assert captured.logits.shape == (3,)
    best = max(one.score for one in objects.found(captured, score=0.0))
    assert captured.logits.exp().max().item() == pytest.approx(best, rel=1e-5)


def test_boxes_lie_where_they_lie_in_the_input(captured):
    geometry, here = captured.geometry, captured.detections[0]
    one = objects.chosen(captured, 0)
    k = int(here.scores.argmax())
    assert geometry.to_input(one.box.left, one.box.top) == pytest.approx(
        here.boxes[k, :2].tolist(), abs=1e-4
    )


def test_a_cgnl_block_of_a_detector_has_its_channels():
    model = c4(CGNLSpec(groups=8))
    capture = pipeline.capture(model, picture())
    maps = queries.maps(capture, objects.chosen(capture, 0).centre)
    assert len(maps) == 5


@pytest.mark.parametrize(("height", "width"), [(20, 3000), (3000, 20), (1, 1)])
def test_pictures_of_any_shape_are_taken(height, width):
    capture = pipeline.capture(c4(), picture(height, width))
    assert capture.geometry.crop_left == capture.geometry.crop_top == 0
    row = queries.row(capture, (width / 2, height / 2))
    assert np.isfinite(row.values).all()


def test_a_clip_has_objects_in_every_frame():
    capture = pipeline.capture(c4(), picture(frames=3))
    assert len(capture.detections) == 3
    assert capture.blocks["res4.4"].query_grid.frames == 3
    assert objects.found(capture, 2, 0.0)


def test_a_key_point_detector_has_points_and_rows_inside_its_head():
    capture = pipeline.capture(keypoints(), picture())
    found = objects.found(capture, score=0.0)
    assert found[0].keypoints.shape == (3, 3)
    inside = capture.blocks["head3"]
    # Every region of interest attends inside itself: one moment an object.
    assert inside.query_grid == Grid(len(found), 14, 14)
    assert inside.groups == len(found)


def test_nothing_found_leaves_an_empty_list():
    model = c4()
    spec = replace(model.spec, score=1.0)
    network = model.network
    try:
        network.spec = spec
        capture = pipeline.capture(model, picture())
    finally:
        network.spec = model.spec
    assert objects.found(capture, score=0.0) == ()
    assert queries.row(capture, (3, 3)).values.sum() == pytest.approx(1, abs=1e-4)


def test_boxes_that_are_no_numbers_are_refused_in_one_line(monkeypatch, one_line):
    model = c4()
    broken = Detections(
        torch.full((2, 4), float("nan")), torch.ones(2), torch.ones(2, dtype=torch.int64)
    )
    monkeypatch.setattr(type(model.network), "forward", lambda _self, _x: (broken,))
    with pytest.raises(InputError, match="not finite numbers") as caught:
        pipeline.capture(model, picture())
    one_line(caught.value)


def test_a_classifier_has_no_objects(nl_model, tiny_clip, one_line):
    capture = pipeline.capture(nl_model, tiny_clip)
    with pytest.raises(InputError, match="tiny classifies and finds no objects") as caught:
        objects.chosen(capture, 0)
    one_line(caught.value)


def test_a_detector_has_no_class_maps(captured, one_line):
    with pytest.raises(InputError, match="detector") as caught:
        queries.maps(captured, (10, 10), kind="class maps")
    one_line(caught.value)


def test_what_was_found_and_its_mean_row_are_asked_for_from_python(captured):
    (first, *_others) = viz.found_objects(captured, score=0.0)
    assert first == objects.chosen(captured, 0)
    row = viz.mean_row(captured, first.number)
    assert row.values.sum() == pytest.approx(1, abs=1e-4)
