"""Class maps against Grad-CAM on the whole network; what they borrow is given back."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pytest
import torch

import viz
from errors import InputError, OutsideError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import DigitSpec
from tests.viz.attention.captured import (
    SMALL,
    captured,
    cgnl_block,
    clip_of_frames,
    hooks,
    input_of,
    odd_modes,
    tensors_of,
    unchanged,
)
from viz.attention import queries
from viz.attention.choice import MapChoice, Selection, ranked
from viz.attention.kinds import class_maps
from viz.attention.kinds.class_maps import ClassMaps
from viz.attention.kinds.registry import as_kind
from viz.types import Cell

KIND = ClassMaps()
CLASSES, AT = 7, Cell(0, 1, 2)
SPECS = {
    "nl": NonLocalSpec(),
    "nl pooled": NonLocalSpec(function="dot_product", pool_keys="after"),
    "cgnl": CGNLSpec(groups=8),
    "cgnl one group": CGNLSpec(kernel="embedded_gaussian", groups=1, l2_normalise=True),
}


def of(model, clip, label=None, **how):
    """Return the capture, and the block as its class maps."""
    capture = viz.capture(model, clip, **how)
    return capture, queries.block_of(capture, label, "class maps")


def slow_grad_cam(model, clip, place, index):
    """Run the whole network forward and back, keeping what leaves the block; by channels."""
    network, kept = deepcopy(model.network), []

    def keep(_module, _args, output):
        output.retain_grad()
        kept.append(output)

    network.block_at(place).register_forward_hook(keep)
    network(input_of(model, clip).tensor)[0, index].backward()
    features, slopes = (part[0].detach().double().numpy() for part in (kept[0], kept[0].grad))
    found = np.zeros(features.shape[1:])
    for channel, slope in zip(features, slopes, strict=True):
        found += slope.mean() * channel
    return np.maximum(found, 0)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_class_map_is_grad_cam_of_the_whole_network(tiny_model, tiny_clip, spec, frames):
    model, clip = tiny_model(spec), clip_of_frames(tiny_clip, frames)
    _capture, block = of(model, clip)
    expected = [
        slow_grad_cam(model, clip, model.network.places[0], index) for index in range(CLASSES)
    ]
    assert sum(one.any() for one in expected) > 3
    for index in range(CLASSES):
        found = KIND.map(block, AT, MapChoice("class", index))
        assert found.values.shape == (frames, 4, 4)
        assert found.values.dtype == np.float32
        assert (found.values >= 0).all()
        tolerance = 1e-4 * max(1e-3, expected[index].max())
        np.testing.assert_allclose(found.values, expected[index], rtol=1e-3, atol=tolerance)


def test_every_block_of_a_network_has_its_own(tiny_model, tiny_clip):
    model = tiny_model(NonLocalSpec(), "5")
    for place in (model.network.places[0], model.network.places[-1]):
        _capture, block = of(model, tiny_clip, place.label)
        expected = slow_grad_cam(model, tiny_clip, place, 4)
        found = KIND.map(block, AT, MapChoice("class", 4)).values
        assert found.shape == {3: (1, 8, 8), 4: (1, 4, 4)}[place.stage]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize("label", ["nl_1", "nl_2"])
def test_networks_of_digits_have_class_maps(tiny_clip, label):
    torch.manual_seed(71)
    spec = DigitSpec(NonLocalSpec())
    network = build(spec)
    for place in network.places:
        torch.nn.init.ones_(network.block_at(place).norm.weight)
    model = LoadedModel("digits", spec, network.eval(), (), "")
    _capture, block = of(model, tiny_clip, label)
    expected = [slow_grad_cam(model, tiny_clip, block.place, index) for index in range(10)]
    assert sum(one.any() for one in expected) > 3
    for index, one in enumerate(expected):
        found = KIND.map(block, AT, MapChoice("class", index)).values
        np.testing.assert_allclose(found, one, rtol=1e-3, atol=1e-4 * max(1e-3, one.max()))


def test_classes_are_ranked_by_probability(cgnl_model, tiny_clip):
    capture, block = of(cgnl_model, tiny_clip)
    order = np.argsort(-capture.logits.softmax(0).numpy()).tolist()
    assert KIND.rank(block, AT, "probability") == order
    listed = KIND.listed(block, AT, Selection())
    assert listed == [MapChoice("class", index) for index in order[:5]]
    assert KIND.resolved(block, AT, Selection(), None) == MapChoice("class", order[0])
    for rank in range(1, 6):
        found = KIND.resolved(block, AT, Selection(), ranked("class", rank))
        assert found.number == order[rank - 1]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [(Selection(), 5), (Selection(count=11), 7), (Selection(listed=(6, 1)), 2)],
)
def test_a_page_offers_classes_by_rank(wanted, count):
    block = cgnl_block(CGNLSpec(groups=2), SMALL)
    found = KIND.choices(as_kind(captured(block), block, "class maps"), wanted)
    assert [str(one) for one in found] == [f"class {k + 1}" for k in range(count)]


def test_maps_are_labelled_and_captioned_by_class(nl_model, tiny_clip):
    capture, block = of(nl_model, tiny_clip)
    maps = viz.maps(capture, at=(30, 30), choose=[2, 5], kind="class maps")
    assert [one.label for one in maps] == ["class 2", "class 5"]
    assert [(one.part, one.number) for one in maps] == [("class", 2), ("class", 5)]
    assert {one.meaning for one in maps} == {"class evidence, 0 and above"}
    assert [KIND.caption(capture, one) for one in maps] == ["c", "f"]
    best = int(capture.logits.argmax())
    assert KIND.map(block, AT).number == best
    assert "res4.4" in KIND.sentence(block)
    assert "ReLU" in KIND.formula(block)
    assert KIND.parts(block) == CLASSES


def test_a_class_map_is_the_same_for_every_reference(cgnl_model, tiny_clip):
    _capture, block = of(cgnl_model, tiny_clip)
    assert not KIND.referenced
    first, second = (KIND.map(block, cell, MapChoice("class", 3)) for cell in (AT, Cell(0, 3, 3)))
    assert np.array_equal(first.values, second.values)
    assert viz.query_dependence(block) == 0


@pytest.fixture
def passes(monkeypatch):
    """Count backward passes: the calls of torch.autograd.grad."""
    found, run = [], torch.autograd.grad

    def counted(*args, **options):
        found.append(1)
        return run(*args, **options)

    monkeypatch.setattr(class_maps.torch.autograd, "grad", counted)
    return found


def test_one_backward_pass_a_class_that_is_not_repeated(cgnl_model, tiny_clip, passes):
    capture, block = of(cgnl_model, tiny_clip)
    ran = {"before": 0, "behind": 0}
    network = cgnl_model.network
    for name, module in (("before", network.layer3[0]), ("behind", network.layer4[0])):
        module.register_forward_hook(lambda *_a, name=name: ran.update({name: ran[name] + 1}))
    for index in (0, 4, 0, 4, 4):
        for cell in (AT, Cell(0, 3, 0)):
            KIND.map(block, cell, MapChoice("class", index))
    assert len(passes) == 2
    viz.maps(capture, at=(30, 30), choose=[0, 4], kind="class maps")
    assert len(passes) == 2
    for x in (9, 20, 40, 60):
        viz.maps(capture, at=(x, 30), kind="class maps")
    assert len(passes) == 2 + len(set(KIND.rank(block, AT, "")[:5]) - {0, 4})
    assert ran == {"before": 0, "behind": len(passes)}


def test_nothing_is_run_before_a_map_is_asked_for(cgnl_model, tiny_clip, passes):
    _capture, block = of(cgnl_model, tiny_clip)
    KIND.listed(block, AT, Selection())
    KIND.choices(block, Selection())
    KIND.resolved(block, AT, Selection(), None)
    assert viz.query_dependence(block) == 0
    assert passes == []


def test_no_gradients_are_left_and_hooks_and_lock_are_as_before(nl_model, tiny_clip):
    capture, block = of(nl_model, tiny_clip)
    network, own = nl_model.network, []
    network.layer4[0].register_forward_hook(lambda *_args: own.append(1))
    with torch.no_grad():
        viz.maps(capture, at=(30, 30), kind="class maps")
    assert len(hooks(network)) == 1
    assert len(own) == 5
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert block.block_input.grad is None
    assert not block.block_input.requires_grad
    assert not nl_model.lock.locked()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_network_that_was_left_training_gives_the_same_and_is_left_as_it_was(
    tiny_model, tiny_clip, spec
):
    model = tiny_model(spec)
    _capture, block = of(model, tiny_clip)
    expected = [KIND.map(block, AT, MapChoice("class", k)).values for k in range(CLASSES)]
    _capture, again = of(model, tiny_clip)
    model.network.train()
    modes, before = odd_modes(model.network), tensors_of(model.network)
    for index in range(CLASSES):
        found = KIND.map(again, AT, MapChoice("class", index)).values
        assert np.array_equal(found, expected[index])
    assert [module.training for module in model.network.modules()] == modes
    assert unchanged(model.network, before)


@pytest.mark.parametrize("where", ["layer4", "blocks"])
def test_lock_and_modes_come_back_when_the_run_breaks_and_nothing_is_kept(
    nl_model, tiny_clip, where
):
    _capture, block = of(nl_model, tiny_clip)
    network = nl_model.network
    modes = odd_modes(network)

    def breaks(*_args):
        raise RuntimeError("out of memory")

    broken = network.layer4[0] if where == "layer4" else network.block_at(block.place)
    handle = broken.register_forward_hook(breaks)
    with pytest.raises(RuntimeError, match="out of memory"):
        KIND.map(block, AT, MapChoice("class", 3))
    handle.remove()
    assert not nl_model.lock.locked()
    assert [module.training for module in network.modules()] == modes
    assert KIND.map(block, AT, MapChoice("class", 3)).values.shape == (1, 4, 4)


def test_many_threads_may_ask_for_classes_at_once(cgnl_model, tiny_clip):
    _capture, block = of(cgnl_model, tiny_clip)
    _capture, alone = of(cgnl_model, tiny_clip)
    expected = [KIND.map(alone, AT, MapChoice("class", k)).values for k in range(CLASSES)]
    with ThreadPoolExecutor(5) as pool:
        asked = [MapChoice("class", k % CLASSES) for k in range(21)]
        found = list(pool.map(lambda choice: KIND.map(block, AT, choice), asked))
    for one in found:
        assert np.array_equal(one.values, expected[one.number])


@pytest.mark.parametrize("index", [-1, 7])
def test_a_class_that_the_network_does_not_have_is_refused(nl_model, tiny_clip, index, one_line):
    _capture, block = of(nl_model, tiny_clip)
    for ask, owner in (
        (lambda: KIND.map(block, AT, MapChoice("class", index)), "tiny"),
        (lambda: KIND.listed(block, AT, Selection(listed=(0, index))), "res4.4"),
        (lambda: KIND.resolved(block, AT, Selection(), MapChoice("class", index)), "res4.4"),
    ):
        words = f"^{index} is not a class of {owner}; it has classes 0 to 6"
        with pytest.raises(OutsideError, match=words) as caught:
            ask()
        one_line(caught.value)


def test_other_maps_and_rankings_are_refused(nl_model, tiny_clip, one_line):
    capture, block = of(nl_model, tiny_clip)
    for ask, words in (
        (
            lambda: viz.maps(capture, at=(30, 30), choose="standout", kind="class maps"),
            "^'standout' is not a ranking of Grad-CAM; use probability",
        ),
        (
            lambda: KIND.resolved(block, AT, Selection(), MapChoice("channel", 1, by_rank=True)),
            r"^channel 1 is not a map of res4.4 \(Grad-CAM\); it has class 1 \(by rank\)",
        ),
        (
            lambda: KIND.resolved(block, AT, Selection(), ranked("class", 6)),
            "^class 6 is not among the 5 maps asked for",
        ),
        (lambda: viz.row(capture, at=(30, 30), kind="class maps"), "several maps"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            ask()
        one_line(caught.value)


def test_the_maps_are_sent_to_the_browser_and_no_factors(nl_model, tiny_clip):
    _capture, block = of(nl_model, tiny_clip)
    found = KIND.browser(block, Selection())
    assert found.arithmetic == "static"
    assert (dict(found.halves), dict(found.floats)) == ({}, {})
    assert not KIND.has_matrix


def test_a_drawn_block_can_be_derived_without_running_anything():
    block = cgnl_block(CGNLSpec(groups=2), SMALL)
    found = as_kind(captured(block, classes=11), block, "class maps")
    assert found.query_grid == found.key_grid == SMALL
    assert KIND.parts(found) == 11
    assert found.label == "res4.4"
