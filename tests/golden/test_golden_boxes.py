"""Boxes of the CGNL authors' detector: what their code makes of the same scores and deltas."""

import io
import lzma
from pathlib import Path

import pytest
import torch

from models.build import build
from models.detection import inclusive_boxes
from models.specs.detection import RCNNSpec
from models.specs.network import ModelSpec

pytestmark = pytest.mark.slow

CASE = Path(__file__).parent / "cgnl_maskrcnn" / "slim8_r50_c4_cgnl.boxes.pt.xz"
PYRAMID = CASE.with_name("fpn_heads.boxes.pt.xz")
TRUNK = ModelSpec(base_width=8, norm="frozen, no epsilon", strided="conv1")


@pytest.fixture(scope="module")
def wanted():
    return torch.load(io.BytesIO(lzma.decompress(CASE.read_bytes())), weights_only=True)


@pytest.fixture(scope="module")
def detector():
    # The original ran with 300 proposals.
    return build(RCNNSpec(TRUNK, "c4", labels=81, proposals=300))


def test_anchors_are_the_originals(wanted):
    rows, cols = wanted["objectness"].shape[1:]
    found = inclusive_boxes.spread(inclusive_boxes.cell_anchors(16), rows, cols, 16)
    assert torch.equal(found[::97], wanted["anchors"])


def test_proposals_are_the_originals(wanted, detector):
    size = tuple(wanted["image_size"])
    boxes, scores = detector.propose(wanted["objectness"], wanted["bbox_reg"], size)
    # The last digit of exp, by which boxes grow, is the processor's own.
    assert torch.allclose(boxes, wanted["proposals"], rtol=0, atol=1e-4)
    assert torch.equal(scores, wanted["proposal_scores"])


def test_detections_are_the_originals_in_the_originals_order(wanted, detector):
    regression = wanted["box_regression"].unflatten(1, (-1, 4))
    found = detector.decide(
        wanted["class_logits"], regression, wanted["proposals"], tuple(wanted["image_size"])
    )
    assert torch.equal(found.labels, wanted["labels"])
    assert torch.allclose(found.boxes, wanted["boxes"], atol=1e-4)
    assert torch.allclose(found.scores, wanted["scores"], atol=1e-6)


def test_more_than_a_hundred_keep_all_that_tie_with_the_last(detector):
    # Boxes far apart, all with the same scores for one label: nothing is suppressed.
    count = 130
    logits = torch.zeros(count, 81)
    logits[:, 5] = 9
    left = torch.arange(count) * 20.0
    proposals = torch.stack((left, left * 0, left + 9, left * 0 + 9), 1)
    found = detector.decide(logits, torch.zeros(count, 81, 4), proposals, (32, 4000))
    assert len(found) == count
    logits[:50, 5] = 10
    found = detector.decide(logits, torch.zeros(count, 81, 4), proposals, (32, 4000))
    assert len(found) == count  # 50 above, and 80 that tie with the hundredth
    logits[:101, 5] = 11
    found = detector.decide(logits, torch.zeros(count, 81, 4), proposals, (32, 4000))
    assert len(found) == 101


def test_nothing_found_is_an_empty_list(detector):
    logits = torch.zeros(7, 81)
    logits[:, 0] = 30
    boxes = torch.tensor([[0.0, 0, 9, 9]]).expand(7, 4)
    found = detector.decide(logits, torch.zeros(7, 81, 4), boxes, (32, 32))
    assert (len(found), tuple(found.boxes.shape)) == (0, (0, 4))


def test_boxes_scores_and_masks_of_a_pyramid_are_the_originals(monkeypatch):
    wanted = torch.load(io.BytesIO(lzma.decompress(PYRAMID.read_bytes())), weights_only=True)
    heads = {"labels": 7, "masks": True, "channels": 8, "dense": 16, "mask_width": 8}
    detector = build(RCNNSpec(TRUNK, inclusive=True, proposals=60, **heads))
    left = detector.load_state_dict(wanted["state"], strict=False)
    assert left.unexpected_keys == []
    assert {key.split(".")[0] for key in left.missing_keys} == {"trunk", "fpn"}
    monkeypatch.setattr(detector, "levels", lambda _x: wanted["levels"])
    size = tuple(wanted["image_size"])
    with torch.no_grad():
        (found,) = detector.find(torch.zeros(1, 3, 1, *size), [size])
    assert len(found) == len(wanted["boxes"]) > 10
    assert torch.equal(found.labels, wanted["labels"])
    for name, within in (("boxes", 1e-3), ("scores", 1e-5), ("masks", 1e-5)):
        assert torch.allclose(getattr(found, name), wanted[name], atol=within), name
