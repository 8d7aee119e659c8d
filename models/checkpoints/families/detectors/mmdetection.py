"""mmdetection's R-CNNs with a pyramid (version 2), Libra R-CNN's NL block in it, GCNet's blocks in
their trunk."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from errors import SpecError
from models.checkpoints.families.detectors.trunks import TRUNK, in_trunk, stripped, trunk_facts
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import Family
from models.checkpoints.families.images import UNIT, unit_rules
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import first_block, nonlocal_facts
from models.specs.block import GlobalContextSpec, NonLocalSpec
from models.specs.detection import RCNNSpec
from models.specs.network import ModelSpec

_STYLE = Ask(
    "style",
    "Which ResNet is the trunk, pytorch (stride in the 3 x 3 convolution) or caffe?",
    ("pytorch", "caffe"),
    metadata=(
        (r"(?i)\bstyle['\"]?\s*[=:]\s*['\"]?pytorch", "pytorch"),
        (r"(?i)\bstyle['\"]?\s*[=:]\s*['\"]?caffe", "caffe"),
    ),
    file_name=(("caffe", "caffe"),),
    default="pytorch",
)
_BLOCK = "balance.block."
_CONTEXT = (
    # mmcv's name of a part of the block, ours
    ("conv_mask", "key"),
    (r"channel_add_conv\.0", "reduce"),
    (r"channel_add_conv\.1", "norm"),
    (r"channel_add_conv\.3", "expand"),
)
_CLASSES, _BOXES = "roi_head.bbox_head.fc_cls.", "roi_head.bbox_head.fc_reg."
_MASKS = "roi_head.mask_head.conv_logits."


def _background_first(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Put the background, which comes last and has no boxes and masks there, first."""
    moved = dict(tensors)
    for what in ("weight", "bias"):
        if (classes := tensors.get(_CLASSES + what)) is not None:
            moved[_CLASSES + what] = torch.cat((classes[-1:], classes[:-1]))
        for key, rows in ((_BOXES + what, 4), (_MASKS + what, 1)):
            if (found := tensors.get(key)) is not None:
                moved[key] = torch.cat((found.new_zeros(rows, *found.shape[1:]), found))
    return moved


def _described(renamed: Renamed, facts: Facts) -> RCNNSpec:
    tensors, heads = renamed.tensors, "roi_heads."
    inside = stripped(tensors)
    if facts.settle(_STYLE) == "caffe":
        raise SpecError("It has a trunk in caffe's style; those in pytorch's style are read.")
    trunk = ModelSpec(**trunk_facts(inside, facts), block=_context(inside, facts))
    width = tensors.get(heads + "mask_head.0.0.weight")
    spec = RCNNSpec(
        trunk,
        labels=len(tensors[heads + "box_predictor.cls_score.weight"]),
        masks=width is not None,
        channels=len(tensors["fpn.layer_blocks.0.0.weight"]),
        aligned=True,
        neck_block=_neck_block(tensors, facts),
        dense=len(tensors[heads + "box_head.fc6.weight"]),
        mask_width=256 if width is None else len(width),
    )
    facts.note("labels", spec.labels)
    return spec


def _context(inside: Mapping[str, Tensor], facts: Facts) -> GlobalContextSpec | None:
    """Return GCNet's block, which stands in units of the trunk, or None."""
    prefix = first_block(inside)
    if prefix is None:
        return None
    if prefix + "reduce.weight" not in inside:
        raise SpecError(f"Its global context block {prefix.split('.')[1]} has no reduce.weight.")
    inner, channels = inside[prefix + "reduce.weight"].shape[:2]
    facts.note("ratio", f"1/{channels // inner}")
    return GlobalContextSpec(channels // inner)


def _neck_block(tensors: Mapping[str, Tensor], facts: Facts) -> NonLocalSpec | None:
    if _BLOCK + "expand.weight" not in tensors:
        return None
    facts.note("function", "embedded_gaussian", "the family's code")
    facts.note("scale", "no", "the family's code")
    return NonLocalSpec(
        **{"function": "embedded_gaussian"} | nonlocal_facts(tensors, _BLOCK), scale=False
    )


_NECK = r"neck\.(?:0\.)?"

MMDETECTION = Family(
    "mmdetection",
    "mmdetection's R-CNNs with a pyramid",
    r"roi_head\.bbox_head\.shared_fcs\.0\.weight",
    KeyTable(
        (
            COUNTER,
            Rule(r"backbone\.(?P<part>conv1|bn1)\.(?P<what>\w+)", TRUNK + "{part}.{what}"),
            *in_trunk(unit_rules(r"backbone\." + UNIT)),
            *(
                Rule(
                    r"backbone\." + UNIT + r"context_block\." + theirs + r"\.(?P<what>\w+)",
                    TRUNK + "blocks.res{stage}_{unit}." + ours + ".{what}",
                )
                for theirs, ours in _CONTEXT
            ),
            Rule(
                _NECK + r"(?P<kind>lateral|fpn)_convs\.(?P<level>\d)\.conv\.(?P<what>\w+)",
                "fpn.{kind}_blocks.{level}.0.{what}",
            ),
            Rule(
                r"neck\.1\.refine\.(?P<part>theta|phi|g)\.conv\.(?P<what>\w+)",
                _BLOCK + "projection.{part}.{what}",
            ),
            Rule(r"neck\.1\.refine\.conv_out\.conv\.(?P<what>\w+)", _BLOCK + "expand.{what}"),
            Rule(r"neck\.1\.refine\.conv_out\.bn\.(?P<what>\w+)", _BLOCK + "norm.{what}"),
            Rule(r"rpn_head\.rpn_conv\.(?P<what>\w+)", "rpn.head.conv.0.0.{what}"),
            Rule(r"rpn_head\.rpn_(?P<score>cls|reg)\.(?P<what>\w+)", "rpn.head.{score}.{what}"),
            Rule(
                r"roi_head\.bbox_head\.shared_fcs\.(?P<fc>[01])\.(?P<what>\w+)",
                "roi_heads.box_head.{fc}.{what}",
            ),
            Rule(
                r"roi_head\.bbox_head\.fc_(?P<box>cls|reg)\.(?P<what>\w+)",
                "roi_heads.box_predictor.{box}.{what}",
            ),
            Rule(
                r"roi_head\.mask_head\.convs\.(?P<n>[0-3])\.conv\.(?P<what>\w+)",
                "roi_heads.mask_head.{n}.0.{what}",
            ),
            Rule(
                r"roi_head\.mask_head\.upsample\.(?P<what>\w+)",
                "roi_heads.mask_predictor.conv5_mask.{what}",
            ),
            Rule(
                re.escape(_MASKS) + r"(?P<what>\w+)",
                "roi_heads.mask_predictor.mask_fcn_logits.{what}",
            ),
        ),
        {
            "kind": {"lateral": "inner", "fpn": "layer"},
            "score": {"cls": "cls_logits", "reg": "bbox_pred"},
            "box": {"cls": "cls_score", "reg": "bbox_pred"},
            "fc": {"0": "fc6", "1": "fc7"},
        },
    ),
    _described,
    _background_first,
    "coco-81",
)
