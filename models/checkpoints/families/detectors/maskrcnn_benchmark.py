"""maskrcnn-benchmark's R-CNNs, on res4 and with a pyramid, with the CGNL authors' blocks."""

import re
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from models.checkpoints.families.detectors.trunks import (
    BODY,
    BODY_UNIT,
    BYTE,
    in_trunk,
    stripped,
    trunk_facts,
)
from models.checkpoints.families.facts import Facts
from models.checkpoints.families.family import Family
from models.checkpoints.families.images import CGNL_KERNEL, UNIT, renumbered, unit_rules
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import cgnl_facts, first_block, nonlocal_facts
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.detection import DetectorInput, RCNNSpec
from models.specs.network import ModelSpec

CAFFE = DetectorInput(
    mean=(122.7717 * BYTE, 115.9465 * BYTE, 102.9801 * BYTE), std=(BYTE,) * 3, stride=16
)
"""Means of R, G, B in 0 to 255 are subtracted, and nothing is divided; a step of 16 pixels."""
_ANCHORS = ("anchor_generator.cell_anchors.", "anchor_generator.level_anchors.")
_HEAD_UNIT = r"roi_heads\.(?:box|mask)\.feature_extractor\.head\." + UNIT


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


BENCHMARK = Family(
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
                BODY_UNIT + r"nl\.(?P<part>[tpg])\.weight",
                "trunk.blocks.res{stage}_{unit}.projection.{part}.weight",
            ),
            Rule(BODY_UNIT + r"nl\.z\.weight", "trunk.blocks.res{stage}_{unit}.expand.weight"),
            Rule(
                BODY_UNIT + r"nl\.[bg]n\.(?P<what>\w+)",
                "trunk.blocks.res{stage}_{unit}.norm.{what}",
            ),
            *in_trunk(unit_rules(BODY_UNIT)),
            *in_trunk(unit_rules(_HEAD_UNIT)),
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
)
