"""Somebody's own ResNet with NL or CGNL blocks in it: known by the blocks' own keys, wherever they
were put. Where that is cannot always be told; then it is asked.

The names are those that public implementations use: ``g, theta, phi, W`` (AlexHex7), ``g, theta,
phi, conv_out`` (mmcv), ``t, p, g, z`` (the CGNL authors), and their relatives.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from errors import SpecError
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.structure import depth_of
from models.specs.network import RESNET_UNITS
from models.specs.placement import Place

_CONVOLUTION = r"\.(?:0\.)?(?:conv\.)?(?P<what>weight|bias)"
_PARTS: tuple[tuple[re.Pattern, str], ...] = tuple(
    (re.compile(rf"(?P<prefix>(?:[^.]+\.)*?){pattern}"), ours)
    for pattern, ours in (
        (r"(?:conv_)?(?:theta|t)" + _CONVOLUTION, "projection.theta.{what}"),
        (r"(?:conv_)?(?:phi|p)" + _CONVOLUTION, "projection.phi.{what}"),
        (r"(?:conv_)?g" + _CONVOLUTION, "projection.g.{what}"),
        (r"(?:W|W_z|w_z|conv_out|out|z)" + _CONVOLUTION, "expand.{what}"),
        (r"(?:W\.1|W_bn|conv_out\.bn|bn|gn|norm)\.(?P<what>\w+)", "norm.{what}"),
        (r"(?:concat_project|concat)\.(?:0\.)?(?:conv\.)?(?P<what>weight)", "concat.{what}"),
    )
)
"""What a block's keys look like behind its prefix -> ours."""

_OWN_NUMBER = re.compile(r"layer(\d)\.(\d+)\.")
_IN_UNIT = re.compile(r"layer(\d)\.(\d+)\.\w+\.")


@dataclass(frozen=True)
class LooseBlock:
    """A block by its prefix: keys behind it -> ours, and the input channels of g."""

    prefix: str
    keys: Mapping[str, str]
    channels: int
    pooled: bool
    scaled: str | None

    @property
    def title(self) -> str:
        """Its name in questions."""
        return self.prefix.removesuffix(".")


def loose_blocks(tensors: Mapping[str, Tensor]) -> tuple[LooseBlock, ...]:
    """Return every block in a state dict that has at least g and what leads back."""
    grouped: dict[str, dict[str, str]] = {}
    for key in tensors:
        for pattern, ours in _PARTS:
            if match := pattern.fullmatch(key):
                rest = key.removeprefix(match["prefix"])
                grouped.setdefault(match["prefix"], {})[rest] = ours.format(what=match["what"])
                break
    found = (_block(prefix, keys, tensors) for prefix, keys in grouped.items())
    return tuple(block for block in found if block is not None)


def _block(prefix: str, keys: dict[str, str], tensors: Mapping[str, Tensor]) -> LooseBlock | None:
    by_part = {ours: rest for rest, ours in keys.items()}
    g, expand = by_part.get("projection.g.weight"), by_part.get("expand.weight")
    if g is None or expand is None or tensors[prefix + g].ndim < 3:
        return None
    names = {rest.split(".")[0].removeprefix("conv_") for rest in keys}
    counters = {key for key in _counters(tensors, prefix)}
    return LooseBlock(
        prefix,
        {**keys, **dict.fromkeys(counters, "")},
        tensors[prefix + g].shape[1],
        ".0." in f".{g}" and "phi" in names,
        # AlexHex7's does not divide, the CGNL authors' does, mmcv's can do both.
        "no" if {"W", "theta"} <= names else "yes" if {"t", "p", "z"} <= names else None,
    )


def _counters(tensors: Mapping[str, Tensor], prefix: str) -> Iterable[str]:
    for key in tensors:
        if key.startswith(prefix) and key.endswith(".num_batches_tracked"):
            yield key.removeprefix(prefix)


def placed(
    tensors: Mapping[str, Tensor], blocks: tuple[LooseBlock, ...], facts: Facts
) -> dict[str, str]:
    """Return {key: ours} of the blocks' keys and of the units behind those with a number of their
    own; what cannot be told is asked of ``facts``."""
    trunk = {key: value for key, value in tensors.items() if not within(key, blocks)}
    renumbered = _renumbered(trunk, blocks)
    units = {renumbered.get(key, key): value for key, value in trunk.items()}
    asked = [block for block in blocks if _shown_place(block, trunk, renumbered) is None]
    names = dict(renumbered)
    for block in blocks:
        place = _shown_place(block, trunk, renumbered)
        if place is None:
            place = _asked_place(block, units, facts, alone=len(asked) == 1)
        for rest, ours in block.keys.items():
            names[block.prefix + rest] = f"blocks.{place.key}.{ours}" if ours else ""
    return names


def within(key: str, blocks: tuple[LooseBlock, ...]) -> bool:
    """Tell whether a key is one of the blocks'."""
    return any(
        key.startswith(block.prefix) and key.removeprefix(block.prefix) in block.keys
        for block in blocks
    )


def _renumbered(trunk: Mapping[str, Tensor], blocks: tuple[LooseBlock, ...]) -> dict[str, str]:
    """Return the keys of units behind a block that has a number of its own in their stage."""
    taken = [
        (int(match[1]), int(match[2]))
        for block in blocks
        if (match := _OWN_NUMBER.fullmatch(block.prefix))
    ]
    renamed = {}
    for key in trunk:
        match = re.match(r"layer(\d)\.(\d+)\.(.*)", key)
        if match:
            layer, number = int(match[1]), int(match[2])
            before = sum(1 for at_layer, at in taken if at_layer == layer and at < number)
            if before:
                renamed[key] = f"layer{layer}.{number - before}.{match[3]}"
    return renamed


def _shown_place(
    block: LooseBlock, trunk: Mapping[str, Tensor], renumbered: Mapping[str, str]
) -> Place | None:
    """Return where the keys show that a block is: inside a unit, or after one; None for nowhere."""
    if match := _IN_UNIT.fullmatch(block.prefix):
        first = f"layer{match[1]}.{match[2]}.conv1.weight"
        if first in trunk:
            unit = re.match(r"layer\d\.(\d+)\.", renumbered.get(first, first))
            return Place(int(match[1]) + 1, int(unit[1]))
    if match := _OWN_NUMBER.fullmatch(block.prefix):
        before = f"layer{match[1]}.{int(match[2]) - 1}.conv1.weight"
        if before in trunk:
            unit = re.match(r"layer\d\.(\d+)\.", renumbered.get(before, before))
            return Place(int(match[1]) + 1, int(unit[1]))
    return None


def _asked_place(
    block: LooseBlock, units: Mapping[str, Tensor], facts: Facts, alone: bool
) -> Place:
    """Ask after which unit a block is, of those whose channels it takes."""
    depth = depth_of(units, facts.file_name)
    widths = {stage: _width(units, stage) for stage in range(2, 6)}
    choices = tuple(
        Place(stage, unit).label
        for stage, width in widths.items()
        if width == block.channels
        for unit in range(RESNET_UNITS[depth][stage - 2])
    )
    if not choices:
        raise SpecError(
            f"Its block {block.title} takes {block.channels} channels, and its stages give "
            f"{', '.join(map(str, widths.values()))}: it is after none of them."
        )
    name = "place" if alone else f"place.{block.title}"
    text = f"After which unit is the block {block.title}?"
    stage, _, unit = facts.settle(Ask(name, text, choices)).removeprefix("res").partition(".")
    return Place(int(stage), int(unit))


def _width(units: Mapping[str, Tensor], stage: int) -> int:
    """Return the output channels of a stage."""
    prefix = f"layer{stage - 1}.0."
    last = units.get(prefix + "conv3.weight", units.get(prefix + "conv2.weight"))
    return 0 if last is None or not last.ndim else last.shape[0]
