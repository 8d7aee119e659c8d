"""A torchvision detector gives torchvision's boxes bit for bit, with fresh blocks in it too."""

import pytest
import torch
from torch import Tensor
from torchvision.models import detection
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from models.build import build
from models.detection.detector import Detections
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.detection import DetectorInput, RCNNSpec, SSDSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, ModelSpec
from tests.models.detection.states import filled, ours, shaken

pytestmark = pytest.mark.slow

ANY = {"box_score_thresh": 0.0, "box_detections_per_img": 13}
LIMITS = {"score": 0.0, "detections": 13}


def trunk(depth: int = 18, block: object = None, placement: str = "none") -> ModelSpec:
    return ModelSpec(depth=depth, norm="frozen", block=block, placement=placement)


def picture(*sides: int) -> Tensor:
    return torch.rand(3, *sides, generator=torch.Generator().manual_seed(3))


def theirs(network: torch.nn.Module, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what torchvision's transform makes of a picture, and what is found in that input."""
    inside: dict[str, Tensor] = {}
    images, _targets = network.transform([image])
    with torch.no_grad():
        features = network.backbone(images.tensors)
        proposals, _losses = network.rpn(images, features)
        (inside,), _losses = network.roi_heads(features, proposals, images.image_sizes)
    return images.tensors, inside


def agree(found: Detections, wanted: dict[str, Tensor]) -> None:
    assert len(found) == len(wanted["boxes"]) > 0
    for name in ("boxes", "scores", "labels", "keypoints"):
        if name in wanted:
            assert torch.equal(getattr(found, name), wanted[name]), name
    if "masks" in wanted:
        assert torch.equal(found.masks, wanted["masks"][:, 0])


@pytest.mark.parametrize(
    ("kind", "options", "spec"),
    [
        ("FasterRCNN", {"num_classes": 7}, RCNNSpec(trunk(), labels=7, **LIMITS)),
        (
            "MaskRCNN",
            {"num_classes": 5},
            RCNNSpec(trunk(18, NonLocalSpec(), "1"), labels=5, masks=True, **LIMITS),
        ),
        (
            "MaskRCNN",
            {"num_classes": 3},
            RCNNSpec(trunk(18, CGNLSpec(), ("res3.1", "res5.0")), labels=3, masks=True, **LIMITS),
        ),
        (
            "KeypointRCNN",
            {"num_classes": 2, "num_keypoints": 11},
            RCNNSpec(
                trunk(18, NonLocalSpec(), "1-after"),
                labels=2,
                keypoints=11,
                head_block=NonLocalSpec(),
                **LIMITS,
            ),
        ),
    ],
    ids=["faster", "mask-nl", "mask-cgnl", "keypoint-nl-in-the-head"],
)
def test_an_rcnn_with_a_pyramid_gives_torchvisions_boxes(kind, options, spec):
    torch.manual_seed(0)
    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    made = getattr(detection, kind)(backbone, min_size=96, max_size=160, **options, **ANY)
    original = shaken(made.eval())
    network = filled(build(spec), ours(original.state_dict()))
    tensor, wanted = theirs(original, picture(96, 128))
    with torch.no_grad():
        (found,) = network(tensor.unsqueeze(2))
    agree(found, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fasterrcnn_resnet50_fpn_v2", "maskrcnn_resnet50_fpn_v2"])
def test_torchvisions_second_recipe_gives_its_boxes(kind):
    torch.manual_seed(0)
    options = {"weights": None, "weights_backbone": None, "num_classes": 4}
    original = getattr(detection, kind)(**options, min_size=64, max_size=96, **ANY).eval()
    spec = RCNNSpec(
        ModelSpec(depth=50, norm="batch"), labels=4, masks="mask" in kind, version=2, **LIMITS
    )
    network = filled(build(spec), ours(shaken(original).state_dict()))
    tensor, wanted = theirs(original, picture(64, 96))
    with torch.no_grad():
        (found,) = network(tensor.unsqueeze(2))
    agree(found, wanted)


@pytest.mark.parametrize(
    ("made", "name", "side"),
    [
        pytest.param(detection.ssd300_vgg16, "vgg16", 300, id="vgg"),
        pytest.param(detection.ssdlite320_mobilenet_v3_large, "mobilenet_v3_large", 320, id="lite"),
    ],
)
def test_a_single_shot_detector_gives_torchvisions_boxes(made, name, side):
    torch.manual_seed(0)
    options = {"weights": None, "weights_backbone": None, "num_classes": 5}
    original = shaken(made(**options).eval())
    given = DetectorInput(size=side, resize=side, stride=1, fixed=True)
    spec = SSDSpec(name, labels=5, block=NonLocalSpec(), levels=(0, 2), preprocessing=given)
    network = filled(build(spec), original.state_dict())
    image = picture(side, side)
    with torch.no_grad():
        (wanted,) = original([image])
        images, _targets = original.transform([image])
        (found,) = network(images.tensors.unsqueeze(2))
    agree(found, wanted)


def test_an_ssd_stands_on_the_mobilenet_of_the_cgd_paper_with_gates_in_every_unit():
    torch.manual_seed(0)
    given = DetectorInput(size=96, resize=96, stride=1, fixed=True)
    spec = SSDSpec(CompactSpec("mobilenet", "0.3", gate=CGDSpec()), labels=3, preprocessing=given)
    network = build(spec)
    with torch.no_grad():
        found = network(torch.rand(1, 3, 2, 96, 96))
    assert len(found) == 2
    assert len(network.gated()) == 13
    assert found[0].boxes.shape == (len(found[0]), 4)
