"""Building networks and counting what they cost."""

import inspect
from typing import get_args

import pytest
import torch
import torchvision
from torch import nn

from errors import OutsideError
from models.backbones.digits import DigitNetwork
from models.backbones.efficientnet_lite import EfficientNetLite
from models.backbones.image_network import ImageNetwork
from models.backbones.mobilenet import MobileNet
from models.backbones.preresnet import PreResNet
from models.backbones.resnet import AttentionResNet
from models.backbones.squeezenet import SqueezeNet
from models.backbones.wide_resnet import WideResNet
from models.blocks.block_table import AttentionBlock
from models.build import Network, build, gmacs, outline, parameter_count, places_of
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, DigitSpec, LiteSpec, ModelSpec, NetworkSpec
from models.specs.placement import Place


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


CLASSES = {
    AttentionResNet: ModelSpec(depth=18, base_width=8, block=BLOCK, placement="1"),
    DigitNetwork: DigitSpec(BLOCK),
    EfficientNetLite: LiteSpec(),
    MobileNet: CompactSpec("mobilenet", "0.1"),
    SqueezeNet: CompactSpec("squeezenet", "1.1"),
    PreResNet: CompactSpec("preresnet", "8"),
    WideResNet: CompactSpec("wrn", "10-1"),
}


def test_every_class_of_networks_is_listed_here():
    compact = {cls for cls in CLASSES if issubclass(cls, ImageNetwork)}
    assert compact == set(ImageNetwork.__subclasses__())
    assert {type(spec) for spec in CLASSES.values()} == set(get_args(NetworkSpec))


@pytest.mark.parametrize("cls", CLASSES)
def test_every_network_has_what_captures_and_pages_ask_of_one(cls):
    network = outline(CLASSES[cls])
    assert type(network) is cls
    assert isinstance(network, nn.Module)
    assert isinstance(network, Network)
    assert all(isinstance(place, Place) for place in network.places)
    for name in ("block_at", "gated", "resume"):
        asked = inspect.signature(getattr(Network, name)).parameters
        assert list(inspect.signature(getattr(cls, name)).parameters) == list(asked), name
    for place in network.places:
        assert isinstance(network.block_at(place), AttentionBlock)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if issubclass(cls, ImageNetwork)])
def test_a_network_without_blocks_refuses_every_place_in_one_line(cls, one_line):
    network = outline(CLASSES[cls])
    for ask in (lambda: network.block_at(Place(4, 1)), lambda: network.resume(Place(4, 1), None)):
        with pytest.raises(OutsideError, match=r"'res4\.1' is not a place") as caught:
            ask()
        one_line(caught.value)


def test_a_module_that_cannot_be_resumed_is_no_network():
    class Half(nn.Module):
        spec, places = ModelSpec(), ()
        block_at = gated = staticmethod(dict)

    assert not isinstance(Half(), Network)


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
