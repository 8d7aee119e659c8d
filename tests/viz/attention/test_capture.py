"""One forward pass, its factors, and everything borrowed given back, whatever happens."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from models.specs.block import CGNLSpec, NonLocalSpec
from viz.attention.hooks import capture, projections
from viz.attention.kinds import affinity
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channels import CGNLCapture
from viz.attention.preprocess import prepare
from viz.types import Cell, Clip

SPECS = {
    "nl": NonLocalSpec(),
    "nl pooled": NonLocalSpec(function="dot_product", pool_keys="after"),
    "concatenation": NonLocalSpec(function="concatenation", bias=True),
    "gaussian": NonLocalSpec(function="gaussian"),
    "cgnl": CGNLSpec(groups=8),
    "cgnl unit scaled": CGNLSpec(
        kernel="embedded_gaussian", groups=2, l2_normalise=True, scale=True
    ),
}


def input_of(model, clip):
    return prepare(clip, model.spec.preprocessing)


def clip_of_frames(tiny_clip, frames):
    pictures = np.concatenate([tiny_clip.frames // (t + 1) for t in range(frames)])
    return Clip(pictures, tuple(range(frames)), "clip", "0" * 64)


def hooks(network):
    return [
        hook
        for m in network.modules()
        for table in (m._forward_hooks, m._forward_pre_hooks, m._backward_hooks)
        for hook in table
    ]


@pytest.mark.parametrize("placement", ["1", "5"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_factors_reproduce_what_the_block_itself_computes(
    tiny_model, tiny_clip, spec, placement
):
    model = tiny_model(spec, placement)
    seen = {}
    handles = [
        model.network.block_at(place).expand.register_forward_hook(
            lambda _module, args, _out, label=place.label: seen.update({label: args[0]})
        )
        for place in model.network.places
    ]
    found = capture(model, input_of(model, tiny_clip))
    for handle in handles:
        handle.remove()
    assert list(found.blocks) == [place.label for place in model.network.places]
    for place in model.network.places:
        block, y = found.blocks[place.label], seen[place.label][0].flatten(1)
        module = model.network.block_at(place)
        if isinstance(block, NonLocalCapture):
            with torch.no_grad():
                values = module.projection(block.block_input).values[0]
            again = (block.pairwise.matrix(block.queries, block.keys) @ values).T
            assert len(block.queries) == block.query_grid.cells
            assert len(block.keys) == block.key_grid.cells
        else:
            grouped = (f.reshape(1, block.groups, -1) for f in (block.theta, block.phi, block.g))
            again = block.kernel.response(*grouped).reshape(y.shape)
            assert block.theta.shape[1] == block.query_grid.cells
        torch.testing.assert_close(again, y, rtol=1e-3, atol=1e-4 * y.abs().max().item())


@pytest.mark.parametrize("spec", [NonLocalSpec(pool_keys="after"), CGNLSpec(groups=8)])
def test_a_clip_is_captured_with_all_its_frames(tiny_model, tiny_clip, spec):
    model = tiny_model(spec)
    clip = clip_of_frames(tiny_clip, 3)
    block = capture(model, input_of(model, clip)).blocks["res4.4"]
    assert block.query_grid == (3, 4, 4)
    assert block.key_grid == ((3, 2, 2) if isinstance(spec, NonLocalSpec) else (3, 4, 4))


@pytest.mark.parametrize("spec", [NonLocalSpec(), CGNLSpec(groups=8), None])
def test_logits_are_those_of_a_plain_forward_and_there_is_only_one(tiny_model, tiny_clip, spec):
    model = tiny_model(spec)
    model_input = input_of(model, tiny_clip)
    with torch.no_grad():
        expected = model.network(model_input.tensor)[0]
    counts = {"forward": 0, "stem": 0, "last": 0}

    def counted(name):
        def count(*_args):
            counts[name] += 1

        return count

    model.network.register_forward_hook(counted("forward"))
    model.network.conv1.register_forward_hook(counted("stem"))
    model.network.layer4[-1].register_forward_hook(counted("last"))
    found = capture(model, model_input)
    assert torch.equal(found.logits, expected)
    assert counts == {"forward": 1, "stem": 1, "last": 1}
    assert found.geometry == model_input.geometry
    assert len(found.blocks) == (1 if spec else 0)


def odd_modes(network):
    """Put some modules into train mode and freeze the pattern."""
    network.layer2.train()
    network.layer4[1].bn2.train()
    network.training = True
    return [m.training for m in network.modules()]


def test_hooks_are_gone_modes_are_back_and_the_lock_is_free_afterwards(nl_model, tiny_clip):
    modes = odd_modes(nl_model.network)
    before = {k: v.clone() for k, v in nl_model.network.state_dict().items()}
    capture(nl_model, input_of(nl_model, tiny_clip))
    assert hooks(nl_model.network) == []
    assert [m.training for m in nl_model.network.modules()] == modes
    assert not nl_model.lock.locked()
    after = nl_model.network.state_dict()
    assert all(torch.equal(v, after[k]) for k, v in before.items())


@pytest.mark.parametrize("where", ["layer1", "layer4"])
def test_hooks_modes_and_lock_come_back_when_the_forward_breaks(cgnl_model, tiny_clip, where):
    network = cgnl_model.network
    modes = odd_modes(network)
    model_input = input_of(cgnl_model, tiny_clip)

    def breaks(*_args):
        raise RuntimeError("out of memory")

    handle = getattr(network, where)[0].register_forward_hook(breaks)
    with pytest.raises(RuntimeError, match="out of memory"):
        capture(cgnl_model, model_input)
    handle.remove()
    assert hooks(network) == []
    assert [m.training for m in network.modules()] == modes
    assert not cgnl_model.lock.locked()
    capture(cgnl_model, model_input)


def test_hooks_and_lock_come_back_when_a_hook_cannot_be_set(cgnl_model, monkeypatch):
    def breaks(_place):
        raise KeyError("res4_4")

    monkeypatch.setattr(cgnl_model.network, "block_at", breaks)
    with pytest.raises(KeyError), projections(cgnl_model):
        pass
    assert hooks(cgnl_model.network) == []
    assert not cgnl_model.lock.locked()


def test_capture_runs_in_eval_mode_even_if_the_network_was_left_training(nl_model, tiny_clip):
    model_input = input_of(nl_model, tiny_clip)
    expected = capture(nl_model, model_input).logits
    nl_model.network.train()
    assert torch.equal(capture(nl_model, model_input).logits, expected)


def test_the_lock_is_held_while_the_hooks_are_on(nl_model):
    with projections(nl_model):
        assert nl_model.lock.locked()
        assert len(hooks(nl_model.network)) == 1


def test_two_captures_at_once_do_not_mix(nl_model, tiny_clip):
    other = Clip(255 - tiny_clip.frames, (0.0,), "negative", "2" * 64)
    inputs = [input_of(nl_model, clip) for clip in (tiny_clip, other)]
    alone = [capture(nl_model, i).blocks["res4.4"].queries for i in inputs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: capture(nl_model, i), inputs * 4))
    for k, found in enumerate(together):
        assert torch.equal(found.blocks["res4.4"].queries, alone[k % 2])


def test_nothing_captured_holds_a_gradient(cgnl_model, tiny_clip):
    found = capture(cgnl_model, input_of(cgnl_model, tiny_clip))
    block = found.blocks["res4.4"]
    assert isinstance(block, CGNLCapture)
    for tensor in (block.theta, block.phi, block.g, block.block_input, found.logits):
        assert not tensor.requires_grad


def grouped(tiny_model, **frames):
    """Return a network whose blocks attend inside groups of so many frames."""
    model = tiny_model(NonLocalSpec(pool_keys="before"), ("res3.1", "res4.4"))
    for key, count in frames.items():
        model.network.blocks[key].group_frames = count
    return model


def test_a_block_that_attends_inside_groups_is_captured_whole(tiny_model, tiny_clip):
    model = grouped(tiny_model, res3_1=2, res4_4=3)
    model_input = input_of(model, clip_of_frames(tiny_clip, 6))
    seen = {}
    for place in model.network.places:
        block = model.network.block_at(place)
        block.register_forward_hook(
            lambda _m, args, _out, label=place.label: seen.update({label: args[0]})
        )
    found = capture(model, model_input)
    for label, groups in (("res3.1", 3), ("res4.4", 2)):
        block = found.blocks[label]
        assert (block.groups, block.query_grid.frames, block.key_grid.frames) == (groups, 6, 6)
        assert torch.equal(block.block_input, seen[label])
        assert len(block.queries) == block.query_grid.cells
        assert len(block.keys) == block.key_grid.cells
        module = model.network.block_at(block.place)
        size = 6 // groups
        for k in range(groups):
            part = seen[label][:, :, k * size : (k + 1) * size]
            with torch.no_grad():
                alone = module.projection(part)
            queries, keys = block.group(k)
            torch.testing.assert_close(queries, alone.queries[0])
            torch.testing.assert_close(keys, alone.keys[0])


def test_a_row_of_a_captured_group_is_zero_in_the_frames_of_the_others(tiny_model, tiny_clip):
    model = grouped(tiny_model, res3_1=2)
    found = capture(model, input_of(model, clip_of_frames(tiny_clip, 6)))
    values = affinity.row(found.blocks["res3.1"], Cell(3, 1, 2)).values
    assert values.shape[0] == 6
    assert not values[[0, 1, 4, 5]].any()
    assert values[2:4].sum() == pytest.approx(1, abs=1e-5)
    assert (values[2:4] > 0).all()
