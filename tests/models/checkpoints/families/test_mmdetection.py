"""mmdetection's R-CNNs with a pyramid, Libra R-CNN's and GCNet's blocks, as its code has them."""

import re

import pytest
import torch
from torch import Tensor

from errors import CheckpointError
from models import checkpoints
from models.build import build
from models.specs.block import GlobalContextSpec, NonLocalSpec
from models.specs.detection import RCNNSpec
from models.specs.network import RESNET_UNITS, ModelSpec
from tests.models.checkpoints.families.test_detectors import same

pytestmark = pytest.mark.slow

LIBRA = NonLocalSpec(scale=False, reduction=1, bias=True, expand_bias=True, norm="none")


def spec(depth: int = 50, **more) -> RCNNSpec:
    """A spec whose every width is an eighth of the published networks'."""
    trunk = ModelSpec(depth, 8, **more.pop("trunk", {}))
    options = {"labels": 81, "channels": 32, "dense": 128, "mask_width": 256} | more
    return RCNNSpec(trunk, aligned=True, **options)


PARTS_OF_CONTEXT = {
    "key": "conv_mask", "reduce": "channel_add_conv.0", "norm": "channel_add_conv.1",
    "expand": "channel_add_conv.3",
}  # fmt: skip


def in_unit(found: re.Match) -> str:
    stage, unit, part = found.groups()
    return f"backbone.layer{int(stage) - 1}.{unit}.context_block.{PARTS_OF_CONTEXT[part]}"


def gcnet(depth: int, ratio: int, **more) -> RCNNSpec:
    """GCNet's: a block in every unit of res3 to res5."""
    counts = zip((3, 4, 5), RESNET_UNITS[depth][1:], strict=True)
    where = tuple(f"res{stage}.{unit}" for stage, count in counts for unit in range(count))
    trunk = {"block": GlobalContextSpec(ratio), "placement": where} | more
    return spec(depth, masks=True, mask_width=32, trunk=trunk)


def as_mmdetection_writes(network: torch.nn.Module) -> dict[str, Tensor]:
    """Return the state dict under mmdetection's names, the background last."""
    balanced = any(key.startswith("balance.") for key in network.state_dict())
    neck = "neck.0." if balanced else "neck."
    rows = (
        (r"trunk\.blocks\.res(\d)_(\d+)\.(\w+)", in_unit),
        (r"trunk\.", "backbone."),
        (r"fpn\.inner_blocks\.(\d)\.0", neck + r"lateral_convs.\1.conv"),
        (r"fpn\.layer_blocks\.(\d)\.0", neck + r"fpn_convs.\1.conv"),
        (r"balance\.block\.projection\.(\w+)", r"neck.1.refine.\1.conv"),
        (r"balance\.block\.expand", "neck.1.refine.conv_out.conv"),
        (r"rpn\.head\.conv\.0\.0", "rpn_head.rpn_conv"),
        (r"rpn\.head\.cls_logits", "rpn_head.rpn_cls"),
        (r"rpn\.head\.bbox_pred", "rpn_head.rpn_reg"),
        (r"roi_heads\.box_head\.fc6", "roi_head.bbox_head.shared_fcs.0"),
        (r"roi_heads\.box_head\.fc7", "roi_head.bbox_head.shared_fcs.1"),
        (r"roi_heads\.box_predictor\.cls_score", "roi_head.bbox_head.fc_cls"),
        (r"roi_heads\.box_predictor\.bbox_pred", "roi_head.bbox_head.fc_reg"),
        (r"roi_heads\.mask_head\.(\d)\.0", r"roi_head.mask_head.convs.\1.conv"),
        (r"roi_heads\.mask_predictor\.conv5_mask", "roi_head.mask_head.upsample"),
        (r"roi_heads\.mask_predictor\.mask_fcn_logits", "roi_head.mask_head.conv_logits"),
    )
    written = {}
    for key, value in network.state_dict().items():
        pattern, name = next(row for row in rows if re.match(row[0], key))
        theirs = re.sub(f"^{pattern}", name, key)
        if "fc_cls" in theirs:
            value = torch.cat((value[1:], value[:1]))
        elif "fc_reg" in theirs:
            value = value[4:]
        elif "conv_logits" in theirs:
            value = value[1:]
        written[theirs] = value.clone()
    return written


NETWORKS = {
    "Faster R-CNN R50": spec(),
    "Mask R-CNN R101": spec(101, masks=True, mask_width=32),
    "Libra R-CNN R50": spec(neck_block=LIBRA),
    "GCNet R50 1/16": gcnet(50, 16),
    "GCNet X101 1/4": gcnet(101, 4, groups=32, widening=4),
    "Libra R-CNN X101": spec(101, neck_block=LIBRA, trunk={"groups": 32, "widening": 4}),
}


def saved(path, state, **meta):
    torch.save({"meta": {"mmdet_version": "2.0.0", **meta}, "state_dict": state}, path)
    return path


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_opens_as_the_network_that_wrote_it(tmp_path, name):
    wanted = build(NETWORKS[name])
    with torch.no_grad():  # what mmdetection has not
        heads = wanted.roi_heads
        heads.box_predictor.bbox_pred.weight[:4] = heads.box_predictor.bbox_pred.bias[:4] = 0
        if wanted.spec.masks:
            logits = heads.mask_predictor.mask_fcn_logits
            logits.weight[:1] = logits.bias[:1] = 0
    model = checkpoints.load(saved(tmp_path / "net.pth", as_mmdetection_writes(wanted)))
    assert model.spec == NETWORKS[name]
    same(model.network, wanted)
    assert (model.class_names[0], model.class_names[1]) == ("__background__", "person")
    sources = {fact.name: (fact.value, fact.source) for fact in model.report.facts}
    assert sources["style"] == ("pytorch", "the family's default")
    if "Libra" in name:
        assert sources["scale"] == ("no", "the family's code")
        assert [place.label for place in model.network.places] == ["neck"]
    if "GCNet" in name:
        assert sources["ratio"] == (name.split()[-1], "weights")


@pytest.mark.parametrize(
    ("change", "meta", "words"),
    [
        ({}, {"config": "backbone=dict(style='caffe')"}, "caffe's style"),
        ({"backbone.layer2.0.context_block.conv_mask.weight": torch.zeros(1, 64, 1, 1)}, {},
         "reduce.weight"),
        ({"backbone.layer2.0.context_block.channel_mul_conv.0.bias": torch.zeros(4)}, {},
         "channel_mul_conv"),
        ({"roi_head.bbox_head.fc_reg.weight": torch.zeros(324, 128)}, {}, "of another shape"),
        ({"roi_head.bbox_head.fc_cls.bias": torch.full((81,), float("nan"))}, {}, "not finite"),
    ],
    ids=["caffe", "half of a context", "multiplied context", "boxes of the background", "nan"],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(tmp_path, change, meta, words, one_line):
    state = as_mmdetection_writes(build(spec())) | change
    with pytest.raises(CheckpointError) as caught:
        checkpoints.load(saved(tmp_path / "net.pth", state, **meta))
    assert words in one_line(caught.value)
