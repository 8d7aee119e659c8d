"""What a compact network's tensors say of it: CGD authors' keys and shapes -> CompactSpec."""

import re
from collections import Counter
from dataclasses import replace

from models.backbones.mobilenet import STEM_CHANNELS, UNITS, scaled
from models.backbones.preresnet import FIRST_BOTTLENECK_DEPTH
from models.backbones.wide_resnet import STEM_CHANNELS as WIDTH_STEP
from models.specs.gate import CGDSpec, GatePosition
from models.specs.network import CompactSpec, Preprocessing

Shapes = dict[str, tuple[int, ...]]

IMAGENET = Preprocessing(224, 224, stride=16)
"""The CGD authors validate on a centre crop, without resizing first."""

IMAGENET_RESIZED = Preprocessing(224, 256, stride=16)
"""Torchvision's, whose SqueezeNets have the keys of the plain ones here."""

CIFAR: dict[int, Preprocessing] = {
    10: Preprocessing(32, 32, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616), stride=4),
    100: Preprocessing(32, 32, (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761), stride=4),
}
"""Classes -> CIFAR-10's and CIFAR-100's own statistics: the authors document none."""

Candidate = tuple[CompactSpec, int]
"""What the shapes seem to be, and how many gated units such a network has."""


def compact_spec_of(shapes: Shapes) -> CompactSpec | None:
    """Return the compact network that tensors of these names (without ``module.``) belong to.

    None when they belong to no such network. Shapes show of the ten variants only whether they are
    cascaded: cascaded is taken to be v10, which the authors publish, and anything else is not
    recognised. That every key fits is for the loader to check.
    """
    for recognise in (_mobilenet, _squeezenet, _preresnet, _wrn):
        found = recognise(shapes)
        if found is not None:
            return _with_gate(shapes, *found)
    return None


def _with_gate(shapes: Shapes, spec: CompactSpec, units: int) -> CompactSpec | None:
    """Add the gate: none without attention keys, CGD v10 when each unit has its three weights."""
    attention = [key for key in shapes if ".attention." in key]
    if not attention:
        return spec
    if not _is_cascade(attention, units):
        return None
    bottleneck = spec.family == "preresnet" and int(spec.size_name) >= FIRST_BOTTLENECK_DEPTH
    position: GatePosition = "conv2" if bottleneck else "conv1"
    biased = any(key.endswith(".bias2") for key in attention)
    gated = replace(spec, gate=CGDSpec(position=position, bias=biased))
    return replace(gated, preprocessing=IMAGENET) if spec.family == "squeezenet" else gated


def _is_cascade(attention: list[str], units: int) -> bool:
    """Tell whether each of the units has the three weights of a cascaded CGD."""
    counts = Counter(key.rpartition(".")[2] for key in attention)
    return all(counts[name] == units for name in ("w0", "w1", "w2"))


def _count(shapes: Shapes, pattern: str) -> int:
    """Return how many keys match."""
    return sum(re.fullmatch(pattern, key) is not None for key in shapes)


def _first(shapes: Shapes, key: str, dims: int) -> int:
    """Return the first size of a tensor; 0 when it is not there or has other than ``dims``."""
    shape = shapes.get(key, ())
    return shape[0] if len(shape) == dims else 0


def _mobilenet(shapes: Shapes) -> Candidate | None:
    classes, stem = _first(shapes, "linear.weight", 2), _first(shapes, "conv1.weight", 4)
    units = _count(shapes, r"layers\.\d+\.conv2\.weight")
    if not (classes and stem) or units != len(UNITS):
        return None
    widths = [_first(shapes, f"layers.{n}.conv2.weight", 4) for n in range(units)]
    for digits in range(1, 5):
        factor = round(widths[-1] / UNITS[-1][0], digits)
        expected = [scaled(out, factor) for out, _stride in UNITS]
        if widths == expected and stem == scaled(STEM_CHANNELS, factor):
            spec = CompactSpec("mobilenet", str(factor), classes, preprocessing=IMAGENET)
            return spec, units
    return None


def _squeezenet(shapes: Shapes) -> Candidate | None:
    classes = _first(shapes, "classifier.1.weight", 4)
    units = _count(shapes, r"features\.\d+\.squeeze\.weight")
    version = {96: "1.0", 64: "1.1"}.get(_first(shapes, "features.0.weight", 4))
    if not classes or units != 8 or version is None:
        return None
    return CompactSpec("squeezenet", version, classes, preprocessing=IMAGENET_RESIZED), units


def _cifar(shapes: Shapes, family: str, size_name: str) -> CompactSpec | None:
    classes = _first(shapes, "fc.weight", 2)
    if not classes:
        return None
    preprocessing = CIFAR.get(classes, CIFAR[100])
    return CompactSpec(family, size_name, classes, preprocessing=preprocessing)


def _preresnet(shapes: Shapes) -> Candidate | None:
    per_stage = [_count(shapes, rf"layer{n}\.\d+\.conv2\.weight") for n in (1, 2, 3, 4)]
    units = per_stage[0]
    if not units or per_stage != [units] * 3 + [0] or "bn.weight" not in shapes:
        return None
    depth = 6 * units + 2
    if ("layer1.0.conv3.weight" in shapes) != (depth >= FIRST_BOTTLENECK_DEPTH):
        return None
    spec = _cifar(shapes, "preresnet", str(depth))
    return None if spec is None else (spec, 3 * units)


def _wrn(shapes: Shapes) -> Candidate | None:
    per_stage = [_count(shapes, rf"block{n}\.layer\.\d+\.conv2\.weight") for n in (1, 2, 3)]
    units, width = per_stage[0], _first(shapes, "block1.layer.0.conv2.weight", 4)
    if not units or per_stage != [units] * 3 or width % WIDTH_STEP or not width:
        return None
    spec = _cifar(shapes, "wrn", f"{6 * units + 4}-{width // WIDTH_STEP}")
    return None if spec is None else (spec, 3 * units)
