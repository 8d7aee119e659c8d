"""Somebody's own ResNet with a block in it: known by the block's keys, its place told or asked."""

import pytest
import torch

from errors import CheckpointError
from models.checkpoints import inspect, load
from models.report import UndecidedError
from models.specs.block import CGNLSpec, NonLocalSpec
from tests.models.checkpoints.families.test_families import network_of, resnet
from tests.models.written import foreign

ALEXHEX7 = {
    "projection.theta.": "theta.", "projection.phi.": "phi.0.", "projection.g.": "g.0.",
    "expand.": "W.0.", "norm.": "W.1.",
}  # fmt: skip
PLAIN_W = {
    "projection.theta.": "theta.", "projection.phi.": "phi.", "projection.g.": "g.",
    "expand.": "W.",
}  # fmt: skip
MMCV = {
    "projection.theta.": "theta.conv.", "projection.phi.": "phi.0.conv.",
    "projection.g.": "g.0.conv.", "expand.": "conv_out.conv.", "norm.": "conv_out.bn.",
}  # fmt: skip
TPGZ = {
    "projection.theta.": "t.", "projection.phi.": "p.", "projection.g.": "g.", "expand.": "z.",
    "norm.": "bn.",
}  # fmt: skip
TPGZ_CGNL = TPGZ | {"norm.": "gn."}
FULL = {"bias": True, "expand_bias": True}


def written(network, names, puts):
    """Return a state dict with each block's keys where ``puts`` says, {place key: prefix}."""
    state = {}
    for key, value in network.state_dict().items():
        if not key.startswith("blocks."):
            state[key] = value
            continue
        _blocks, place, rest = key.split(".", 2)
        role = next(ours for ours in names if rest.startswith(ours))
        state[puts[place] + names[role] + rest.removeprefix(role)] = value
    return state


def with_own_number(state, layer, at):
    """Give a block a number of its own in a stage: the units behind it are counted on."""
    moved = {}
    for key, value in state.items():
        parts = key.split(".")
        if parts[0] == layer and not key.startswith(f"{layer}.{at}.block.") and int(parts[1]) >= at:
            parts[1] = str(int(parts[1]) + 1)
        moved[".".join(parts).replace(f"{layer}.{at}.block.", f"{layer}.{at}.")] = value
    return moved


def saved(tmp_path, state, name="net.pth"):
    return foreign.torch_saved(tmp_path / name, {"state_dict": state})


ALEX = NonLocalSpec("embedded_gaussian", False, "after", **FULL)
CASES = {
    "AlexHex7's in a unit": (
        ALEX, ALEXHEX7, "layer3.4.nl.", {"function": "embedded_gaussian"}, "res4.4"
    ),
    "AlexHex7's without a norm": (
        NonLocalSpec("embedded_gaussian", False, norm="none", **FULL),
        PLAIN_W, "layer2.1.non_local_block.", {"function": "embedded_gaussian"}, "res3.1",
    ),
    "mmcv's in a unit": (
        NonLocalSpec("embedded_gaussian", True, "after", bias=True, expand_bias=True),
        MMCV, "layer3.5.nonlocal.", {"function": "embedded_gaussian", "scale": "yes"}, "res4.5",
    ),
    "the CGNL authors' NL elsewhere": (
        NonLocalSpec("dot_product", False),
        TPGZ, "layer2.2.nl.", {"function": "dot_product"}, "res3.2",
    ),
    "the CGNL authors' CGNL elsewhere": (
        CGNLSpec(groups=8), TPGZ_CGNL, "layer2.3.cgnl.", {"kernel": "cgnl"}, "res3.3"
    ),
    "Gaussian": (
        NonLocalSpec("gaussian", False, norm="none", **FULL), PLAIN_W, "layer3.2.nl.", {}, "res4.2"
    ),
}  # fmt: skip


def assert_block(path, network, answers, place, title="a ResNet with blocks of one's own"):
    model = load(path, answers)
    assert model.report.family == title
    assert [p.label for p in model.network.places] == [place]
    assert model.spec.block == network.spec.block
    found = model.network.state_dict()
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(found[key], value), key
    return model


@pytest.mark.parametrize(
    ("block", "names", "prefix", "answers", "place"), CASES.values(), ids=CASES
)
@pytest.mark.parametrize("above", ["", "module."])
def test_a_block_in_a_unit_is_where_its_keys_are(
    tmp_path, block, names, prefix, answers, place, above
):
    network = network_of(resnet(block, (place,)))
    puts = {network.places[0].key: prefix}
    state = {above + k: v for k, v in written(network, names, puts).items()}
    model = assert_block(saved(tmp_path, state), network, answers, place)
    assert set(model.report.renamed) | set(model.report.ignored) == set(state)


@pytest.mark.parametrize(("at", "place"), [(6, "res4.5"), (3, "res4.2"), (1, "res4.0")])
def test_a_block_with_a_number_of_its_own_is_after_the_unit_before_it(tmp_path, at, place):
    network = network_of(resnet(ALEX, (place,)))
    state = written(network, ALEXHEX7, {network.places[0].key: f"layer3.{at}.block."})
    state = with_own_number(state, "layer3", at)
    assert f"layer3.{at}.theta.weight" in state
    assert_block(saved(tmp_path, state), network, {"function": "embedded_gaussian"}, place)


ANYWHERE = ("nl_1.", "non_local.", "nl.block.", "attention.")


@pytest.mark.parametrize("prefix", ANYWHERE)
@pytest.mark.parametrize("trunk", ["", "backbone."])
def test_a_block_that_is_anywhere_is_asked_for_its_place(tmp_path, prefix, trunk, one_line):
    network = network_of(resnet(ALEX, ("res4.5",)))
    state = written(network, ALEXHEX7, {"res4_5": prefix})
    state = {k if k.startswith(prefix) else trunk + k: v for k, v in state.items()}
    path = saved(tmp_path, state)
    with pytest.raises(UndecidedError) as caught:
        inspect(path, {"function": "embedded_gaussian"})
    (question,) = caught.value.questions
    assert question.name == "place"
    assert question.choices == tuple(f"res4.{unit}" for unit in range(6))  # by its channels
    one_line(caught.value)
    answers = {"function": "embedded_gaussian", "place": "res4.5"}
    model = assert_block(path, network, answers, "res4.5")
    assert {"function", "place"} <= model.report.answered


def test_several_blocks_are_asked_for_one_by_one(tmp_path):
    network = network_of(resnet(ALEX, ("res3.3", "res4.5")))
    state = written(network, ALEXHEX7, {"res3_3": "nl_a.", "res4_5": "nl_b."})
    path = saved(tmp_path, state)
    with pytest.raises(UndecidedError) as caught:
        inspect(path, {"function": "embedded_gaussian"})
    assert [q.name for q in caught.value.questions] == ["place.nl_a", "place.nl_b"]
    answers = {"function": "embedded_gaussian", "place.nl_a": "res3.3", "place.nl_b": "res4.5"}
    model = load(path, answers)
    assert [p.label for p in model.network.places] == ["res3.3", "res4.5"]


def test_the_function_of_ones_own_block_is_asked_and_metadata_may_tell(tmp_path):
    network = network_of(resnet(ALEX, ("res4.4",)))
    state = written(network, ALEXHEX7, {"res4_4": "layer3.4.nl."})
    with pytest.raises(UndecidedError) as caught:
        inspect(saved(tmp_path, state))
    assert [q.name for q in caught.value.questions] == ["function"]
    path = foreign.torch_saved(
        tmp_path / "told.pth", {"state_dict": state, "args": {"mode": "dot_product"}}
    )
    assert inspect(path).spec.block.function == "dot_product"


FAULTS = {
    "half a block": lambda s: s.pop("nl_1.theta.weight"),
    "channels of no stage": lambda s: s.update(
        {
            k: torch.ones(5, 24, 1, 1)
            for k in s
            if k.startswith("nl_1.") and k.endswith("g.0.weight")
        }
    ),
    "not a number": lambda s: s.update({"nl_1.g.0.weight": s["nl_1.g.0.weight"] * torch.nan}),
    "no way back": lambda s: s.pop("nl_1.W.0.weight"),
}


@pytest.mark.parametrize("change", FAULTS.values(), ids=FAULTS)
def test_a_block_that_is_not_whole_is_refused(tmp_path, change, one_line):
    network = network_of(resnet(ALEX, ("res4.5",)))
    state = written(network, ALEXHEX7, {"res4_5": "nl_1."})
    change(state)
    with pytest.raises(CheckpointError) as caught:
        load(saved(tmp_path, state), {"function": "embedded_gaussian", "place": "res4.5"})
    assert not isinstance(caught.value, UndecidedError)
    one_line(caught.value)


def test_two_blocks_at_one_place_are_refused(tmp_path, one_line):
    network = network_of(resnet(ALEX, ("res3.3", "res4.5")))
    state = written(network, ALEXHEX7, {"res3_3": "nl_a.", "res4_5": "nl_b."})
    state |= {k.replace("nl_b.", "nl_c."): v for k, v in state.items() if k.startswith("nl_b.")}
    answers = {"function": "embedded_gaussian", "place.nl_a": "res3.3"}
    answers |= {"place.nl_b": "res4.5", "place.nl_c": "res4.5"}
    with pytest.raises(CheckpointError, match="two blocks at one place") as caught:
        load(saved(tmp_path, state), answers)
    one_line(caught.value)
