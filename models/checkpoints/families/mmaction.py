"""mmaction2's I3D, SlowOnly and TSM with mmcv's NonLocal3d, and SlowOnly of people's actions."""

from dataclasses import replace

from models.checkpoints.families.clips import (
    BLOCK,
    STRIDED,
    block_rules,
    clip_length,
    clip_spec,
)
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import (
    Family,
    function_ask,
    nonlocal_spec,
    pooled_after,
    scale_ask,
)
from models.checkpoints.families.images import UNIT
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import stem_frames
from models.specs.network import ModelSpec, TemporalSpec

_SCALE = scale_ask(
    metadata=((r"use_scale\s*=\s*True", "yes"), (r"use_scale\s*=\s*False", "no")),
    file_name=(("no_?scale", "no"), ("(?:use_)?scale", "yes")),
    # What its configurations of these networks say.
    implied=(("slowonly", "yes"), ("tsm|i3d", "no")),
)


def _scale(function: str) -> Ask | None:
    """mmcv scales the embedded Gaussian alone."""
    return _SCALE if function == "embedded_gaussian" else None


def _mmaction(renamed: Renamed, facts: Facts) -> ModelSpec:
    block = nonlocal_spec(renamed, facts, function_ask(), _scale, pool_keys=pooled_after(renamed))
    if any(".net." in key for key in renamed.renamed):
        clip = clip_length(facts, 8, 1, (r"num_segments\s*=\s*(\d+)", ""), r"1x1x(\d+)")
        return clip_spec(renamed, facts, block, TemporalSpec(), **clip)
    strided = stem_frames(renamed.tensors) > 1
    told = (r"clip_len\s*=\s*(\d+)", r"frame_interval\s*=\s*(\d+)")
    clip = clip_length(facts, *((32, 2) if strided else (4, 16)), told)
    spec = clip_spec(renamed, facts, block, _strides(facts, strided), **clip)
    return _of_people(spec, facts) if _PEOPLE in renamed.renamed else spec


def _of_people(spec: ModelSpec, facts: Facts) -> ModelSpec:
    """Return the network of people's actions (AVA): res5 keeps the size of res4."""
    facts.only_data = "ava-81"
    facts.note("head", "people", "the family's code")
    facts.note("last_stride", 1, "the family's code")
    prep = replace(spec.preprocessing, size=256, resize=256, stride=16)
    head = "people" if spec.num_classes else "mean"
    return replace(spec, last_stride=1, head=head, preprocessing=prep)


def _strides(facts: Facts, strided: bool) -> TemporalSpec:
    """Return how the I3D steps through time; SlowOnly takes every frame."""
    if not strided:
        return TemporalSpec()
    asked = {
        "stem_stride": r"conv1_stride_t\s*=\s*(\d)",
        "pool_stride": r"pool1_stride_t\s*=\s*(\d)",
    }
    steps = {
        name: facts.number(Ask(name, f"{name} in time?", ("1", "2"), ((told, ""),), default="2"))
        for name, told in asked.items()
    }
    return replace(STRIDED, **steps)


_PEOPLE = "roi_head.bbox_head.fc_cls.weight"
_UNIT = r"backbone\." + UNIT + r"(?:block\.)?"

MMACTION = Family(
    "mmaction2",
    "mmaction2 (I3D, SlowOnly, TSM with mmcv's NonLocal3d)",
    r"backbone\.conv1\.conv\.(net\.)?weight",
    KeyTable(
        (
            COUNTER,
            Rule(r"backbone\.conv1\.conv\.(?:net\.)?weight", "conv1.weight"),
            Rule(r"backbone\.conv1\.bn\.(?P<what>\w+)", "bn1.{what}"),
            Rule(
                _UNIT + r"conv(?P<n>\d)\.conv\.(?:net\.)?weight",
                "layer{layer}.{unit}.conv{n}.weight",
            ),
            Rule(
                _UNIT + r"conv(?P<n>\d)\.bn\.(?P<what>\w+)",
                "layer{layer}.{unit}.bn{n}.{what}",
            ),
            Rule(
                _UNIT + r"downsample\.conv\.weight",
                "layer{layer}.{unit}.downsample.0.weight",
            ),
            Rule(
                _UNIT + r"downsample\.bn\.(?P<what>\w+)",
                "layer{layer}.{unit}.downsample.1.{what}",
            ),
            Rule(
                _UNIT + r"non_local_block\.concat_project\.conv\.weight",
                BLOCK + "concat.weight",
            ),
            *block_rules(
                _UNIT + r"non_local_block\.",
                r"(?P<part>theta|phi|g)\.(?:0\.)?conv\.",
                r"conv_out\.conv\.",
                r"conv_out\.bn\.",
            ),
            Rule(r"roi_head\.bbox_head\.fc_cls\.(?P<what>weight|bias)", "fc.{what}"),
            Rule(r"cls_head\.fc_cls\.(?P<what>weight|bias)", "fc.{what}"),
        )
    ),
    _mmaction,
)
