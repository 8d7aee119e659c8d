"""Actions of people in boxes: mmaction2's head, restated bin by bin and sample by sample."""

from math import ceil, floor

import numpy as np
import pytest
import torch

from errors import SpecError
from models.backbones.people import NOBODYS, SIDE, pooled
from models.build import build
from models.specs.block import GlobalContextSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing

STRIDE = 16
BOXES = [(0, 3.0, 5.0, 61.0, 70.0), (1, 0.0, 0.0, 112.0, 80.0), (1, 20.5, 31.0, 25.0, 80.0)]


def at(plane, y, x):
    """Return a plane (H, W) at a point between its cells, 0 more than one cell outside."""
    rows, cols = plane.shape
    if not (-1 <= y <= rows and -1 <= x <= cols):
        return 0.0
    y, x = min(max(y, 0.0), rows - 1.0), min(max(x, 0.0), cols - 1.0)
    top, left = floor(y), floor(x)
    low, right = min(top + 1, rows - 1), min(left + 1, cols - 1)
    dy, dx = y - top, x - left
    upper = plane[top, left] * (1 - dx) + plane[top, right] * dx
    lower = plane[low, left] * (1 - dx) + plane[low, right] * dx
    return upper * (1 - dy) + lower * dy


def by_hand(features, box):
    """Return the vector (C,) of one box: the largest of 8 x 8 means of samples of the mean over
    time, the samples about a cell apart and half a cell shifted."""
    clip, x1, y1, x2, y2 = box
    left, top, right, bottom = (side / STRIDE - 0.5 for side in (x1, y1, x2, y2))
    height, width = (bottom - top) / SIDE, (right - left) / SIDE
    down, across = ceil(height), ceil(width)
    vector = []
    for plane in features[int(clip)].mean(1):
        means = [
            np.mean([
                at(plane, top + (i + (k + 0.5) / down) * height,
                   left + (j + (m + 0.5) / across) * width)
                for k in range(down) for m in range(across)
            ])
            for i in range(SIDE) for j in range(SIDE)
        ]  # fmt: skip
        vector.append(max(means))
    return np.array(vector)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(73)
    prep = Preprocessing(256, 256, stride=STRIDE, frames=3)
    return build(
        ModelSpec(14, 8, NonLocalSpec(), "1", 11, preprocessing=prep, last_stride=1, head="people")
    )


def test_each_box_has_the_largest_of_its_means_over_time_and_samples():
    features = torch.randn(2, 3, 5, 5, 7)
    found = pooled(features, torch.tensor(BOXES), STRIDE)
    for box, vector in zip(BOXES, found.numpy(), strict=True):
        expected = by_hand(features.double().numpy(), box)
        np.testing.assert_allclose(vector, expected, rtol=1e-4, atol=1e-5)


def test_logits_are_those_of_the_vectors_and_label_0_names_nothing(network):
    features = torch.randn(2, 64, 3, 5, 7)
    with torch.no_grad():
        found = network.people(features, torch.tensor(BOXES)).numpy()
    weight, bias = (part.detach().numpy() for part in (network.fc.weight, network.fc.bias))
    for box, logits in zip(BOXES, found, strict=True):
        expected = weight @ by_hand(features.double().numpy(), box) + bias
        np.testing.assert_allclose(logits[1:], expected[1:], rtol=1e-3, atol=1e-4)
    assert found[:, 0] == pytest.approx(NOBODYS)


def test_without_boxes_the_whole_input_is_one_person_and_res5_keeps_the_size_of_res4(network):
    x = torch.randn(2, 3, 3, 80, 112)
    with torch.no_grad():
        last = network.features(x, network.last_place)
        assert last.shape == (2, 64, 3, 5, 7)
        whole = torch.tensor([[0.0, 0, 0, 112, 80], [1, 0, 0, 112, 80]])
        assert torch.equal(network(x), network.people(last, whole))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"head": "faces"}, "faces"),
        ({"last_stride": 3}, "Stride of res5"),
        ({"head": "people", "block": GlobalContextSpec(), "placement": "1"}, "global context"),
    ],
)
def test_what_no_network_is_is_refused(wrong, words):
    with pytest.raises(SpecError, match=words):
        ModelSpec(**wrong)
