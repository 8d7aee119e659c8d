"""mmaction2's I3D, SlowOnly and TSM with mmcv's NonLocal3d."""

from dataclasses import replace

from models.checkpoints.families.clips import BLOCK, KINETICS, STRIDED, block_rules, clip_spec
from models.checkpoints.families.facts import Facts
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

_FUNCTION = function_ask(
    metadata=(
        (r"mode\s*=\s*['\"]embedded_gaussian", "embedded_gaussian"),
        (r"mode\s*=\s*['\"]dot_product", "dot_product"),
    )
)
_SCALE = scale_ask(
    metadata=((r"use_scale\s*=\s*True", "yes"), (r"use_scale\s*=\s*False", "no")),
    file_name=((r"no_?scale", "no"), (r"scale", "yes"), (r"slowonly", "yes"), (r"tsm|i3d", "no")),
)


def _mmaction(renamed: Renamed, facts: Facts) -> ModelSpec:
    # mmcv scales the embedded Gaussian alone.
    block = nonlocal_spec(
        renamed,
        facts,
        _FUNCTION,
        lambda name: facts.settle(_SCALE) if name == "embedded_gaussian" else "no",
        pool_keys=pooled_after(renamed),
    )
    if any(".net." in key for key in renamed.renamed):
        frames = facts.number("frames", r"num_segments\s*=\s*(\d+)", r"1x1x(\d+)", 8)
        return clip_spec(renamed, facts, block, TemporalSpec(), frames=frames)
    strided = stem_frames(renamed.tensors) > 1
    temporal = TemporalSpec()
    if strided:
        temporal = replace(
            STRIDED,
            stem_stride=facts.number("stem stride", r"conv1_stride_t\s*=\s*(\d)", "", 2),
            pool_stride=facts.number("pool stride", r"pool1_stride_t\s*=\s*(\d)", "", 2),
        )
    frames, apart = (32, 2) if strided else (4, 16)
    return clip_spec(
        renamed,
        facts,
        block,
        temporal,
        frames=facts.number("frames", r"clip_len\s*=\s*(\d+)", r"(\d+)x\d+x1", frames),
        frame_stride=facts.number(
            "frame_stride", r"frame_interval\s*=\s*(\d+)", r"\d+x(\d+)x1", apart
        ),
    )


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
            Rule(r"cls_head\.fc_cls\.(?P<what>weight|bias)", "fc.{what}"),
        )
    ),
    _mmaction,
    class_names=KINETICS,
)
