"""The compact networks against their layers written out on the state dict."""

import pytest
import torch
from torch import nn

from errors import SpecError
from models.backbones.compact import compact
from models.blocks.cgd_block import CGDBlock
from models.specs.gate import CGDSpec, SESpec
from models.specs.network import CompactSpec
from tests.models.written.compact_written import (
    FIRES,
    Written,
    mobilenet,
    preresnet,
    preresnet_bottleneck,
    squeezenet,
    wide_resnet,
)

CLASSES = 7
SMALL = {"mobilenet": "0.1", "squeezenet": "1.1", "preresnet": "8", "wrn": "10-1"}


def made(family, size_name, gate=None):
    torch.manual_seed(13)
    network = compact(CompactSpec(family, size_name, CLASSES, gate))
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.2, 0.2)
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 1.5)
        elif isinstance(part, CGDBlock):
            for parameter in part.parameters():
                nn.init.normal_(parameter, std=0.5)
    return network.eval()


@pytest.mark.parametrize(
    ("family", "size_name", "written"),
    [
        ("mobilenet", "0.1", mobilenet),
        ("squeezenet", "1.1", squeezenet),
        ("preresnet", "8", preresnet),
        ("preresnet", "44", preresnet_bottleneck),
        ("wrn", "10-1", wide_resnet),
        ("wrn", "10-2", wide_resnet),
    ],
)
def test_a_network_is_its_layers_written_out(family, size_name, written):
    network = made(family, size_name, CGDSpec())
    x = torch.randn(2, 3, 37, 41)
    with torch.no_grad():
        expected = written(Written(network), x)
        found = network(x.unsqueeze(2))
    assert found.shape == (2, CLASSES)
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_squeezenet_without_gates_has_no_norms_either(version):
    network = made("squeezenet", version)
    assert not any(".bn." in key or ".attention." in key for key in network.state_dict())
    x = torch.randn(2, 3, 61, 53)
    with torch.no_grad():
        expected = squeezenet(Written(network), x, version, gated=False)
        torch.testing.assert_close(network(x.unsqueeze(2)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["mobilenet", "preresnet", "wrn"])
def test_a_fresh_gate_changes_nothing(family):
    plain = made(family, SMALL[family])
    gated = compact(CompactSpec(family, SMALL[family], CLASSES, CGDSpec())).eval()
    missing = gated.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert all(".attention." in key or key.endswith(".scale") for key in missing)
    x = torch.randn(2, 3, 2, 32, 32)
    with torch.no_grad():
        assert torch.equal(gated(x), plain(x))


@pytest.mark.parametrize("family", list(SMALL))
def test_logits_of_a_clip_are_those_of_its_mean_feature(family):
    network = made(family, SMALL[family])
    clip = torch.randn(2, 3, 3, 32, 32)
    with torch.no_grad():
        frames = [network.features_of(clip[:, :, t], 1).mean((2, 3)) for t in range(3)]
        expected = network.classify(sum(frames) / 3)
        torch.testing.assert_close(network(clip), expected, rtol=1e-4, atol=1e-5)


def test_gates_see_the_whole_clip():
    network = made("wrn", "10-1", CGDSpec())
    picture = torch.randn(1, 3, 1, 16, 16)
    with torch.no_grad():
        still = network(picture.expand(-1, -1, 3, -1, -1))
        assert not torch.allclose(still, network(picture), rtol=1e-2)
        # Summing z over three equal frames is three times w2 on one of them, its bias aside.
        for gate in network.gated().values():
            gate.w2 *= 3
        torch.testing.assert_close(network(picture), still, rtol=1e-4, atol=1e-5)


def test_gates_are_named_by_their_units_in_the_order_they_are_passed():
    for family, names in {
        "mobilenet": [f"layers.{n}" for n in range(13)],
        "squeezenet": [f"features.{n}" for n in FIRES["1.1"]],
        "preresnet": [f"layer{n}.0" for n in (1, 2, 3)],
        "wrn": [f"block{n}.layer.0" for n in (1, 2, 3)],
    }.items():
        network = made(family, SMALL[family], CGDSpec())
        assert list(network.gated()) == names
        passed = []
        for name, gate in network.gated().items():
            gate.register_forward_hook(lambda *_, name=name, passed=passed: passed.append(name))
        with torch.no_grad():
            network(torch.randn(1, 3, 1, 32, 32))
        assert passed == names
        assert network.places == ()
        assert made(family, SMALL[family]).gated() == {}


def test_widths_of_mobilenet_are_the_authors():
    with torch.device("meta"):
        state = compact(CompactSpec("mobilenet", "0.7")).state_dict()
    widths = [state[f"layers.{n}.conv2.weight"].shape[0] for n in range(13)]
    assert widths == [45, 90, 90, 179, 179, 358, 358, 358, 358, 358, 358, 717, 717]
    assert state["conv1.weight"].shape == (22, 3, 3, 3)
    assert state["linear.weight"].shape == (1000, 717)


def test_the_unused_scale_of_preresnet_is_there_and_unused():
    network = made("preresnet", "8", CGDSpec())
    x = torch.randn(1, 3, 1, 16, 16)
    with torch.no_grad():
        expected = network(x)
        for stage in (network.layer1, network.layer2, network.layer3):
            assert stage[0].scale.shape == (1,)
            stage[0].scale.fill_(torch.nan)
        assert torch.equal(network(x), expected)
    assert not any("scale" in key for key in made("preresnet", "8").state_dict())


@pytest.mark.parametrize(
    ("family", "size_name", "advice"),
    [
        ("mobilenet", "large", "such as 1.0 or 0.7"),
        ("mobilenet", "0.0", "such as 1.0 or 0.7"),
        ("mobilenet", "2.5", "such as 1.0 or 0.7"),
        ("squeezenet", "1.2", "1.0 or 1.1"),
        ("squeezenet", "1x1", "1.0 or 1.1"),
        ("preresnet", "57", "such as 56"),
        ("preresnet", "2", "such as 56"),
        ("preresnet", "9998", "such as 56"),
        ("preresnet", "-56", "such as 56"),
        ("wrn", "28", "such as 28-8"),
        ("wrn", "29-8", "such as 28-8"),
        ("wrn", "28-0", "such as 28-8"),
        ("wrn", "28-65", "such as 28-8"),
        ("wrn", None, "such as 28-8"),
    ],
)
def test_a_size_that_the_family_does_not_have_is_refused(family, size_name, advice, one_line):
    with pytest.raises(SpecError, match=advice) as caught:
        compact(CompactSpec(family, size_name))
    assert family in one_line(caught.value)


def test_a_gate_of_another_kind_is_refused(one_line):
    with pytest.raises(SpecError, match="CGD") as caught:
        compact(CompactSpec("wrn", "10-1", CLASSES, SESpec()))
    one_line(caught.value)
