"""A trunk without any block can be looked at: features at the ends of its stages, class maps."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from errors import InputError, OutsideError
from models.build import build, stage_ends
from models.loaded import LoadedModel
from models.specs.block import NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, LiteSpec, ModelSpec, TemporalSpec
from tests.conftest import make_tiny
from tests.models.written.clips import randomise
from viz.attention import pipeline, queries
from viz.attention.kinds.registry import offered
from viz.attention.predictions import NO_CLASSIFIER, prediction_words

ENDS = ["res3.3", "res4.5", "res5.2"]


def headless():
    spec = ModelSpec(base_width=8, num_classes=0)
    return LoadedModel("headless", spec, randomise(build(spec)), (), "1" * 64)


@pytest.mark.parametrize(
    ("spec", "labels"),
    [
        (ModelSpec(), ENDS),
        (ModelSpec(depth=101), ["res3.3", "res4.22", "res5.2"]),
        (ModelSpec(temporal=TemporalSpec(halve_after_res2=True)), ENDS),
        (LiteSpec("lite0"), ["unit4", "unit10", "unit15"]),
        (ModelSpec(block=NonLocalSpec(), placement="1"), []),
        (ModelSpec(gate=CGDSpec()), []),
        (CompactSpec(), []),
    ],
)
def test_a_trunk_is_looked_at_where_its_stages_end(spec, labels):
    assert [place.label for place in stage_ends(spec)] == labels
    if labels:
        assert list(queries.block_labels(spec)) == labels


@pytest.mark.parametrize("label", ENDS)
def test_the_cosine_is_that_of_what_leaves_the_stage(tiny_clip, label):
    model = make_tiny(None)
    capture = pipeline.capture(model, tiny_clip, size=64)
    assert list(capture.blocks) == ENDS
    found = queries.row(capture, (20, 30), block=label)
    place = next(p for p in stage_ends(model.spec) if p.label == label)
    x = pipeline.prepare(model, tiny_clip, size=64).tensor
    with torch.no_grad():
        features = model.network.features(x, place)[0]
    cell = queries.cell_at(capture, capture.blocks[label], (20, 30))
    here = features[:, cell.t, cell.y, cell.x, None, None, None]
    expected = F.cosine_similarity(features, here, dim=0)
    assert np.allclose(found.values, expected.numpy(), atol=1e-5)


def test_a_clip_keeps_its_moments(tiny_clip):
    model = make_tiny(None)
    clip = type(tiny_clip)(np.repeat(tiny_clip.frames, 3, 0), (0.0, 0.1, 0.2), "c", "2" * 64)
    capture = pipeline.capture(model, clip, size=64)
    assert capture.blocks["res4.5"].query_grid == (3, 4, 4)


def test_class_maps_go_on_from_there(tiny_clip):
    model = make_tiny(None)
    capture = pipeline.capture(model, tiny_clip, size=64)
    kinds = [kind.name for kind in offered(capture.blocks["res4.5"])]
    assert kinds == ["features", "class maps"]
    (first, *_rest) = queries.maps(capture, (20, 30), kind="class maps", block="res4.5")
    assert first.values.shape == (1, 4, 4)
    assert first.values.min() >= 0


def test_a_network_without_a_classifier_has_maps_and_no_classes(tiny_clip, one_line):
    capture = pipeline.capture(headless(), tiny_clip, size=64)
    assert prediction_words(capture) == NO_CLASSIFIER
    assert queries.row(capture, (20, 30)).values.shape == (1, 2, 2)
    with pytest.raises(InputError, match="no classifier, and class maps need one") as caught:
        queries.maps(capture, (20, 30), kind="class maps")
    one_line(caught.value)


def test_a_network_with_nothing_to_look_at_says_so(tiny_clip, one_line):
    spec = CompactSpec("wrn", "10-1", 10)
    model = LoadedModel("wrn", spec, build(spec), (), "1" * 64)
    capture = pipeline.capture(model, tiny_clip, size=32)
    with pytest.raises((InputError, OutsideError), match="no stages to look at") as caught:
        queries.block_of(capture)
    one_line(caught.value)
