"""Every checkpoint with NL or CGNL blocks (and their baselines) that authors publish."""

from collections.abc import Mapping

from errors import OutsideError
from models.zoo.published_clips import CLIPS
from models.zoo.published_detectors import DETECTORS
from models.zoo.published_images import IMAGES
from models.zoo.published_row import NotOffered, Published

PUBLISHED: tuple[Published, ...] = (*IMAGES, *DETECTORS, *CLIPS)

_CASCADE = (
    "https://download.openmmlab.com/mmdetection/v2.0/gcnet/"
    "cascade_mask_rcnn_x101_32x4d_fpn_syncbn-backbone_r{}_gcb_c3-c5_1x_coco/"
    "cascade_mask_rcnn_x101_32x4d_fpn_syncbn-backbone_r{}_gcb_c3-c5_1x_coco_{}.pth"
)
_THREE_HEADS = "has three heads of boxes in a row; of GCNet's detectors the Mask R-CNNs are read"

NOT_OFFERED = (
    NotOffered(
        "Cascade Mask R-CNN X101 + GC, 1/16 (mmdetection)",
        _CASCADE.format(16, 16, "20200211-10bf2463"),
        _THREE_HEADS,
    ),
    NotOffered(
        "Cascade Mask R-CNN X101 + GC, 1/4 (mmdetection)",
        _CASCADE.format(4, 4, "20200703_180653-ed035291"),
        _THREE_HEADS,
    ),
)

NONE_PUBLISHED = (
    "Not published by anybody: weights of the CGD authors, Kinetics networks with CGNL blocks, "
    "PySlowFast's C2D, Slow and R101 networks with NL blocks, video-nonlocal-net's R101, and "
    "Tushar-N's conversions. Checkpoints that their code writes are read as your own."
)


_SHORTEST_HASH = 8


def told_of(sha256: str) -> Mapping[str, str]:
    """Return what the publisher of a file of this sha256 says of it, as answers; empty for a file
    whose hash nobody publishes."""
    for row in PUBLISHED:
        start = row.source.sha256
        if len(start) >= _SHORTEST_HASH and sha256.startswith(start):
            return row.told
    return {}


def find(name: str) -> Published:
    """Return the row called ``name``; OutsideError when there is none."""
    for row in PUBLISHED:
        if row.id == name:
            return row
    raise OutsideError(
        f"{name!r} is not a published network; use a name that `python -m viz models` lists."
    )
