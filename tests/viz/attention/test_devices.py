"""Every map, measure and block on a pretended GPU, and on a real one where there is one: nothing
meets a tensor of the processor, factors stay where the network is, and what comes back is what the
processor computes."""

from contextlib import nullcontext, suppress
from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from errors import InputError
from models import devices
from models.specs.block import CGNLSpec, GlobalContextSpec, NonLocalSpec
from models.specs.gate import CBAMSpec, CGDSpec, SESpec
from models.specs.network import Preprocessing
from models.zoo.wrapped.wrap import wrap
from tests.models.zoo.wrapped.networks import picture_network
from tests.pretended_gpu import GPU, PretendedGpu, moved
from tests.viz import tiny_detectors
from tests.viz.attention.captured import small_network
from viz.attention import matches, pipeline, queries
from viz.attention.choice import Selection
from viz.attention.detection import object_rows, objects
from viz.attention.kinds import affinity
from viz.attention.kinds.registry import as_kind, kind_of, offered
from viz.attention.kinds.tokens import colours
from viz.attention.predictions import top_classes
from viz.attention.query_dependence import query_dependence
from viz.datasets.passes import Networks
from viz.datasets.sample import Sample
from viz.evaluation import evaluate as evaluations
from viz.evaluation import measures
from viz.evaluation.block_statistics import block_statistics
from viz.figure.recipe.recipe import Part
from viz.geometry import Box
from viz.types import Cell, Clip

pytestmark = pytest.mark.slow
SMALL = Preprocessing(size=64, resize=64)


def _blocks(**specs):
    return {
        name: lambda spec=spec: small_network(block=spec, placement="1")
        for name, spec in specs.items()
    }


def _gates(**specs):
    return {
        name: lambda spec=spec: small_network(block=NonLocalSpec(), placement="1", gate=spec)
        for name, spec in specs.items()
    }


def _wrapped(name):
    return wrap(deepcopy(picture_network(name)), preprocessing=replace(SMALL, fixed=True))


OURS = {
    **_blocks(
        gaussian=NonLocalSpec("gaussian"),
        embedded_gaussian=NonLocalSpec("embedded_gaussian", pool_keys="after"),
        dot_product=NonLocalSpec("dot_product", pool_keys="before"),
        concatenation=NonLocalSpec("concatenation"),
        cgnl=CGNLSpec(groups=4),
        cgnl_scaled=CGNLSpec(groups=4, scale=True, l2_normalise=True),
        cgnl_taylor=CGNLSpec("embedded_gaussian", groups=4),
        cgnl_rbf=CGNLSpec("gaussian_rbf", groups=4),
        gnl_exact=CGNLSpec("gaussian_rbf", groups=4, order=None),
        global_context=GlobalContextSpec(),
    ),
    **_gates(cgd=CGDSpec(), se=SESpec(), cbam=CBAMSpec(kernel=3)),
    "trunk without blocks": lambda: small_network(),
}
WRAPPED = ("vit", "deit, distilled", "swin", "relative positions", "hf clip", "convit")
DETECTORS = {"C4": tiny_detectors.c4, "keypoints": tiny_detectors.keypoints}
NETWORKS = {
    **OURS,
    **{name: lambda name=name: _wrapped(name) for name in WRAPPED},
    **DETECTORS,
}


@cache
def _clip(seed=3):
    draw = np.random.default_rng(seed)
    frames = draw.integers(0, 255, (1, 64, 64, 3), np.uint8)
    return Clip(frames, (0.0,), f"noise {seed}", f"{seed}" * 64)


class Pretended:
    """The processor, under the rules of a GPU; where there is a real one, that is used."""

    surroundings, tolerance = PretendedGpu, {"rtol": 1e-4, "atol": 1e-5}
    measured = {"rtol": 1e-3, "atol": 2e-3}

    @staticmethod
    def takes(model):
        return replace(model, network=moved(deepcopy(model.network)))


class Real:
    """The first NVIDIA GPU of this machine, as ``--device cuda`` finds it; its sums run in another
    order."""

    surroundings, tolerance = nullcontext, {"rtol": 1e-3, "atol": 2e-4}
    measured = {"rtol": 1e-3, "atol": 5e-3}

    @staticmethod
    def takes(model):
        return replace(model, network=devices.moved(deepcopy(model.network), devices.found("cuda")))


NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU here")
A_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="a real GPU is here")
PLACES = [pytest.param(Pretended, marks=A_GPU), pytest.param(Real, marks=NO_GPU)]


def _numbers(value):
    """Return a result as numbers; a tensor that is still on the GPU has not come back."""
    assert not (isinstance(value, torch.Tensor) and value.device.type == "cuda")
    return np.asarray(value, float)


def shown(capture, label):
    """Yield every kind that a block can be shown as, with the block as it sees it."""
    for kind in offered(capture.blocks[label]):
        if kind.referenced or (len(capture.logits) and not capture.detections):
            with suppress(InputError):  # rollout over layers of other tokens
                yield kind, as_kind(capture, capture.blocks[label], kind.name)


def maps_of(capture):
    """Yield every map of every kind of every block, and their rankings."""
    for label in capture.blocks:
        for kind, seen in shown(capture, label):
            cell, block = Cell(0, 0, 1), capture.blocks[label]
            chosen = [Selection(ranking=name, count=3) for name in kind.rankings] or [Selection()]
            if kind.divisions(seen):
                chosen.append(Selection(divisions=True))
            for selection in chosen:
                for number, found in enumerate(kind.maps(seen, cell, selection)):
                    yield f"{block.label} {kind.name} {selection} {number}", found.values
            for choice in kind.summaries(seen):
                yield f"{block.label} {kind.name} {choice}", kind.map(seen, cell, choice).values


def strengths_of(capture):
    """Yield what answers to the most, by channel, group, head or row."""
    for block in capture.blocks.values():
        kind = kind_of(block)
        for part in kind.answering(block):
            yield f"{block.label} strongest {part}", kind.strengths(block, part).cpu().numpy()


def factors_of(capture):
    """Yield what leaves a capture otherwise: the browser's factors, matrices, scores, numbers."""
    for block in capture.blocks.values():
        kind = kind_of(block)
        if not kind.referenced:
            continue
        sent = kind.browser(block, Selection())
        for name, part in {**sent.halves, **sent.floats}.items():
            yield f"{block.label} {name}", part.float().cpu().numpy()
        if kind.has_matrix:
            yield f"{block.label} matrix", kind.matrix_rows(block, 0, 3).cpu().numpy()
        if isinstance(block, affinity.NonLocalCapture):
            yield f"{block.label} whole matrix", affinity.matrix(block)
        for row in kind.scores(block, Cell(0, 0, 1)):
            yield f"{block.label} head {row['head']}", [row["entropy"], row["distance"]]
        assert isinstance(kind.notes(block, Cell(0, 0, 1)), tuple)
        yield f"{block.label} dependence", query_dependence(block)
        yield from ((f"{block.label} {k}", v) for k, v in block_statistics(block).items())
        if block.block_input is not None:
            yield f"{block.label} colours", np.abs(colours.feature_colours(block))


def pairs_of(capture, other):
    """Yield what two pictures have in common at the first block."""
    block = next(label for label, one in capture.blocks.items() if kind_of(one).referenced)
    yield "match", matches.matches(capture, (20, 20), other, block=block).values
    for number, found in enumerate(matches.mutual_matches(capture, other, most=3, block=block)):
        yield f"mutual {number}", [*found.a, *found.b, found.cosine]
    blocks = [queries.block_of(one, block) for one in (capture, other)]
    pair = matches.joined(*(part for both in zip((capture, other), blocks, strict=True)
                            for part in both))  # fmt: skip
    for number, joined in enumerate(pair):
        for found in kind_of(joined).maps(joined, Cell(0, 0, 1), Selection()):
            yield f"joined {number} {found.label}", found.values


def answers_of(capture):
    """Yield what the network answers: classes, or objects with the mean of their rows."""
    yield "classes", top_classes(capture, 3)
    block = queries.block_of(capture)
    if kind_of(block).class_ranking and len(capture.logits):
        yield "class evidence", kind_of(block).class_scores(capture, block, 1).cpu().numpy()
    if objects.is_detector(capture):
        for one in objects.found(capture, score=0.0)[:2]:
            yield one.words, [one.box.left, one.box.bottom, one.score]
            yield f"{one.words} row", object_rows.mean_map(capture, block, one).values


def _results(model):
    capture, other = (pipeline.capture(model, _clip(seed)) for seed in (3, 4))
    makers = (maps_of, factors_of, strengths_of, answers_of)
    found = {name: value for make in makers for name, value in make(capture)}
    block = queries.block_of(capture)
    if kind_of(block).referenced and block.block_input is not None:
        found |= dict(pairs_of(capture, other))
    return capture, {name: _numbers(value) for name, value in found.items()}


def _same(ours, theirs, tolerance):
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], err_msg=name, **tolerance)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NETWORKS)
def test_maps_on_a_gpu_meet_nothing_of_the_processor(name, place):
    model = NETWORKS[name]()
    _capture, expected = _results(model)
    with place.surroundings():
        capture, found = _results(place.takes(model))
    _same(expected, found, place.tolerance)
    held = [part for block in capture.blocks.values() for part in block.tensors]
    assert all(part.device.type == "cuda" for part in held if part.numel())


SAMPLE = Sample(
    "a.png", None, "a", tuple(Part(n, x, y) for n, x, y in (("head", 9, 9), ("tail", 40, 50))),
    (Box(4, 4, 44, 60),),
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["embedded_gaussian", "cgnl", "vit"])
def test_measures_on_a_gpu_meet_nothing_of_the_processor(name, place):
    model = NETWORKS[name]()
    asked = evaluations.Asked(measures.NAMES)

    def rows(there):
        networks, before = Networks((there,)), {}
        given = (
            (replace(SAMPLE, name=f"{seed}.png"), networks.prepared(_clip(seed))) for seed in (3, 4)
        )
        for _sample, passed in networks.passes(given):
            yield from evaluations.rows_of(passed, networks.models, asked, before)

    expected = list(rows(model))
    with place.surroundings():
        found = list(rows(place.takes(model)))
    keys = ("picture", "map", "measure", "reference")
    assert [[row.get(k) for k in keys] for row in found] == [
        [row.get(k) for k in keys] for row in expected
    ]
    values = ([row.get("value", 0.0) for row in rows] for rows in (found, expected))
    # Inputs run together there: the last digits differ.
    np.testing.assert_allclose(*values, **place.measured)


@NO_GPU
def test_a_gpu_convolves_in_float32():
    device = devices.found("cuda")
    x, weight = torch.randn(1, 64, 56, 56), torch.randn(64, 64, 3, 3)
    exact = torch.nn.functional.conv2d(x.double(), weight.double())
    found = torch.nn.functional.conv2d(x.to(device), weight.to(device)).cpu()
    assert (found - exact).abs().max() < 2e-5 * exact.abs().max()  # TF32 leaves about 3e-4


def test_the_pretended_gpu_refuses_what_a_real_one_would():
    with PretendedGpu():
        there = torch.ones(2, 3).to(GPU)
        assert devices.of(moved(torch.nn.Linear(2, 3))) == GPU
        assert (there @ there.T).device == GPU
        assert torch.equal(there.cpu(), torch.ones(2, 3))
        with pytest.raises(RuntimeError, match="device"):
            there + torch.ones(2, 3)
        with pytest.raises(RuntimeError, match="numpy"):
            there.numpy()
