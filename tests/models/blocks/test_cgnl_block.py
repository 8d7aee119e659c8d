"""The CGNL block against the explicit (C'N) x (C'N) kernel, and against a loop over groups."""

from math import exp, factorial

import numpy as np
import pytest
import torch
from torch import nn

from errors import SpecError
from models.blocks.cgnl_block import CGNLBlock, group_norm
from models.specs.block import CGNLSpec
from tests.pretended_gpu import GPU, PretendedGpu, moved

KERNELS = ("dot_product", "embedded_gaussian", "gaussian_rbf")
GROUPS = (1, 2, 8)
CHANNELS, INNER, FRAMES, ROWS, COLS = 16, 8, 2, 3, 5
POSITIONS = FRAMES * ROWS * COLS
GAMMA = 0.07


def made(spec):
    torch.manual_seed(23)
    block = CGNLBlock(CHANNELS, spec)
    nn.init.normal_(block.norm.weight)
    nn.init.normal_(block.norm.bias)
    if isinstance(block.norm, nn.BatchNorm2d):
        block.norm.running_mean.normal_()
        block.norm.running_var.uniform_(0.5, 2.0)
    return block.eval(), torch.randn(2, CHANNELS, FRAMES, ROWS, COLS)


def projected(conv, picture):
    weight = conv.weight.detach().double().numpy()[:, :, 0, 0]
    return np.einsum("oc,cthw->othw", weight, picture)


def pair_kernel(spec, product):
    """k(a, b) given a b, from eqs. 8-13."""
    if spec.kernel == "dot_product":
        return product
    rate, beta = (1, 1) if spec.kernel == "embedded_gaussian" else (2 * GAMMA, exp(-2 * GAMMA))
    if spec.order is None:
        return beta * np.exp(rate * product)
    return sum(beta * (rate * product) ** p / factorial(p) for p in range(spec.order + 1))


def full_kernel(spec, theta, phi):
    """The (C'N) x (C'N) matrix, vec over channels then positions; zero between groups."""
    entries = INNER * POSITIONS
    matrix = np.zeros((entries, entries))
    size = INNER // spec.groups * POSITIONS
    for group in range(spec.groups):
        own = slice(group * size, (group + 1) * size)
        t, p = theta.reshape(-1)[own], phi.reshape(-1)[own]
        if spec.l2_normalise:
            t, p = t / np.sqrt((t**2).sum()), p / np.sqrt((p**2).sum())
        matrix[own, own] = pair_kernel(spec, t[:, None] * p[None, :])
    return matrix / np.sqrt(size) if spec.scale else matrix


def explicit_response(block, picture):
    projection = block.projection
    theta, phi, g = (
        projected(conv, picture) for conv in (projection.theta, projection.phi, projection.g)
    )
    return (full_kernel(block.spec, theta, phi) @ g.reshape(-1)).reshape(theta.shape)


def specs():
    for name in KERNELS:
        for groups in GROUPS:
            for order in (3, None):
                yield CGNLSpec(kernel=name, groups=groups, order=order, gamma=GAMMA)
    yield CGNLSpec(groups=2, scale=True)
    yield CGNLSpec(groups=2, l2_normalise=True)
    yield CGNLSpec(kernel="gaussian_rbf", groups=8, l2_normalise=True, scale=True, gamma=GAMMA)
    yield CGNLSpec(kernel="embedded_gaussian", groups=1, l2_normalise=True, order=2)


def named(spec):
    flags = "-scaled" * spec.scale + "-unit" * spec.l2_normalise
    return f"{spec.kernel}-{spec.groups}-{spec.order}{flags}"


@pytest.mark.parametrize("spec", list(specs()), ids=named)
def test_the_response_is_the_explicit_kernel_matrix_times_vec_g(spec):
    block, x = made(spec)
    with torch.no_grad():
        found = block.respond(block.projection(x)).numpy()
    expected = np.stack([explicit_response(block, item) for item in x.double().numpy()])
    assert found.shape == (2, INNER, FRAMES, ROWS, COLS)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def naive_merge(block, picture, y):
    """x + norm(W_z y) of one item: W_z within groups, then the norm by its definition."""
    groups = block.spec.groups
    weight = block.expand.weight.detach().double().numpy()[:, :, 0, 0]
    outs, ins = CHANNELS // groups, INNER // groups
    parts = []
    for group in range(groups):
        w, part = weight[group * outs : (group + 1) * outs], y[group * ins : (group + 1) * ins]
        part = np.einsum("oc,cthw->othw", w, part)
        if groups > 1:
            part = (part - part.mean()) / np.sqrt(part.var() + block.norm.eps)
        parts.append(part)
    z = np.concatenate(parts)
    column = [v.detach().double().numpy()[:, None, None, None] for v in block.norm.parameters()]
    if groups == 1:
        mean = block.norm.running_mean.double().numpy()[:, None, None, None]
        var = block.norm.running_var.double().numpy()[:, None, None, None]
        z = (z - mean) / np.sqrt(var + block.norm.eps)
    return picture + z * column[0] + column[1]


@pytest.mark.parametrize("groups", GROUPS)
def test_forward_adds_the_normed_grouped_expansion_of_the_response(groups):
    block, x = made(CGNLSpec(groups=groups))
    with torch.no_grad():
        found = block(x).numpy()
    for k, item in enumerate(x.double().numpy()):
        expected = naive_merge(block, item, explicit_response(block, item))
        np.testing.assert_allclose(found[k], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("groups", GROUPS)
def test_the_response_equals_a_loop_over_groups_with_one_scalar_each(groups):
    block, x = made(CGNLSpec(groups=groups))
    with torch.no_grad():
        theta, phi, g = block.projection(x)
        parts = []
        for t, p, v in zip(*(f.chunk(groups, 1) for f in (theta, phi, g)), strict=True):
            attention = (p * v).sum((1, 2, 3, 4), keepdim=True)
            parts.append(t * attention)
        found = block.respond(block.projection(x))
    torch.testing.assert_close(found, torch.cat(parts, 1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("name", KERNELS)
def test_a_fresh_block_is_the_identity(name, groups, training):
    block = CGNLBlock(CHANNELS, CGNLSpec(kernel=name, groups=groups)).train(training)
    x = torch.randn(2, CHANNELS, FRAMES, ROWS, COLS)
    with torch.no_grad():
        assert torch.equal(block(x), x)


def test_every_parameter_learns():
    block, x = made(CGNLSpec(kernel="embedded_gaussian", groups=2))
    block(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in block.parameters())


def test_groups_that_do_not_divide_the_channels_are_refused(one_line):
    with pytest.raises(SpecError, match="groups that divides them") as caught:
        CGNLBlock(CHANNELS, CGNLSpec(groups=3))
    assert "8 channels" in one_line(caught.value)


def test_a_gpu_sums_large_groups_with_all_processors(monkeypatch):
    torch.manual_seed(5)
    x, norm = 3 + torch.randn(2, 6, 2, 5, 7), nn.GroupNorm(3, 6)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    expected = norm(x)
    monkeypatch.setattr("models.blocks.cgnl_block.MANY_ENTRIES", 2 * 2 * 5 * 7)
    with PretendedGpu(), torch.no_grad():
        norm = moved(norm)
        monkeypatch.setattr(norm, "forward", None)
        found = group_norm(x.to(GPU), norm).cpu()
    torch.testing.assert_close(found, expected)
