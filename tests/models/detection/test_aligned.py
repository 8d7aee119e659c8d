"""mmdetection's anchors, pooling and balanced pyramid against slow restatements."""

import math

import pytest
import torch
import torch.nn.functional as F
from torchvision import ops

from models.build import build
from models.detection.aligned import STRIDES, AlignedPool, BalancedPyramid
from models.specs.block import NonLocalSpec
from models.specs.detection import RCNNSpec
from models.specs.network import ModelSpec
from viz.attention.kinds.registry import KINDS

LIBRA = NonLocalSpec(scale=False, reduction=1, bias=True, expand_bias=True, norm="none")


def network(**more) -> torch.nn.Module:
    heads = {"labels": 3, "channels": 8, "dense": 16, "mask_width": 8, "score": 0.0}
    with torch.random.fork_rng():
        torch.manual_seed(29)
        return build(RCNNSpec(ModelSpec(50, 8), aligned=True, proposals=30, **heads, **more))


@pytest.mark.parametrize(("height", "width"), [(160, 96), (64, 224)])
def test_anchors_are_not_rounded_and_stand_on_whole_steps(height, width):
    made = network()
    sides = [(-(-height // s), -(-width // s)) for s in STRIDES]
    levels = [torch.zeros(1, 8, *side) for side in sides]

    class Images:
        tensors = torch.zeros(1, 3, height, width)
        image_sizes = [(height, width)]

    (found,) = made.rpn.anchor_generator(Images, levels)
    wanted = []
    for (rows, cols), stride, size in zip(sides, STRIDES, (32, 64, 128, 256, 512), strict=True):
        for y in range(rows):
            for x in range(cols):
                for ratio in (0.5, 1.0, 2.0):
                    high, wide = size * math.sqrt(ratio), size / math.sqrt(ratio)
                    wanted.append((x * stride - wide / 2, y * stride - high / 2,
                                   x * stride + wide / 2, y * stride + high / 2))  # fmt: skip
    assert torch.allclose(found, torch.tensor(wanted), atol=1e-3)


def test_regions_are_pooled_one_by_one_with_half_pixel_centres():
    levels = {str(n): torch.randn(2, 5, 448 // s, 448 // s) for n, s in enumerate(STRIDES)}
    boxes = [torch.tensor([[3.0, 5, 60, 90]]),
             torch.tensor([[0.0, 0, 440, 440], [9, 9, 12, 13], [0, 0, 112, 112]])]  # fmt: skip
    pooled, number = AlignedPool(7)(levels, boxes, []), 0
    for frame, some in enumerate(boxes):
        for box in some:
            x1, y1, x2, y2 = box.tolist()
            level = math.floor(math.log2(math.sqrt((x2 - x1) * (y2 - y1)) / 56 + 1e-6))
            level = min(max(level, 0), 3)
            features = levels[str(level)][frame : frame + 1]
            scale = 1 / STRIDES[level]
            own = ops.roi_align(features, [box[None]], 7, scale, 0, aligned=True)
            assert torch.allclose(pooled[number], own[0], atol=1e-6)
            number += 1


def test_a_balanced_pyramid_adds_the_refined_mean_to_every_level():
    torch.manual_seed(3)
    neck = BalancedPyramid(4, LIBRA)
    torch.nn.init.normal_(neck.block.expand.weight)
    levels = {str(n): torch.randn(1, 4, 64 // 2**n, 96 // 2**n) for n in range(5)}
    parts = [F.adaptive_max_pool2d(levels[str(n)], (16, 24)) for n in (0, 1)]
    parts += [F.interpolate(levels[str(n)], size=(16, 24), mode="nearest") for n in (2, 3, 4)]
    mean = torch.stack(parts).mean(0)
    one = neck.block.projection
    theta, phi, g = (F.conv2d(mean, m.weight, m.bias)[0].flatten(1)
                     for m in (one.theta, one.phi, one.g))  # fmt: skip
    weights = torch.softmax(theta.T @ phi, 1)
    refined = mean + F.conv2d((weights @ g.T).T.reshape(1, 4, 16, 24),
                              neck.block.expand.weight, neck.block.expand.bias)  # fmt: skip
    found = neck(levels)
    for n in range(5):
        size = levels[str(n)].shape[-2:]
        part = (F.interpolate(refined, size=size, mode="nearest") if n < 2
                else F.adaptive_max_pool2d(refined, size))  # fmt: skip
        assert torch.allclose(found[str(n)], levels[str(n)] + part, atol=1e-5)


def test_the_block_in_the_neck_is_looked_at():
    made = network(neck_block=LIBRA, masks=True)
    (tap,) = KINDS["affinity"].taps(made)
    assert tap.label == "neck"
    with torch.no_grad():
        (found,) = made(torch.randn(1, 3, 1, 64, 96))
    assert found.masks.shape[1:] == (28, 28)
