"""Checkpoints of detectors: torchvision's and the CGNL authors', as their code writes them."""

import pytest
import torch
from torch import Tensor
from torchvision.models import detection
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor

from errors import CheckpointError
from models import checkpoints
from models.build import build
from models.report import UndecidedError
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.detection import RCNNSpec, SSDSpec
from models.specs.network import ModelSpec

pytestmark = pytest.mark.slow

BLOCKS = {
    "base": None,
    "nl": NonLocalSpec(scale=True),
    "cgnl": CGNLSpec(groups=4),
    "cgnlx": CGNLSpec("gaussian_rbf", groups=4),
}


def c4(name: str) -> RCNNSpec:
    block = BLOCKS[name]
    trunk = ModelSpec(
        base_width=8,
        block=block,
        placement="1" if block else "none",
        norm="frozen, no epsilon",
        strided="conv1",
    )
    return RCNNSpec(trunk, "c4", labels=81, masks=True)


def as_benchmark_writes(network: torch.nn.Module) -> dict[str, Tensor]:
    """Return the state dict under maskrcnn-benchmark's names, with the CGNL authors' block."""
    words = {"theta": "t", "phi": "p", "g": "g"}
    written: dict[str, Tensor] = {}
    with_block = any(".blocks." in key for key in network.state_dict())
    for key, value in network.state_dict().items():
        head, _, rest = key.partition(".")
        if rest.startswith("blocks.res4_4."):
            part = rest.removeprefix("blocks.res4_4.").split(".")
            is_batch = "blocks.res4_4.norm.running_mean" in network.trunk.state_dict()
            norm = "bn" if is_batch else "gn"
            name = {"projection": words.get(part[1], ""), "expand": "z", "norm": norm}[part[0]]
            written[f"backbone.body.layer3.5.{name}.{part[-1]}"] = value
        elif rest.startswith("layer4."):
            for one in ("box", "mask"):
                written[f"roi_heads.{one}.feature_extractor.head.{rest}"] = value.clone()
        elif head == "trunk":
            stem = "" if rest.startswith("layer") else "stem."
            moved = with_block and rest.startswith("layer3.5.")
            rest = rest.replace("layer3.5.", "layer3.6.") if moved else rest
            written[f"backbone.body.{stem}{rest}"] = value
        elif key == "rpn.cell_anchors":
            written["rpn.anchor_generator.cell_anchors.0"] = value
        elif head == "rpn":
            written[f"rpn.head.{rest}"] = value
        else:
            written[f"roi_heads.{head}.predictor.{rest}"] = value
    return written


def saved(path, state: dict, prefix: str = "") -> object:
    torch.save({"model": {prefix + key: value for key, value in state.items()}}, path)
    return path


def same(found: torch.nn.Module, wanted: torch.nn.Module) -> None:
    ours, theirs = found.state_dict(), wanted.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_cgnl_authors_detectors_open(tmp_path, name, prefix):
    torch.manual_seed(1)
    network = build(c4(name))
    path = saved(tmp_path / "maskrcnn_r50_c4.pth", as_benchmark_writes(network), prefix)
    answers = {"kernel": name} if name.startswith("cgnl") else {}
    model = checkpoints.load(path, answers)
    same(model.network, network)
    assert model.spec.trunk == network.spec.trunk
    assert "CGNL authors" in model.report.family
    ignored = [key for key, why in model.report.ignored.items() if "same values" in why]
    assert len(ignored) == len(network.trunk.layer4.state_dict())
    assert all(key.startswith(prefix + "roi_heads.") for key in ignored)


def test_cgnl_and_cgnlx_look_alike_and_are_asked_for(tmp_path):
    state = as_benchmark_writes(build(c4("cgnl")))
    with pytest.raises(UndecidedError):
        checkpoints.load(saved(tmp_path / "detector.pth", state))


FAULTS = {
    "wrong class count": (
        lambda s: s.update({"roi_heads.box.predictor.cls_score.weight": torch.zeros(80, 256)}),
        "of another shape",
    ),
    "boxes of another class count": (
        lambda s: s.update({"roi_heads.box.predictor.bbox_pred.weight": torch.zeros(320, 256)}),
        "of another shape",
    ),
    "a mask head that shares nothing": (
        lambda s: s.update(
            {
                "roi_heads.mask.feature_extractor.head.layer4.0.conv1.weight": torch.zeros(
                    64, 128, 1, 1
                )
            }
        ),
        "two different tensors",
    ),
    "no anchors": (lambda s: s.pop("rpn.anchor_generator.cell_anchors.0"), "missing"),
    "anchors that are no numbers": (
        lambda s: s["rpn.anchor_generator.cell_anchors.0"].fill_(float("nan")),
        "not finite",
    ),
    "no box head": (lambda s: s.pop("roi_heads.box.predictor.cls_score.weight"), "missing"),
    "half a pyramid": (
        lambda s: s.update({"backbone.fpn.fpn_inner1.weight": torch.zeros(8, 8, 1, 1)}),
        "missing",
    ),
    "a key of nobody": (
        lambda s: s.update({"roi_heads.tracker.weight": torch.zeros(3)}),
        "tracker",
    ),
}


@pytest.mark.parametrize(("change", "words"), FAULTS.values(), ids=FAULTS)
def test_a_damaged_detector_is_refused_whole(tmp_path, change, words, one_line):
    state = as_benchmark_writes(build(c4("base")))
    change(state)
    with pytest.raises(CheckpointError) as caught:
        checkpoints.load(saved(tmp_path / "net.pth", state))
    assert words in one_line(caught.value)


def of_before_2022(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the names that torchvision's published files have."""
    old = {}
    for key, value in state.items():
        key = key.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        if key.startswith("backbone.fpn."):
            key = key.replace(".0.weight", ".weight").replace(".0.bias", ".bias")
            parts = key.split(".")
            key = ".".join([*parts[:3], parts[3], parts[-1]])
        for number in range(4):
            key = key.replace(f"mask_head.{number}.0.", f"mask_head.mask_fcn{number + 1}.")
        old[key] = value
    return old


@pytest.mark.parametrize("old", [False, True], ids=["new-names", "names-of-before-2022"])
def test_torchvisions_mask_rcnn_opens(tmp_path, old):
    torch.manual_seed(2)
    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    original = detection.MaskRCNN(backbone, num_classes=7)
    state = of_before_2022(original.state_dict()) if old else original.state_dict()
    path = tmp_path / "mine.pth"
    torch.save(state, path)
    with pytest.raises(UndecidedError):
        checkpoints.load(path)
    model = checkpoints.load(path, {"epsilon": "0"})
    assert model.spec == RCNNSpec(
        ModelSpec(depth=18, norm="frozen, no epsilon"), labels=7, masks=True
    )
    assert torch.equal(
        model.network.roi_heads.mask_head[3][0].weight,
        original.roi_heads.mask_head[3][0].weight,
    )


@pytest.mark.parametrize(
    ("name", "norm"),
    [
        ("maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", "frozen, no epsilon"),
        ("keypointrcnn_resnet50_fpn_coco-9f466800.pth", "frozen"),
    ],
)
def test_torchvisions_own_files_tell_their_epsilon(tmp_path, name, norm):
    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    torch.save(detection.KeypointRCNN(backbone, num_classes=2).state_dict(), tmp_path / name)
    spec = checkpoints.inspect(tmp_path / name).spec
    assert spec.trunk.norm == norm
    assert spec.keypoints == 17


@pytest.mark.parametrize(
    ("made", "trunk", "side"),
    [
        (detection.ssd300_vgg16, "vgg16", 300),
        (detection.ssdlite320_mobilenet_v3_large, "mobilenet_v3_large", 320),
    ],
    ids=["vgg", "lite"],
)
def test_torchvisions_single_shot_detectors_open(tmp_path, made, trunk, side):
    original = made(weights=None, weights_backbone=None, num_classes=5)
    torch.save(original.state_dict(), tmp_path / "ssd.pth")
    model = checkpoints.load(tmp_path / "ssd.pth")
    assert isinstance(model.spec, SSDSpec)
    assert (model.spec.trunk, model.spec.labels, model.spec.preprocessing.size) == (trunk, 5, side)
    wanted = original.state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in model.network.state_dict().items())


def test_torchvisions_detectors_of_other_widths_and_trunks_open(tmp_path):
    torch.manual_seed(4)
    backbone = resnet_fpn_backbone(backbone_name="resnext50_32x4d", weights=None)
    original = detection.KeypointRCNN(
        backbone,
        box_head=TwoMLPHead(256 * 49, 96),
        box_predictor=FastRCNNPredictor(96, 2),
        keypoint_head=KeypointRCNNHeads(256, (48,) * 8),
        keypoint_predictor=KeypointRCNNPredictor(48, 5),
    )
    path = tmp_path / "mine.pth"
    torch.save(original.state_dict(), path)
    model = checkpoints.load(path, {"epsilon": "1e-5"})
    spec = model.spec
    assert (spec.trunk.groups, spec.trunk.widening, spec.trunk.strided) == (32, 2, "conv2")
    assert (spec.dense, spec.keypoint_width, spec.keypoints, spec.labels) == (96, 48, 5, 2)
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        model.network.roi_heads.score_thresh = original.roi_heads.score_thresh = 0.0
        (found,) = model.network(x.unsqueeze(2))
        features = original.eval().backbone(x)
        images = ImageList(x, [(64, 96)])
        proposals, _ = original.rpn(images, features)
        ((wanted,), _) = original.roi_heads(features, proposals, [(64, 96)])
    assert torch.equal(found.boxes, wanted["boxes"])
    assert torch.equal(found.keypoints, wanted["keypoints"])
