"""Published detectors: torchvision's R-CNNs and SSDs, and the CGNL authors' Mask R-CNN on res4."""

import re
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import Family
from models.checkpoints.families.images import CGNL_KERNEL, UNIT, renumbered, unit_rules
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import (
    bottleneck,
    cgnl_facts,
    depth_of,
    first_block,
    nonlocal_facts,
    placement,
)
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.detection import DetectorInput, RCNNSpec, SSDSpec
from models.specs.network import ModelSpec

BODY, TRUNK = "backbone.body.", "trunk."
_BYTE = 1 / 255
CAFFE = DetectorInput(
    mean=(122.7717 * _BYTE, 115.9465 * _BYTE, 102.9801 * _BYTE), std=(_BYTE,) * 3, stride=16
)
"""Means of R, G, B in 0 to 255 are subtracted, and nothing is divided; a step of 16 pixels."""
VGG = DetectorInput(300, 300, (0.48235, 0.45882, 0.40784), (_BYTE,) * 3, stride=1, fixed=True)
LITE = DetectorInput(320, 320, (0.5,) * 3, (0.5,) * 3, stride=1, fixed=True)

_EPSILON = Ask(
    "epsilon",
    "What do the frozen norms add to the variance? torchvision adds 1e-5, but nothing with its own "
    "COCO weights.",
    ("1e-5", "0"),
    file_name=(("coco.9f466800", "1e-5"), ("resnet50_fpn_coco", "0")),
)
_NORMS = {"1e-5": "frozen", "0": "frozen, no epsilon"}


def _in_trunk(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return rules whose result is in the trunk."""
    return tuple(Rule(rule.pattern, TRUNK + rule.ours) for rule in rules)


def stripped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of the trunk, without its prefix."""
    return {k.removeprefix(TRUNK): v for k, v in tensors.items() if k.startswith(TRUNK)}


def trunk_facts(inside: Mapping[str, Tensor], facts: Facts) -> dict[str, object]:
    """Return depth, widths, groups and places of blocks of a trunk, and note them."""
    depth = depth_of(inside, facts.file_name)
    widening, groups = bottleneck(inside)
    facts.note("depth", depth)
    facts.note("groups", groups)
    return {
        "depth": depth,
        "base_width": inside["conv1.weight"].shape[0],
        "placement": placement(inside, depth),
        "widening": widening,
        "groups": groups,
    }


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


def _benchmark(renamed: Renamed, facts: Facts) -> RCNNSpec:
    tensors = renamed.tensors
    inside = stripped(tensors)
    known = trunk_facts(inside, facts)
    # ResNets carry the stride in the first convolution, ResNeXts in the 3 x 3 one.
    strided = "conv1" if known["groups"] == 1 else "conv2"
    facts.note("strided", strided, "the family's code")
    trunk = ModelSpec(
        **known,
        strided=strided,
        block=_block(inside, facts),
        norm="frozen, no epsilon",
    )
    shared = {
        "labels": len(tensors["box.cls_score.weight"]),
        "masks": "mask.mask_fcn_logits.weight" in tensors,
    }
    facts.note("labels", shared["labels"])
    if "fpn.inner_blocks.0.0.weight" not in tensors:
        return RCNNSpec(trunk, "c4", preprocessing=CAFFE, **shared)
    points = tensors.get("keypoint_predictor.kps_score_lowres.weight")
    if points is not None:
        facts.only_data = "coco-person"
    width = tensors.get("mask_head.mask_fcn1.weight")
    return RCNNSpec(
        trunk,
        channels=len(tensors["fpn.layer_blocks.0.0.weight"]),
        inclusive=True,
        dense=len(tensors["box_head.fc6.weight"]),
        mask_width=256 if width is None else len(width),
        keypoints=0 if points is None else points.shape[1],
        keypoint_width=512 if points is None else len(points),
        preprocessing=replace(CAFFE, stride=32),
        **shared,
    )


def _block(inside: Mapping[str, Tensor], facts: Facts) -> CGNLSpec | NonLocalSpec | None:
    """Return the CGNL authors' block, which stands in layer3, or None."""
    prefix = first_block(inside)
    if prefix is None:
        return None
    if prefix + "norm.running_mean" in inside:
        facts.note("block", "nl")
        options = {"function": "embedded_gaussian"} | nonlocal_facts(inside, prefix)
        return NonLocalSpec(**options, scale=True)
    kernel = {"cgnl": "dot_product", "cgnlx": "gaussian_rbf"}[facts.settle(CGNL_KERNEL)]
    return CGNLSpec(kernel, **cgnl_facts(inside, prefix))


def _benchmarks(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tell the anchors of a pyramid, a list of levels, from the only ones of res4, and give the
    block in layer3, which has a number of its own, that of the unit before it."""
    if any(key.startswith("backbone.fpn.") for key in tensors):
        tensors = {key.replace(*_ANCHORS): value for key, value in tensors.items()}
    return _body_renumbered(tensors)


def _body_renumbered(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give the block in layer3, which has a number of its own, that of the unit before it."""
    inside = {k.removeprefix(BODY): v for k, v in tensors.items() if k.startswith(BODY)}
    if not any(re.fullmatch(r"layer3\.\d+\.t\.weight", key) for key in inside):
        return dict(tensors)
    names = iter(renumbered(inside))
    return {
        BODY + next(names) if key.startswith(BODY) else key: value for key, value in tensors.items()
    }


def _ssd(renamed: Renamed, facts: Facts) -> SSDSpec:
    tensors, scores = renamed.tensors, "head.classification_head.module_list.0."
    on_vgg = "backbone.scale_weight" in tensors
    last = tensors[scores + ("weight" if on_vgg else "1.weight")]
    labels = len(last) // (4 if on_vgg else 6)
    facts.note("labels", labels)
    if on_vgg:
        return SSDSpec("vgg16", labels, preprocessing=VGG)
    return SSDSpec("mobilenet_v3_large", labels, preprocessing=LITE)


_ANCHORS = ("anchor_generator.cell_anchors.", "anchor_generator.level_anchors.")
_BODY_UNIT = re.escape(BODY) + UNIT
_PYRAMID = r"backbone\.fpn\.(?P<part>inner_blocks|layer_blocks)\.(?P<level>\d)\."
_HEAD_UNIT = r"roi_heads\.(?:box|mask)\.feature_extractor\.head\." + UNIT

DETECTOR_FAMILIES = (
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
                *_in_trunk(unit_rules(_BODY_UNIT)),
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
        "cgnl-maskrcnn",
        "maskrcnn-benchmark's R-CNNs, with the CGNL authors' blocks",
        r"backbone\.body\.stem\.conv1\.weight",
        KeyTable(
            (
                COUNTER,
                Rule(
                    re.escape(BODY) + r"stem\.(?P<part>conv1|bn1)\.(?P<what>\w+)",
                    "trunk.{part}.{what}",
                ),
                Rule(
                    _BODY_UNIT + r"nl\.(?P<part>[tpg])\.weight",
                    "trunk.blocks.res{stage}_{unit}.projection.{part}.weight",
                ),
                Rule(_BODY_UNIT + r"nl\.z\.weight", "trunk.blocks.res{stage}_{unit}.expand.weight"),
                Rule(
                    _BODY_UNIT + r"nl\.[bg]n\.(?P<what>\w+)",
                    "trunk.blocks.res{stage}_{unit}.norm.{what}",
                ),
                *_in_trunk(unit_rules(_BODY_UNIT)),
                *_in_trunk(unit_rules(_HEAD_UNIT)),
                Rule(
                    r"backbone\.fpn\.fpn_(?P<kind>inner|layer)(?P<level>[1-4])\.(?P<what>\w+)",
                    "fpn.{kind}_blocks.{level}.0.{what}",
                ),
                Rule(r"rpn\.anchor_generator\.cell_anchors\.0", "rpn.cell_anchors"),
                Rule(r"rpn\.anchor_generator\.level_anchors\.(?P<n>[0-4])", "rpn.cell_anchors_{n}"),
                Rule(r"rpn\.head\.(?P<key>.*)", "rpn.{key}"),
                Rule(r"roi_heads\.(?P<head>box|mask)\.predictor\.(?P<key>.*)", "{head}.{key}"),
                Rule(r"roi_heads\.keypoint\.predictor\.(?P<key>.*)", "keypoint_predictor.{key}"),
                Rule(
                    r"roi_heads\.(?P<head>box|mask)\.feature_extractor\.(?P<key>(?:fc|mask_).*)",
                    "{head}_head.{key}",
                ),
                Rule(
                    r"roi_heads\.keypoint\.feature_extractor\.conv_fcn(?P<fcn>[1-8])\.(?P<what>\w+)",
                    "keypoint_head.{fcn}.{what}",
                ),
            ),
            {
                "part": {"t": "theta", "p": "phi"},
                "level": {str(n): str(n - 1) for n in range(1, 5)},
                "fcn": {str(n): str(2 * n - 2) for n in range(1, 9)},
            },
        ),
        _benchmark,
        _benchmarks,
        "coco-81",
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
