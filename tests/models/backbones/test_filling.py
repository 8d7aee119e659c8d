"""How fresh backbones are filled: convolutions as He et al. (2015), all else left alone."""

import pytest
import torch
from torch import nn

from models.backbones.filling import fill_convolutions


def constant(*layers):
    network = nn.Sequential(*layers)
    for value in network.parameters():
        nn.init.constant_(value, 9.0)
    return network


@pytest.mark.parametrize(
    ("layer", "fan_out"),
    [
        (nn.Conv2d(3, 101, (5, 7)), 101 * 5 * 7),
        (nn.Conv3d(7, 53, (2, 3, 5), bias=False), 53 * 2 * 3 * 5),
    ],
    ids=["2d", "3d"],
)
def test_a_convolution_has_the_spread_that_he_gives_and_no_bias(layer, fan_out):
    torch.manual_seed(5)
    fill_convolutions(constant(nn.Sequential(layer)))
    assert layer.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)
    assert abs(layer.weight.mean().item()) < 0.05 * (2 / fan_out) ** 0.5
    assert layer.bias is None or not layer.bias.any()


def test_norms_and_classifiers_are_left_alone():
    network = constant(nn.Conv2d(3, 5, 1), nn.BatchNorm2d(5), nn.Linear(5, 7))
    fill_convolutions(network)
    assert not (network[0].weight == 9).any()
    assert all((value == 9).all() for layer in network[1:] for value in layer.parameters())


def test_an_outline_is_not_filled(monkeypatch):
    monkeypatch.delattr(nn.init, "kaiming_normal_")
    with torch.device("meta"):
        network = nn.Sequential(nn.Conv2d(3, 5, 1))
    fill_convolutions(network)
    assert network[0].weight.is_meta
