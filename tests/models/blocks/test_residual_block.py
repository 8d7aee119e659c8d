"""The simple residual block against its formula (Yue et al. 2018, Fig. 4)."""

import numpy as np
import pytest
import torch
from torch import nn

from models.blocks.residual_block import ResidualBlock
from models.specs.block import ResidualSpec

CHANNELS, FRAMES, ROWS, COLS = 14, 3, 5, 11


def test_z_is_the_normed_expansion_of_theta_plus_x():
    torch.manual_seed(5)
    block = ResidualBlock(CHANNELS, ResidualSpec(reduction=2)).eval()
    for value in (block.norm.weight, block.norm.bias, block.norm.running_mean):
        nn.init.normal_(value)
    block.norm.running_var.uniform_(0.5, 2.0)
    x = torch.randn(2, CHANNELS, FRAMES, ROWS, COLS)
    theta, expand = (
        conv.weight.detach().double().numpy()[:, :, 0, 0] for conv in (block.theta, block.expand)
    )
    assert theta.shape == (7, CHANNELS)
    z = np.einsum("oi,ic,bcthw->bothw", expand, theta, x.double().numpy())
    mean, var, weight, bias = (
        v.detach().double().numpy()[:, None, None, None]
        for v in (
            block.norm.running_mean,
            block.norm.running_var,
            block.norm.weight,
            block.norm.bias,
        )
    )
    expected = x.numpy() + (z - mean) / np.sqrt(var + block.norm.eps) * weight + bias
    with torch.no_grad():
        np.testing.assert_allclose(block(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_a_fresh_block_is_the_identity(training):
    block = ResidualBlock(CHANNELS, ResidualSpec()).train(training)
    x = torch.randn(2, CHANNELS, FRAMES, ROWS, COLS)
    with torch.no_grad():
        assert torch.equal(block(x), x)


def test_it_has_neither_phi_nor_g():
    names = {name.partition(".")[0] for name in ResidualBlock(8, ResidualSpec()).state_dict()}
    assert names == {"theta", "expand", "norm"}
