"""Building networks and counting what they cost."""

import pytest
import torch
import torchvision

from models.build import build, gmacs, parameter_count
from models.specs import CGNLSpec, ModelSpec, NonLocalSpec


def test_a_built_network_is_in_eval_mode_and_its_block_changes_nothing():
    torch.manual_seed(2)
    plain = build(ModelSpec(base_width=8, num_classes=3))
    network = build(ModelSpec(base_width=8, num_classes=3, block=NonLocalSpec(), placement="5"))
    assert not any(m.training for m in network.modules())
    network.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), plain(x))


def test_parameters_are_counted_as_torchvision_publishes_them():
    published = torchvision.models.ResNet50_Weights.DEFAULT.meta["num_params"]
    with torch.device("meta"):
        assert parameter_count(build(ModelSpec())) == published


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_gmacs_are_those_that_torchvision_publishes(depth):
    published = torchvision.models.get_model_weights(f"resnet{depth}").DEFAULT.meta["_ops"]
    assert gmacs(ModelSpec(depth=depth), 224) == pytest.approx(published, rel=0.005)


def test_a_block_adds_the_macs_of_its_convolutions_and_of_its_pairwise_products():
    base = ModelSpec()
    nl = ModelSpec(block=NonLocalSpec(), placement="1")
    cgnl = ModelSpec(block=CGNLSpec(groups=8), placement="1")
    cells = (224 // 16) ** 2
    projections = 3 * 1024 * 512 * cells / 1e9
    expand = 512 * 1024 * cells / 1e9
    pairwise = 2 * cells * cells * 512 / 1e9
    assert gmacs(nl, 224) - gmacs(base, 224) == pytest.approx(projections + expand + pairwise)
    assert gmacs(cgnl, 224) - gmacs(base, 224) == pytest.approx(projections + expand / 8, rel=1e-3)
