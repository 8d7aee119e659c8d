"""How blocks are started: the directions that are in the features, and what theta and phi get."""

import pytest
import torch

from models.blocks.block_table import block as block_of
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec, NonLocalSpec
from scripts.training.block_init import principal_directions, spherical_kmeans, start_from

CHANNELS, STAGE = 64, 4


@pytest.mark.parametrize("spec", [NonLocalSpec(bias=True), CGNLSpec(groups=8)])
def test_a_started_block_compares_its_input_by_similarity_and_is_still_the_identity(spec, capsys):
    torch.manual_seed(1)
    mixing = torch.randn(CHANNELS, CHANNELS)
    features = torch.randn(3000, CHANNELS) @ mixing + 2
    module = block_of(spec, CHANNELS, STAGE).eval()
    start_from(module, features, deviation=3.0, seed=0)
    assert "started from 3000 features" in capsys.readouterr().out
    assert torch.equal(module.projection.theta.weight, module.projection.phi.weight)
    clip = features[:35].T.reshape(1, -1, 1, 5, 7)
    with torch.no_grad():
        assert torch.equal(module(clip), clip)
        factors = module.projection(clip)
    if isinstance(spec, NonLocalSpec):
        assert factors.query_grid == Grid(1, 5, 7)
        logits = factors.queries[0] @ factors.keys[0].T * module.pairwise.scale
        assert 1.0 < logits.std() < 9.0
    else:
        assert factors.theta.std() == pytest.approx(1, rel=0.5)


def test_principal_directions_are_those_of_the_covariance():
    torch.manual_seed(2)
    features = torch.randn(500, 5) * torch.tensor([5.0, 1, 3, 0.1, 0.5]) + 7
    directions = principal_directions(features, 2).abs()
    assert directions[0].argmax() == 0
    assert directions[1].argmax() == 2
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(2))


def test_spherical_kmeans_finds_directions_that_are_there():
    torch.manual_seed(3)
    axes = torch.eye(3)
    features = torch.cat([a * s + 0.01 * torch.randn(60, 3) for a in axes for s in (4.0,)])
    centroids = spherical_kmeans(features, 9, seed=1)
    centred = torch.nn.functional.normalize(axes - axes.mean(0), dim=1)
    assert ((centroids @ centred.T).amax(0) > 0.98).all()
