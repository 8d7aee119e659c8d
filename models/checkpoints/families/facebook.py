"""Published clip networks of PySlowFast and of video-nonlocal-net, in torch and Caffe2 names."""

import re

from models.checkpoints.families.clips import (
    BLOCK,
    FACEBOOK,
    KINETICS,
    ORIGINAL,
    PROJECTION,
    block_rules,
    clip_spec,
)
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import Family, function_ask, nonlocal_spec
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.specs.block import NonLocalSpec
from models.specs.network import ModelSpec, TemporalSpec

_SLOWFAST = ("pyslowfast", "pyslowfast-nopool")
_SLOWFAST_ASK = Ask(
    "architecture",
    "Does PySlowFast's network halve time after res2 (archs i3d, c2d) or not (2d, slow)?",
    _SLOWFAST,
    metadata=(
        (r"ARCH: ['\"]?(?:i3d|c2d)\b", "pyslowfast"),
        (r"ARCH: ['\"]?(?:2d|slow|c2d_nopool)\b", "pyslowfast-nopool"),
    ),
    file_name=((r"nopool|slow_", "pyslowfast-nopool"), (r"i3d|c2d", "pyslowfast")),
)
_CAFFE2_ASK = Ask(
    "architecture",
    "Whose network is it: video-nonlocal-net's new (8x8, 32x4) or first (32x2, 128x1) "
    "architecture, or PySlowFast's?",
    ("fb-new", "fb-org", *_SLOWFAST),
    file_name=(
        (r"nopool", "pyslowfast-nopool"),
        (r"(?:nonlocal|baseline)_(?:32x2|128x1)", "fb-org"),
        (r"(?:nonlocal|baseline)_\d+x\d+", "fb-new"),
        (r"(?:i3d|c2d|nln)_\d+x\d+_r\d+", "pyslowfast"),
    ),
)
_TEMPORAL = {
    "pyslowfast": TemporalSpec(halve_after_res2=True),
    "pyslowfast-nopool": TemporalSpec(),
    "fb-new": TemporalSpec(halve_after_res2=True, pool_padding=0),
    "fb-org": ORIGINAL,
}
_FUNCTION = function_ask(
    metadata=(
        (r"INSTANTIATION: ['\"]?dot_product", "dot_product"),
        (r"INSTANTIATION: ['\"]?softmax", "embedded_gaussian"),
    ),
    code="embedded_gaussian",
)
_GROUPED_STAGE, _GROUPED_FRAMES = 3, 4
"""video-nonlocal-net's affine networks attend in groups of 4 frames in res3."""


def _slowfast(renamed: Renamed, facts: Facts) -> ModelSpec:
    return _network(renamed, facts, facts.settle(_SLOWFAST_ASK))


def _caffe2(renamed: Renamed, facts: Facts) -> ModelSpec:
    return _network(renamed, facts, facts.settle(_CAFFE2_ASK))


def _network(renamed: Renamed, facts: Facts, architecture: str) -> ModelSpec:
    temporal = _TEMPORAL[architecture]
    first = architecture == "fb-org"
    frames = facts.number("frames", r"NUM_FRAMES: (\d+)", r"(\d+)x\d+", 32 if first else 8)
    apart = facts.number("frame_stride", r"SAMPLING_RATE: (\d+)", r"\d+x(\d+)", 2 if first else 8)
    groups = _groups(facts, frames // 2 if temporal.halve_after_res2 else frames)
    if "bn1.running_mean" not in renamed.tensors:
        groups = ((_GROUPED_STAGE, _GROUPED_FRAMES),)
    block = nonlocal_spec(
        renamed,
        facts,
        _FUNCTION,
        lambda function: "yes" if function == "embedded_gaussian" else "no",
        pool_keys="before",
        group_frames=groups,
    )
    return _spec(renamed, facts, block, temporal, (frames, apart))


def _spec(
    renamed: Renamed,
    facts: Facts,
    block: NonLocalSpec | None,
    temporal: TemporalSpec,
    clip: tuple[int, int],
) -> ModelSpec:
    frames, apart = clip
    return clip_spec(renamed, facts, block, temporal, frames=frames, frame_stride=apart, **FACEBOOK)


def _groups(facts: Facts, frames: int) -> tuple[tuple[int, int], ...]:
    """NONLOCAL.GROUP of PySlowFast's configuration: into how many groups a stage cuts a clip."""
    text = "\n".join(facts.metadata.values())
    found = re.search(r"GROUP:\s*\n((?:\s*- - \d+\n?)+)", text)
    counts = [int(count) for count in re.findall(r"\d+", found[1])] if found else []
    return tuple(
        (stage, frames // count) for stage, count in enumerate(counts[:4], start=2) if count > 1
    )


_PTH_UNIT = r"s(?P<stage>\d)\.pathway0_res(?P<unit>\d+)\."
_BLOB_UNIT = r"res(?P<stage>\d)_(?P<unit>\d+)_"
_BLOB_BLOCK = r"nonlocal_conv(?P<stage>\d)_(?P<unit>\d+)_"
_CONVOLUTIONS = {"a": "1", "b": "2", "c": "3"}

FACEBOOK_FAMILIES = (
    Family(
        "pyslowfast",
        "PySlowFast (facebookresearch/SlowFast), torch names",
        r"s1\.pathway0_stem\.conv\.weight",
        KeyTable(
            (
                COUNTER,
                Rule(r"s1\.pathway0_stem\.conv\.weight", "conv1.weight"),
                Rule(r"s1\.pathway0_stem\.bn\.(?P<what>\w+)", "bn1.{what}"),
                Rule(_PTH_UNIT + r"branch1\.weight", "layer{layer}.{unit}.downsample.0.weight"),
                Rule(
                    _PTH_UNIT + r"branch1_bn\.(?P<what>\w+)",
                    "layer{layer}.{unit}.downsample.1.{what}",
                ),
                Rule(
                    _PTH_UNIT + r"branch2\.(?P<n>[abc])\.weight",
                    "layer{layer}.{unit}.conv{n}.weight",
                ),
                Rule(
                    _PTH_UNIT + r"branch2\.(?P<n>[abc])_bn\.(?P<what>\w+)",
                    "layer{layer}.{unit}.bn{n}.{what}",
                ),
                *block_rules(
                    r"s(?P<stage>\d)\.pathway0_nonlocal(?P<unit>\d+)\.",
                    r"conv_(?P<part>theta|phi|g)\.",
                    r"conv_out\.",
                    r"bn\.",
                ),
                Rule(r"head\.projection\.(?P<what>weight|bias)", "fc.{what}"),
            ),
            {"n": _CONVOLUTIONS},
        ),
        _slowfast,
        class_names=KINETICS,
    ),
    Family(
        "caffe2",
        "Caffe2 blobs (video-nonlocal-net, PySlowFast's .pkl)",
        r"res_conv1_bn_s",
        KeyTable(
            (
                Rule(r".*_momentum|lr|model_iter", None, "training state"),
                Rule(r"conv1_(?P<what>w)", "conv1.{what}"),
                Rule(r"res_conv1_bn_(?P<what>\w+)", "bn1.{what}"),
                Rule(
                    _BLOB_UNIT + r"branch1_(?P<what>w)", "layer{layer}.{unit}.downsample.0.{what}"
                ),
                Rule(
                    _BLOB_UNIT + r"branch1_bn_(?P<what>\w+)",
                    "layer{layer}.{unit}.downsample.1.{what}",
                ),
                Rule(
                    _BLOB_UNIT + r"branch2(?P<n>[abc])_(?P<what>w)",
                    "layer{layer}.{unit}.conv{n}.{what}",
                ),
                Rule(
                    _BLOB_UNIT + r"branch2(?P<n>[abc])_bn_(?P<what>\w+)",
                    "layer{layer}.{unit}.bn{n}.{what}",
                ),
                Rule(_BLOB_BLOCK + r"(?P<part>theta|phi|g)_(?P<what>[wb])", PROJECTION),
                Rule(_BLOB_BLOCK + r"out_(?P<what>[wb])", BLOCK + "expand.{what}"),
                Rule(_BLOB_BLOCK + r"bn_(?P<what>\w+)", BLOCK + "norm.{what}"),
                Rule(r"pred_(?P<what>[wb])", "fc.{what}"),
            ),
            {
                "n": _CONVOLUTIONS,
                "what": {
                    "w": "weight",
                    "s": "weight",
                    "b": "bias",
                    "rm": "running_mean",
                    "riv": "running_var",
                },
            },
        ),
        _caffe2,
        class_names=KINETICS,
    ),
)
