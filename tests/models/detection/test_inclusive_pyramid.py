"""maskrcnn-benchmark's pyramid against slow restatements: levels, pooling, proposals, boxes."""

import math

import pytest
import torch
from torchvision import ops

from models.build import build
from models.detection import inclusive_boxes
from models.detection.inclusive_fpn import STRIDES, levels_of
from models.specs.block import NonLocalSpec
from models.specs.detection import DetectorInput, RCNNSpec
from models.specs.gate import CGDSpec
from models.specs.network import ModelSpec

SMALL = DetectorInput(size=128, resize=128, short=96, stride=32)


def network(**more) -> torch.nn.Module:
    trunk = ModelSpec(50, 8, norm="frozen, no epsilon", strided="conv1", **more.pop("trunk", {}))
    heads = {"labels": 3, "channels": 8, "dense": 16, "mask_width": 8, "score": 0.0}
    with torch.random.fork_rng():
        torch.manual_seed(23)
        spec = RCNNSpec(trunk, inclusive=True, proposals=30, preprocessing=SMALL, **heads, **more)
        return build(spec)


def slow_level(box: list[float]) -> int:
    x1, y1, x2, y2 = box
    area = (x2 - x1 + 1) * (y2 - y1 + 1)
    return min(max(math.floor(4 + math.log2(math.sqrt(area) / 224 + 1e-6)), 2), 5) - 2


def test_regions_go_to_the_level_of_their_size():
    draw = torch.Generator().manual_seed(3)
    corner = torch.rand(200, 2, generator=draw) * 100
    boxes = torch.cat((corner, corner + 2 ** (torch.rand(200, 2, generator=draw) * 10)), 1)
    exact = torch.tensor([[0, 0, 111, 111], [0, 0, 110, 111], [0, 0, 447, 447], [5, 5, 5, 5.0]])
    boxes = torch.cat((boxes, exact))
    levels = levels_of(boxes).tolist()
    assert levels == [slow_level(box) for box in boxes.tolist()]
    assert set(levels) == {0, 1, 2, 3}
    assert levels[-4:] == [1, 0, 3, 0]


def test_regions_are_pooled_one_by_one_from_their_level():
    made = network()
    levels = [torch.randn(2, 8, 128 // s, 96 // s) for s in STRIDES]
    boxes = [torch.tensor([[3.0, 5, 60, 90]]), torch.tensor([[0.0, 0, 95, 127], [9, 9, 12, 13]])]
    pooled = made.pool(levels, boxes, 7)
    number = 0
    for frame, some in enumerate(boxes):
        for box in some:
            level = slow_level(box.tolist())
            features = levels[level][frame : frame + 1]
            own = ops.roi_align(features, [box[None]], 7, 1 / STRIDES[level], 2)
            assert torch.allclose(pooled[number], own[0], atol=1e-6)
            number += 1
    assert number == len(pooled)


def test_proposals_are_the_best_of_all_levels():
    made = network()
    draw = torch.Generator().manual_seed(5)
    sides = [(128 // s, 96 // s) for s in STRIDES]
    scored = [
        (torch.randn(3, *side, generator=draw), 0.3 * torch.randn(12, *side, generator=draw))
        for side in sides
    ]
    every = []
    for level, (objectness, deltas) in enumerate(scored):
        anchors = inclusive_boxes.cell_anchors(STRIDES[level], (32 * 2**level,))
        boxes, scores = [], []
        rows, cols = objectness.shape[1:]
        for y in range(rows):
            for x in range(cols):
                for a in range(3):
                    anchor = anchors[a] + STRIDES[level] * torch.tensor([x, y, x, y])
                    delta = deltas[4 * a : 4 * a + 4, y, x].reshape(1, 1, 4)
                    box = inclusive_boxes.decode(delta, anchor[None], (1.0,) * 4)[0]
                    boxes.append(inclusive_boxes.clip(box, (128, 96))[0])
                    scores.append(objectness[a, y, x].sigmoid())
        boxes, scores = torch.stack(boxes), torch.stack(scores)
        best = scores.argsort(descending=True)[:1000]
        kept = best[inclusive_boxes.suppressed(boxes[best], scores[best], 0.7)[:30]]
        every += list(zip(scores[kept].tolist(), boxes[kept].tolist(), strict=True))
    wanted = [box for _score, box in sorted(every, key=lambda one: -one[0])[:30]]
    found = made.propose(scored, (128, 96))
    assert torch.allclose(found, torch.tensor(wanted), atol=1e-3)


@pytest.mark.parametrize(
    ("more", "places"),
    [
        ({"masks": True}, []),
        ({"keypoints": 5, "keypoint_width": 16, "head_block": NonLocalSpec(),
          "trunk": {"block": NonLocalSpec(), "placement": "1"}},
         ["res4.4", "head1", "head3", "head5", "head7"]),
        ({"masks": True, "trunk": {"gate": CGDSpec()}}, []),
        ({"masks": True, "trunk": {"groups": 32, "widening": 4}}, []),
    ],
    ids=["masks", "key points with blocks", "CGD trunk", "ResNeXt trunk"],
)  # fmt: skip
def test_boxes_masks_and_points_come_in_their_shapes(more, places):
    made = network(**more)
    assert [place.label for place in made.places] == places
    with torch.no_grad():
        (found,) = made(torch.randn(1, 3, 1, 128, 96))
    count = len(found)
    assert 0 < count <= 100
    assert (found.boxes[:, 2:] <= torch.tensor([95.0, 127.0])).all()
    if made.spec.masks:
        assert found.masks.shape == (count, 28, 28)
    if made.spec.keypoints:
        assert found.keypoints.shape == (count, 5, 3)
    assert bool(made.gated()) == (made.spec.gate is not None)


def test_fresh_blocks_change_no_bit():
    plain, blocked = (
        network(masks=True),
        network(masks=True, trunk={"block": NonLocalSpec(), "placement": "1"}),
    )
    state = plain.state_dict()
    left = blocked.load_state_dict(state, strict=False)
    assert all(".blocks." in key for key in left.missing_keys)
    x = torch.randn(1, 3, 1, 64, 96)
    with torch.no_grad():
        (one,), (other,) = plain(x), blocked(x)
    for part in ("boxes", "scores", "labels", "masks"):
        assert torch.equal(getattr(one, part), getattr(other, part))
