"""Class evidence against the derivative of the logit, taken in two other ways."""

from copy import deepcopy

import pytest
import torch

from errors import OutsideError
from models.specs.block import CGNLSpec
from tests.viz.attention.captured import (
    clip_of_frames,
    hooks,
    input_of,
    odd_modes,
    tensors_of,
    unchanged,
)
from viz.attention import queries
from viz.attention.forward import capture
from viz.attention.kinds.affinity import Affinity
from viz.attention.kinds.channel_scores import class_evidence
from viz.attention.kinds.channels import ChannelProducts

SPECS = [CGNLSpec(groups=8), CGNLSpec(kernel="embedded_gaussian", groups=1, l2_normalise=True)]
CLASS = 4


def of(model, clip):
    """Return the network's input, the capture and its block."""
    model_input = input_of(model, clip)
    found = capture(model, model_input)
    return model_input, found, found.blocks["res4.4"]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.kernel)
def test_it_is_how_the_logit_answers_to_the_gain_of_each_channel(tiny_model, tiny_clip, spec):
    model = tiny_model(spec)
    model_input, seen, block = of(model, tiny_clip)
    found = class_evidence(seen, block, CLASS)
    network = deepcopy(model.network).double()
    expand = network.block_at(network.places[0]).expand
    step = 1e-5

    def logit(channel, gain):
        def scale(_module, args):
            y = args[0].clone()
            y[:, channel] *= gain
            return (y,)

        handle = expand.register_forward_pre_hook(scale)
        with torch.no_grad():
            value = network(model_input.tensor.double())[0, CLASS].item()
        handle.remove()
        return value

    for channel in (0, 17, 63):
        slope = (logit(channel, 1 + step) - logit(channel, 1 - step)) / (2 * step)
        assert found[channel].item() == pytest.approx(slope, rel=2e-3, abs=1e-4)
    assert found.shape == (64,)
    assert found.abs().max() > 1e-3


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.kernel)
def test_it_equals_autograd_through_the_whole_network(tiny_model, tiny_clip, spec):
    model = tiny_model(spec)
    model_input, seen, block = of(model, tiny_clip)
    kept = []

    def keep(_module, args):
        args[0].retain_grad()
        kept.append(args[0])

    reference = deepcopy(model.network)
    reference.block_at(reference.places[0]).expand.register_forward_pre_hook(keep)
    reference(model_input.tensor)[0, CLASS].backward()
    expected = (kept[0].grad * kept[0]).sum((0, 2, 3)).detach()
    found = class_evidence(seen, block, CLASS)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_it_leaves_no_gradients_and_does_not_run_the_network_before_the_block(
    cgnl_model, tiny_clip
):
    _input, seen, block = of(cgnl_model, tiny_clip)
    calls = {"before": 0, "behind": 0}
    network = cgnl_model.network
    for name, module in (("before", network.layer3[0]), ("behind", network.layer4[0])):
        module.register_forward_hook(lambda *_a, name=name: calls.update({name: calls[name] + 1}))
    class_evidence(seen, block, CLASS)
    assert calls == {"before": 0, "behind": 1}
    assert all(p.grad is None for p in network.parameters())
    assert block.block_input.grad is None
    assert not cgnl_model.lock.locked()


def test_it_works_where_gradients_were_turned_off(cgnl_model, tiny_clip):
    _input, seen, block = of(cgnl_model, tiny_clip)
    expected = class_evidence(seen, block, CLASS)
    with torch.no_grad():
        assert torch.equal(class_evidence(seen, block, CLASS), expected)


@pytest.mark.parametrize("index", [-1, 7])
def test_a_class_that_the_network_does_not_have_is_refused(cgnl_model, tiny_clip, index, one_line):
    _input, seen, block = of(cgnl_model, tiny_clip)
    words = f"^{index} is not a class of tiny; it has classes 0 to 6"
    with pytest.raises(OutsideError, match=words) as caught:
        class_evidence(seen, block, index)
    one_line(caught.value)


def test_the_kind_ranks_by_it_and_an_nl_block_has_no_such_ranking(
    cgnl_model, nl_model, tiny_clip, one_line
):
    _input, seen, block = of(cgnl_model, tiny_clip)
    scores = ChannelProducts().class_scores(seen, block, CLASS)
    assert torch.equal(scores, class_evidence(seen, block, CLASS))
    _input, seen, block = of(nl_model, tiny_clip)
    with pytest.raises(OutsideError, match="NL has no ranking by class") as caught:
        Affinity().class_scores(seen, block, CLASS)
    one_line(caught.value)


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.kernel)
def test_a_network_that_was_left_training_gives_the_same_and_is_left_as_it_was(
    tiny_model, tiny_clip, spec
):
    model = tiny_model(spec)
    _input, seen, block = of(model, tiny_clip)
    expected = class_evidence(seen, block, CLASS)
    model.network.train()
    modes, before = odd_modes(model.network), tensors_of(model.network)
    assert torch.equal(class_evidence(seen, block, CLASS), expected)
    assert [module.training for module in model.network.modules()] == modes
    assert unchanged(model.network, before)
    assert hooks(model.network) == []


def test_lock_and_modes_come_back_when_the_way_back_breaks(cgnl_model, tiny_clip, monkeypatch):
    _input, seen, block = of(cgnl_model, tiny_clip)
    modes = odd_modes(cgnl_model.network)

    def breaks(*_args):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(cgnl_model.network, "resume", breaks)
    with pytest.raises(RuntimeError, match="out of memory"):
        class_evidence(seen, block, CLASS)
    assert not cgnl_model.lock.locked()
    assert [module.training for module in cgnl_model.network.modules()] == modes


def test_evidence_for_a_clip_counts_every_frame(tiny_model, tiny_clip):
    model = tiny_model(SPECS[0])
    clip = clip_of_frames(tiny_clip, 3)
    _input, seen, block = of(model, clip)
    assert queries.block_of(seen) is block
    kept = []

    def keep(_module, args):
        args[0].retain_grad()
        kept.append(args[0])

    network = deepcopy(model.network)
    network.block_at(network.places[0]).expand.register_forward_pre_hook(keep)
    network(input_of(model, clip).tensor)[0, CLASS].backward()
    expected = (kept[0].grad * kept[0]).sum((0, 2, 3)).detach()
    found = class_evidence(seen, block, CLASS)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
