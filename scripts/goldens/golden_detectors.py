"""Detectors of the reference folder: features, proposals, boxes, scores and masks."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from models import checkpoints
from models.detection.detector import Detections
from models.detection.rcnn_c4 import C4Detector
from models.specs.detection import RCNNSpec

PIXELS, SCORES = 0.02, 1e-4
"""How far boxes (pixels) and scores and masks may be apart."""


def detector_faults(path: Path, expectation: Path) -> list[str]:
    """Return how a detector's file differs from its case, a line a difference; empty: it agrees.

    Inputs are the original's: normalised, B, G, R.
    """
    expected = torch.load(expectation, weights_only=True)
    network = checkpoints.load(path, _answers(expected["meta"])).network
    network.spec = _as_run(network.spec, expected["meta"]["config"])
    faults = []
    for name in ("single", "padded", "odd"):
        case = expected if name == "single" else expected[name]
        faults += [f"{path.stem} {name}: {one}" for one in _faults(network, case)]
    return faults


def _answers(meta: dict) -> dict[str, str]:
    kind = str(meta.get("nl_type", ""))
    return {"kernel": kind} if kind in ("cgnl", "cgnlx") else {}


def _as_run(spec: RCNNSpec, config: dict) -> RCNNSpec:
    return replace(spec, proposals=int(config["POST_NMS_TOP_N_TEST"]))


def _faults(network: C4Detector, case: dict) -> list[str]:
    colours = case["input"].flip(1).contiguous().unsqueeze(2)
    sizes = [tuple(one) for one in case.get("image_sizes", [case["input"].shape[-2:]])]
    with torch.no_grad():
        features = network.dense(colours)[0]
        found = network.find(colours, sizes)
    faults = [] if _close(features, case["features"]) else ["res4 differs"]
    for frame, (ours, theirs) in enumerate(zip(found, case["detections"], strict=True)):
        faults += [f"frame {frame} {one}" for one in _unlike(ours, theirs)]
    return faults


def _close(found: Tensor, wanted: Tensor) -> bool:
    return torch.allclose(found, wanted, rtol=1e-4, atol=1e-4 * wanted.abs().max().item())


def _unlike(ours: Detections, theirs: dict[str, Tensor]) -> list[str]:
    """Match by label and place: neighbours whose scores agree to 1e-6 may swap."""
    if len(ours) != len(theirs["boxes"]):
        return [f"has {len(ours)} objects, not {len(theirs['boxes'])}"]
    faults = []
    for number, (box, score, label, mask) in enumerate(
        zip(*(theirs[name] for name in ("boxes", "scores", "labels", "masks")), strict=True)
    ):
        fits = (
            (ours.labels == label)
            & ((ours.boxes - box).abs().amax(1) < PIXELS)
            & ((ours.scores - score).abs() < SCORES)
            & ((ours.masks - mask).abs().flatten(1).amax(1) < SCORES)
        )
        faults += [] if fits.any() else [f"object {number} is not found"]
    return faults
