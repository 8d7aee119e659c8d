"""Building networks and counting what they cost."""

import pytest
import torch
import torchvision

from models.blocks.block_table import AttentionBlock
from models.build import build, gmacs, outline, parameter_count, places_of
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, DigitSpec, ModelSpec


def test_a_built_network_is_in_eval_mode_and_its_block_changes_nothing():
    torch.manual_seed(2)
    plain = build(ModelSpec(base_width=8, num_classes=3))
    network = build(ModelSpec(base_width=8, num_classes=3, block=NonLocalSpec(), placement="5"))
    assert not any(m.training for m in network.modules())
    network.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), plain(x))


BLOCK = NonLocalSpec()
SPECS = {
    "no block": (ModelSpec(), ()),
    "one": (ModelSpec(depth=18, block=BLOCK, placement="1"), ("res4.0",)),
    "one after": (ModelSpec(depth=101, block=BLOCK, placement="1-after"), ("res4.22",)),
    "five": (
        ModelSpec(block=CGNLSpec(groups=8), placement="5"),
        ("res3.1", "res3.3", "res4.1", "res4.3", "res4.5"),
    ),
    "listed out of order": (
        ModelSpec(depth=34, block=BLOCK, placement=("res5.2", "res2.0", "res5.2")),
        ("res2.0", "res5.2"),
    ),
    "gates only": (CompactSpec("wrn", "10-1", 7, CGDSpec()), ()),
    "digits": (DigitSpec(BLOCK), ("nl_1", "nl_2")),
}


@pytest.mark.parametrize("name", SPECS)
def test_places_are_told_without_building_as_the_built_network_has_them(name):
    spec, labels = SPECS[name]
    network = outline(spec)
    assert places_of(spec) == network.places
    assert tuple(place.label for place in network.places) == labels
    standing = [module for module in network.modules() if isinstance(module, AttentionBlock)]
    assert [id(network.block_at(place)) for place in places_of(spec)] == [id(m) for m in standing]


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_parameters_are_counted_as_torchvision_publishes_them(depth):
    published = torchvision.models.get_model_weights(f"resnet{depth}").DEFAULT.meta["num_params"]
    assert parameter_count(outline(ModelSpec(depth=depth))) == published


def test_a_resnet_50_costs_what_everybody_says():
    assert gmacs(ModelSpec(), 224) == pytest.approx(4.09, abs=0.005)


def test_frames_apart_cost_as_much_as_so_many_pictures():
    spec = ModelSpec(base_width=8, num_classes=7)
    classifier = 7 * 256 / 1e9
    one, five = gmacs(spec, 64), gmacs(spec, 64, 5)
    assert five - classifier == pytest.approx(5 * (one - classifier))


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
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
