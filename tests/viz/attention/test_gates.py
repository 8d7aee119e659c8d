"""Gates read from one forward pass, against the layers around them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from models.build import build
from models.loaded import LoadedModel
from models.specs.gate import CBAMSpec, CGDSpec, SESpec
from models.specs.network import CompactSpec, ModelSpec
from viz.attention.kinds.gates import gate_layers
from viz.geometry import fit
from viz.types import ModelInput

FRAMES, ROWS, COLS = 3, 32, 64
WRN = CompactSpec("wrn", "10-1", 7, CGDSpec())
RESNET = ModelSpec(depth=14, base_width=8, num_classes=7, gate=CGDSpec())


def loaded(spec):
    torch.manual_seed(17)
    network = build(spec)
    for gate in network.gated().values():
        for parameter in gate.parameters():
            nn.init.normal_(parameter, std=0.5)
    return LoadedModel("tiny", spec, network, (), "0" * 64)


def clip(frames=FRAMES):
    torch.manual_seed(19)
    return ModelInput(torch.randn(1, 3, frames, ROWS, COLS), fit(ROWS, COLS, ROWS, 32))


def hooks(network):
    return [m for m in network.modules() if m._forward_hooks or m._forward_pre_hooks]


@pytest.mark.parametrize("frames", [1, FRAMES])
def test_layers_hold_what_stands_before_and_behind_each_gate(frames):
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
    found = gate_layers(model, model_input)
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


@pytest.mark.parametrize("gate", [CGDSpec(), CGDSpec(position="conv2"), SESpec(), CBAMSpec()])
def test_gates_of_a_resnet_are_named_by_their_places(gate):
    found = gate_layers(loaded(replace(RESNET, gate=gate)), clip())
    names = ["res2.0", "res3.0", "res3.1", "res4.0", "res4.1", "res5.0"]
    assert [layer.name for layer in found] == names
    assert [layer.gate.shape[0] for layer in found] == [8, 16, 16, 32, 32, 64]


def test_a_network_without_gates_has_no_layers():
    assert gate_layers(loaded(replace(WRN, gate=None)), clip()) == ()


def test_hooks_modes_and_lock_are_as_before_afterwards():
    model = loaded(WRN)
    model.network.block2.train()
    modes = [m.training for m in model.network.modules()]
    gate_layers(model, clip())
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
        gate_layers(model, clip())
    handle.remove()
    assert hooks(model.network) == []
    assert all(m.training for m in model.network.modules())
    assert not model.lock.locked()
    assert len(gate_layers(model, clip())) == 3


def test_it_runs_in_eval_mode_even_if_the_network_was_left_training():
    model, model_input = loaded(WRN), clip()
    expected = gate_layers(model, model_input)
    model.network.train()
    for found, layer in zip(gate_layers(model, model_input), expected, strict=True):
        np.testing.assert_array_equal(found.mean_after, layer.mean_after)


def test_only_one_forward_is_run():
    model, runs = loaded(RESNET), []
    handle = model.network.register_forward_hook(lambda *_args: runs.append(1))
    gate_layers(model, clip())
    handle.remove()
    assert runs == [1]
