"""Published clip networks of TSM (MIT), gluon-cv and Tushar-N, and what all clip families share."""

from dataclasses import replace

from models.checkpoints.families.facts import Facts
from models.checkpoints.families.family import Family, function_ask, nonlocal_spec, pooled_after
from models.checkpoints.families.images import CLASS_NAMES, TRUNK, UNIT, image_spec, unit_rules
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import chosen_units, inflated, resnet_spec, stem_frames
from models.specs.block import NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing, TemporalSpec

KINETICS = {400: "kinetics-400"}
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
    facts.note("classes", spec.num_classes)
    return spec


def _tsm(renamed: Renamed, facts: Facts) -> ModelSpec:
    block = nonlocal_spec(
        renamed,
        facts,
        function_ask(code="embedded_gaussian"),
        lambda _: "no",
        pool_keys=pooled_after(renamed),
    )
    frames = facts.number("frames", "", r"segment(\d+)", 8)
    return clip_spec(renamed, facts, block, TemporalSpec(), frames=frames, frame_stride=8)


def _gluon(renamed: Renamed, facts: Facts) -> ModelSpec:
    function = function_ask(code="embedded_gaussian")
    block = nonlocal_spec(
        renamed, facts, function, lambda _: "yes", pool_keys=pooled_after(renamed)
    )
    return clip_spec(renamed, facts, block, STRIDED, frames=32, frame_stride=2)


def _tushar(renamed: Renamed, facts: Facts) -> ModelSpec:
    function = function_ask(code="embedded_gaussian")
    block = nonlocal_spec(renamed, facts, function, lambda _: "yes", pool_keys="before")
    return clip_spec(renamed, facts, block, ORIGINAL, frames=32, frame_stride=2, **FACEBOOK)


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
        class_names=KINETICS,
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
        class_names=KINETICS,
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
        class_names=KINETICS,
    ),
)

TRUNK_FAMILY = Family(
    "torchvision",
    "ResNet trunk with torchvision's names (also the CGNL authors' and Tushar-N's baselines)",
    r"layer1\.0\.conv1\.weight",
    KeyTable(TRUNK),
    _trunk,
    class_names=CLASS_NAMES | KINETICS,
)
"""Tried last: torchvision's names are in other families too."""
