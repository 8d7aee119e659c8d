"""The backbone against torchvision's, clips against their frames, stages against the whole."""

import pytest
import torch
import torchvision

from models.backbones.resnet import AttentionResNet, stage_channels
from models.blocks.cgnl_block import CGNLBlock
from models.blocks.nonlocal_block import NonLocalBlock
from models.build import build
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, TemporalSpec
from models.specs.placement import Place, places
from models.zoo import catalogue
from tests.models.written.clips import randomise


def shapes(network):
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("block", [None, NonLocalSpec(), CGNLSpec()], ids=["plain", "nl", "cgnl"])
@pytest.mark.parametrize("depth", [50, 101, 152])
def test_keys_and_shapes_are_those_of_torchvision_and_blocks_stand_beside_them(depth, block):
    with torch.device("meta"):
        ours = AttentionResNet(
            ModelSpec(depth=depth, block=block, placement="5" if block else "none")
        )
        theirs = getattr(torchvision.models, f"resnet{depth}")()
    trunk = {k: v for k, v in shapes(ours).items() if not k.startswith("blocks.")}
    assert trunk == shapes(theirs)
    assert list(trunk) == list(shapes(theirs))
    extra = {k.split(".")[1] for k in shapes(ours) if k.startswith("blocks.")}
    assert extra == ({p.key for p in places(depth, "5")} if block else set())


@pytest.fixture(scope="module")
def torchvision_r50():
    torch.manual_seed(29)
    return torchvision.models.resnet50(num_classes=13).eval()


@pytest.mark.parametrize("block", [None, NonLocalSpec(), CGNLSpec()], ids=["plain", "nl", "cgnl"])
def test_logits_of_an_image_are_bit_equal_to_torchvisions(torchvision_r50, block):
    spec = ModelSpec(num_classes=13, block=block, placement="5" if block else "none")
    ours = build(spec)
    catalogue.load_trunk(ours, torchvision_r50.state_dict())
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = torchvision_r50(x)
        found = ours(x.unsqueeze(2))
    assert expected.std() > 0
    assert torch.equal(found, expected)


@pytest.mark.parametrize("depth", [18, 34])
def test_so_are_those_of_networks_of_basic_units(depth):
    torch.manual_seed(31)
    theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=13).eval()
    ours = build(ModelSpec(depth=depth, num_classes=13))
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(x.unsqueeze(2)), theirs(x))


I3D = TemporalSpec(5, 1, 1, 2, 1, True, ((0, 1, 2), (0, 2), (0, 2, 4), (1,)))
SHIFTED = TemporalSpec(shifted=((0, 1), (1,), (0, 5), (2,)))


@pytest.mark.parametrize("time", [I3D, SHIFTED], ids=["i3d", "shifted"])
@pytest.mark.parametrize(
    ("block", "placement"),
    [(None, "none"), (NonLocalSpec(pool_keys="before"), "1"), (CGNLSpec(), "1"),
     (NonLocalSpec("dot_product"), "5"), (CGNLSpec(), "10")],
)  # fmt: skip
def test_clips_go_on_from_any_place_as_if_they_had_never_stopped(time, block, placement):
    spec = ModelSpec(50, 8, block, placement, 7, temporal=time)
    network = randomise(build(spec)).double()
    x = torch.randn(2, 3, 8, 33, 37, dtype=torch.float64)
    with torch.no_grad():
        logits = network(x)
        assert logits.isfinite().all()
        for place in {*network.places, Place(2, 2), Place(3, 0), Place(5, 2)}:
            left = network.features(x, place)
            assert left.shape[1] == stage_channels(spec, place.stage)
            assert torch.equal(network.resume(place, left), logits)
            last = network.resume_features(place, left)
            torch.testing.assert_close(network.fc(last.mean((2, 3, 4))), logits)


def test_a_clip_of_a_network_without_time_is_the_mean_over_its_frames(plain_model):
    network = plain_model.network
    x = torch.randn(2, 3, 3, 64, 96)
    with torch.no_grad():
        found = network(x)
        frames = [network(x[:, :, t : t + 1]) for t in range(3)]
    torch.testing.assert_close(found, sum(frames) / 3, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(frames[0], frames[1], rtol=1e-2)


@pytest.mark.parametrize("spec", [NonLocalSpec(), CGNLSpec()], ids=["nl", "cgnl"])
def test_blocks_look_across_frames(tiny_model, spec):
    network = tiny_model(spec).network
    x = torch.randn(1, 3, 3, 64, 64)
    with torch.no_grad():
        first = network.features(x, network.places[0])
        x[:, :, 2] += torch.randn(1, 3, 64, 64)
        second = network.features(x, network.places[0])
    assert not torch.allclose(first[:, :, 0], second[:, :, 0], atol=1e-4)


@pytest.mark.parametrize(
    ("place", "frames"), [(Place(2, 0), 1), (Place(4, 4), 2), (Place(4, 5), 1), (Place(5, 2), 2)]
)
def test_stopping_at_a_place_and_going_on_is_the_whole_forward(cgnl_model, place, frames):
    network = cgnl_model.network
    x = torch.randn(2, 3, frames, 64, 96)
    with torch.no_grad():
        left = network.features(x, place)
        kept = left.clone()
        resumed = network.resume(place, left)
        assert torch.equal(resumed, network(x))
        assert torch.equal(left, kept)
        pooled = network.resume_features(place, left).mean((2, 3, 4))
        torch.testing.assert_close(network.fc(pooled), resumed)
    assert left.shape[1] == stage_channels(network.spec, place.stage)


def test_features_at_a_block_are_what_leaves_the_block(nl_model):
    network = nl_model.network
    (place,) = network.places
    outputs = []
    handle = network.block_at(place).register_forward_hook(lambda *args: outputs.append(args[2]))
    with torch.no_grad():
        left = network.features(torch.randn(1, 3, 1, 64, 64), place)
    handle.remove()
    assert torch.equal(left, outputs[0])


def test_stage_channels_are_those_of_the_stages():
    spec = ModelSpec(base_width=16)
    with torch.device("meta"):
        network = AttentionResNet(spec)
    for stage in (2, 3, 4, 5):
        layer = getattr(network, f"layer{stage - 1}")
        assert stage_channels(spec, stage) == layer[-1].conv3.out_channels


@pytest.mark.parametrize("placement", ["1", "1-after", "5"])
@pytest.mark.parametrize(
    ("spec", "kind"), [(NonLocalSpec(), NonLocalBlock), (CGNLSpec(), CGNLBlock)]
)
def test_the_blocks_of_a_spec_stand_at_its_places(spec, kind, placement):
    with torch.device("meta"):
        network = AttentionResNet(ModelSpec(block=spec, placement=placement))
    assert network.places == places(50, placement)
    assert [type(network.block_at(p)) for p in network.places] == [kind] * len(network.places)
    assert all(
        network.block_at(p).norm.weight.shape == (256 * 2 ** (p.stage - 2),) for p in network.places
    )
