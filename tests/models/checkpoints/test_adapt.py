"""From raw tensors to ours: wrappers off, halves of w_f, sizes of one, one line for the rest."""

import pytest
import torch

from errors import CheckpointError
from models.checkpoints.adapt import (
    halve_concatenations,
    understand,
    without_unit_sizes,
)
from models.checkpoints.containers.read import RawCheckpoint
from models.report import UndecidedError
from models.specs.block import CGNLSpec, NonLocalSpec
from tests.models.checkpoints.families.test_families import EVEN, STRIDED, network_of, resnet
from tests.models.written import foreign


def raw(tensors, name="net.pth", metadata=None):
    ignored = {"optimizer": "training state"}
    return RawCheckpoint(name, "torch", tensors, metadata or {}, ignored, "0" * 64)


def test_w_f_is_cut_into_the_half_for_theta_and_the_half_for_phi():
    w_f = torch.arange(10.0).reshape(1, 10, 1, 1)
    halved = halve_concatenations({"blocks.res3_1.concat.weight": w_f, "fc.bias": torch.ones(2)})
    assert list(halved) == [
        "blocks.res3_1.projection.query_weight.weight",
        "blocks.res3_1.projection.key_weight.weight",
        "fc.bias",
    ]
    query, key, _bias = halved.values()
    assert query.flatten().tolist() == [0, 1, 2, 3, 4]
    assert key.flatten().tolist() == [5, 6, 7, 8, 9]


def test_only_sizes_of_one_are_reshaped_away():
    network = torch.nn.Conv2d(3, 5, 1)
    kept = torch.arange(15.0)
    for shape in ((5, 3), (5, 3, 1, 1), (5, 3, 1, 1, 1), (1, 5, 3)):
        found = without_unit_sizes({"weight": kept.reshape(shape)}, network)["weight"]
        assert found.shape == (5, 3, 1, 1)
        assert torch.equal(found.flatten(), kept)
    for shape in ((3, 5, 1, 1), (15, 1), (5, 3, 2, 2)):
        tensors = {"weight": torch.ones(shape), "other": torch.ones(1, 2)}
        found = without_unit_sizes(tensors, network)
        assert found["weight"].shape == shape
        assert found["other"].shape == (1, 2)


@pytest.fixture(scope="module")
def tsm_like():
    """An mmaction2 I3D whose function and scale nothing tells."""
    block = NonLocalSpec("embedded_gaussian", False, "after", bias=True)
    network = network_of(resnet(block, EVEN, STRIDED, frames=32, frame_stride=2))
    return foreign.renamed(network, foreign.MMACTION, five="all")


def test_two_open_things_are_asked_together_and_answers_settle_them(tsm_like, one_line):
    with pytest.raises(UndecidedError) as caught:
        understand(raw(tsm_like), {})
    assert [question.name for question in caught.value.questions] == ["function", "scale"]
    one_line(caught.value)
    found = understand(raw(tsm_like), {"function": "embedded_gaussian", "scale": "yes"})
    assert (found.spec.block.function, found.spec.block.scale) == ("embedded_gaussian", True)


@pytest.mark.parametrize(
    ("metadata", "answers", "function", "source"),
    [
        (
            "mode='dot_product'",
            {"function": "embedded_gaussian"},
            "embedded_gaussian",
            "your answer",
        ),
        ("mode='embedded_gaussian'", {}, "embedded_gaussian", "metadata"),
        ("", {}, "embedded_gaussian", "file name"),
    ],
)
def test_answers_come_before_metadata_and_metadata_before_the_name(
    tsm_like, metadata, answers, function, source
):
    name = "i3d_nl_embedded_gaussian.pth"
    found = understand(raw(tsm_like, name, {"meta.cfg": metadata}), answers)
    facts = {fact.name: (fact.value, fact.source) for fact in found.report.facts}
    assert found.spec.block.function == function
    assert facts["function"] == (function, source)
    assert facts["scale"] == ("no", "file name")
    assert facts["classes"] == ("7", "weights")


def test_metadata_and_a_name_that_differ_are_a_question(tsm_like, one_line):
    told = raw(tsm_like, "i3d_nl_embedded_gaussian.pth", {"meta.cfg": "mode='dot_product'"})
    with pytest.raises(
        UndecidedError, match="dot_product .metadata., embedded_gaussian .file"
    ) as asked:
        understand(told, {})
    one_line(asked.value)
    found = understand(told, {"function": "dot_product"})
    facts = {fact.name: (fact.value, fact.source) for fact in found.report.facts}
    assert found.spec.block.function == "dot_product"
    # mmcv scales the embedded Gaussian alone: for others there is nothing to find out.
    assert facts["scale"] == ("no", "the family's code")


def test_the_report_accounts_for_every_key(tsm_like):
    found = understand(raw(tsm_like, "i3d_dot_product.pth"), {})
    assert set(found.report.renamed) | set(found.report.ignored) == set(tsm_like) | {"optimizer"}
    assert not set(found.report.renamed) & set(found.report.ignored)
    assert found.report.family.startswith("mmaction2")


SECOND = "backbone.layer3.2.non_local_block.g.conv.weight"
FIRST = SECOND.replace("g.conv", "g.0.conv")


def test_two_keys_that_become_the_same_are_refused_by_name(tsm_like, one_line):
    both = {**tsm_like, SECOND: tsm_like[FIRST] + 1}
    with pytest.raises(CheckpointError) as caught:
        understand(raw(both, "i3d_dot_product.pth"), {})
    text = one_line(caught.value)
    assert "two different tensors for blocks.res4_2.projection.g.weight" in text
    assert SECOND in text


def test_two_keys_that_become_the_same_with_the_same_values_are_both_accounted_for(tsm_like):
    both = {**tsm_like, SECOND: tsm_like[FIRST].clone()}
    report = understand(raw(both, "i3d_dot_product.pth"), {}).report
    assert report.renamed[FIRST] == "blocks.res4_2.projection.g.weight"
    assert report.ignored[SECOND] == "the same values as blocks.res4_2.projection.g.weight"


@pytest.mark.parametrize("unlike", [0, 1])
def test_a_block_with_its_number_and_without_it_is_refused(unlike, one_line):
    network = network_of(resnet(CGNLSpec(groups=8), "1"))
    state = foreign.with_own_number(foreign.renamed(network, foreign.CGNL_CGNL), 4)
    state["layer3.4.nl.t.weight"] = state["layer3.5.t.weight"] + unlike
    with pytest.raises(CheckpointError, match="block's number and without it") as caught:
        understand(raw(state, "cgnl.pth"), {"kernel": "cgnl"})
    assert "cgnl.pth" in one_line(caught.value)


UNSUPPORTED = {
    "a detector with global context": "backbone.layer2.0.context_block.conv_mask.weight",
    "a detector of detectron2": "proposal_generator.rpn_head.conv.weight",
    "a RetinaNet or FCOS": "head.regression_head.conv.0.0.weight",
    "a detector whose head": "roi_head.bbox_head.fc_reg.weight",
    "a two-pathway SlowFast": "s1.pathway1_stem.conv.weight",
    "a long-term feature bank": "module.fbo.st_conv.weight",
    "a transformer, which is opened by the name of its network": "blocks.0.attn.qkv.weight",
}


@pytest.mark.parametrize(("words", "key"), UNSUPPORTED.items())
def test_networks_that_are_no_classifiers_with_blocks_are_named(words, key, one_line):
    tensors = {key: torch.ones(2), "conv1.weight": torch.ones(2)}
    with pytest.raises(CheckpointError) as caught:
        understand(raw(tensors), {})
    text = one_line(caught.value)
    assert words in text


@pytest.mark.parametrize("keys", [["weight", "bias"], ["0.weight"], ["a\nb"], ["conv1.weight"]])
def test_a_state_dict_of_another_network_is_refused_with_what_is_read(keys, one_line):
    with pytest.raises(CheckpointError, match="no family that is read") as caught:
        understand(raw({key: torch.ones(2) for key in keys}), {})
    one_line(caught.value)
