"""Published clip networks of PySlowFast and of video-nonlocal-net, in torch and Caffe2 names."""

import re

from models.checkpoints.families.clips import (
    BLOCK,
    CLIP_WORD,
    FACEBOOK,
    KINETICS,
    ORIGINAL,
    PROJECTION,
    block_rules,
    clip_length,
    clip_spec,
)
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import Family, function_ask, nonlocal_spec, softmax_scaled
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import inflated, stem_frames
from models.specs.network import ModelSpec, TemporalSpec

_SLOWFAST = ("pyslowfast", "pyslowfast-nopool")
_NO_POOL_WORDS = ("slow|slowonly|nopool|c2d_nopool|i3d_nopool|2d", "pyslowfast-nopool")
_POOL_WORDS = ("i3d|c2d", "pyslowfast")
_SLOWFAST_ASK = Ask(
    "architecture",
    "Does PySlowFast's network halve time after res2 (archs i3d, c2d) or not (2d, slow)?",
    _SLOWFAST,
    metadata=(
        (r"ARCH: ['\"]?(?:i3d|c2d)\b", "pyslowfast"),
        (r"ARCH: ['\"]?(?:2d|slow|c2d_nopool|i3d_nopool)\b", "pyslowfast-nopool"),
    ),
    file_name=(_NO_POOL_WORDS, _POOL_WORDS),
)
_CAFFE2_ASK = Ask(
    "architecture",
    "Whose network is it: video-nonlocal-net's new (8x8, 32x4) or first (32x2, 128x1) "
    "architecture, or PySlowFast's?",
    ("fb-new", "fb-org", *_SLOWFAST),
    file_name=(
        (rf"(?:2d|slow|slowonly)(?:_nln)?_{CLIP_WORD}_r\d+|(?:[a-z0-9]+_)?nopool", _SLOWFAST[1]),
        (rf"(?:i3d|c2d)(?:_nln)?_{CLIP_WORD}_r\d+", _SLOWFAST[0]),
        (r"(?:nonlocal|baseline)_(?:32x2|128x1)", "fb-org"),
        (rf"(?:nonlocal|baseline)_{CLIP_WORD}", "fb-new"),
    ),
)
_TEMPORAL = {
    "pyslowfast": TemporalSpec(halve_after_res2=True),
    "pyslowfast-nopool": TemporalSpec(),
    "fb-new": TemporalSpec(halve_after_res2=True, pool_padding=0),
    "fb-org": ORIGINAL,
}
_FUNCTIONS = {
    # The only network that PySlowFast publishes with blocks, and its configuration of C2D.
    True: function_ask(implied=(("(?:i3d|c2d)_nln", "embedded_gaussian"),)),
    False: function_ask(default="embedded_gaussian"),
}
"""Whether the network is PySlowFast's, whose configurations have both functions -> the question."""
_GROUPED_STAGE, _GROUPED_FRAMES = 3, 4
"""video-nonlocal-net's affine networks attend in groups of 4 frames in res3."""


def _slowfast(renamed: Renamed, facts: Facts) -> ModelSpec:
    return _network(renamed, facts, _settled(renamed, facts, _SLOWFAST_ASK))


def _caffe2(renamed: Renamed, facts: Facts) -> ModelSpec:
    architecture = _settled(renamed, facts, _CAFFE2_ASK)
    if not architecture.startswith("pyslowfast"):
        facts.only_data = KINETICS
    return _network(renamed, facts, architecture)


def _settled(renamed: Renamed, facts: Facts, ask: Ask) -> str:
    """Return the architecture: kernels over time in res4 and res5 alone are those of Slow."""
    early, late = inflated(renamed.tensors)[:2], inflated(renamed.tensors)[2:]
    slow = all(late) and not any(early) and stem_frames(renamed.tensors) == 1
    if not slow or ask.name in facts.answers or ask.name in facts.published:
        return facts.settle(ask)
    facts.note(ask.name, _SLOWFAST[1])
    return _SLOWFAST[1]


def _network(renamed: Renamed, facts: Facts, architecture: str) -> ModelSpec:
    temporal = _TEMPORAL[architecture]
    clip = clip_length(
        facts,
        *((32, 2) if architecture == "fb-org" else (8, 8)),
        (r"NUM_FRAMES: (\d+)", r"SAMPLING_RATE: (\d+)"),
    )
    frames = clip["frames"]
    groups = _groups(facts, frames // 2 if temporal.halve_after_res2 else frames)
    if "bn1.running_mean" not in renamed.tensors:
        groups = ((_GROUPED_STAGE, _GROUPED_FRAMES),)
    block = nonlocal_spec(
        renamed,
        facts,
        _FUNCTIONS[architecture.startswith("pyslowfast")],
        softmax_scaled,
        pool_keys="before",
        group_frames=groups,
    )
    return clip_spec(renamed, facts, block, temporal, **clip, **FACEBOOK)


def _groups(facts: Facts, frames: int) -> tuple[tuple[int, int], ...]:
    """NONLOCAL.GROUP of PySlowFast's configuration: into how many groups a stage cuts a clip."""
    found = re.search(r"GROUP:\s*\n((?:\s*- - \d+\n?)+)", facts.text)
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
    ),
)
