"""A block in a head sees one object: its row lies in the object's box, and is the head's own."""

import numpy as np
import pytest
import torch

from errors import InputError, OutsideError
from tests.conftest import draw
from tests.viz.tiny_detectors import keypoints
from viz.attention import matches, pipeline, queries
from viz.attention.detection import objects
from viz.attention.kinds.registry import kind_of
from viz.types import Cell, Clip


@pytest.fixture(scope="module", params=[1, 3], ids=["picture", "clip"])
def captured(request):
    frames = request.param
    times = tuple(k / 10 for k in range(frames))
    clip = Clip(draw(53, 67, frames), times, "street.png", "5" * 64)
    return pipeline.capture(keypoints(), clip)


@pytest.mark.parametrize("number", [0, 1])
def test_the_row_of_a_head_lies_in_the_box_of_its_object(captured, number):
    frame = captured.frames - 1
    one = objects.chosen(captured, number, frame)
    block = queries.block_of(captured, "head3", region=number, frame=frame)
    seen = captured.geometry_of(block).seen
    wanted = (one.box.left, one.box.top, one.box.right, one.box.bottom)
    assert (seen.left, seen.top, seen.right, seen.bottom) == pytest.approx(wanted, abs=1e-3)
    assert (block.query_grid, block.block_input.shape[2:]) == ((1, 14, 14), (1, 14, 14))
    assert block.label.startswith(f"head3, object {number}")

    whole = captured.blocks["head3"]
    here = captured.detections[frame]
    before = sum(len(some) for some in captured.detections[:frame])
    at = before + int(here.scores.argsort(descending=True, stable=True)[number])
    theta, phi = whole.factors(at)
    slow = torch.softmax(theta @ phi.T * block.pairwise.scale, 1)
    cell = queries.cell_at(captured, block, one.centre, frame)
    row = queries.mean_row(captured, number, frame, "head3")
    assert (cell.y, cell.x) in [(6, 6), (6, 7), (7, 6), (7, 7)]
    assert np.allclose(row.values.flatten(), slow.mean(0), atol=1e-5)


def test_a_pixel_chooses_the_best_object_that_holds_it(captured):
    best = objects.chosen(captured, 0)
    block = queries.block_at(captured, "head3", None, best.centre)
    assert block.label.startswith("head3, object 0")
    row = queries.row(captured, best.centre, block="head3")
    assert row.values.sum() == pytest.approx(1, abs=1e-4)
    cosine = queries.row(captured, best.centre, block="head3", kind="features")
    assert cosine.values.shape == (1, 14, 14)
    assert cosine.values.max() == pytest.approx(1, abs=1e-5)


def test_a_patch_outside_the_box_is_refused(captured, one_line):
    block = queries.block_of(captured, "head3", region=0)
    left = captured.geometry_of(block).seen.left
    with pytest.raises(OutsideError, match="outside: the network sees") as caught:
        queries.cell_at(captured, block, (left - 1, 20))
    one_line(caught.value)


def test_an_object_that_is_not_there_is_refused(captured, one_line):
    with pytest.raises(OutsideError, match="99 is not an object") as caught:
        queries.block_of(captured, "head3", region=99)
    one_line(caught.value)


def test_where_nothing_is_found_a_head_has_seen_nothing(one_line):
    model = keypoints()
    model.network.roi_heads.score_thresh, kept = 2.0, model.network.roi_heads.score_thresh
    try:
        capture = pipeline.capture(model, Clip(draw(53, 67), (0.0,), "street.png", "5" * 64))
    finally:
        model.network.roi_heads.score_thresh = kept
    assert len(capture.detections[0]) == 0
    with pytest.raises(InputError, match="nothing was found in this picture") as caught:
        queries.block_of(capture, "head3")
    one_line(caught.value)


def test_its_row_goes_over_the_object_and_another_picture_s(captured):
    block = queries.block_of(captured, "head3", region=0)
    pair = matches.joined(captured, block, captured, block)
    here, there = (kind_of(one).map(one, Cell(0, 6, 6)).values for one in pair)
    assert here.sum() == pytest.approx(0.5, abs=1e-4)
    np.testing.assert_allclose(here, there, rtol=1e-5)
