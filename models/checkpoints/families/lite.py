"""EfficientNet-Lite's published weights: names of lukemelas' definition and its Lite variants."""

import re

from torch import Tensor

from errors import SpecError
from models.checkpoints.families.facts import Facts
from models.checkpoints.families.family import Family
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.specs.lite import lite_units
from models.specs.network import LiteSpec

NAMES = ("lite0", "lite1", "lite2")

_PARTS = {
    "expand_conv": "expand",
    "bn0": "expand_norm",
    "depthwise_conv": "depthwise",
    "bn1": "depthwise_norm",
    "project_conv": "project",
    "bn2": "project_norm",
}
_ENDS = {"conv_stem": "stem", "bn0": "stem_norm", "conv_head": "head", "bn1": "head_norm"}

LITE_TABLE = KeyTable(
    (
        COUNTER,
        Rule(
            rf"_blocks\.(?P<unit>\d+)\._(?P<part>{'|'.join(_PARTS)})\.(?P<what>\w+)",
            "units.{unit}.{part}.{what}",
        ),
        Rule(rf"_(?P<end>{'|'.join(_ENDS)})\.(?P<what>\w+)", "{end}.{what}"),
        Rule(r"_fc\.(?P<what>weight|bias)", "fc.{what}"),
    ),
    {"part": _PARTS, "end": _ENDS},
)


def _widths(tensors: dict[str, Tensor]) -> tuple[int, ...]:
    """Return the output channels of each unit, in order."""
    found = {}
    for key, value in tensors.items():
        if match := re.fullmatch(r"units\.(\d+)\.project\.weight", key):
            found[int(match[1])] = value.shape[0]
    return tuple(found[unit] for unit in sorted(found))


def _lite(renamed: Renamed, _facts: Facts) -> LiteSpec:
    widths = _widths(renamed.tensors)
    for name in NAMES:
        if widths == tuple(unit.out for unit in lite_units(name)):
            return LiteSpec(name, num_classes=renamed.tensors["fc.weight"].shape[0])
    raise SpecError(
        f"Its {len(widths)} units have widths of no EfficientNet that is read; use "
        f"{', '.join(NAMES)}."
    )


LITE = Family(
    "efficientnet-lite",
    "EfficientNet-Lite (efficientnet-lite-pytorch and its weight packages)",
    r"_blocks\.\d+\._depthwise_conv\.weight",
    LITE_TABLE,
    _lite,
    data="imagenet-1k",
)
