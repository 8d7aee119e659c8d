"""What the families of detectors share: keys and facts of the ResNet that is their trunk."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

from models.checkpoints.families.facts import Facts
from models.checkpoints.families.images import UNIT
from models.checkpoints.families.key_tables import Rule
from models.checkpoints.families.structure import bottleneck, depth_of, placement

BODY, TRUNK = "backbone.body.", "trunk."
BODY_UNIT = re.escape(BODY) + UNIT
BYTE = 1 / 255
"""A step of 8-bit colours, in those from 0 to 1."""


def in_trunk(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return rules whose result is in the trunk."""
    return tuple(Rule(rule.pattern, TRUNK + rule.ours) for rule in rules)


def stripped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of the trunk, without its prefix."""
    return {k.removeprefix(TRUNK): v for k, v in tensors.items() if k.startswith(TRUNK)}


def trunk_facts(inside: Mapping[str, Tensor], facts: Facts) -> dict[str, object]:
    """Return depth, widths, groups and places of blocks of a trunk, and note them."""
    depth = depth_of(inside, facts.file_name)
    widening, groups = bottleneck(inside)
    facts.note("depth", depth)
    facts.note("groups", groups)
    return {
        "depth": depth,
        "base_width": inside["conv1.weight"].shape[0],
        "placement": placement(inside, depth),
        "widening": widening,
        "groups": groups,
    }
