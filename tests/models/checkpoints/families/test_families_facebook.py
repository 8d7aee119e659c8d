"""PySlowFast's and video-nonlocal-net's networks, in torch names and as Caffe2 blobs."""

import pytest
import torch

from errors import CheckpointError
from models.checkpoints import load
from models.report import UndecidedError
from models.specs.block import NonLocalSpec
from models.specs.network import TemporalSpec
from tests.models.checkpoints.families.test_families import (
    GREY,
    I3D,
    ORIGINAL,
    assert_loads_as,
    network_of,
    resnet,
)
from tests.models.written import foreign

SOFTMAX = NonLocalSpec("embedded_gaussian", True, "before", bias=True, expand_bias=True)
DOT = NonLocalSpec("dot_product", False, "before", bias=True, expand_bias=True)
GAUSSIAN = NonLocalSpec("gaussian", False, "before", bias=True, expand_bias=True)
NEW = TemporalSpec(stem_frames=5, pool_padding=0, halve_after_res2=True, inflated=I3D)
PADDED = TemporalSpec(stem_frames=5, halve_after_res2=True, inflated=I3D)
C2D = TemporalSpec(halve_after_res2=True)
AFFINE = NonLocalSpec(
    "embedded_gaussian", True, "before", 2, True, True, "none", group_frames=((3, 4),)
)


def clip(frames, apart):
    return {"frames": frames, "frame_stride": apart, **GREY}


PUBLISHED = {
    "c2d_nonlocal_8x8_IN_pretrain_400k.pkl": resnet(
        SOFTMAX, "5", TemporalSpec(pool_padding=0, halve_after_res2=True), **clip(8, 8)
    ),
    "i3d_nonlocal_32x2_IN_pretrain_400k.pkl": resnet(SOFTMAX, "5", ORIGINAL, **clip(32, 2)),
    "i3d_baseline_8x8_IN_pretrain_400k.pkl": resnet(None, "none", NEW, **clip(8, 8)),
    "i3d_nonlocal_32x4_I3D_pretrain_400k.pkl": resnet(
        AFFINE, "5", NEW, norm="affine", **clip(32, 4)
    ),
    "i3d_nonlocal_128x1_I3D_pretrain_400k.pkl": resnet(
        AFFINE, "5", ORIGINAL, norm="affine", **clip(128, 1)
    ),
    "i3d_baseline_32x4_I3D_pretrain_400k.pkl": resnet(
        None, "none", NEW, norm="affine", **clip(32, 4)
    ),
    "I3D_NLN_8x8_R50.pkl": resnet(SOFTMAX, "5", PADDED, **clip(8, 8)),
    "C2D_NOPOOL_8x8_R50.pkl": resnet(None, "none", TemporalSpec(), **clip(8, 8)),
}


@pytest.mark.parametrize(("name", "spec"), PUBLISHED.items(), ids=[n[:16] for n in PUBLISHED])
def test_published_blobs(tmp_path, name, spec):
    network = network_of(spec)
    state = foreign.renamed(network, foreign.CAFFE2, counters=False, five="all")
    state["pred_w"] = state["pred_w"][:, :, None, None, None]
    path = foreign.pickled(tmp_path / name, state)
    model = assert_loads_as(path, network, frames=32 if "_128" in name else 16)
    assert model.report.ignored["conv1_w_momentum"] == "training state"


@pytest.mark.parametrize("depth", [50, 101])
def test_blobs_without_a_telling_name_are_asked_about_and_flat_ones_are_read(tmp_path, depth):
    network = network_of(resnet(SOFTMAX, "5", NEW, depth=depth, **clip(8, 8)))
    state = foreign.renamed(network, foreign.CAFFE2, counters=False, five="all")
    path = foreign.pickled(tmp_path / "mine.pkl", state, protocol=0, blobs=False)
    with pytest.raises(UndecidedError) as caught:
        load(path)
    assert [question.name for question in caught.value.questions] == ["architecture"]
    assert "fb-new" in caught.value.questions[0].choices
    assert_loads_as(path, network, {"architecture": "fb-new"})


@pytest.mark.parametrize("answer", ["fb-newer", "", "i3d"])
def test_an_answer_that_is_no_choice_is_refused(tmp_path, answer, one_line):
    network = network_of(resnet(None, "none", NEW, **clip(8, 8)))
    state = foreign.renamed(network, foreign.CAFFE2, counters=False, five="all")
    path = foreign.pickled(tmp_path / "mine.pkl", state)
    with pytest.raises(CheckpointError, match="fb-org") as caught:
        load(path, {"architecture": answer})
    one_line(caught.value)


CONFIG = """
DATA:
  NUM_FRAMES: {frames}
  SAMPLING_RATE: {apart}
MODEL:
  ARCH: {arch}
NONLOCAL:
  GROUP:
  - - 1
  - - 1
  - - {groups}
  - - 1
  INSTANTIATION: {function}
  LOCATION:
  - - []
"""
YAML = {
    "i3d": (resnet(SOFTMAX, "5", PADDED, **clip(8, 8)), ("i3d", "softmax", 1)),
    "i3d r101": (resnet(SOFTMAX, "5", PADDED, depth=101, **clip(8, 4)), ("i3d", "softmax", 1)),
    "c2d dot product": (resnet(DOT, "5", C2D, **clip(16, 5)), ("c2d", "dot_product", 1)),
    "slow gaussian": (
        resnet(GAUSSIAN, "5", TemporalSpec(inflated=((), (), (0, 1), (2,))), **clip(4, 16)),
        ("slow", "softmax", 1),
    ),
    "2d baseline": (resnet(None, "none", TemporalSpec(), **clip(8, 8)), ("2d", "softmax", 1)),
    "groups": (
        resnet(
            NonLocalSpec(
                "dot_product", False, "before", bias=True, expand_bias=True, group_frames=((4, 4),)
            ),
            "5",
            PADDED,
            **clip(16, 4),
        ),
        ("i3d", "dot_product", 2),
    ),
}


@pytest.mark.parametrize(("spec", "told"), YAML.values(), ids=YAML)
def test_pyslowfasts_own_checkpoints_say_everything_in_their_configuration(tmp_path, spec, told):
    arch, function, groups = told
    prep = spec.preprocessing
    text = CONFIG.format(
        frames=prep.frames, apart=prep.frame_stride, arch=arch, function=function, groups=groups
    )
    network = network_of(spec)
    state = foreign.renamed(network, foreign.SLOWFAST, five="all")
    content = {"epoch": 118, "model_state": state, "optimizer_state": {"state": {}}, "cfg": text}
    path = foreign.torch_saved(tmp_path / "checkpoint_epoch_00118.pyth", content)
    model = assert_loads_as(path, network, frames=16)
    assert model.report.ignored["optimizer_state"] == "training state"


def test_a_file_without_its_configuration_is_asked_about(tmp_path, one_line):
    network = network_of(resnet(SOFTMAX, "5", PADDED, **clip(8, 8)))
    state = foreign.renamed(network, foreign.SLOWFAST, five="all")
    path = foreign.torch_saved(tmp_path / "weights.pyth", {"model_state": state})
    with pytest.raises(UndecidedError, match="pyslowfast or pyslowfast-nopool") as caught:
        load(path)
    one_line(caught.value)
    answers = {"architecture": "pyslowfast", "function": "embedded_gaussian"}
    assert_loads_as(path, network, answers)


def test_grouping_frames_changes_the_logits_so_that_loading_without_it_would_show():
    x = torch.randn(1, 3, 16, 33, 37)
    spec = resnet(AFFINE, "5", NEW, norm="affine", **clip(32, 4))
    whole = NonLocalSpec("embedded_gaussian", True, "before", 2, True, True, "none")
    with torch.no_grad():
        grouped = network_of(spec)(x)
        together = network_of(resnet(whole, "5", NEW, norm="affine", **clip(32, 4)))(x)
    assert not torch.equal(grouped, together)
