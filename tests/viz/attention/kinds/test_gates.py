"""Gates read from one forward pass, against the layers around them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import viz
from errors import InputError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CBAMSpec, CGDSpec, SESpec
from models.specs.network import CompactSpec, ModelSpec
from tests.viz.attention.captured import hooks
from viz.attention import queries
from viz.attention.choice import Selection
from viz.attention.forward import capture
from viz.attention.kinds.gates import Gates, gate_layers
from viz.attention.kinds.registry import offered
from viz.geometry import fit
from viz.types import Cell, ModelInput

FRAMES, ROWS, COLS = 3, 32, 64
WRN = CompactSpec("wrn", "10-1", 7, CGDSpec())
RESNET = ModelSpec(depth=14, base_width=8, num_classes=7, gate=CGDSpec())
KIND = Gates()


def loaded(spec):
    torch.manual_seed(17)
    network = build(spec)
    for gate in network.gated().values():
        for parameter in gate.parameters():
            nn.init.normal_(parameter, std=0.5)
    return LoadedModel("tiny", spec, network, (), "0" * 64)


def clip(frames=FRAMES):
    torch.manual_seed(19)
    return ModelInput(torch.randn(1, 3, frames, ROWS, COLS), fit(COLS, ROWS, COLS, 32), frames)


def layers(model, model_input):
    return gate_layers(capture(model, model_input))


@pytest.mark.parametrize("frames", [1, FRAMES])
def test_layers_hold_what_is_before_and_behind_each_gate(frames):
    model, model_input = loaded(WRN), clip(frames)
    before, after = [], []
    handles = []
    for stage in (model.network.block1, model.network.block2, model.network.block3):
        unit = stage.layer[0]
        handles.append(unit.conv1.register_forward_hook(lambda _m, _a, out: before.append(out)))
        handles.append(unit.bn2.register_forward_pre_hook(lambda _m, args: after.append(args[0])))
    with torch.no_grad():
        model.network(model_input.tensor)
    for handle in handles:
        handle.remove()
    found = layers(model, model_input)
    assert [layer.name for layer in found] == [f"block{n}.layer.0" for n in (1, 2, 3)]
    for layer, x, y in zip(found, before, after, strict=True):
        assert layer.mean_before.shape == (frames, *x.shape[2:])
        np.testing.assert_allclose(layer.mean_before, x.abs().mean(1), rtol=1e-5)
        np.testing.assert_allclose(layer.mean_after, y.abs().mean(1), rtol=1e-5)
        assert layer.gate.shape == (x.shape[1],)
        gated = x.numpy() * layer.gate[:, None, None]
        np.testing.assert_allclose(gated, y, rtol=1e-4, atol=1e-6)
        assert ((layer.gate > 0) & (layer.gate < 2)).all()
        assert {v.dtype for v in (layer.gate, layer.mean_before, layer.mean_after)} == {
            np.dtype("float32")
        }
        assert layer.query_grid == layer.key_grid == (frames, *x.shape[2:])
        assert layer.label == f"{layer.name} gate"


@pytest.mark.parametrize("gate", [CGDSpec(), CGDSpec(position="conv2"), SESpec(), CBAMSpec()])
def test_gates_of_a_resnet_are_named_by_their_places(gate):
    found = layers(loaded(replace(RESNET, gate=gate)), clip())
    names = ["res2.0", "res3.0", "res3.1", "res4.0", "res4.1", "res5.0"]
    assert [layer.name for layer in found] == names
    assert [layer.gate.shape[0] for layer in found] == [8, 16, 16, 32, 32, 64]


def test_a_network_without_gates_has_no_layers():
    assert layers(loaded(replace(WRN, gate=None)), clip()) == ()


def test_hooks_modes_and_lock_are_as_before_afterwards():
    model = loaded(WRN)
    model.network.block2.train()
    modes = [m.training for m in model.network.modules()]
    layers(model, clip())
    assert hooks(model.network) == []
    assert [m.training for m in model.network.modules()] == modes
    assert not model.lock.locked()


@pytest.mark.parametrize("where", ["block1", "block3"])
def test_hooks_modes_and_lock_come_back_when_the_forward_breaks(where):
    model = loaded(WRN)
    model.network.train()

    def breaks(*_args):
        raise RuntimeError("out of memory")

    handle = getattr(model.network, where).layer[0].register_forward_hook(breaks)
    with pytest.raises(RuntimeError, match="out of memory"):
        capture(model, clip())
    handle.remove()
    assert hooks(model.network) == []
    assert all(m.training for m in model.network.modules())
    assert not model.lock.locked()
    assert len(layers(model, clip())) == 3


def test_it_runs_in_eval_mode_even_if_the_network_was_left_training():
    model, model_input = loaded(WRN), clip()
    expected = layers(model, model_input)
    model.network.train()
    for found, layer in zip(layers(model, model_input), expected, strict=True):
        np.testing.assert_array_equal(found.mean_after, layer.mean_after)


def test_only_one_forward_is_run():
    model, runs = loaded(RESNET), []
    handle = model.network.register_forward_hook(lambda *_args: runs.append(1))
    layers(model, clip())
    handle.remove()
    assert runs == [1]


@pytest.mark.parametrize(
    ("block", "kind"), [(NonLocalSpec(), "affinity"), (CGNLSpec(groups=2), "channels")]
)
def test_gates_and_blocks_of_one_network_are_captured_together(block, kind):
    """A block comes behind a unit whose gate has the same name: neither hides the other."""
    spec = replace(RESNET, block=block, placement=("res3.1", "res4.1"))
    model, model_input, runs = loaded(spec), clip(), []
    model.network.register_forward_hook(lambda *_args: runs.append(1))
    model.network.conv1.register_forward_hook(lambda *_args: runs.append(1))
    found = capture(model, model_input)
    assert runs == [1, 1]
    assert list(found.blocks) == [
        "res2.0 gate", "res3.0 gate", "res3.1 gate", "res3.1", "res4.0 gate", "res4.1 gate",
        "res4.1", "res5.0 gate",
    ]  # fmt: skip
    assert all(one.label == label for label, one in found.blocks.items())
    assert [queries.block_of(found, label).kind for label in ("res3.1", "res4.1")] == [kind] * 2
    assert queries.block_of(found).label == "res4.1"
    plain = loaded(RESNET)
    plain.network.load_state_dict(model.network.state_dict(), strict=False)
    # A fresh block is the identity, so that the gates behind it see the same, too.
    pairs = zip(gate_layers(found), layers(plain, model_input), strict=True)
    for one, other in pairs:
        assert one.name == other.name
        np.testing.assert_allclose(one.gate, other.gate, rtol=1e-4)
        np.testing.assert_allclose(one.mean_after, other.mean_after, rtol=1e-4, atol=1e-6)


def test_a_gate_has_no_reference_and_is_no_block_to_ask_for(one_line):
    found = capture(loaded(RESNET), clip())
    for label in (None, "res4.1", "res4.1 gate"):
        with pytest.raises(InputError, match="no attention block") as caught:
            queries.block_of(found, label)
        one_line(caught.value)
    both = capture(loaded(replace(RESNET, block=NonLocalSpec(), placement=("res4.1",))), clip())
    with pytest.raises(InputError, match="^'res4.1 gate' is not a block .* has res4.1") as caught:
        queries.block_of(both, "res4.1 gate")
    one_line(caught.value)


def test_its_map_is_the_mean_activation_behind_it():
    [layer, *_others] = layers(loaded(WRN), clip())
    found = KIND.map(layer, Cell(0, 0, 0))
    assert found.values is layer.mean_after
    assert (found.label, found.part) == ("gate", "")
    assert found.meaning == "mean |activation|, 0 and above"
    assert found.query.block == "block1.layer.0 gate"
    assert KIND.is_single(layer)
    assert KIND.browser(layer, Selection()).arithmetic == "static"
    assert viz.query_dependence(layer) == 0
    assert not KIND.referenced


def test_nothing_is_derived_from_a_gate():
    [layer, *_others] = layers(loaded(WRN), clip())
    assert offered(layer) == (offered(layer)[0],)
    assert offered(layer)[0].name == "gates"
    assert layer.tensors == []


def test_formula_and_words_are_those_of_the_descriptor():
    [layer, *_others] = layers(loaded(WRN), clip())
    assert "tanh" in KIND.formula(layer)
    assert "multiplies every channel" in KIND.sentence(layer)
