"""Every family of checkpoints, written under its own names and loaded whole: the same network."""

from dataclasses import replace

import pytest
import torch

from models.build import build
from models.checkpoints import load
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing, TemporalSpec
from tests.models.written import foreign
from tests.models.written.clips import randomise

I3D = ((0, 1, 2), (0, 2), (0, 2, 4), (1,))
SLOW = ((), (), (0, 1, 2, 3, 4, 5), (0, 1, 2))
ALL = tuple(tuple(range(n)) for n in (3, 4, 6, 3))
EVEN = ("res3.0", "res3.2", "res4.0", "res4.2", "res4.4")
EVEN_UNITS = ((2, 0), (2, 2), (3, 0), (3, 2), (3, 4))
GREY = {"mean": (0.45,) * 3, "std": (0.225,) * 3}
STRIDED = TemporalSpec(5, 2, 1, 2, halve_after_res2=True, inflated=I3D)
ORIGINAL = TemporalSpec(5, 2, 2, 2, 0, halve_after_res2=True, inflated=I3D)


def resnet(block=None, placement="none", temporal=None, classes=7, norm="batch", depth=50, **prep):
    return ModelSpec(
        depth,
        8,
        block,
        placement,
        classes,
        temporal=temporal or TemporalSpec(),
        norm=norm,
        preprocessing=Preprocessing(**prep),
    )


def network_of(spec):
    torch.manual_seed(5)
    return randomise(build(spec))


def assert_loads_as(path, network, answers=None, frames=8):
    """Check the spec and that logits and every tensor are those of the network that was written."""
    model = load(path, answers or {})
    assert model.spec == network.spec
    found, expected = model.network.state_dict(), network.state_dict()
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(found[key], value), key
    x = torch.randn(1, 3, frames, 33, 37)
    with torch.no_grad():
        logits = network(x)
        assert logits.std() > 1e-6
        assert torch.equal(model.network(x), logits)
    return model


CGNL_BLOCKS = {
    "cgnl": (CGNLSpec(groups=8), foreign.CGNL_CGNL),
    "cgnlx": (CGNLSpec("gaussian_rbf", groups=8), foreign.CGNL_CGNL),
    "nl": (NonLocalSpec("embedded_gaussian", True), foreign.CGNL_NL),
}


@pytest.mark.parametrize(
    ("kind", "depth", "classes"),
    [
        ("cgnl", 50, 7),
        ("cgnlx", 50, 200),
        ("nl", 50, 7),
        ("nl", 101, 7),
        ("cgnl", 152, 7),
    ],
)
def test_the_cgnl_authors_networks(tmp_path, kind, depth, classes):
    block, table = CGNL_BLOCKS[kind]
    prep = {"size": 448, "resize": 512} if classes == 200 else {}
    network = network_of(resnet(block, "1", classes=classes, depth=depth, **prep))
    unit = {50: 4, 101: 21, 152: 34}[depth]
    state = foreign.with_own_number(foreign.renamed(network, table), unit)
    assert f"layer3.{unit + 1}.t.weight" in state
    content = {
        "epoch": 100,
        "state_dict": {f"module.{k}": v for k, v in state.items()},
        "best_prec1": torch.tensor([77.7]),
        "optimizer": {"state": {}, "param_groups": []},
    }
    path = foreign.torch_saved(tmp_path / f"r{depth}_{kind}.pth.tar", content, legacy=True)
    answers = {"class_names": "cub200"} if classes == 200 else {}
    model = assert_loads_as(path, network, answers, frames=1)
    assert len(model.class_names) == (200 if classes == 200 else 0)


MM_FUNCTIONS = {
    "dot_product": NonLocalSpec("dot_product", False, "after", bias=True),
    "embedded_gaussian": NonLocalSpec("embedded_gaussian", False, "after", bias=True),
    "gaussian": NonLocalSpec("gaussian", False, "after", bias=True),
    "concatenation": NonLocalSpec("concatenation", False, "after", bias=True),
}
CONFIG = """
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3d', depth=50, conv1_kernel=(5, 7, 7), conv1_stride_t=2, pool1_stride_t=2,
        non_local_cfg=dict(
            sub_sample=True, use_scale={scale}, norm_cfg=dict(type='BN3d'), mode='{mode}')))
train_pipeline = [dict(type='SampleFrames', clip_len=32, frame_interval=2, num_clips=1)]
"""


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("function", MM_FUNCTIONS)
def test_mmactions_i3d(tmp_path, function, version):
    spec = resnet(MM_FUNCTIONS[function], "5", STRIDED, frames=32, frame_stride=2)
    network = network_of(spec)
    text = CONFIG.format(scale=False, mode=function)
    meta = {"config": text} if version == 0 else {"cfg": text, "epoch": 100, "seed": 3}
    content = {"meta": meta, "state_dict": foreign.renamed(network, foreign.MMACTION, five="all")}
    path = foreign.torch_saved(tmp_path / "epoch_100.pth", content, legacy=version == 0)
    model = assert_loads_as(path, network)
    assert {f.name: f.source for f in model.report.facts}["function"] == (
        "metadata" if function in ("dot_product", "embedded_gaussian") else "weights"
    )


MM_NAMED = {
    "i3d_imagenet-pretrained-r50-nl-dot-product_8xb8-32x2x1-100e_kinetics400-rgb.pth": (
        resnet(MM_FUNCTIONS["dot_product"], "5", STRIDED, frames=32, frame_stride=2)
    ),
    "i3d_nl_embedded_gaussian_r50_32x2x1_100e_kinetics400_rgb_20200813-6e6aef1b.pth": (
        resnet(MM_FUNCTIONS["embedded_gaussian"], "5", STRIDED, frames=32, frame_stride=2)
    ),
    "slowonly_r50-in1k-pre-nl-embedded-gaussian_8xb16-8x8x1-steplr-150e_kinetics400-rgb.pth": (
        resnet(
            NonLocalSpec("embedded_gaussian", True, "after", bias=True),
            EVEN,
            TemporalSpec(inflated=SLOW),
            frames=8,
            frame_stride=8,
        )
    ),
    "i3d_imagenet-pretrained-r50_8xb8-32x2x1-100e_kinetics400-rgb.pth": (
        resnet(None, "none", STRIDED, frames=32, frame_stride=2)
    ),
}


@pytest.mark.parametrize(("name", "spec"), MM_NAMED.items(), ids=[n[:30] for n in MM_NAMED])
def test_mmactions_published_names_tell_what_metadata_would(tmp_path, name, spec):
    network = network_of(spec)
    content = {"meta": {}, "state_dict": foreign.renamed(network, foreign.MMACTION, five="all")}
    assert_loads_as(foreign.torch_saved(tmp_path / name, content), network)


AVA = "slowonly_kinetics400-pretrained-r50-nl_8xb16-8x8x1-20e_ava21-rgb_20220906-9760eadb.pth"


def test_mmactions_detector_of_actions_opens_with_its_head(tmp_path):
    block = NonLocalSpec("embedded_gaussian", True, "after", bias=True)
    plain = resnet(block, EVEN, TemporalSpec(inflated=SLOW), 81, frames=8, frame_stride=8)
    prep = replace(plain.preprocessing, size=256, resize=256, stride=16)
    network = network_of(replace(plain, last_stride=1, head="people", preprocessing=prep))
    state = foreign.renamed(network, foreign.MMACTION, five="all")
    head = {key: state.pop(key) for key in list(state) if key.startswith("cls_head.")}
    state |= {key.replace("cls_head.", "roi_head.bbox_head."): v for key, v in head.items()}
    text = "use_scale=True, mode='embedded_gaussian'"
    content = {"meta": {"config": text}, "state_dict": state}
    model = load(foreign.torch_saved(tmp_path / AVA, content))
    assert model.spec == network.spec
    assert (model.class_names[12], model.class_names[80]) == ("stand", "watch (a person)")
    assert all(
        torch.equal(value, network.state_dict()[key])
        for key, value in model.network.state_dict().items()
    )


def test_mmactions_blocks_without_pooling_have_other_names(tmp_path):
    block = NonLocalSpec("gaussian", False, "none", bias=True)
    network = network_of(resnet(block, "5", STRIDED, frames=32, frame_stride=2))
    state = foreign.renamed(network, foreign.MMACTION_UNPOOLED, five="all")
    path = foreign.torch_saved(tmp_path / "i3d.pth", {"state_dict": state})
    assert_loads_as(path, network)


@pytest.mark.parametrize("scale", ["yes", "no"])
@pytest.mark.parametrize("function", ["embedded_gaussian", "gaussian", "dot_product"])
def test_mmactions_tsm(tmp_path, function, scale):
    scaled = scale == "yes" and function == "embedded_gaussian"
    block = NonLocalSpec(function, scaled, "after", bias=True)
    network = network_of(resnet(block, EVEN, TemporalSpec(shifted=ALL), frames=8))
    state = foreign.renamed(network, foreign.MMACTION, five=("theta", "phi", "g", "expand"))
    state = foreign.shifting(state, EVEN_UNITS)
    assert "backbone.layer2.0.block.conv1.conv.net.weight" in state
    assert "backbone.layer2.0.block.downsample.conv.weight" in state
    path = foreign.torch_saved(tmp_path / "net.pth", {"state_dict": state})
    assert_loads_as(path, network, {"function": function, "scale": scale})


def test_tsm_of_its_authors(tmp_path):
    block = NonLocalSpec("embedded_gaussian", False, "after", bias=True, expand_bias=True)
    prep = {"frames": 8, "frame_stride": 8}
    network = network_of(resnet(block, EVEN, TemporalSpec(shifted=ALL), **prep))
    state = foreign.renamed(network, foreign.TSM, five=("theta", "phi", "g", "expand"))
    state = foreign.shifting(state, EVEN_UNITS)
    assert "base_model.layer3.4.block.conv1.net.weight" in state
    state = {f"module.{k}": v for k, v in state.items()}
    content = {"epoch": 99, "arch": "resnet50", "state_dict": state, "best_prec1": 74.5}
    name = "TSM_kinetics_RGB_resnet50_shift8_blockres_avg_segment8_e100_dense_nl.pth"
    assert_loads_as(foreign.torch_saved(tmp_path / name, content, legacy=True), network)


@pytest.mark.parametrize(("depth", "placement"), [(50, "10"), (101, "5")])
def test_gluon_cvs_i3d(tmp_path, depth, placement):
    block = NonLocalSpec("embedded_gaussian", True, "none", bias=True, expand_bias=True)
    prep = {"frames": 32, "frame_stride": 2}
    network = network_of(resnet(block, placement, STRIDED, depth=depth, **prep))
    state = foreign.renamed(network, foreign.GLUON, five="all")
    assert torch.equal(state["head.1.weight"], state["fc.weight"])
    path = tmp_path / f"i3d_nl{placement}_resnet{depth}_v1_kinetics400-9df1e103.pth"
    model = assert_loads_as(foreign.torch_saved(path, state), network)
    assert "the same values" in model.report.ignored["head.1.weight"]


@pytest.mark.parametrize("placement", ["5", "none"])
def test_tushars_converted_i3d(tmp_path, placement):
    block = NonLocalSpec("embedded_gaussian", True, "before", bias=True, expand_bias=True)
    block = block if placement == "5" else None
    network = network_of(resnet(block, placement, ORIGINAL, frames=32, frame_stride=2, **GREY))
    state = foreign.renamed(network, foreign.TUSHAR, counters=False, five="all")
    assert_loads_as(foreign.torch_saved(tmp_path / "i3d_r50_nl_kinetics.pth", state), network)


@pytest.mark.parametrize(
    ("depth", "legacy"), [(14, False), (18, True), (34, False), (50, True), (101, False)]
)
def test_trunks_with_torchvisions_names(tmp_path, depth, legacy):
    network = network_of(resnet(depth=depth))
    state = foreign.renamed(network, foreign.TORCHVISION, counters=not legacy)
    path = foreign.torch_saved(tmp_path / f"resnet{depth}.pth", state, legacy)
    assert_loads_as(path, network, frames=1)
