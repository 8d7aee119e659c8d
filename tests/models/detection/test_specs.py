"""Specs of detectors: refused where they contradict themselves, written as JSON and read back."""

import json

import pytest
import torch

from errors import InputError, OutsideError, SpecError
from models.build import build, gmacs_of, outline, places_of
from models.describe import headline
from models.detection.detector import Detections
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.detection import DetectorInput, RCNNSpec, SSDSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, DigitSpec, ModelSpec
from models.specs.spec_files import spec_from_dict, spec_to_dict

C4 = ModelSpec(
    base_width=8, norm="frozen, no epsilon", strided="conv1", block=CGNLSpec(), placement="1"
)
KEYPOINTS = RCNNSpec(keypoints=17, labels=2, head_block=NonLocalSpec())
SSD = SSDSpec(CompactSpec("mobilenet", "1.0", gate=CGDSpec()), labels=21)


@pytest.mark.parametrize(
    "spec",
    [RCNNSpec(C4, "c4", labels=81, masks=True), KEYPOINTS, SSD, SSDSpec("vgg16")],
    ids=["c4", "keypoints", "ssd-cgd", "ssd-vgg"],
)
def test_a_spec_survives_json(spec):
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(spec)))) == spec


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda: RCNNSpec(labels=1), "labels cannot be 1"),
        (lambda: RCNNSpec(labels=True), "labels cannot be True"),
        (lambda: RCNNSpec(C4, "c5"), "'c5' is not known"),
        (lambda: RCNNSpec(C4, "c4", keypoints=17), "key points need an FPN"),
        (lambda: RCNNSpec(head_block=NonLocalSpec()), "needs key points"),
        (lambda: RCNNSpec(DigitSpec(NonLocalSpec())), "must be a ResNet"),
        (lambda: RCNNSpec(score=2.0), "score cannot be 2.0"),
        (lambda: SSDSpec("vgg19"), "'vgg19' is not known"),
        (lambda: SSDSpec(CompactSpec("wrn", "28-8")), "'wrn' is not known"),
        (lambda: SSDSpec(block=NonLocalSpec()), "needs levels"),
        (lambda: SSDSpec(block=NonLocalSpec(), levels=(6,)), "Level cannot be 6"),
        (lambda: DetectorInput(short=3), "Short side cannot be 3"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(fault, words):
    with pytest.raises(SpecError, match=words):
        fault()


@pytest.mark.parametrize(
    ("picture", "sides"),
    [
        ((640, 480), (1056, 800)),
        ((480, 640), (800, 1056)),
        ((1920, 1080), (1344, 768)),
        ((20, 3000), (32, 1344)),
        ((3000, 20), (1344, 32)),
        ((1, 1), (800, 800)),
    ],
)
def test_a_picture_is_laid_whole_into_a_detectors_input(picture, sides):
    assert DetectorInput().sides(*picture) == sides


def test_an_ssd_stretches_every_picture():
    assert SSD.preprocessing.sides(20, 3000) == (300, 300)


def test_places_are_those_of_the_trunk_and_of_the_head():
    spec = RCNNSpec(
        ModelSpec(depth=101, norm="frozen", block=NonLocalSpec(), placement="1"),
        keypoints=17,
        head_block=NonLocalSpec(),
    )
    labels = [place.label for place in places_of(spec)]
    assert labels == ["res4.21", "head1", "head3", "head5", "head7"]
    assert [place.label for place in places_of(SSDSpec(block=NonLocalSpec(), levels=(2, 0)))] == [
        "level0",
        "level2",
    ]


def test_a_detector_is_described_and_counted_without_memory():
    spec = RCNNSpec(C4, "c4", labels=81, masks=True)
    assert headline(spec) == (
        "Mask R-CNN on ResNet-50, 8 channels wide C4; 1344 px; 80 kinds of objects"
    )
    small, large = (gmacs_of(outline(spec), side) for side in (64, 128))
    assert 0 < 3 * small < large


def test_a_detector_has_no_class_maps_and_says_so():
    network = build(RCNNSpec(C4, "c4", labels=3))
    with pytest.raises(OutsideError, match="res4.4 need a classifier"):
        network.resume(network.places[0], torch.zeros(1, 128, 1, 2, 2))


@pytest.mark.parametrize("part", ["boxes", "scores"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_boxes_that_are_no_numbers_are_refused(part, value):
    parts = {"boxes": torch.rand(5, 4), "scores": torch.rand(5)}
    parts[part][3] = value
    with pytest.raises(InputError, match="not finite numbers"):
        Detections(**parts, labels=torch.ones(5, dtype=torch.int64)).moved()


def test_the_evidence_of_a_label_is_its_best_score():
    found = Detections(torch.rand(3, 4), torch.tensor([0.25, 0.5, 0.125]), torch.tensor([2, 2, 1]))
    assert found.evidence(4).exp().tolist() == pytest.approx([1e-6, 0.125, 0.5, 1e-6])
