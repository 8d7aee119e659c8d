"""Published clip networks of TSM (MIT), gluon-cv and Tushar-N, and what all clip families share."""

from dataclasses import replace

from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import (
    Family,
    always_scaled,
    function_ask,
    never_scaled,
    nonlocal_spec,
    pooled_after,
)
from models.checkpoints.families.images import TRUNK, UNIT, image_spec, unit_rules
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import chosen_units, inflated, resnet_spec, stem_frames
from models.describe import time_words
from models.specs.block import NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing, TemporalSpec

KINETICS = "kinetics-400"
STRIDED = TemporalSpec(stem_stride=2, pool_stride=2, halve_after_res2=True)
"""mmaction2's and gluon-cv's I3D: time is halved three times."""
ORIGINAL = replace(STRIDED, pool_frames=2, pool_padding=0)
"""video-nonlocal-net's first architecture, on 32 frames."""
FACEBOOK = {"mean": (0.45,) * 3, "std": (0.225,) * 3}
"""One mean and deviation for all channels: 114.75 and 57.375 of 255."""

BLOCK = "blocks.res{stage}_{unit}."
PROJECTION = BLOCK + "projection.{part}.{what}"


def block_rules(prefix: str, part: str, expand: str, norm: str) -> tuple[Rule, ...]:
    """Return the rows of an NL block; each argument is a pattern, with group ``part`` in theirs."""
    return (
        Rule(rf"{prefix}{part}(?P<what>weight|bias)", PROJECTION),
        Rule(rf"{prefix}{expand}(?P<what>weight|bias)", BLOCK + "expand.{what}"),
        Rule(rf"{prefix}{norm}(?P<what>\w+)", BLOCK + "norm.{what}"),
    )


_STEP = "(?:[1-9]|[12][0-9]|3[0-2])"
"""In names FRAMESxSTEP is a clip up to a step of 32; 224x224 is the size of a picture."""
_MANY = "(?:[2-9]|[1-9][0-9]+)"
CLIP_WORD = f"{_MANY}x{_STEP}"
"""A clip in a file name, as a pattern."""


def clip_length(
    facts: Facts, frames: int, step: int, metadata: tuple[str, str] = ("", ""), words: str = ""
) -> dict[str, int]:
    """Return how many ``frames`` a clip has and how far apart they are, ``frame_stride``.

    The numbers given are the family's usual ones, ``metadata`` the patterns of both. ``words`` is
    the pattern of the frames in a file name; without it, both are looked for as FRAMESxSTEP.
    """
    named = (words, "") if words else (rf"({_MANY})x{_STEP}(?:x1)?", rf"{_MANY}x({_STEP})(?:x1)?")
    asked = (
        ("frames", "How many frames has a clip?", frames),
        ("frame_stride", "How far apart are the frames of a clip?", step),
    )
    return {
        name: facts.number(
            Ask(name, text, (), ((told, ""),), ((word, ""),) if word else (), default=str(usual))
        )
        for (name, text, usual), told, word in zip(asked, metadata, named, strict=True)
    }


def clip_spec(
    renamed: Renamed,
    facts: Facts,
    block: NonLocalSpec | None,
    temporal: TemporalSpec,
    **prep: object,
) -> ModelSpec:
    """Return the clip network whose kernels in time are read from the tensors."""
    time = replace(
        temporal,
        stem_frames=stem_frames(renamed.tensors),
        inflated=inflated(renamed.tensors),
        shifted=chosen_units(o for theirs, o in renamed.renamed.items() if ".net." in theirs),
    )
    spec = resnet_spec(
        renamed.tensors,
        facts.file_name,
        block,
        temporal=time,
        preprocessing=Preprocessing(**prep),
    )
    if time.reads_time:
        facts.note("time", ", ".join(time_words(time)), "the family's code")
    return spec


def _tsm(renamed: Renamed, facts: Facts) -> ModelSpec:
    function = function_ask(only="embedded_gaussian")
    block = nonlocal_spec(renamed, facts, function, never_scaled, pool_keys=pooled_after(renamed))
    clip = clip_length(facts, 8, 8, words=r"segment(\d+)")
    return clip_spec(renamed, facts, block, TemporalSpec(), **clip)


def _gluon(renamed: Renamed, facts: Facts) -> ModelSpec:
    function = function_ask(only="embedded_gaussian")
    block = nonlocal_spec(renamed, facts, function, always_scaled, pool_keys=pooled_after(renamed))
    return clip_spec(renamed, facts, block, STRIDED, **clip_length(facts, 32, 2))


def _tushar(renamed: Renamed, facts: Facts) -> ModelSpec:
    function = function_ask(only="embedded_gaussian")
    block = nonlocal_spec(renamed, facts, function, always_scaled, pool_keys="before")
    return clip_spec(renamed, facts, block, ORIGINAL, **clip_length(facts, 32, 2), **FACEBOOK)


def _trunk(renamed: Renamed, facts: Facts) -> ModelSpec:
    """A plain trunk: torchvision's when its kernels are flat, Tushar-N's baseline otherwise."""
    if stem_frames(renamed.tensors) > 1:
        return _tushar(renamed, facts)
    return image_spec(renamed, facts, None)


_TSM_UNIT = r"base_model\." + UNIT + r"(?:block\.)?"
_GLUON_UNIT = UNIT.replace("layer(?P", r"res_layers\.(?P")

CLIP_FAMILIES = (
    Family(
        "tsm",
        "TSM (mit-han-lab/temporal-shift-module)",
        r"base_model\.conv1\.weight",
        KeyTable(
            (
                COUNTER,
                Rule(r"base_model\.conv1\.weight", "conv1.weight"),
                Rule(r"base_model\.bn1\.(?P<what>\w+)", "bn1.{what}"),
                *unit_rules(_TSM_UNIT, wrapper=r"(?:net\.)?"),
                *block_rules(
                    _TSM_UNIT + r"nl\.", r"(?P<part>theta|phi|g)\.(?:0\.)?", r"W\.0\.", r"W\.1\."
                ),
                Rule(r"new_fc\.(?P<what>weight|bias)", "fc.{what}"),
            )
        ),
        _tsm,
    ),
    Family(
        "gluoncv",
        "gluon-cv (torch) I3D",
        r"first_stage\.0\.weight",
        KeyTable(
            (
                COUNTER,
                Rule(r"first_stage\.0\.weight", "conv1.weight"),
                Rule(r"first_stage\.1\.(?P<what>\w+)", "bn1.{what}"),
                *unit_rules(_GLUON_UNIT),
                # W and bn are a second time in a Sequential, fc in the head.
                *block_rules(
                    _GLUON_UNIT + r"nonlocal_block\.",
                    r"(?P<part>theta|phi|g)\.(?:0\.)?",
                    r"(?:W|W_bn\.0)\.",
                    r"(?:bn|W_bn\.1)\.",
                ),
                Rule(r"(?:fc|head\.\d)\.(?P<what>weight|bias)", "fc.{what}"),
            ),
            {"layer": {"0": "1", "1": "2", "2": "3", "3": "4"}},
        ),
        _gluon,
    ),
    Family(
        "tushar",
        "Tushar-N/pytorch-resnet3d (video-nonlocal-net converted)",
        r"layer\d\.\d+\.nl\.g\.weight",
        KeyTable(
            (
                *TRUNK,
                *block_rules(UNIT + r"nl\.", r"(?P<part>theta|phi|g)\.", r"out\.", r"bn\."),
            )
        ),
        _tushar,
        data=KINETICS,
    ),
)

TRUNK_FAMILY = Family(
    "torchvision",
    "ResNet trunk with torchvision's names (also the CGNL authors' and Tushar-N's baselines)",
    r"layer1\.0\.conv1\.weight",
    KeyTable(TRUNK),
    _trunk,
)
"""Tried last: torchvision's names are in other families too."""
