"""maskrcnn-benchmark's files with a pyramid: ResNets and ResNeXts, with blocks, of any width."""

import re

import pytest
import torch
from torch import Tensor

from models import checkpoints
from models.build import build
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.detection import RCNNSpec
from models.specs.network import ModelSpec
from tests.models.checkpoints.families.test_detectors import same, saved

pytestmark = pytest.mark.slow


def spec(depth: int = 50, groups: int = 1, block=None, **heads) -> RCNNSpec:
    """A spec whose every width is an eighth of the published networks'."""
    trunk = ModelSpec(
        depth,
        8,
        block,
        "1" if block else "none",
        norm="frozen, no epsilon",
        widening=4 if groups > 1 else 1,
        groups=groups,
        strided="conv2" if groups > 1 else "conv1",
    )
    options = {"labels": 81, "masks": True, "channels": 32, "dense": 128, "mask_width": 32}
    return RCNNSpec(trunk, inclusive=True, **(options | heads))


def as_benchmark_writes(network: torch.nn.Module) -> dict[str, Tensor]:
    """Return the state dict under maskrcnn-benchmark's names, with the CGNL authors' block."""
    state = network.state_dict()
    normed = "bn" if "trunk.blocks.res4_4.norm.running_mean" in state else "gn"
    blocked = any(".blocks." in key for key in state)

    def moved(match: re.Match) -> str:
        return f"{match[1]}{int(match[2]) + (blocked and int(match[2]) > 4)}."

    rows = (
        (r"trunk\.blocks\.res4_4\.projection\.theta", "backbone.body.layer3.5.t"),
        (r"trunk\.blocks\.res4_4\.projection\.phi", "backbone.body.layer3.5.p"),
        (r"trunk\.blocks\.res4_4\.projection\.g", "backbone.body.layer3.5.g"),
        (r"trunk\.blocks\.res4_4\.expand", "backbone.body.layer3.5.z"),
        (r"trunk\.blocks\.res4_4\.norm", f"backbone.body.layer3.5.{normed}"),
        (r"trunk\.(layer3\.)(\d+)\.", lambda m: "backbone.body." + moved(m)),
        (r"trunk\.(layer\d)", r"backbone.body.\1"),
        (r"trunk\.", "backbone.body.stem."),
        (r"fpn\.(inner|layer)_blocks\.(\d)\.0",
         lambda m: f"backbone.fpn.fpn_{m[1]}{int(m[2]) + 1}"),
        (r"rpn\.cell_anchors_(\d)", r"rpn.anchor_generator.cell_anchors.\1"),
        (r"rpn\.(conv|cls|bbox)", r"rpn.head.\1"),
        (r"(box|mask)_head\.", r"roi_heads.\1.feature_extractor."),
        (r"keypoint_head\.(\d+)",
         lambda m: f"roi_heads.keypoint.feature_extractor.conv_fcn{int(m[1]) // 2 + 1}"),
        (r"keypoint_predictor\.", "roi_heads.keypoint.predictor."),
        (r"(box|mask)\.", r"roi_heads.\1.predictor."),
    )  # fmt: skip

    def theirs(key: str) -> str:
        for pattern, name in rows:
            if re.match(pattern, key):
                return re.sub(f"^{pattern}", name, key)
        raise AssertionError(key)

    return {theirs(key): value for key, value in state.items()}


NETWORKS = {
    "R50": spec(),
    "R50, boxes only": spec(masks=False, mask_width=256),
    "R50 + NL": spec(block=NonLocalSpec()),
    "R50 + CGNL": spec(block=CGNLSpec(groups=4)),
    "R101": spec(101),
    "X101": spec(101, groups=32),
    "X152": spec(152, groups=32),
    "R50, key points": spec(masks=False, mask_width=256, keypoints=17, labels=2, keypoint_width=64),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_file_opens_as_the_network_that_wrote_it(tmp_path, name, prefix):
    wanted = build(NETWORKS[name])
    state = as_benchmark_writes(wanted)
    path = saved(tmp_path / "model.pth", state, prefix)
    answers = {"kernel": "cgnl"} if "CGNL" in name else {}
    model = checkpoints.load(path, answers)
    found = model.spec
    assert (found.neck, found.inclusive, found.last_pixel) == ("fpn", True, 1)
    for field in ("labels", "masks", "keypoints", "channels", "dense", "mask_width"):
        assert getattr(found, field) == getattr(NETWORKS[name], field), field
    trunk, given = found.trunk, NETWORKS[name].trunk
    for field in ("depth", "base_width", "groups", "widening", "strided", "norm"):
        assert getattr(trunk, field) == getattr(given, field), field
    assert [place.label for place in found.places] == [p.label for p in wanted.places]
    same(model.network, wanted)
    sources = {fact.name: fact.source for fact in model.report.facts}
    assert sources["strided"] == "the family's code"
    named = "person" if found.keypoints else "toothbrush"
    assert model.class_names[-1] == named
