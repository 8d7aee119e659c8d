"""torchvision's R-CNNs with a pyramid, and its SSDs."""

import re

from models.checkpoints.families.detectors.trunks import (
    BODY,
    BODY_UNIT,
    BYTE,
    in_trunk,
    stripped,
    trunk_facts,
)
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import Family
from models.checkpoints.families.images import unit_rules
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.specs.detection import DetectorInput, RCNNSpec, SSDSpec
from models.specs.network import ModelSpec

VGG = DetectorInput(300, 300, (0.48235, 0.45882, 0.40784), (BYTE,) * 3, stride=1, fixed=True)
LITE = DetectorInput(320, 320, (0.5,) * 3, (0.5,) * 3, stride=1, fixed=True)

_EPSILON = Ask(
    "epsilon",
    "What do the frozen norms add to the variance? torchvision adds 1e-5, but nothing with its own "
    "COCO weights.",
    ("1e-5", "0"),
    file_name=(("coco.9f466800", "1e-5"), ("resnet50_fpn_coco", "0")),
)
_NORMS = {"1e-5": "frozen", "0": "frozen, no epsilon"}


def _rcnn(renamed: Renamed, facts: Facts) -> RCNNSpec:
    tensors, heads = renamed.tensors, "roi_heads."
    version = 1 if heads + "box_head.fc6.weight" in tensors else 2
    norm = "batch" if version == 2 else _NORMS[facts.settle(_EPSILON)]
    trunk = ModelSpec(**trunk_facts(stripped(tensors), facts), norm=norm)
    if any("keypoint" in key for key in tensors):
        facts.only_data = "coco-person"
    points = tensors.get(heads + "keypoint_predictor.kps_score_lowres.weight")
    hidden = tensors.get(heads + "mask_predictor.mask_fcn_logits.weight")
    scores = tensors[heads + "box_predictor.cls_score.weight"]
    spec = RCNNSpec(
        trunk,
        labels=len(scores),
        masks=hidden is not None,
        keypoints=0 if points is None else points.shape[1],
        channels=len(tensors["fpn.layer_blocks.0.0.weight"]),
        version=version,
        dense=scores.shape[1],
        mask_width=256 if hidden is None else hidden.shape[1],
        keypoint_width=512 if points is None else len(points),
    )
    facts.note("labels", spec.labels)
    return spec


def _ssd(renamed: Renamed, facts: Facts) -> SSDSpec:
    tensors, scores = renamed.tensors, "head.classification_head.module_list.0."
    on_vgg = "backbone.scale_weight" in tensors
    last = tensors[scores + ("weight" if on_vgg else "1.weight")]
    labels = len(last) // (4 if on_vgg else 6)
    facts.note("labels", labels)
    if on_vgg:
        return SSDSpec("vgg16", labels, preprocessing=VGG)
    return SSDSpec("mobilenet_v3_large", labels, preprocessing=LITE)


_PYRAMID = r"backbone\.fpn\.(?P<part>inner_blocks|layer_blocks)\.(?P<level>\d)\."

TORCHVISION = (
    Family(
        "torchvision-rcnn",
        "torchvision's R-CNNs with a pyramid",
        r"backbone\.fpn\.inner_blocks\.0\..*",
        KeyTable(
            (
                COUNTER,
                Rule(
                    re.escape(BODY) + r"(?P<part>conv1|bn1)\.(?P<what>\w+)", "trunk.{part}.{what}"
                ),
                *in_trunk(unit_rules(BODY_UNIT)),
                # Files of before 2022 have no number of the layer inside.
                Rule(_PYRAMID + r"(?P<what>weight|bias)", "fpn.{part}.{level}.0.{what}"),
                Rule(_PYRAMID + r"(?P<rest>[01]\.\w+)", "fpn.{part}.{level}.{rest}"),
                Rule(r"rpn\.head\.conv\.(?P<what>weight|bias)", "rpn.head.conv.0.0.{what}"),
                Rule(r"(?P<key>rpn\.head\..*)", "{key}"),
                Rule(
                    r"roi_heads\.mask_head\.mask_fcn(?P<fcn>[1-4])\.(?P<what>\w+)",
                    "roi_heads.mask_head.{fcn}.0.{what}",
                ),
                Rule(r"(?P<key>roi_heads\..*)", "{key}"),
            ),
            {"fcn": {str(n): str(n - 1) for n in range(1, 5)}},
        ),
        _rcnn,
        data="coco-91",
    ),
    Family(
        "torchvision-ssd",
        "torchvision's SSD300 and SSDlite",
        r"head\.classification_head\.module_list\..*",
        KeyTable((COUNTER, Rule(r"(?P<key>(?:backbone|head)\..*)", "{key}"))),
        _ssd,
        data="coco-91",
    ),
)
