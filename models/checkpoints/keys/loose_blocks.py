"""Somebody's own ResNet with NL or CGNL blocks in it: known by the blocks' own keys, wherever they
were put. Where that is cannot always be told; then it is asked.

The names are those that public implementations use: ``g, theta, phi, W`` (AlexHex7), ``g, theta,
phi, conv_out`` (mmcv), ``t, p, g, z`` (the CGNL authors), and their relatives.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from errors import SpecError
from models.checkpoints.families.clips import (
    ORIGINAL,
    STRIDED,
    TRUNK_FAMILY,
    clip_length,
    clip_spec,
)
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import (
    function_ask,
    nonlocal_spec,
    scale_ask,
)
from models.checkpoints.families.images import CGNL_KERNEL, TRUNK, image_spec
from models.checkpoints.families.key_tables import KeyTable, Renamed, Rule
from models.checkpoints.families.structure import (
    cgnl_facts,
    depth_of,
    first_block,
    reaches_over_time,
)
from models.checkpoints.keys.prefixes import Located
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import RESNET_UNITS, ModelSpec, TemporalSpec
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
    trunk = {key: value for key, value in tensors.items() if not _within(key, blocks)}
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


def _within(key: str, blocks: tuple[LooseBlock, ...]) -> bool:
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


def with_loose_blocks(located: Located, tensors: Mapping[str, Tensor], facts: Facts) -> Located:
    """Return a located network prepared for its family's table: as the family prepares it, or as a
    trunk with blocks of one's own, where it has such.

    ``tensors`` are all of the file: a block may be beside the trunk.
    """
    beside = {k: tensors[k] for k in located.outside if not k.startswith(located.others)}
    every = {**beside, **located.tensors}
    blocks = loose_blocks(every) if located.family.name in _TRUNKS else ()
    if not _own(located, blocks):
        return _prepared(located, located.family.prepare(located.tensors), located.tensors)
    taken = {
        key: value for key, value in every.items() if key not in beside or _within(key, blocks)
    }
    names = placed(taken, blocks, facts)
    renamed = {names.get(key) or key: value for key, value in taken.items()}
    if len(renamed) < len(taken):
        raise SpecError("It has two blocks at one place; give each a place of its own.")
    found = _prepared(located, renamed, taken)
    outside = tuple(key for key in located.outside if key not in taken)
    family = replace(OWN_TRUNK, describe=partial(_described, blocks=blocks))
    return replace(found, family=family, outside=outside)


_TRUNKS = ("torchvision", "tushar", "cgnl")
"""Families whose trunk has torchvision's names."""


def _own(located: Located, blocks: tuple[LooseBlock, ...]) -> bool:
    """Tell whether blocks are not where, or not what, the family's code has."""
    match located.family.name:
        case "tushar":
            written = (b.prefix + rest for b in blocks for rest, ours in b.keys.items() if ours)
            known = all(located.family.table.translate(key) for key in written)
            return not known or located.tensors.get("conv1.weight", _EMPTY).ndim == 4
        case "cgnl":
            return len(blocks) > 1 or any(not _IN_LAYER3.fullmatch(b.prefix) for b in blocks)
    return bool(blocks)


_EMPTY = torch.empty(0)
_IN_LAYER3 = re.compile(r"layer3\.\d+\.")


def _prepared(
    located: Located, prepared: Mapping[str, Tensor], before: Mapping[str, Tensor]
) -> Located:
    """Return a located network under other names, which are in the order that they had before."""
    written = {
        new: located.written.get(old, old) for new, old in zip(prepared, before, strict=True)
    }
    return replace(located, tensors=dict(prepared), written=written)


def _described(renamed: Renamed, facts: Facts, blocks: tuple[LooseBlock, ...]) -> ModelSpec:
    """Return the spec of a trunk with blocks of one's own, whose functions are asked."""
    block = _block_spec(renamed, facts, blocks[0])
    if not reaches_over_time(renamed.tensors):
        return image_spec(renamed, facts, block)
    time = _TIMES[facts.settle(_TIME)]
    return clip_spec(renamed, facts, block, time, **clip_length(facts, 8, 8))


def _block_spec(
    renamed: Renamed, facts: Facts, first: LooseBlock
) -> CGNLSpec | NonLocalSpec | None:
    prefix = first_block(renamed.tensors)
    has = {key.removeprefix(prefix) for key in renamed.tensors if key.startswith(prefix)}
    if "norm.weight" in has and "norm.running_mean" not in has:  # a group norm: CGNL
        kernel = {"cgnl": "dot_product", "cgnlx": "gaussian_rbf"}[facts.settle(CGNL_KERNEL)]
        return CGNLSpec(kernel, **cgnl_facts(renamed.tensors, prefix))
    ask = scale_ask(default=first.scaled)
    return nonlocal_spec(
        renamed,
        facts,
        function_ask(),
        lambda function: ask if function == "embedded_gaussian" else None,
        pool_keys="after" if first.pooled else "none",
    )


_TIMES = {
    "strided": STRIDED,
    "fb-org": ORIGINAL,
    "halved": TemporalSpec(halve_after_res2=True),
    "every frame": TemporalSpec(),
}
_TIME = Ask(
    "time",
    "How does the network step through time: strided in stem and pooling and halved after res2 "
    "(mmaction2's I3D), as video-nonlocal-net's first, halved after res2 alone, or not at all?",
    tuple(_TIMES),
)

OWN_TRUNK = replace(
    TRUNK_FAMILY,
    name="own",
    title="a ResNet with blocks of one's own",
    table=KeyTable((*TRUNK, Rule(r"(?P<key>blocks\..*)", "{key}"))),
)
"""A trunk with torchvision's names whose blocks were put under ours."""
