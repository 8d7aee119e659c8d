"""What a chance word of a name, or a mere count, may not decide: a row for each kind seen."""

import json
import re

import pytest

from errors import CheckpointError
from models.checkpoints import inspect
from models.report import UndecidedError
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import TemporalSpec
from tests.models.checkpoints.families.test_families import (
    ALL,
    CGNL_BLOCKS,
    EVEN,
    EVEN_UNITS,
    GREY,
    ORIGINAL,
    SLOW,
    STRIDED,
    network_of,
    resnet,
)
from tests.models.checkpoints.families.test_families_facebook import SOFTMAX
from tests.models.written import foreign


def tsm():
    block = NonLocalSpec("embedded_gaussian", False, "after", bias=True, expand_bias=True)
    network = network_of(resnet(block, EVEN, TemporalSpec(shifted=ALL), frames=8))
    state = foreign.renamed(network, foreign.TSM, five=("theta", "phi", "g", "expand"))
    return foreign.shifting(state, EVEN_UNITS)


def gluon():
    block = NonLocalSpec("embedded_gaussian", True, "none", bias=True, expand_bias=True)
    network = network_of(resnet(block, "5", STRIDED, frames=32))
    return foreign.renamed(network, foreign.GLUON, five="all")


def mmaction():
    block = NonLocalSpec("embedded_gaussian", False, "after", bias=True)
    network = network_of(resnet(block, "5", STRIDED, frames=32))
    return foreign.renamed(network, foreign.MMACTION, five="all")


def cgnl(classes=7):
    network = network_of(resnet(CGNLSpec(groups=8), "1", classes=classes))
    return foreign.with_own_number(foreign.renamed(network, CGNL_BLOCKS["cgnl"][1]), 4)


def slow():
    network = network_of(resnet(SOFTMAX, "5", TemporalSpec(inflated=SLOW), frames=8))
    return foreign.renamed(network, foreign.CAFFE2, counters=False, five="all")


def c2d():
    network = network_of(resnet(SOFTMAX, "5", TemporalSpec(halve_after_res2=True), frames=8))
    return foreign.renamed(network, foreign.CAFFE2, counters=False, five="all")


def trunk(classes):
    return foreign.renamed(network_of(resnet(classes=classes, depth=18)), foreign.TORCHVISION)


def facts_of(tmp_path, state, name, answers=None, **beside):
    write = foreign.pickled if name.endswith(".pkl") else foreign.torch_saved
    content = state if name.endswith(".pkl") else {"state_dict": state, **beside}
    found = inspect(write(tmp_path / name, content), answers or {})
    return {fact.name: (fact.value, fact.source) for fact in found.report.facts}, found


CODE, NAME, META, SHOWN = "the family's code", "file name", "metadata", "weights"
KERNELS = {
    "TSM of DoTA": (tsm, "TSM_resnet50_nl_DoTA.pth", {}, "function", "embedded_gaussian", CODE),
    "TSM of mine": (tsm, "TSM_resnet50_nl_mine.pth", {}, "function", "embedded_gaussian", CODE),
    "gluon of DoTA": (gluon, "i3d_nl5_dota.pth", {}, "function", "embedded_gaussian", CODE),
    "multi-scale crop": (
        mmaction,
        "i3d_nl_embedded_gaussian_r50_multiscalecrop.pth",
        {},
        "scale",
        "no",
        NAME,
    ),
    "picture size": (c2d, "kinetics_224x224_C2D_NLN_8x8_R50.pkl", {}, "frames", "8", NAME),
    "CGNLx beside": (cgnl, "model_best.pth", {"NL_TYPE": "cgnlx"}, "kernel", "cgnlx", META),
    "Slow": (slow, "SLOW_8x8_R50.pkl", {}, "architecture", "pyslowfast-nopool", SHOWN),
    "Slow by its kernels": (slow, "NLN.pkl", {}, "architecture", "pyslowfast-nopool", SHOWN),
}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "file", "beside", "name", "value", "source"), KERNELS.values(), ids=KERNELS
)
def test_every_fact_is_of_the_source_that_can_know(
    tmp_path, make, file, beside, name, value, source
):
    answers = {"function": "embedded_gaussian"} if make is slow else {}
    facts, found = facts_of(tmp_path, make(), file, answers, **beside)
    assert facts[name] == (value, source)
    assert all(fact.source for fact in found.report.facts)
    assert {"network", "blocks", "classes", "input_size", "class_names"} <= set(facts)


def test_time_is_not_halved_in_the_slow_network(tmp_path):
    answers = {"function": "embedded_gaussian"}
    _facts, found = facts_of(tmp_path, slow(), "SLOW_NLN_8x8_R50.pkl", answers)
    assert found.spec.temporal == TemporalSpec(inflated=SLOW)


QUESTIONS = {
    "a chance word": (mmaction, "nl_r50_embeddings.pth", {}, ["function", "scale"]),
    "name against metadata": (cgnl, "cgnl_r50.pth", {"NL_TYPE": "cgnlx"}, ["kernel"]),
    "name against code": (tsm, "tsm_nl_dot_product.pth", {}, ["function"]),
    "Slow's function": (slow, "SLOW_NLN_8x8_R50.pkl", {}, ["function"]),
    "whose C2D": (c2d, "NLN_8x8_R50.pkl", {}, ["architecture"]),
}


@pytest.mark.parametrize(("make", "file", "beside", "names"), QUESTIONS.values(), ids=QUESTIONS)
def test_what_nobody_can_know_is_asked(tmp_path, make, file, beside, names, one_line):
    with pytest.raises(UndecidedError) as caught:
        facts_of(tmp_path, make(), file, **beside)
    assert [question.name for question in caught.value.questions] == names
    one_line(caught.value)


@pytest.mark.parametrize("classes", [10, 200, 400, 1000])
def test_a_number_of_classes_names_nobodys_classes(tmp_path, classes):
    facts, found = facts_of(tmp_path, trunk(classes), "tiny-imagenet.pth")
    assert found.class_names == ()
    assert facts["class_names"] == ("none", "not said")
    assert facts["input_size"] == ("224", "the family's default")
    assert found.spec.preprocessing.resize == 256
    (hint,) = found.report.hints
    assert f"{classes:,} classes" in hint
    assert re.search(r"give (\w+) as the class names \(on the command line --classes \1\)", hint)


NAMES = [f"bird {k}" for k in range(7)]
NAMED = {
    "an answer": (
        trunk, 200, {"class_names": "cub200"}, {}, "Black footed Albatross", "your answer"
    ),
    "a list": (trunk, 7, {}, {"meta": {"dataset_meta": {"classes": NAMES}}}, "bird 0", META),
    "a table": (
        trunk, 7, {}, {"class_to_idx": {n: k for k, n in enumerate(NAMES)}}, "bird 0", META
    ),
    "Hugging Face's": (trunk, 7, {}, {"id2label": dict(enumerate(NAMES))}, "bird 0", META),
    "a data set": (trunk, 400, {}, {"cfg": "DATASET: kinetics\n"}, "abseiling", META),
    "its folder": (
        trunk, 400, {}, {"cfg": "data_root = 'data/kinetics400/videos_train'\n"}, "abseiling", META
    ),
    "an answer against metadata": (
        trunk, 200, {"class_names": "none"}, {"dataset": "CUB-200-2011"}, None, "your answer"
    ),
    "another data set": (trunk, 200, {}, {"dataset": "tiny-imagenet-200"}, None, "not said"),
    "too few": (trunk, 7, {}, {"classes": NAMES[:6]}, None, "not said"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "classes", "answers", "beside", "first", "source"), NAMED.values(), ids=NAMED
)
def test_classes_are_named_by_who_knows_them(
    tmp_path, make, classes, answers, beside, first, source
):
    facts, found = facts_of(tmp_path, make(classes), "net.pth", answers, **beside)
    assert found.class_names[:1] == ((first,) if first else ())
    assert facts["class_names"][1] == source


@pytest.mark.parametrize(
    ("answers", "beside", "size", "resize"),
    [
        ({"class_names": "cub200"}, {}, 448, 512),
        ({}, {"dataset": "CUB"}, 448, 512),
        ({"input_size": "448"}, {}, 448, 512),
        ({"input_size": "112"}, {}, 112, 128),
        ({"class_names": "cub200", "input_size": "224"}, {}, 224, 256),
        ({}, {"args": {"img_size": 384}}, 384, 439),
        ({}, {}, 224, 256),
    ],
)
def test_the_input_size_is_the_data_sets_or_what_is_said(tmp_path, answers, beside, size, resize):
    _facts, found = facts_of(tmp_path, trunk(200), "net.pth", answers, **beside)
    assert (found.spec.preprocessing.size, found.spec.preprocessing.resize) == (size, resize)


def test_a_family_of_one_data_set_names_it(tmp_path):
    block = NonLocalSpec("embedded_gaussian", True, "before", bias=True, expand_bias=True)
    for classes, first in ((400, ("abseiling",)), (7, ())):
        network = network_of(resnet(block, "5", ORIGINAL, classes=classes, frames=32, **GREY))
        state = foreign.renamed(network, foreign.TUSHAR, counters=False, five="all")
        facts, found = facts_of(tmp_path, state, "i3d_r50_nl_kinetics.pth")
        assert found.class_names[:1] == first
        assert (facts["class_names"][1] == "the family's only data set") == bool(first)


@pytest.mark.parametrize("answer", ["birds", "cub2000", "", json.dumps(NAMES), "/etc/passwd"])
def test_an_unknown_list_of_names_is_refused(tmp_path, answer, one_line):
    with pytest.raises(CheckpointError, match="cub200, kinetics400, imagenet") as caught:
        facts_of(tmp_path, trunk(200), "net.pth", {"class_names": answer})
    one_line(caught.value)


def test_a_list_of_another_length_is_refused(tmp_path, one_line):
    with pytest.raises(CheckpointError, match="has 7 classes, and CUB-200-2011 200") as caught:
        facts_of(tmp_path, trunk(7), "net.pth", {"class_names": "cub200"})
    one_line(caught.value)


def test_what_can_be_answered_is_told_from_what_the_weights_show(tmp_path):
    _facts, found = facts_of(tmp_path, mmaction(), "i3d_nl_dot_product.pth")
    report = found.report
    assert {"function", "frames", "class_names"} <= set(report.open_to_answers)
    assert not {"network", "blocks", "classes"} & set(report.open_to_answers)
    assert "function" in {fact.name for fact in report.assumed}


def test_a_published_file_says_what_its_publisher_does(tmp_path):
    path = foreign.torch_saved(tmp_path / "x.pth", {"state_dict": cgnl(200)})
    told = {"kernel": "cgnlx", "class_names": "cub-200"}
    found = inspect(path, publishers=lambda _sha256: told)
    facts = {fact.name: fact.source for fact in found.report.facts}
    assert facts["kernel"] == facts["class_names"] == "the published file"
    assert found.spec.preprocessing.size == 448
