"""A ResNet with torchvision's names whose blocks are of one's own: what becomes of it."""

import re
from collections.abc import Mapping
from dataclasses import replace
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
from models.checkpoints.families.family import function_ask, nonlocal_spec, scale_ask
from models.checkpoints.families.images import CGNL_KERNEL, TRUNK, image_spec
from models.checkpoints.families.key_tables import KeyTable, Renamed, Rule
from models.checkpoints.families.structure import cgnl_facts, first_block, reaches_over_time
from models.checkpoints.keys.loose_blocks import LooseBlock, loose_blocks, placed, within
from models.checkpoints.keys.prefixes import Located
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, TemporalSpec


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
    taken = {key: value for key, value in every.items() if key not in beside or within(key, blocks)}
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
