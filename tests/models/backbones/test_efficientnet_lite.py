"""EfficientNet-Lite against the published definition; frames, blocks and gates beside it."""

import pytest
import torch
from torch import nn

from errors import SpecError
from models.build import build, gmacs, outline, places_of
from models.checkpoints.families.key_tables import rename
from models.checkpoints.families.lite import LITE_TABLE
from models.describe import headline
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec, SESpec
from models.specs.lite import lite_units
from models.specs.network import LiteSpec
from models.specs.placement import LitePlace, lite_places

DOT = NonLocalSpec("dot_product", scale=False, bias=True)


def small(**options) -> nn.Module:
    torch.manual_seed(5)
    network = build(LiteSpec("lite0", num_classes=7, **options))
    for part in network.units.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.0)
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 1.5)
    return network


@pytest.mark.parametrize(("name", "side"), [("lite0", 64), ("lite1", 96), ("lite2", 64)])
def test_outputs_are_those_of_the_published_definition(name, side):
    published = pytest.importorskip("efficientnet_lite_pytorch")
    torch.manual_seed(3)
    theirs = published.EfficientNet.from_name(
        f"efficientnet-{name}", image_size=side, num_classes=7
    ).eval()
    for part in theirs.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 1.5)
    network = build(LiteSpec(name, num_classes=7))
    tensors = rename(LITE_TABLE, theirs.state_dict(), "theirs").tensors
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert all(key.endswith("num_batches_tracked") for key in missing)
    x = torch.randn(2, 3, side, side)
    with torch.no_grad():
        expected = theirs(x)
        assert expected.abs().max() > 1e-2
        torch.testing.assert_close(network(x.unsqueeze(2)), expected, rtol=1e-5, atol=1e-5)


def test_units_and_widths_are_those_of_the_published_lite2():
    units = lite_units("lite2")
    assert [unit.out for unit in units] == (
        [16] + [24] * 3 + [48] * 3 + [88] * 4 + [120] * 4 + [208] * 5 + [352]
    )
    assert [n for n, unit in enumerate(units) if unit.total_stride == 16] == list(range(7, 15))
    assert (len(lite_units("lite0")), len(lite_units("lite1"))) == (16, 21)


@pytest.mark.parametrize("shape", [(32, 64), (96, 32)])
def test_pictures_of_any_multiple_of_32_pass(shape):
    with torch.no_grad():
        assert small()(torch.randn(1, 3, 1, *shape)).shape == (1, 7)


def test_frames_are_apart_without_a_block_and_meet_in_one():
    clip = torch.randn(1, 3, 3, 64, 64)
    turned = clip.clone()
    turned[:, :, 2] = torch.randn(1, 3, 64, 64)
    plain, attending = small(), small(block=DOT, placement="1")
    nn.init.ones_(attending.block_at(attending.places[0]).norm.weight)

    def first_frame(network, x):
        folded = x.transpose(1, 2).flatten(0, 1)
        features = network.run_units(network.run_stem(folded), x.shape[2], 0, 10)
        return features[0]

    with torch.no_grad():
        assert torch.equal(first_frame(plain, clip), first_frame(plain, turned))
        assert not torch.equal(first_frame(attending, clip), first_frame(attending, turned))
        frames = torch.stack([plain.pooled(torch.ones(1, 320, 2, 2), 1)])
        assert frames.shape == (1, 1, 1280)


@pytest.mark.parametrize("block", [DOT, CGNLSpec(groups=4)])
@pytest.mark.parametrize("placement", ["1", "5", ("unit2", "unit15")])
def test_fresh_blocks_anywhere_change_nothing(block, placement):
    plain, network = small(), small(block=block, placement=placement)
    network.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(2, 3, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(x), plain(x))
    assert network.places == places_of(network.spec) == lite_places("lite0", placement)
    assert [key.split(".")[1] for key in network.state_dict() if "projection.g.weight" in key] == [
        place.key for place in network.places
    ]


def test_resuming_after_a_place_gives_the_same_logits():
    network = small(block=DOT, placement="1")
    place = network.places[0]
    kept = []
    network.block_at(place).register_forward_hook(lambda _m, _a, out: kept.append(out))
    x = torch.randn(2, 3, 2, 64, 64)
    with torch.no_grad():
        logits = network(x)
        torch.testing.assert_close(network.resume(place, kept[0]), logits)


def test_gates_stand_in_every_unit_and_start_as_the_identity():
    plain, network = small(), small(gate=CGDSpec())
    network.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(x), plain(x))
    assert list(network.gated()) == [f"unit{n}" for n in range(16)]


def test_one_and_five_places_are_the_last_of_strides_8_and_16():
    assert [p.label for p in lite_places("lite2", "1")] == ["unit14"]
    assert [p.label for p in lite_places("lite2", "5")] == [
        "unit5", "unit6", "unit10", "unit12", "unit14",
    ]  # fmt: skip
    assert lite_places("lite0", "none") == ()
    assert LitePlace(0, 9) < LitePlace(0, 10)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size_name": "lite9"}, "lite0, lite1, lite2"),
        ({"placement": "1"}, "no block"),
        ({"block": DOT}, "placement"),
        ({"block": DOT, "placement": "10"}, "none, 1, 5"),
        ({"gate": SESpec()}, "use CGD"),
        ({"num_classes": 0}, "Number of classes"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(options, said, one_line):
    with pytest.raises(SpecError, match=said) as caught:
        LiteSpec(**options)
    one_line(caught.value)


@pytest.mark.parametrize("label", ["unit21", "res4.4", "unit", 3])
def test_a_place_that_it_does_not_have_is_refused(label, one_line):
    with pytest.raises(SpecError, match="unit0 to unit20") as caught:
        lite_places("lite2", (label,))
    one_line(caught.value)


def test_its_cost_and_headline():
    assert gmacs(LiteSpec("lite2"), 224) == pytest.approx(0.5765, abs=1e-3)
    assert headline(LiteSpec("lite2", num_classes=100)).startswith("EfficientNet-Lite2; 256 px")
    assert sum(p.numel() for p in outline(LiteSpec("lite2")).parameters()) == 6_092_072
