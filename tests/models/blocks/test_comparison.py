"""SE, CBAM, BAM and A2 against their papers' formulas, written out in numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from errors import SpecError
from models.blocks.comparison import CBAM, A2Block, BAMBlock, SqueezeExcitation
from models.blocks.gate_table import cgd_or_none, gate
from models.specs.block import A2Spec, BAMSpec
from models.specs.gate import CBAMSpec, CGDSpec, SESpec

CHANNELS, FRAMES, ROWS, COLS, BATCH = 6, 3, 5, 7, 2


def settled(module):
    """Random norms, so that none of them hides what stands before it."""
    torch.manual_seed(3)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for value in (part.weight, part.bias, part.running_mean):
                nn.init.normal_(value)
            part.running_var.uniform_(0.5, 2.0)
    return module.eval()


def numbers(tensor):
    return tensor.detach().double().numpy()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def mlp(layers, vector):
    hidden = numbers(layers.reduce.weight) @ vector + numbers(layers.reduce.bias)
    hidden = np.maximum(hidden, 0)
    return numbers(layers.expand.weight) @ hidden + numbers(layers.expand.bias)


def normed(norm, x):
    """Batch norm of (C, ...) in eval mode."""
    mean, var, weight, bias = (
        numbers(v).reshape(-1, *[1] * (x.ndim - 1))
        for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / np.sqrt(var + norm.eps) * weight + bias


def convolved(conv, x):
    """A convolution of (C, H, W) by explicit sums over the kernel, zero outside the picture."""
    weight, (dy, dx) = numbers(conv.weight), conv.dilation
    out = np.zeros((len(weight), *x.shape[1:]))
    for o, row, col in np.ndindex(out.shape):
        for c, j, i in np.ndindex(weight.shape[1:]):
            y = row + j * dy - conv.padding[0]
            z = col + i * dx - conv.padding[1]
            if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]:
                out[o, row, col] += weight[o, c, j, i] * x[c, y, z]
    return out if conv.bias is None else out + numbers(conv.bias)[:, None, None]


def test_se_is_the_sigmoid_of_its_mlp_on_the_clips_average():
    module = settled(gate(SESpec(reduction=2), CHANNELS))
    assert isinstance(module, SqueezeExcitation)
    x = torch.randn(BATCH * FRAMES, CHANNELS, ROWS, COLS)
    with torch.no_grad():
        found = module(x, FRAMES).numpy().reshape(BATCH, FRAMES, CHANNELS, ROWS, COLS)
    for k, clip in enumerate(numbers(x).reshape(found.shape)):
        factor = sigmoid(mlp(module.mlp, clip.mean((0, 2, 3))))
        np.testing.assert_allclose(found[k], clip * factor[:, None, None], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(numbers(module.gates(x, FRAMES))[k], factor, rtol=1e-4)


def test_cbam_gates_channels_then_places():
    module = settled(gate(CBAMSpec(reduction=2, kernel=3), CHANNELS))
    assert isinstance(module, CBAM)
    x = torch.randn(BATCH, CHANNELS, ROWS, COLS)
    with torch.no_grad():
        found = module(x).numpy()
    for k, picture in enumerate(numbers(x)):
        factor = sigmoid(
            mlp(module.mlp, picture.mean((1, 2))) + mlp(module.mlp, picture.max((1, 2)))
        )
        refined = picture * factor[:, None, None]
        profile = np.stack([refined.mean(0), refined.max(0)])
        place = sigmoid(normed(module.norm, convolved(module.spatial, profile)))
        np.testing.assert_allclose(found[k], refined * place, rtol=1e-4, atol=1e-6)


def test_bam_adds_what_its_two_branches_gate():
    block = settled(BAMBlock(CHANNELS, BAMSpec(reduction=2, dilation=2)))
    x = torch.randn(BATCH, CHANNELS, FRAMES, ROWS, COLS)
    with torch.no_grad():
        found = block(x).numpy()
    reduce, first, _relu, second, _relu, last, norm = block.spatial
    for k, clip in enumerate(numbers(x)):
        by_channel = normed(block.channel_norm, mlp(block.mlp, clip.mean((1, 2, 3))))
        for t in range(FRAMES):
            frame = clip[:, t]
            places = np.maximum(convolved(first, convolved(reduce, frame)), 0)
            places = np.maximum(convolved(second, places), 0)
            places = normed(norm, convolved(last, places))
            factor = 1 + sigmoid(by_channel[:, None, None] + places)
            np.testing.assert_allclose(found[k, :, t], frame * factor, rtol=1e-4, atol=1e-6)


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def test_a2_gathers_over_the_clip_and_distributes_to_each_place():
    block = settled(A2Block(CHANNELS, A2Spec(reduction=2)))
    x = torch.randn(BATCH, CHANNELS, FRAMES, ROWS, COLS)
    with torch.no_grad():
        found = block(x).numpy()

    def projected(conv, flat):
        return numbers(conv.weight)[:, :, 0, 0] @ flat + numbers(conv.bias)[:, None]

    for k, clip in enumerate(numbers(x)):
        flat = clip.reshape(CHANNELS, -1)
        features = projected(block.features, flat)
        gathering = softmax(projected(block.gathering, flat), axis=1)
        distribution = softmax(projected(block.distribution, flat), axis=0)
        descriptors = [
            sum(weights[j] * features[:, j] for j in range(flat.shape[1])) for weights in gathering
        ]
        y = sum(
            descriptor[:, None] * share[None, :]
            for descriptor, share in zip(descriptors, distribution, strict=True)
        )
        expected = flat + normed(block.norm, projected(block.expand, y))
        np.testing.assert_allclose(found[k].reshape(CHANNELS, -1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_a_fresh_a2_block_is_the_identity(training):
    block = A2Block(CHANNELS, A2Spec()).train(training)
    x = torch.randn(BATCH, CHANNELS, FRAMES, ROWS, COLS)
    with torch.no_grad():
        assert torch.equal(block(x), x)


@pytest.mark.parametrize("spec", [SESpec(reduction=2), CBAMSpec(reduction=2)], ids=["se", "cbam"])
def test_frames_of_a_clip_share_their_channel_gates(spec):
    module = settled(gate(spec, CHANNELS))
    x = torch.randn(BATCH * FRAMES, CHANNELS, ROWS, COLS)
    with torch.no_grad():
        assert module(x, FRAMES).shape == x.shape
        assert module.gates(x, FRAMES).shape == (BATCH, CHANNELS)
        torch.testing.assert_close(module(x[FRAMES:], FRAMES), module(x, FRAMES)[FRAMES:])


@pytest.mark.parametrize(
    ("kind", "spec", "axes", "without_effect"),
    [
        (SqueezeExcitation, SESpec(reduction=2), (), []),
        (CBAM, CBAMSpec(reduction=2), (), []),
        (BAMBlock, BAMSpec(reduction=2, dilation=2), (FRAMES,), []),
        # the softmax over positions takes off what all of them share
        (A2Block, A2Spec(reduction=2), (FRAMES,), ["gathering.bias"]),
    ],
    ids=["se", "cbam", "bam", "a2"],
)
def test_every_parameter_learns(kind, spec, axes, without_effect):
    module = settled(kind(CHANNELS, spec))  # in training a norm hides the biases before it
    module(torch.randn(5, CHANNELS, *axes, ROWS, COLS)).square().sum().backward()
    still = [name for name, p in module.named_parameters() if not p.grad.abs().sum() > 1e-4]
    assert still == without_effect


@pytest.mark.parametrize("spec", [SESpec(), CBAMSpec()], ids=["se", "cbam"])
def test_compact_networks_refuse_other_gates_than_cgd(spec, one_line):
    assert cgd_or_none(CGDSpec(), 8).size == 8
    with pytest.raises(SpecError, match="use CGD, none, or a ResNet") as caught:
        cgd_or_none(spec, 8)
    one_line(caught.value)


def test_an_even_kernel_has_no_middle_and_is_refused(one_line):
    with pytest.raises(SpecError, match="Kernel") as caught:
        CBAMSpec(kernel=4)
    one_line(caught.value)
