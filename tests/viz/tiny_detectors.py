"""Detectors small enough for tests: a C4 one of width 8, and a keypoint one with a pyramid."""

from functools import cache

import torch

from models.build import build
from models.loaded import LoadedModel
from models.specs.block import BlockSpec, NonLocalSpec
from models.specs.detection import DetectorInput, RCNNSpec
from models.specs.network import ModelSpec

SMALL = DetectorInput(size=128, resize=128, short=64, stride=32)
NAMES = ("background", "cat", "dog")


def c4_spec(block: BlockSpec | None = None, detections: int = 5) -> RCNNSpec:
    trunk = ModelSpec(
        base_width=8,
        block=block or NonLocalSpec(),
        placement="1",
        norm="frozen, no epsilon",
        strided="conv1",
    )
    return RCNNSpec(
        trunk,
        "c4",
        labels=len(NAMES),
        masks=True,
        score=0.0,
        detections=detections,
        proposals=20,
        preprocessing=SMALL,
    )


@cache
def c4(block: BlockSpec | None = None, detections: int = 5) -> LoadedModel:
    """Return a C4 detector whose block is not the identity."""
    spec = c4_spec(block, detections)
    with torch.random.fork_rng():
        torch.manual_seed(13)
        network = build(spec)
        for place in network.places:
            torch.nn.init.uniform_(network.block_at(place).norm.weight, 0.5, 1.5)
        network.box.cls_score.weight.data *= 20
    return LoadedModel("tiny-c4", spec, network, NAMES, "3" * 64)


@cache
def keypoints() -> LoadedModel:
    """Return a keypoint detector with a pyramid, blocks in the trunk and in the head."""
    trunk = ModelSpec(18, 8, NonLocalSpec(), "1", norm="frozen")
    spec = RCNNSpec(
        trunk,
        labels=2,
        keypoints=3,
        head_block=NonLocalSpec(),
        channels=8,
        score=0.0,
        detections=4,
        proposals=20,
        preprocessing=SMALL,
    )
    with torch.random.fork_rng():
        torch.manual_seed(17)
        return LoadedModel("tiny-keypoints", spec, build(spec), ("background", "person"), "4" * 64)
