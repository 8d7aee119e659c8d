"""Layers of residual units one by one: affine norm, kernels in time, shortcuts, gates."""

import pytest
import torch
from torch import nn

from models.backbones.units import Affine, Basic, Bottleneck, TimeConv
from models.blocks.layout import fold_time
from models.specs.gate import CGDSpec, SESpec
from models.specs.network import ModelSpec, TemporalSpec
from models.specs.placement import Place

INFLATED = TemporalSpec(inflated=((), (1,), (), ()))


def spec(depth=50, **options):
    return ModelSpec(depth=depth, base_width=8, **options)


def test_an_affine_norm_is_a_batch_norm_with_its_statistics_folded_in():
    torch.manual_seed(3)
    norm = nn.BatchNorm2d(5).eval()
    for tensor in (norm.weight, norm.bias, norm.running_mean):
        nn.init.normal_(tensor)
    norm.running_var.uniform_(0.5, 2)
    affine = Affine(5)
    with torch.no_grad():
        affine.weight.copy_(norm.weight / (norm.running_var + norm.eps).sqrt())
        affine.bias.copy_(norm.bias - norm.running_mean * affine.weight)
        x = torch.randn(3, 5, 2, 7)
        torch.testing.assert_close(affine(x), norm(x))


def test_a_fresh_affine_norm_is_the_identity():
    x = torch.randn(3, 5, 2, 7)
    assert torch.equal(Affine(5)(x), x)


@pytest.mark.parametrize("kernel", [(1, 1, 1), (3, 1, 1), (5, 7, 7), (3, 3, 3)])
def test_a_convolution_in_time_keeps_the_size(kernel):
    x = torch.randn(1, 3, 5, 7, 11)
    assert TimeConv(3, 2, kernel).in_time(x).shape == (1, 2, 5, 7, 11)


@pytest.mark.parametrize(("depth", "kind", "out"), [(50, Bottleneck, 64), (18, Basic, 16)])
def test_only_chosen_units_reach_over_time(depth, kind, out):
    made = {
        unit: kind(out, spec(depth, temporal=INFLATED), Place(3, unit), 1) for unit in (0, 1, 2)
    }
    reaches = {unit: isinstance(made[unit].conv1, TimeConv) for unit in made}
    assert reaches == {0: False, 1: True, 2: False}
    x = torch.randn(2, out, 3, 5, 7)
    changed = x.clone()
    changed[:, :, 2] += 1
    for unit, module in made.items():
        module.eval()
        with torch.no_grad():
            before = module(fold_time(x), 3)
            after = module(fold_time(changed), 3)
        first_frame_moved = not torch.equal(before[1::3], after[1::3])
        assert first_frame_moved == reaches[unit]


@pytest.mark.parametrize(
    ("kind", "depth", "channels", "stride", "matched"),
    [
        (Bottleneck, 50, 64, 1, False),
        (Bottleneck, 50, 64, 2, True),
        (Bottleneck, 50, 32, 1, True),
        (Basic, 18, 16, 1, False),
        (Basic, 18, 16, 2, True),
        (Basic, 18, 8, 1, True),
    ],
)
def test_the_shortcut_is_matched_where_size_or_width_change(kind, depth, channels, stride, matched):
    unit = kind(channels, spec(depth), Place(3, 0), stride).eval()
    assert (unit.downsample is not None) == matched
    out = 16 * spec(depth).expansion
    assert unit(torch.randn(2, channels, 7, 11)).shape == (2, out, *((4, 6), (7, 11))[stride == 1])


@pytest.mark.parametrize(
    ("gate", "width"),
    [(CGDSpec(), 16), (CGDSpec(position="conv2"), 16), (SESpec(reduction=2), 64)],
    ids=["conv1", "conv2", "out"],
)
def test_a_gate_stands_at_its_position_and_sees_its_width(gate, width):
    unit = Bottleneck(64, spec(gate=gate), Place(3, 1), 1).eval()
    seen = []
    unit.attention.register_forward_hook(lambda _m, args, _out: seen.append(args[0].shape[1]))
    unit(torch.randn(2, 64, 5, 7))
    assert seen == [width]
