"""The CGD gate against explicit sums over all pairs (He et al. 2019, eqs. 7-12, Table 2)."""

import numpy as np
import pytest
import torch
from torch import nn

from errors import SpecError
from models.blocks.cgd_block import CGDBlock, channel_layer_state, merge_batch_norm
from models.blocks.gate_table import NoGate, cgd_or_none, gate
from models.specs.gate import CGDSpec

VARIANTS = [f"v{k}" for k in range(1, 11)]
CHANNELS, ROWS, COLS, BATCH = 7, 5, 11, 2
SIDES = {"channel": None, "height": ROWS, "width": COLS}
AXIS_OF_FRAME = {"channel": 0, "height": 1, "width": 2}

G_AND_F = {
    "v1": ("ave", "ave"),
    "v2": ("ave", "softmax ave"),
    "v3": ("softmax ave", "ave"),
    "v4": ("ave", "max"),
    "v5": ("max", "ave"),
    "v6": ("softmax ave", "max"),
    "v7": ("softmax max", "ave"),
    "v8": ("v3", "v7"),
    "v9": ("v1", "v7"),
    "v10": ("v3", "v6"),
}
"""Table 2, copied from the paper row by row."""


def filled(spec, side=None, channels=CHANNELS):
    """A gate with weights of every size, so that nothing about it is zero or the identity."""
    torch.manual_seed(31)
    block = CGDBlock(channels, spec, side)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.7)
    return block.eval()


def pooled(frame, axis, how):
    """Global pooling of one frame (C, H, W) along ``axis``, and its softmax."""
    slices = [np.take(frame, n, axis) for n in range(frame.shape[axis])]
    values = np.array([s.mean() if how.endswith("ave") else s.max() for s in slices])
    if how.startswith("softmax"):
        values = np.exp(values) / np.exp(values).sum()
    return values


def pair_sum(g, f, w):
    """z_n = sum over i of g_n f_i w_i, from the whole outer product g f^T (eq. 10)."""
    return np.outer(g, f) @ w


def parameters(block, prefix, k):
    w = getattr(block, f"{prefix}w{k}").detach().double().numpy()[:, 0]
    bias = getattr(block, f"{prefix}bias{k}")
    return w, 0 if bias is None else bias.detach().double().numpy().reshape(-1)


def slow_z(block, clip, axis, prefix=""):
    """z of one clip (T, C, H, W): the sum over frames with shared w (eq. 12)."""
    names = G_AND_F[block.spec.variant]
    cascaded = names[0] in G_AND_F
    total = 0
    for frame in clip:
        if cascaded:
            inner = []
            for k, plain in enumerate(names):
                w, bias = parameters(block, prefix, k)
                g, f = (pooled(frame, axis, how) for how in G_AND_F[plain])
                inner.append(np.tanh(pair_sum(g, f, w) + bias))
            g, f = inner
        else:
            g, f = (pooled(frame, axis, how) for how in names)
        total = total + pair_sum(g, f, parameters(block, prefix, 2 if cascaded else 0)[0])
    return total + parameters(block, prefix, 2 if cascaded else 0)[1]


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("axis", list(SIDES))
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_on_each_axis_is_the_explicit_sum(variant, axis, bias, frames):
    block = filled(CGDSpec(variant, axis, bias=bias), SIDES[axis])
    x = torch.randn(BATCH * frames, CHANNELS, ROWS, COLS)
    with torch.no_grad():
        gates, out = block.gates(x, frames).numpy(), block(x, frames).numpy()
    clips = x.double().numpy().reshape(BATCH, frames, CHANNELS, ROWS, COLS)
    dim = AXIS_OF_FRAME[axis]
    shape = [1, 1, 1, 1]
    shape[1 + dim] = -1
    for k, clip in enumerate(clips):
        expected = 1 + np.tanh(slow_z(block, clip, dim))
        np.testing.assert_allclose(gates[k], expected, rtol=1e-4, atol=1e-5)
        found = out.reshape(clips.shape)[k]
        np.testing.assert_allclose(found, clip * expected.reshape(shape), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("variant", ["v1", "v7", "v10"])
def test_the_spatial_gate_is_tanh_of_the_outer_product_of_height_and_width(variant, frames):
    block = filled(CGDSpec(variant, "space"), ROWS)
    x = torch.randn(BATCH * frames, CHANNELS, ROWS, ROWS)
    with torch.no_grad():
        gates, out = block.gates(x, frames).numpy(), block(x, frames).numpy()
    clips = x.double().numpy().reshape(BATCH, frames, CHANNELS, ROWS, ROWS)
    for k, clip in enumerate(clips):
        rows, cols = slow_z(block, clip, 1, "height_"), slow_z(block, clip, 2, "width_")
        expected = 1 + np.tanh(np.outer(rows, cols))
        np.testing.assert_allclose(gates[k], expected, rtol=1e-4, atol=1e-5)
        found = out.reshape(clips.shape)[k]
        np.testing.assert_allclose(found, clip * expected, rtol=1e-4, atol=1e-5)


def test_eq_7_and_eq_9_are_the_same_sum():
    """The pooled form of v1 equals the sum over all pairs of positions, up to 1 / (HW)^2 in w."""
    block = filled(CGDSpec("v1", bias=False), channels=3)
    x = torch.randn(1, 3, 2, 5)
    flat, w = x.double().numpy().reshape(3, 10), parameters(block, "", 0)[0]
    z = np.zeros(3)
    for n in range(3):
        for i in range(3):
            for j in range(10):
                for k in range(10):
                    z[n] += flat[n, j] * flat[i, k] * w[i] / 100
    with torch.no_grad():
        np.testing.assert_allclose(block.gates(x)[0], 1 + np.tanh(z), rtol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("axis", [*SIDES, "space"])
def test_a_fresh_gate_is_the_identity_and_can_learn(variant, axis):
    block = CGDBlock(ROWS, CGDSpec(variant, axis), ROWS)
    x = torch.randn(6, ROWS, ROWS, ROWS)
    out = block(x, 3)
    assert torch.equal(out, x)
    (out * torch.randn_like(out)).sum().backward()
    assert any(p.grad.abs().sum() > 0 for name, p in block.named_parameters() if "w" in name)


@pytest.mark.parametrize("variant", ["v4", "v10"])
def test_a_filled_gate_learns_in_every_parameter(variant):
    block = filled(CGDSpec(variant))
    block(torch.randn(2, CHANNELS, ROWS, COLS)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in block.parameters())


def test_the_gate_of_a_clip_is_one_for_all_its_frames_and_does_not_mix_clips():
    block = filled(CGDSpec())
    x = torch.randn(2 * 3, CHANNELS, ROWS, COLS)
    with torch.no_grad():
        together = block.gates(x, 3)
        assert together.shape == (2, CHANNELS)
        torch.testing.assert_close(block.gates(x[3:], 3), together[1:])
        torch.testing.assert_close(
            block(x, 3) / x,
            together.repeat_interleave(3, 0)[:, :, None, None].expand_as(x),
            rtol=1e-3,
            atol=1e-4,
        )


def test_the_order_of_frames_does_not_matter():
    block = filled(CGDSpec())
    x = torch.randn(5, CHANNELS, ROWS, COLS)
    with torch.no_grad():
        torch.testing.assert_close(block.gates(x, 5), block.gates(x.flip(0), 5))


def test_names_and_shapes_are_those_of_the_published_layers():
    channel = {k: tuple(v.shape) for k, v in CGDBlock(7, CGDSpec()).state_dict().items()}
    assert channel == {f"w{k}": (7, 1) for k in range(3)} | {
        f"bias{k}": (1, 7, 1, 1) for k in range(3)
    }
    space = CGDBlock(7, CGDSpec(axis="space"), 5).state_dict()
    assert {k: tuple(v.shape) for k, v in space.items()} == {
        f"{side}_{what}{k}": shape
        for side in ("width", "height")
        for what, shape in (("w", (5, 1)), ("bias", (1, 5)))
        for k in range(3)
    }
    assert list(CGDBlock(7, CGDSpec("v1", bias=False)).state_dict()) == ["w0"]


@pytest.mark.parametrize("affine", [True, False])
def test_a_gate_merged_with_a_batch_norm_equals_running_both(affine):
    block, norm = filled(CGDSpec()), nn.BatchNorm2d(CHANNELS, eps=1e-3, affine=affine)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.3, 2.0)
    if affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    norm.eval()
    x = torch.randn(3, CHANNELS, ROWS, COLS)
    with torch.no_grad():
        scale, shift = merge_batch_norm(block.gates(x), norm)
        assert scale.shape == shift.shape == (3, CHANNELS)
        merged = scale[:, :, None, None] * x + shift[:, :, None, None]
        torch.testing.assert_close(merged, norm(block(x)), rtol=1e-4, atol=1e-5)


def test_states_of_the_detection_and_combined_layers_become_the_channel_layers():
    wanted = filled(CGDSpec()).state_dict()
    detection = {}
    for k in range(3):
        detection[f"a.squeeze{k}.0.weight"] = wanted[f"w{k}"]
        detection[f"a.squeeze{k}.0.bias"] = wanted[f"bias{k}"][0]
    combined = {f"a.channel_att.{key}": value for key, value in wanted.items()}
    combined |= {"a.spatial_att.width_w0": torch.ones(3, 1)}
    for state in (detection, combined):
        renamed = channel_layer_state(state | {"conv1.weight": torch.ones(1)})
        assert set(renamed) == {f"a.{key}" for key in wanted} | {"conv1.weight"}
        for key, value in wanted.items():
            assert torch.equal(renamed[f"a.{key}"], value)


@pytest.mark.parametrize("axis", ["height", "width", "space"])
def test_an_axis_in_space_needs_its_side_and_features_of_it(axis, one_line):
    with pytest.raises(SpecError, match="needs a side") as caught:
        gate(CGDSpec(axis=axis), CHANNELS)
    one_line(caught.value)
    block = gate(CGDSpec(axis=axis), CHANNELS, ROWS)
    with pytest.raises(SpecError, match="made for 5") as caught:
        block(torch.randn(1, CHANNELS, 13, 13))
    one_line(caught.value)


def test_a_unit_without_a_gate_passes_its_input_on():
    x = torch.randn(2, CHANNELS, ROWS, COLS)
    stand_in = cgd_or_none(None, CHANNELS)
    assert isinstance(stand_in, NoGate)
    assert stand_in(x, 2) is x
    assert stand_in.state_dict() == {}
