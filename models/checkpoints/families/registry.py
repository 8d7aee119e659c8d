"""All families, in the order in which they are tried."""

import re
from collections.abc import Iterable

from errors import CheckpointError
from models.checkpoints.families.clips import CLIP_FAMILIES, TRUNK_FAMILY
from models.checkpoints.families.detectors import DETECTOR_FAMILIES
from models.checkpoints.families.facebook import FACEBOOK_FAMILIES
from models.checkpoints.families.family import Family, Unsupported
from models.checkpoints.families.images import IMAGE_FAMILIES
from models.checkpoints.families.lite import LITE
from models.checkpoints.families.mmaction import MMACTION

FAMILIES: tuple[Family, ...] = (
    *DETECTOR_FAMILIES,
    MMACTION,
    *CLIP_FAMILIES,
    *FACEBOOK_FAMILIES,
    *IMAGE_FAMILIES,
    LITE,
    TRUNK_FAMILY,
)

UNSUPPORTED = (
    Unsupported(
        r"backbone\.layer\d\.\d+\.context_block\..*",
        "a detector with global context (GCNet) that is no Faster or Mask R-CNN; of mmdetection's "
        "files R-CNNs with a pyramid are read, with global context and Libra R-CNN's NL block",
    ),
    Unsupported(
        r"proposal_generator\..*|rpn_head\..*",
        "a detector of detectron2, or of mmdetection other than its R-CNNs with a pyramid; "
        "torchvision's, maskrcnn-benchmark's and the CGNL authors' are read, too",
    ),
    Unsupported(
        r"head\.regression_head\.(?:conv|bbox).*",
        "a RetinaNet or FCOS; of detectors R-CNNs and SSDs are read",
    ),
    Unsupported(
        r"roi_head\.(?:shared_head|bbox_head\.fc_(?:reg|mid)|mask_head)\..*|bbox_head\..*",
        "a detector whose head is not read",
    ),
    Unsupported(r"s1\.pathway1_stem.*", "a two-pathway SlowFast; networks of one pathway are read"),
    Unsupported(r".*fbo.*|.*lfb.*", "a long-term feature bank network"),
    Unsupported(r"_blocks\.\d+\._se_reduce\.\w+", "an EfficientNet with squeeze-and-excitation"),
    Unsupported(
        r".*\.in_proj_weight|.*attn\.qkv\.weight",
        "a transformer, which is opened by the name of its network, as "
        "timm:vit_small_patch16_224?weights=FILE",
    ),
)


def refuse_unsupported(keys: Iterable[str], file_name: str) -> None:
    """Refuse a network that is recognised and cannot be used, by its name."""
    listed = list(keys)
    for other in UNSUPPORTED:
        if any(re.fullmatch(other.mark, key) for key in listed):
            raise CheckpointError(
                f"{file_name} is {other.reason}; classifiers and detectors with NL, CGNL or CGD "
                "are read."
            )


def known_family(keys: Iterable[str]) -> Family | None:
    """Return the family whose mark is among the keys, or None."""
    listed = list(keys)
    for family in FAMILIES:
        if any(re.fullmatch(family.mark, key) for key in listed):
            return family
    return None


def family_of(keys: Iterable[str], file_name: str) -> Family:
    """Return the family whose mark is among the keys; CheckpointError names what is read."""
    listed = list(keys)
    family = known_family(listed)
    if family is None:
        raise CheckpointError(
            f"{file_name} holds keys of no family that is read "
            f"({', '.join(sorted(listed)[:3])}, ...); read are "
            f"{'; '.join(family.title for family in FAMILIES)}. Nothing was loaded."
        )
    return family
