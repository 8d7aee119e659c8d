"""The NL block against x + norm(W_z y) position by position (Wang et al. 2018, eq. 6)."""

import numpy as np
import pytest
import torch
from torch import nn

from models.nonlocal_block import NonLocalBlock
from models.pairwise import row
from models.specs import NonLocalSpec

FUNCTIONS = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")
CHANNELS, INNER, FRAMES, ROWS, COLS = 6, 3, 2, 5, 7
CASES = [(name, pooled) for name in FUNCTIONS for pooled in (False, True)]


def made(name, pooled, scale=True, bias=True):
    torch.manual_seed(17)
    spec = NonLocalSpec(function=name, pool_keys=pooled, scale=scale, bias=bias)
    block = NonLocalBlock(CHANNELS, spec)
    nn.init.normal_(block.norm.weight)
    nn.init.normal_(block.norm.bias)
    block.norm.running_mean.normal_()
    block.norm.running_var.uniform_(0.5, 2.0)
    return block.eval(), torch.randn(2, CHANNELS, FRAMES, ROWS, COLS)


def convolved(conv, picture):
    """1 x 1 convolution of (C, T, H, W) as a sum over channels, in float64."""
    if isinstance(conv, nn.Identity):
        return picture
    weight = conv.weight.detach().double().numpy()[:, :, 0, 0]
    out = np.einsum("oc,cthw->othw", weight, picture)
    return out if conv.bias is None else out + conv.bias.detach().numpy()[:, None, None, None]


def pooled_by_two(picture):
    _c, _t, h, w = picture.shape
    cells = [
        [picture[:, :, y : y + 2, x : x + 2].max((2, 3)) for x in range(0, w - 1, 2)]
        for y in range(0, h - 1, 2)
    ]
    return np.stack([np.stack(line, -1) for line in cells], -2)


def naive_affinity(block, picture):
    """Return (N, M) affinity and (M, C') values of one item, from the definition."""
    projection, spec = block.projection, block.spec
    theta, phi, g = (convolved(getattr(projection, n), picture) for n in ("theta", "phi", "g"))
    if spec.pool_keys:
        phi, g = pooled_by_two(phi), pooled_by_two(g)
    theta, phi, g = (part.reshape(len(part), -1).T for part in (theta, phi, g))
    rows = []
    for t in theta:
        if spec.function == "concatenation":
            w_f = np.concatenate(
                [projection.query_weight.weight[0, :, 0, 0].detach().numpy(),
                 projection.key_weight.weight[0, :, 0, 0].detach().numpy()]
            )  # fmt: skip
            f = np.array([max(0.0, w_f @ np.concatenate([t, p])) for p in phi])
            rows.append(f / len(phi))
            continue
        f = np.array([t @ p for p in phi])
        if spec.scale and spec.function != "gaussian":
            f = f / np.sqrt(INNER)
        rows.append(f / len(phi) if spec.function == "dot_product" else np.exp(f) / np.exp(f).sum())
    return np.stack(rows), g


def naive_forward(block, picture):
    affinity, g = naive_affinity(block, picture)
    y = (affinity @ g).T.reshape(INNER, *picture.shape[1:])
    z = convolved(block.expand, y)
    norm = block.norm
    mean, var, weight, bias = (
        v.detach().double().numpy()[:, None, None, None]
        for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return picture + (z - mean) / np.sqrt(var + norm.eps) * weight + bias


@pytest.mark.parametrize(("name", "pooled"), CASES)
def test_forward_is_x_plus_norm_of_the_weighted_sum(name, pooled):
    block, x = made(name, pooled)
    with torch.no_grad():
        out = block(x)
    expected = np.stack([naive_forward(block, item) for item in x.double().numpy()])
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "pooled"), CASES)
def test_rows_of_the_projected_factors_are_the_affinity_of_the_definition(name, pooled):
    block, x = made(name, pooled)
    with torch.no_grad():
        factors = block.projection(x)
    assert factors.query_grid == (FRAMES, ROWS, COLS)
    assert factors.key_grid == ((FRAMES, 2, 3) if pooled else (FRAMES, ROWS, COLS))
    for item in range(2):
        expected, _g = naive_affinity(block, x[item].double().numpy())
        assert expected.shape == (factors.query_grid.cells, factors.key_grid.cells)
        for position in (0, 13, 69):
            found = row(block.pairwise, factors.queries[item], factors.keys[item], position)
            np.testing.assert_allclose(found, expected[position], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("name", "pooled"), CASES)
def test_a_fresh_block_is_the_identity(name, pooled, training):
    block = NonLocalBlock(CHANNELS, NonLocalSpec(function=name, pool_keys=pooled)).train(training)
    x = torch.randn(2, CHANNELS, FRAMES, ROWS, COLS)
    with torch.no_grad():
        assert torch.equal(block(x), x)


def test_the_scale_divides_by_the_root_of_the_inner_width():
    plain, x = made("dot_product", False, scale=False, bias=False)
    scaled, _x = made("dot_product", False, scale=True, bias=False)
    with torch.no_grad():
        ratio = plain.respond(plain.projection(x)) / scaled.respond(scaled.projection(x))
    torch.testing.assert_close(ratio, torch.full_like(ratio, INNER**0.5), rtol=1e-3, atol=1e-4)


def test_a_block_learns_through_every_projection():
    block, x = made("concatenation", True)
    block(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in block.parameters())
