"""Names and shapes of tensors tell which compact network they belong to."""

import pytest
import torch

from models.backbones.compact import compact
from models.build import outline
from models.checkpoints.families.compact_shapes import (
    CIFAR,
    IMAGENET,
    IMAGENET_RESIZED,
    compact_spec_of,
)
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, ModelSpec

CONV1, CONV2 = CGDSpec(), CGDSpec(position="conv2")


def shapes_of(spec):
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in compact(spec).state_dict().items()}


@pytest.mark.parametrize(
    "spec",
    [
        CompactSpec("mobilenet", "1.0", 1000, CONV1, IMAGENET),
        CompactSpec("mobilenet", "0.7", 11, CONV1, IMAGENET),
        CompactSpec("mobilenet", "0.125", 11, None, IMAGENET),
        CompactSpec("squeezenet", "1.0", 1000, CONV1, IMAGENET),
        CompactSpec("squeezenet", "1.1", 13, CGDSpec(bias=False), IMAGENET),
        CompactSpec("squeezenet", "1.1", 1000, None, IMAGENET_RESIZED),
        CompactSpec("preresnet", "20", 10, CONV1, CIFAR[10]),
        CompactSpec("preresnet", "44", 100, CONV2, CIFAR[100]),
        CompactSpec("preresnet", "56", 100, None, CIFAR[100]),
        CompactSpec("wrn", "16-1", 100, CONV1, CIFAR[100]),
        CompactSpec("wrn", "28-8", 10, CONV1, CIFAR[10]),
        CompactSpec("wrn", "10-3", 17, None, CIFAR[100]),
    ],
    ids=lambda spec: f"{spec.family}-{spec.size_name}-{'cgd' if spec.gate else 'plain'}",
)
def test_a_network_is_recognised_from_its_own_shapes(spec):
    shapes = shapes_of(spec)
    assert compact_spec_of(shapes) == spec
    counted = {k: v for k, v in shapes.items() if not k.endswith("num_batches_tracked")}
    assert compact_spec_of(counted) == spec


@pytest.mark.parametrize(
    "spec", [ModelSpec(depth=14, base_width=8, gate=CONV1), ModelSpec(base_width=8)]
)
def test_a_resnet_is_not_a_compact_network(spec):
    shapes = {key: tuple(value.shape) for key, value in outline(spec).state_dict().items()}
    assert compact_spec_of(shapes) is None


def without(shapes, part):
    return {key: shape for key, shape in shapes.items() if part not in key}


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (CompactSpec("mobilenet", "0.7", gate=CONV1), "layers.12.conv2"),
        (CompactSpec("mobilenet", "0.7", gate=CONV1), "layers.3.attention.w1"),
        (CompactSpec("mobilenet", "0.7"), "linear"),
        (CompactSpec("squeezenet", "1.1"), "classifier"),
        (CompactSpec("squeezenet", "1.1"), "features.7.squeeze"),
        (CompactSpec("preresnet", "20"), "layer3.2.conv2"),
        (CompactSpec("preresnet", "20"), "fc."),
        (CompactSpec("preresnet", "44"), "conv3"),
        (CompactSpec("wrn", "16-2"), "block3.layer.1.conv2"),
    ],
)
def test_a_network_that_lacks_a_part_is_not_recognised(spec, part):
    assert compact_spec_of(without(shapes_of(spec), part)) is None


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"linear.weight": (10,), "conv1.weight": ()},
        {"fc.weight": (), "bn.weight": (3,), "block1.layer.0.conv2.weight": ()},
        {f"block{n}.layer.0.conv2.weight": () for n in (1, 2, 3)},
        {f"layer{n}.0.conv2.weight": () for n in (1, 2, 3)} | {"bn.weight": ()},
        {f"layers.{n}.conv2.weight": (0, 0, 0, 0) for n in range(13)}
        | {"linear.weight": (3, 3), "conv1.weight": (1, 1, 1, 1)},
    ],
)
def test_nonsense_is_not_recognised(shapes):
    assert compact_spec_of(shapes) is None
