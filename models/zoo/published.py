"""Every checkpoint with NL or CGNL blocks (and their baselines) that authors publish."""

from collections.abc import Mapping

from errors import OutsideError
from models.zoo.published_clips import CLIPS
from models.zoo.published_detectors import DETECTORS
from models.zoo.published_images import IMAGES
from models.zoo.published_row import NotOffered, Published

PUBLISHED: tuple[Published, ...] = (*IMAGES, *DETECTORS, *CLIPS)

_AVA = "https://download.openmmlab.com/mmaction/v1.0/detection/slowonly/"
_AVA_NAME = "slowonly_kinetics400-pretrained-r50-nl_8xb16-{clip}-20e_ava21-rgb"
_ACTIONS = (
    "finds actions of people in boxes that it is given; the file opens by its path, without this "
    "head, and its blocks are looked at"
)


def _ava(clip: str, digest: str) -> str:
    name = _AVA_NAME.format(clip=clip)
    return f"{_AVA}{name}/{name}_20220906-{digest}.pth"


NOT_OFFERED = (
    NotOffered("AVA SlowOnly + NL, 4x16 (mmaction2)", _ava("4x16x1", "5ae3f91b"), _ACTIONS),
    NotOffered("AVA SlowOnly + NL, 8x8 (mmaction2)", _ava("8x8x1", "9760eadb"), _ACTIONS),
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
