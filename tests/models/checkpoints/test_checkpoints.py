"""Loading whole or not at all: precision, wrappers, and one clear line for what does not fit."""

import pytest
import torch
from safetensors.torch import save_file

from errors import CheckpointError
from models.checkpoints import inspect, load, own
from models.specs.block import NonLocalSpec
from tests.models.checkpoints.families.test_families import GREY, ORIGINAL, network_of, resnet
from tests.models.written import foreign

BLOCK = NonLocalSpec("embedded_gaussian", True, "before", bias=True, expand_bias=True)


@pytest.fixture(scope="module")
def network():
    return network_of(resnet(BLOCK, "5", ORIGINAL, frames=32, frame_stride=2, **GREY))


@pytest.fixture
def state(network):
    return foreign.renamed(network, foreign.TUSHAR, counters=False, five="all")


def saved(tmp_path, content):
    return foreign.torch_saved(tmp_path / "net.pth", content)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("container", ["torch", "safetensors"])
def test_weights_of_any_precision_become_float32(tmp_path, network, state, dtype, container):
    cast = {key: value.to(dtype).contiguous() for key, value in state.items()}
    path = tmp_path / "net"
    if container == "torch":
        torch.save(cast, path)
    else:
        save_file(cast, path)
    model = load(path)
    assert model.spec == network.spec
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(model.network.state_dict()[key], value.to(dtype).float()), key


@pytest.mark.parametrize("prefix", ["module.", "module.module.", "_orig_mod.module."])
def test_wrapped_networks_load(tmp_path, network, state, prefix):
    path = saved(tmp_path, {"state_dict": {f"{prefix}{k}": v for k, v in state.items()}})
    model = load(path, model_id="mine")
    assert (model.id, model.spec) == ("mine", network.spec)
    assert set(model.report.renamed) | set(model.report.ignored) == {prefix + key for key in state}
    assert not any(module.training for module in model.network.modules())


def test_inspecting_tells_what_loading_would_without_a_network(tmp_path, network, state):
    path = saved(tmp_path, state)
    model, found = load(path), inspect(path)
    assert (found.spec, found.report, found.class_names) == (model.spec, model.report, ())
    assert model.id == "net"
    assert len(model.sha256) == 64


def test_a_file_of_our_own_goes_the_same_way(tmp_path, network):
    path = tmp_path / "mine.safetensors"
    own.write(path, network, tuple("abcdefg"), "Mine")
    model, found = load(path), inspect(path)
    assert model.spec == found.spec == network.spec
    assert model.class_names == found.class_names == tuple("abcdefg")
    assert model.report.family == "this project's own"


def without(start):
    return lambda s: [s.pop(key) for key in list(s) if key.startswith(start)]


def renamed_block(s):
    for key in [key for key in s if key.startswith("layer2.1.nl.")]:
        s[key.replace("layer2.1", "layer2.7")] = s.pop(key)


def half_a_block(s):
    s["layer1.0.nl.g.weight"] = torch.ones(16, 32, 1, 1, 1)


def nan(s):
    s["layer3.2.conv2.weight"] = s["layer3.2.conv2.weight"].clone()
    s["layer3.2.conv2.weight"][0] = torch.nan


FAULTS = {
    "missing block key": (without("layer3.1.nl.theta.weight"), "missing (blocks.res4_1"),
    "missing key of the first block": (without("layer2.1.nl.out.weight"), "expand"),
    "missing norm of a block": (without("layer3.3.nl.bn.running_mean"), "1 key missing"),
    "part of one more block": (half_a_block, "expand.weight"),
    "a block after no unit": (renamed_block, "res3.7"),
    "missing trunk key": (without("layer1.0.bn2.bias"), "missing (layer1.0.bn2.bias)"),
    "missing stem": (without("conv1.weight"), "conv1.weight"),
    "missing unit": (without("layer4.2."), "(3, 4, 6, 2)"),
    "classes that disagree": (lambda s: s.update({"fc.bias": torch.ones(9)}), "fc.bias"),
    "classifier of one dimension": (lambda s: s.update({"fc.weight": torch.ones(7)}), "fc.weight"),
    "another shape": (
        lambda s: s.update({"layer2.1.nl.g.weight": torch.ones(3, 64, 1, 1, 1)}),
        "another shape",
    ),
    "a number for the stem": (lambda s: s.update({"conv1.weight": torch.tensor(3.0)}), "conv1"),
    "a number for a block": (
        lambda s: s.update({"layer2.1.nl.g.weight": torch.tensor(3.0)}), "projection.g"
    ),
    "an empty block": (
        lambda s: s.update({"layer2.1.nl.g.weight": torch.ones(0, 64)}), "whose shape"
    ),
    "not a number": (nan, "not finite (layer3.2.conv2.weight)"),
    "a stranger": (lambda s: s.update({"adapter.w": torch.ones(1)}), "(adapter.w). Nothing was"),
    "a layer more in a unit": (
        lambda s: s.update({"layer1.0.fc1.weight": torch.ones(1)}), "layer1.0.fc1.weight"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), FAULTS.values(), ids=FAULTS)
def test_what_does_not_fit_is_refused_in_one_line_and_nothing_is_loaded(
    tmp_path, state, change, words, one_line
):
    change(state)
    path = saved(tmp_path, state)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    text = one_line(caught.value)
    assert words in text
    assert "net.pth" in text
    with pytest.raises(CheckpointError):
        inspect(path)


OTHERS = {
    "a linear layer": {"weight": torch.ones(3, 2), "bias": torch.ones(3)},
    "a transformer": {
        "cls_token": torch.ones(1, 1, 8),
        "blocks.0.attn.qkv.weight": torch.ones(24, 8),
        "head.weight": torch.ones(7, 8),
    },
    "another transformer": {
        "class_token": torch.ones(1, 1, 8),
        "conv_proj.weight": torch.ones(8, 3, 16, 16),
        "encoder.layers.encoder_layer_0.self_attention.in_proj_weight": torch.ones(24, 8),
    },
    "a detector": {
        "module.backbone.body.layer3.5.t.weight": torch.ones(8, 16, 1, 1),
        "module.rpn.head.conv.weight": torch.ones(3, 3),
    },
    "a detector of actions": {
        "backbone.conv1.conv.weight": torch.ones(8, 3, 1, 7, 7),
        "roi_head.bbox_head.fc_cls.weight": torch.ones(81, 8),
    },
    "a SlowFast": {
        "s1.pathway0_stem.conv.weight": torch.ones(8, 3, 1, 7, 7),
        "s1.pathway1_stem.conv.weight": torch.ones(1, 3, 5, 7, 7),
    },
    "a VGG": {f"features.{k}.weight": torch.ones(2, 2, 3, 3) for k in range(3)},
    "a DenseNet": {"features.conv0.weight": torch.ones(8, 3, 7, 7)},
    "only a stem": {"backbone.conv1.conv.weight": torch.ones(8, 3, 5, 7, 7)},
    "only a block": {"layer3.5.t.weight": torch.ones(8, 16, 1, 1)},
    "only a gate": {"layer1.0.attention.w0": torch.ones(8, 1)},
    "only a digit block": {"nl_1.g.weight": torch.ones(8, 16, 1, 1)},
    "a ResNeXt's unit": {"layer1.0.conv1.weight": torch.ones(8, 3, 1, 1)},
}


@pytest.mark.parametrize("tensors", OTHERS.values(), ids=OTHERS)
def test_the_state_dict_of_another_network_is_refused_in_one_line(tmp_path, tensors, one_line):
    with pytest.raises(CheckpointError) as caught:
        load(saved(tmp_path, tensors))
    assert "net.pth" in one_line(caught.value)
