"""What a lab's own run leaves: prefixes, wrappers, other heads, losses; trunk and blocks whole."""

import pytest
import torch

from errors import CheckpointError
from models.checkpoints import inspect, load
from models.report import UndecidedError
from models.specs.network import ModelSpec
from tests.models.checkpoints.families import test_trust
from tests.models.checkpoints.families.test_families import CGNL_BLOCKS, network_of, resnet
from tests.models.written import foreign

pytestmark = pytest.mark.slow

CGNL = {"kernel": "cgnl"}


def cgnl_network():
    return network_of(resnet(CGNL_BLOCKS["cgnl"][0], "1"))


def cgnl_state(network):
    return foreign.with_own_number(foreign.renamed(network, CGNL_BLOCKS["cgnl"][1]), 4)


@pytest.fixture(scope="module")
def network():
    return cgnl_network()


@pytest.fixture
def state(network):
    return cgnl_state(network)


def saved(tmp_path, content):
    return foreign.torch_saved(tmp_path / "net.ckpt", content)


def assert_trunk_and_block(model, network, classifier=True):
    """Check that every tensor but the classifier's is that of the network that was written."""
    found, expected = model.network.state_dict(), network.state_dict()
    skipped = () if classifier else ("fc.weight", "fc.bias")
    for key, value in expected.items():
        if key not in skipped and not key.endswith("num_batches_tracked"):
            assert torch.equal(found[key], value), key
    assert ("fc.weight" in found) == classifier


PREFIXES = (
    "", "module.", "module.module.", "_orig_mod.module.", "model.", "net.", "backbone.",
    "model.module.backbone.", "encoder._orig_mod.", "a.b.c.d.",
)  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_that_all_keys_share_is_taken_off_and_reported(tmp_path, network, state, prefix):
    path = saved(tmp_path, {"state_dict": {f"{prefix}{k}": v for k, v in state.items()}})
    model = load(path, CGNL)
    assert_trunk_and_block(model, network)
    assert set(model.report.renamed) | set(model.report.ignored) == {prefix + k for k in state}
    facts = {fact.name: fact.value for fact in model.report.facts}
    assert facts.get("prefix", "") == prefix


BEHIND = {
    "mmaction2": (test_trust.mmaction, {"function": "dot_product"}),
    "TSM": (test_trust.tsm, {}),
    "gluon": (test_trust.gluon, {}),
    "CGNL": (test_trust.cgnl, CGNL),
}


@pytest.mark.parametrize(("make", "answers"), BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("prefix", ["model.", "module.net."])
@pytest.mark.parametrize("headless", [False, True])
def test_families_with_a_prefix_of_their_own_are_known_behind_another(
    tmp_path, make, answers, prefix, headless
):
    heads = ("fc.", "head.", "new_fc.", "cls_head.") if headless else ("none",)
    state = {key: value for key, value in make().items() if not key.startswith(heads)}
    bare = inspect(saved(tmp_path, state), answers)
    found = inspect(saved(tmp_path, {f"{prefix}{k}": v for k, v in state.items()}), answers)
    assert found.spec == bare.spec
    assert found.report.family == bare.report.family != "a ResNet with blocks of one's own"
    assert found.spec.num_classes == (0 if headless else 7)


def linear(features, classes=5):
    return {"weight": torch.ones(classes, features), "bias": torch.ones(classes)}


def named(prefix, tensors):
    return {f"{prefix}.{key}": value for key, value in tensors.items()}


HEADS = {
    "in a sequence": named("fc.1", linear(256)),
    "called classifier": named("classifier", linear(256)),
    "two layers": named("fc1", linear(256, 64)) | named("fc2", linear(64)),
    "of two poolings": named("fc", linear(512)),
    "without a bias": {"fc.weight": torch.ones(5, 256)},
    "for several tasks": named("heads.colour", linear(256)) | named("heads.shape", linear(256)),
    "none": {},
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("prefix", ["", "model."])
def test_another_head_is_left_out_and_the_maps_remain(tmp_path, network, state, head, prefix):
    bare = {k: v for k, v in state.items() if not k.startswith("fc.")}
    path = saved(tmp_path, {"state_dict": {prefix + k: v for k, v in {**bare, **head}.items()}})
    model = load(path, CGNL)
    assert_trunk_and_block(model, network, classifier=False)
    assert model.spec.num_classes == 0
    assert model.class_names == ()
    for key in head:
        assert "head" in model.report.ignored[prefix + key]
    with torch.no_grad():
        assert model.network(torch.randn(2, 3, 1, 33, 37)).shape == (2, 0)


EXTRAS = {
    "a loss": ({"criterion.weight": torch.ones(5)}, "a loss"),
    "a loss's layer": ({"loss_fn.center.weight": torch.ones(5)}, "a loss"),
    "class weights": ({"ce.weight": torch.ones(5)}, "a loss"),
    "an auxiliary head": (named("aux_head.0", linear(64)), "an auxiliary head"),
    "an old classifier of training": (named("aux_classifier", linear(64)), "an auxiliary head"),
    "preparation": ({"data_preprocessor.mean": torch.ones(3, 1, 1)}, "prepares"),
    "a layer's own state": ({"_extra_state": torch.ones(1)}, "keeps for itself"),
    "a running average": ({"ema_decay": torch.ones(1), "n_averaged": torch.ones(1)}, "average"),
    "a measure": ({"train_acc.correct": torch.ones(1)}, "a measure"),
    "a queue": ({"queue": torch.ones(3, 4), "queue_ptr": torch.ones(1)}, "a memory"),
    "numbers": ({"epoch": 3, "nothing": None}, ""),
}


@pytest.mark.parametrize(("extra", "reason"), EXTRAS.values(), ids=EXTRAS)
@pytest.mark.parametrize("prefix", ["", "model."])
def test_what_training_adds_is_left_out_with_its_reason(
    tmp_path, network, state, extra, reason, prefix
):
    path = saved(tmp_path, {"state_dict": {**{prefix + k: v for k, v in state.items()}, **extra}})
    model = load(path, CGNL)
    assert_trunk_and_block(model, network)
    for key in extra:
        assert reason in model.report.ignored.get(key, "")


def test_the_rest_is_refused_until_it_is_said_that_it_may_be_left_out(tmp_path, state, one_line):
    path = saved(tmp_path, {"state_dict": {**state, "adapter.down.weight": torch.ones(3)}})
    with pytest.raises(CheckpointError, match=r"1 key that this family.*ignore=adapter") as caught:
        load(path, CGNL)
    one_line(caught.value)
    model = load(path, {**CGNL, "ignore": "adapter.*, else.*"})
    assert model.report.ignored["adapter.down.weight"] == "left out because you said so"
    assert "ignore" in model.report.answered


@pytest.mark.parametrize("lost", ["layer3.5.t.weight", "layer2.1.bn2.bias", "conv1.weight"])
def test_trunk_and_block_load_whole_or_not_at_all(tmp_path, state, lost, one_line):
    path = saved(tmp_path, {k: v for k, v in state.items() if k != lost})
    for answers in (CGNL, {**CGNL, "ignore": "*"}):
        with pytest.raises(CheckpointError) as caught:
            load(path, answers)
        one_line(caught.value)


OTHERS = {
    "a segmenter": {"classifier.0.weight": torch.ones(16, 256, 3, 3)},
    "a detector": {"neck.fpn.0.conv.weight": torch.ones(8, 8, 3, 3)},
    "a pose network": {"deconv_layers.0.weight": torch.ones(8, 8, 4, 4)},
    "squeeze and excitation": {"layer1.0.se.fc1.weight": torch.ones(4, 8, 1, 1)},
    "a deeper stem": {"conv2.weight": torch.ones(8, 8, 3, 3)},
    "an adapter in a unit": {"layer2.0.adapter.weight": torch.ones(8, 8)},
}  # fmt: skip


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_a_trunk_that_runs_in_another_way_is_refused(tmp_path, state, others, prefix, one_line):
    inside = {k: v for k, v in others.items() if k.startswith(("layer", "conv2"))}
    whole = {prefix + k: v for k, v in {**state, **inside}.items()} | others
    with pytest.raises(CheckpointError, match="keys? that this family does not have") as caught:
        load(saved(tmp_path, whole), CGNL)
    one_line(caught.value)


WRAPPED = {
    "network": lambda s: {"network": s},
    "weights": lambda s: {"weights": s, "epoch": 3},
    "params": lambda s: {"params": s},
    "module": lambda s: {"module": s},
    "model.state_dict": lambda s: {"model": {"state_dict": s, "name": "r50"}},
    "ema": lambda s: {"ema": s},
    "ema.module": lambda s: {"ema": {"module": s, "updates": 3}},
    "a name of their own": lambda s: {"my_resnet": s, "optimizer": {"state": {}}},
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_weights_are_found_under_the_names_that_people_give_them(tmp_path, network, state, wrap):
    assert_trunk_and_block(load(saved(tmp_path, wrap(state)), CGNL), network)


SEVERAL = {
    "an average": (lambda s, o: {"model": o, "ema": s}, ("model", "ema"), "ema"),
    "DINO's": (lambda s, o: {"student": o, "teacher": s}, ("student", "teacher"), "teacher"),
    "deeper": (
        lambda s, o: {"model": {"state_dict": o}, "ema": {"module": s}},
        ("model.state_dict", "ema.module"),
        "ema.module",
    ),
}


@pytest.mark.parametrize(("put", "names", "answer"), SEVERAL.values(), ids=SEVERAL)
def test_two_sets_of_weights_are_a_question(tmp_path, network, state, put, names, answer, one_line):
    other = {key: value + 1 if value.is_floating_point() else value for key, value in state.items()}
    path = saved(tmp_path, put(state, other))
    with pytest.raises(UndecidedError) as caught:
        load(path, CGNL)
    (question,) = caught.value.questions
    assert (question.name, question.choices) == ("weights", names)
    one_line(caught.value)
    model = load(path, {**CGNL, "weights": answer})
    assert_trunk_and_block(model, network)
    assert "weights" in model.report.answered
    with pytest.raises(CheckpointError, match="no weights under 'none'"):
        load(path, {**CGNL, "weights": "none"})


def test_two_networks_in_one_state_dict_are_a_question(tmp_path, network, state):
    twice = named("student", state) | named("teacher.module", {k: v + 1 for k, v in state.items()})
    path = saved(tmp_path, {"state_dict": twice})
    with pytest.raises(UndecidedError) as caught:
        load(path, CGNL)
    (question,) = caught.value.questions
    assert (question.name, question.choices) == ("prefix", ("student", "teacher.module"))
    model = load(path, {**CGNL, "prefix": "student"})
    assert_trunk_and_block(model, network)
    assert model.report.ignored["teacher.module.conv1.weight"] == "of another network in the file"


@pytest.mark.parametrize(
    ("depth", "widening", "groups", "words"),
    [
        (50, 2, 1, "Wide ResNet-50-2"),
        (50, 2, 16, "ResNeXt-50 16x1d"),
        (101, 4, 8, "ResNeXt-101 8x4d"),
    ],
)
def test_wide_and_grouped_trunks_of_torchvision(tmp_path, depth, widening, groups, words):
    network = network_of(ModelSpec(depth, 8, None, "none", 7, widening=widening, groups=groups))
    model = load(saved(tmp_path, foreign.renamed(network, foreign.TORCHVISION)))
    assert model.spec == network.spec
    assert_trunk_and_block(model, network)
    (shown,) = (fact.value for fact in model.report.facts if fact.name == "network")
    assert shown == f"{words}, 8 channels wide"


def test_a_trunk_of_torchvision_gives_its_logits(tmp_path):
    import torchvision  # noqa: PLC0415

    theirs = torchvision.models.resnext50_32x4d(width_per_group=4, num_classes=5).eval()
    model = load(saved(tmp_path, theirs.state_dict()))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(model.network(x.unsqueeze(2)), theirs(x), atol=1e-4)
