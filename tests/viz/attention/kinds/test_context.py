"""Context weights: the map of a global context block, the same for every reference."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import viz
from errors import InputError, OutsideError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import GlobalContextSpec
from models.specs.network import ModelSpec
from viz.attention import queries
from viz.attention.kinds.registry import KINDS, kind_of, offered
from viz.evaluation.answers.ablation import removable
from viz.evaluation.block_statistics import block_statistics

SPEC = ModelSpec(14, 8, GlobalContextSpec(4), ("res3.1", "res4.0"), num_classes=7)
PLACES = [(0.5, 0.5), (41, 22)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(71)
    network = build(SPEC)
    for place in network.places:
        for weight in network.block_at(place).parameters():
            torch.nn.init.normal_(weight, std=0.5)
    return LoadedModel("tiny-gc", SPEC, network, tuple("abcdefg"), "f" * 64)


def slow(model, capture, label):
    """Return the weights of a block from its input, with numpy."""
    place = next(place for place in model.network.places if place.label == label)
    module = model.network.block_at(place)
    x = capture.blocks[label].block_input.double().numpy()[0]
    scores = np.einsum("c,cthw->thw", module.key.weight.detach().double().numpy().ravel(), x)
    above = np.exp(scores - scores.max())
    return above / above.sum()


def test_its_map_is_the_softmax_of_one_score_a_position(model, tiny_clip):
    capture = viz.capture(model, tiny_clip)
    assert list(capture.blocks) == ["res3.1", "res4.0"]
    assert queries.block_labels(SPEC) == ("res3.1", "res4.0")
    for label in capture.blocks:
        first, second = (viz.row(capture, at=at, block=label) for at in PLACES)
        assert np.array_equal(first.values, second.values)
        assert first.values.shape == capture.blocks[label].query_grid
        assert (first.label, first.meaning) == ("context", "weights, sum 1")
        np.testing.assert_allclose(first.values, slow(model, capture, label), rtol=2e-2)
        assert first.values.sum() == pytest.approx(1, abs=1e-5)


def test_it_says_how_much_it_adds_and_depends_on_no_reference(model, tiny_clip):
    capture = viz.capture(model, tiny_clip)
    block = queries.block_of(capture)
    kind = kind_of(block)
    assert (block.label, kind.name, kind.referenced) == ("res4.0", "context", False)
    module = model.network.block_at(model.network.places[-1])
    x = block.block_input.float()
    with torch.no_grad():
        added = (module(x) - x)[0].flatten(1)
    assert block.added == pytest.approx(float(added[:, 0].norm()), rel=1e-2)
    assert block.length == pytest.approx(float(x[0].flatten(1).norm(dim=0).mean()), rel=1e-2)
    (note,) = kind.notes(block, None)
    assert f"length {block.added:.3g} to every position" in note
    assert viz.query_dependence(block) == 0
    assert block_statistics(block) == {}
    assert removable(model.network)


def test_it_is_shown_as_itself_or_by_the_cosine_of_its_input(model, tiny_clip):
    capture = viz.capture(model, tiny_clip)
    names = [kind.name for kind in offered(capture.blocks["res4.0"])]
    assert names == ["context", "features"]
    cosine = viz.row(capture, at=PLACES[1], kind="features")
    assert cosine.values.max() == pytest.approx(1, abs=1e-3)
    with pytest.raises(OutsideError, match="'class maps' is not a map of block res4.0"):
        viz.row(capture, at=PLACES[1], kind="class maps")
    with pytest.raises(InputError, match="has one map"):
        viz.maps(capture, at=PLACES[1])


def test_a_network_of_another_block_has_none_of_it(nl_model, tiny_clip):
    assert not KINDS["context"].belongs_to(replace(SPEC, block=None, placement="none"))
    assert not KINDS["context"].belongs_to(nl_model.spec)
    assert {b.kind for b in viz.capture(nl_model, tiny_clip).blocks.values()} == {"affinity"}
