"""The NL block against x + norm(W_z y) position by position (Wang et al. 2018, eq. 6)."""

from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from errors import InputError
from models.blocks.nonlocal_block import NonLocalBlock
from models.blocks.pairwise import row
from models.specs.block import NonLocalSpec
from tests.models.memory import forward_megabytes

FUNCTIONS = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")
POOLINGS = ("none", "before", "after")
CASES = list(product(FUNCTIONS, POOLINGS))
CHANNELS = 6
SPACES = {"sequence": (11,), "image": (5, 7), "clip": (2, 5, 7)}


def made(function, pooling="none", **options):
    """Return a block in float64 whose every parameter is random."""
    torch.manual_seed(17)
    block = NonLocalBlock(CHANNELS, NonLocalSpec(function, pool_keys=pooling, **options)).double()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.7)
    if block.spec.norm == "batch":
        block.norm.running_mean.normal_()
        block.norm.running_var.uniform_(0.5, 2.0)
    return block.eval()


def random(space, items=2):
    return torch.randn(items, CHANNELS, *space, dtype=torch.float64)


def convolved(conv, x):
    """1 x 1 convolution of (C, ...) as a sum over channels."""
    if isinstance(conv, nn.Identity):
        return x
    out = np.einsum("oc,c...->o...", conv.weight.detach().numpy()[:, :, 0, 0], x)
    bias = 0 if conv.bias is None else conv.bias.detach().numpy()
    return (out.T + bias).T


def pooled_by_two(x):
    """Largest of every two along the last axis, and along the one before it if there are rows."""
    halves = [slice(None)] * x.ndim
    for axis in range(max(1, x.ndim - 2), x.ndim):
        even = x.shape[axis] // 2 * 2
        first, second = (
            x[(*halves[:axis], slice(start, even, 2), *halves[axis + 1 :])] for start in (0, 1)
        )
        x = np.maximum(first, second)
    return x


def naive_affinity(block, x):
    """Return the (N, M) affinity and (M, C') values of one item (C, ...), from the definition."""
    projection, spec = block.projection, block.spec
    source = pooled_by_two(x) if spec.pool_keys == "before" else x
    theta = convolved(projection.theta, x)
    phi, g = convolved(projection.phi, source), convolved(projection.g, source)
    if spec.pool_keys == "after":
        phi, g = pooled_by_two(phi), pooled_by_two(g)
    theta, phi, g = (part.reshape(len(part), -1).T for part in (theta, phi, g))
    return np.stack([naive_row(block, t, phi) for t in theta]), g


def naive_row(block, t, phi):
    spec, projection = block.spec, block.projection
    if spec.function == "concatenation":
        halves = (projection.query_weight, projection.key_weight)
        w_f = np.concatenate([half.weight[0, :, 0, 0].detach().numpy() for half in halves])
        return np.array([max(0.0, w_f @ np.concatenate([t, p])) for p in phi]) / len(phi)
    f = np.array([sum(a * b for a, b in zip(t, p, strict=True)) for p in phi])
    if spec.scale and spec.function != "gaussian":
        f = f / np.sqrt(len(t))
    return f / len(phi) if spec.function == "dot_product" else np.exp(f) / np.exp(f).sum()


def naive_forward(block, x):
    affinity, g = naive_affinity(block, x)
    z = convolved(block.expand, (affinity @ g).T.reshape(-1, *x.shape[1:]))
    if block.spec.norm == "batch":
        norm = block.norm
        mean, var, weight, bias = (
            v.detach().numpy()
            for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        z = (((z.T - mean) / np.sqrt(var + norm.eps)) * weight + bias).T
    return x + z


def assert_equals_the_definition(block, x):
    with torch.no_grad():
        out = block(x)
    expected = np.stack([naive_forward(block, item) for item in x.numpy()])
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize(("function", "pooling"), CASES)
def test_forward_is_x_plus_norm_of_the_weighted_sum(function, pooling, space):
    assert_equals_the_definition(made(function, pooling, bias=True), random(space))


OPTIONS = {
    "no biases": {},
    "every bias": {"bias": True, "expand_bias": True},
    "expand bias, no norm": {"expand_bias": True, "norm": "none"},
    "no norm": {"norm": "none"},
    "unscaled": {"scale": False},
    "reduction 1": {"reduction": 1},
    "reduction 3": {"reduction": 3, "bias": True},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_option_is_what_the_definition_says(function, options):
    block = made(function, "before", **options)
    assert (block.projection.g.bias is not None) == options.get("bias", False)
    assert (block.expand.bias is not None) == options.get("expand_bias", False)
    assert block.expand.in_channels == CHANNELS // options.get("reduction", 2)
    assert_equals_the_definition(block, random((2, 4, 5)))


@pytest.mark.parametrize(("function", "pooling"), CASES)
def test_rows_of_the_projected_factors_are_the_affinity_of_the_definition(function, pooling):
    block, x = made(function, pooling, bias=True), random((2, 5, 7))
    with torch.no_grad():
        factors = block.projection(x)
    assert factors.query_grid == (2, 5, 7)
    assert factors.key_grid == ((2, 5, 7) if pooling == "none" else (2, 2, 3))
    for item in range(2):
        expected, _g = naive_affinity(block, x[item].numpy())
        for position in (0, 13, 69):
            found = row(block.pairwise, factors.queries[item], factors.keys[item], position)
            np.testing.assert_allclose(found, expected[position], rtol=1e-4, atol=1e-5)


def test_where_the_keys_are_pooled_makes_a_difference():
    x = random((2, 5, 7))
    with torch.no_grad():
        outs = [made("embedded_gaussian", pooling)(x) for pooling in POOLINGS]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(outs[first], outs[second], atol=1e-3)


@pytest.mark.parametrize("length", [10, 11])
def test_keys_of_a_sequence_are_pooled_as_torch_pools_sequences(length):
    block, x = made("gaussian", "after"), random((length,))
    with torch.no_grad():
        factors = block.projection(x[:, :, None, None])
    assert factors.key_grid == (1, 1, 5)
    assert torch.equal(factors.keys.transpose(1, 2), F.max_pool1d(x, 2))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("norm", "expand_bias"), list(product(("batch", "none"), (False, True))))
@pytest.mark.parametrize(("function", "pooling"), CASES)
def test_a_fresh_block_is_the_identity(function, pooling, norm, expand_bias, training):
    spec = NonLocalSpec(function, pool_keys=pooling, norm=norm, expand_bias=expand_bias)
    block = NonLocalBlock(CHANNELS, spec).train(training)
    for space in SPACES.values():
        x = random(space).float()
        with torch.no_grad():
            assert torch.equal(block(x), x)


@pytest.mark.parametrize(("function", "pooling"), CASES)
def test_groups_of_frames_attend_as_if_each_came_alone(function, pooling):
    block, x = made(function, pooling), random((6, 4, 5))
    block.group_frames = 2
    with torch.no_grad():
        whole = block(x)
        alone = torch.cat([block(part) for part in x.split(2, dim=2)], dim=2)
        block.group_frames = None
        ungrouped = block(x)
    torch.testing.assert_close(whole, alone)
    assert not torch.allclose(whole, ungrouped, atol=1e-3)


def test_grouping_keeps_consecutive_frames_together_and_is_undone():
    block = NonLocalBlock(CHANNELS, NonLocalSpec(), group_frames=3)
    x = random((6, 2, 5))
    grouped = block.grouped(x)
    assert grouped.shape == (4, CHANNELS, 3, 2, 5)
    assert torch.equal(grouped[1], x[0, :, 3:])
    assert torch.equal(grouped[2], x[1, :, :3])
    assert torch.equal(block.ungrouped(grouped, 6), x)


@pytest.mark.parametrize("frames", [1, 4, 7])
def test_a_clip_that_does_not_divide_into_groups_is_refused_in_one_line(frames, one_line):
    block = NonLocalBlock(CHANNELS, NonLocalSpec(), group_frames=3)
    with pytest.raises(InputError, match=f"{frames} feature frames .* multiple of 3") as caught:
        block(torch.zeros(1, CHANNELS, frames, 2, 2))
    one_line(caught.value)


@pytest.mark.parametrize(("norm", "pooling"), list(product(("batch", "none"), POOLINGS)))
def test_a_block_learns_through_every_projection(norm, pooling):
    block = made("concatenation", pooling, norm=norm, bias=True)
    block(random((2, 5, 7))).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in block.parameters())


@pytest.mark.slow
def test_a_forward_over_25088_positions_stays_within_300_mb_of_its_input():
    # 32 x 28 x 28 positions of 512 channels. Keys are pooled for speed; even so the N x M matrix
    # would be 630 MB. Unpooled, the peaks are those of `python tests/models/memory.py none ...`.
    used = forward_megabytes("after")
    assert set(used) == set(FUNCTIONS)
    assert all(5 < megabytes < 300 for megabytes in used.values()), used
