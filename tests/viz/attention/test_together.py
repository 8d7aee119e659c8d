"""Inputs that run through a network together: the captures are those of each alone."""

import numpy as np
import pytest
import torch

from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from tests.viz.attention.captured import input_of, small_network
from viz.attention import forward
from viz.attention.captures import Capture
from viz.attention.forward import capture
from viz.attention.kinds.gates import GateCapture
from viz.types import Clip


@pytest.mark.parametrize(
    "how",
    [
        {"block": NonLocalSpec(pool_keys="after"), "placement": "1"},
        {"block": NonLocalSpec(group_frames=((4, 2),)), "placement": "1", "frames": 4},
        {"block": CGNLSpec(groups=4), "placement": "1", "gate": CGDSpec()},
        {},
    ],
)
def test_inputs_that_run_together_leave_what_each_leaves_alone(how, monkeypatch):
    frames = how.pop("frames", 1)
    model = small_network(**how)
    draw, inputs = np.random.default_rng(5), []
    for side in (64, 64, 64, 96, 64):
        pictures = draw.integers(0, 255, (frames, 64, side, 3), np.uint8)
        inputs.append(input_of(model, Clip(pictures, (0.0,) * frames, "noise", "0" * 64)))
    monkeypatch.setattr(forward.devices, "at_once", lambda _device: 2)
    for together, one in zip(forward.captures(model, inputs), inputs, strict=True):
        alone = capture(model, one)
        torch.testing.assert_close(together.logits, alone.logits, rtol=1e-4, atol=1e-5)
        assert together.geometry is alone.geometry
        assert together.blocks.keys() == alone.blocks.keys() != set()
        for label, block in alone.blocks.items():
            for ours, theirs in zip(together.blocks[label].tensors, block.tensors, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
            if isinstance(block, GateCapture):
                np.testing.assert_allclose(together.blocks[label].gate, block.gate, atol=1e-5)


def test_inputs_that_do_not_fit_together_run_alone_and_what_fails_is_handed_on(monkeypatch):
    model, inputs = small_network(block=NonLocalSpec(), placement="1"), []
    for seed in range(3):
        pictures = np.random.default_rng(seed).integers(0, 255, (1, 64, 64, 3), np.uint8)
        inputs.append(input_of(model, Clip(pictures, (0.0,), "noise", "0" * 64)))
    own, sizes = model.network.forward, []

    def forward_of(x):
        sizes.append(len(x))
        if len(x) > 1 or len(sizes) == 2:
            raise torch.OutOfMemoryError
        return own(x)

    monkeypatch.setattr(model.network, "forward", forward_of)
    monkeypatch.setattr(forward.devices, "at_once", lambda _device: 3)
    found = list(forward.captures(model, inputs))
    assert sizes == [3, 1, 1, 1]
    assert "does not fit into the memory of cpu" in str(found[0])
    assert [type(one) for one in found[1:]] == [Capture, Capture]
