"""Boxes and masks of maskrcnn-benchmark's pyramid: what its code makes of the same five levels."""

import io
import lzma
from pathlib import Path

import torch

from models.build import build
from models.specs.detection import RCNNSpec
from models.specs.network import ModelSpec

CASE = Path(__file__).parent / "cgnl_maskrcnn" / "fpn_heads.boxes.pt.xz"


def test_boxes_scores_and_masks_are_the_originals(monkeypatch):
    wanted = torch.load(io.BytesIO(lzma.decompress(CASE.read_bytes())), weights_only=True)
    trunk = ModelSpec(base_width=8, norm="frozen, no epsilon", strided="conv1")
    heads = {"labels": 7, "masks": True, "channels": 8, "dense": 16, "mask_width": 8}
    detector = build(RCNNSpec(trunk, inclusive=True, proposals=60, **heads))
    left = detector.load_state_dict(wanted["state"], strict=False)
    assert left.unexpected_keys == []
    assert {key.split(".")[0] for key in left.missing_keys} == {"trunk", "fpn"}
    monkeypatch.setattr(detector, "levels", lambda _x: wanted["levels"])
    size = tuple(wanted["image_size"])
    with torch.no_grad():
        (found,) = detector.find(torch.zeros(1, 3, 1, *size), [size])
    assert len(found) == len(wanted["boxes"]) > 10
    assert torch.equal(found.labels, wanted["labels"])
    for name, within in (("boxes", 1e-3), ("scores", 1e-5), ("masks", 1e-5)):
        assert torch.allclose(getattr(found, name), wanted[name], atol=within), name
