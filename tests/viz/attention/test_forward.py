"""One forward pass, its factors, and everything borrowed given back, whatever happens."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, ModelSpec
from tests.viz.attention.captured import (
    clip_of_frames,
    hooks,
    input_of,
    odd_modes,
    tensors_of,
    unchanged,
)
from viz.attention import queries
from viz.attention.choice import Selection
from viz.attention.forward import capture
from viz.attention.kinds.affinity import Affinity, NonLocalCapture
from viz.attention.kinds.channel_scores import CGNLCapture
from viz.attention.kinds.gates import gate_layers
from viz.attention.kinds.kind import MapKind, Tap
from viz.attention.kinds.registry import KINDS, kind_of
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
    assert len(found.blocks) == (1 if spec else 3)  # the ends of the stages of a plain trunk


def test_hooks_are_gone_modes_are_back_and_the_lock_is_free_afterwards(nl_model, tiny_clip):
    modes, before = odd_modes(nl_model.network), tensors_of(nl_model.network)
    capture(nl_model, input_of(nl_model, tiny_clip))
    assert hooks(nl_model.network) == []
    assert [m.training for m in nl_model.network.modules()] == modes
    assert not nl_model.lock.locked()
    assert unchanged(nl_model.network, before)


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


def breaking_tap(module, calls):
    """Return a kind that listens to a module and breaks when it is passed."""

    class Breaking(MapKind):
        name, title, menu = "breaking", "Breaking", "breaks"

        def taps(self, network):
            yield Tap("breaking", module(network), self.keep)

        def keep(self, _args, _output):
            calls.append(1)
            raise RuntimeError("keep is broken")

        def map(self, block, cell, choice=None):
            raise NotImplementedError

        formula = sentence = map

    return Breaking()


WHERE = {"first": lambda n: n.conv1, "last": lambda n: n.layer4[-1], "whole": lambda n: n}


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE)
def test_hooks_modes_and_lock_come_back_when_a_kind_cannot_keep_what_it_sees(
    cgnl_model, tiny_clip, monkeypatch, where
):
    network, calls = cgnl_model.network, []
    modes, before = odd_modes(network), tensors_of(network)
    model_input = input_of(cgnl_model, tiny_clip)
    kind = breaking_tap(where, calls)
    with monkeypatch.context() as patched:
        patched.setitem(KINDS, kind.name, kind)
        with pytest.raises(RuntimeError, match="keep is broken"):
            capture(cgnl_model, model_input)
    assert calls == [1]
    assert hooks(network) == []
    assert [m.training for m in network.modules()] == modes
    assert not cgnl_model.lock.locked()
    assert unchanged(network, before)
    assert list(capture(cgnl_model, model_input).blocks) == ["res4.4"]


def test_nothing_is_borrowed_when_a_kind_cannot_say_what_it_listens_to(
    cgnl_model, tiny_clip, monkeypatch
):
    modes = odd_modes(cgnl_model.network)

    def breaks(_place):
        raise KeyError("res4_4")

    monkeypatch.setattr(cgnl_model.network, "block_at", breaks)
    with pytest.raises(KeyError):
        capture(cgnl_model, input_of(cgnl_model, tiny_clip))
    assert hooks(cgnl_model.network) == []
    assert [m.training for m in cgnl_model.network.modules()] == modes
    assert not cgnl_model.lock.locked()


def test_capture_runs_in_eval_mode_even_if_the_network_was_left_training(nl_model, tiny_clip):
    model_input = input_of(nl_model, tiny_clip)
    expected = capture(nl_model, model_input).logits
    nl_model.network.train()
    assert torch.equal(capture(nl_model, model_input).logits, expected)


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
            queries, keys = block.factors(k)
            torch.testing.assert_close(queries, alone.queries[0])
            torch.testing.assert_close(keys, alone.keys[0])


def test_a_row_of_a_captured_group_is_zero_in_the_frames_of_the_others(tiny_model, tiny_clip):
    model = grouped(tiny_model, res3_1=2)
    found = capture(model, input_of(model, clip_of_frames(tiny_clip, 6)))
    values = Affinity().map(found.blocks["res3.1"], Cell(3, 1, 2)).values
    assert values.shape[0] == 6
    assert not values[[0, 1, 4, 5]].any()
    assert values[2:4].sum() == pytest.approx(1, abs=1e-5)
    assert (values[2:4] > 0).all()


def of_spec(spec):
    torch.manual_seed(23)
    return LoadedModel("tiny", spec, build(spec), (), "0" * 64)


GATED = ModelSpec(
    depth=14, base_width=8, num_classes=7, gate=CGDSpec(), block=NonLocalSpec(pool_keys="after"),
    placement=("res4.1",),
)  # fmt: skip


@pytest.mark.parametrize("placement", [("res4.1",), ("res3.0", "res3.1", "res4.1")])
def test_the_network_runs_once_for_the_taps_of_all_kinds(tiny_clip, placement):
    model = of_spec(replace(GATED, placement=placement))
    model_input, runs = input_of(model, tiny_clip), {}
    for name, module in model.network.named_modules():
        runs[name] = 0
        module.register_forward_hook(lambda *_a, name=name: runs.update({name: runs[name] + 1}))
    own = len(hooks(model.network))
    with torch.no_grad():
        expected = model.network(model_input.tensor)[0]
    once = dict(runs)
    found = capture(model, model_input)
    # Gates run their parts again to say their factors; all else runs as in the plain forward.
    gates = model.network.gated().values()
    inside = {part for gate in gates for part in gate.modules() if part is not gate}
    outside = [n for n, module in model.network.named_modules() if module not in inside]
    assert len(outside) > 30
    assert [runs[name] for name in outside] == [2 * once[name] for name in outside]
    assert len(hooks(model.network)) == own
    assert torch.equal(found.logits, expected)
    kinds = {block.kind for block in found.blocks.values()}
    assert kinds == {"affinity", "gates"}
    assert len(gate_layers(found)) == 6
    assert len(found.blocks) == 6 + len(placement)


def test_logits_are_those_of_the_first_clip_in_float32_on_the_cpu(tiny_clip):
    model = of_spec(CompactSpec("wrn", "10-1", 11))
    model.network.double()
    found = capture(model, input_of(model, tiny_clip))
    assert found.logits.shape == (11,)
    assert found.logits.dtype == torch.float32
    assert found.blocks == {}
    assert found.model is model
    assert found.frames == 1


@pytest.mark.parametrize("spec", [NonLocalSpec(), CGNLSpec(groups=8)], ids=["nl", "cgnl"])
def test_a_network_in_half_precision_gives_maps_in_float32(tiny_model, tiny_clip, spec):
    model = tiny_model(spec)
    model.network.to(torch.bfloat16)
    found = capture(model, input_of(model, tiny_clip))
    assert found.logits.dtype == torch.float32
    assert found.blocks["res4.4"].block_input.dtype == torch.bfloat16
    for name in (None, "features", "class maps"):
        block = queries.block_of(found, kind=name)
        for one in kind_of(block).maps(block, Cell(0, 1, 2), Selection()):
            assert one.values.dtype == np.float32
            assert np.isfinite(one.values).all()
            assert one.values.any() or name == "class maps"


def test_who_watches_hears_how_far_it_is_and_may_end_it(nl_model, tiny_clip):
    given = input_of(nl_model, tiny_clip)
    heard = []
    capture(nl_model, given, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0

    def stop(share):
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture(nl_model, given, stop)
    assert hooks(nl_model.network) == []
    assert not nl_model.lock.locked()
