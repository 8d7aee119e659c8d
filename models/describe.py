"""A network in words: its tree of blocks and gates, with their options and sizes."""

from dataclasses import dataclass, fields
from functools import lru_cache

from torch import nn

from errors import counted
from models.blocks.nonlocal_block import NonLocalBlock
from models.build import gmacs_of, outline, parameter_count
from models.specs.block import BlockSpec, CGNLSpec, NonLocalSpec
from models.specs.detection import DetectorSpec, RCNNSpec
from models.specs.gate import GateSpec
from models.specs.network import (
    CompactSpec,
    DigitSpec,
    LiteSpec,
    ModelSpec,
    NetworkSpec,
    TemporalSpec,
)

_KEYS = {
    "none": "keys not pooled",
    "before": "keys pooled 2 x 2 before their convolutions",
    "after": "keys pooled 2 x 2 after their convolutions",
}
_BLOCK_NAMES = {
    "ResidualSpec": "residual block",
    "A2Spec": "A2",
    "BAMSpec": "BAM",
    "GlobalContextSpec": "GC",
}
_GATE_NAMES = {"CGDSpec": "CGD", "SESpec": "SE", "CBAMSpec": "CBAM"}
_COMPACT = {
    "mobilenet": "MobileNet {}",
    "squeezenet": "SqueezeNet {}",
    "preresnet": "PreResNet-{}",
    "wrn": "WRN-{}",
}


@dataclass(frozen=True)
class Described:
    """What lists and inspections say of a network; ``tree`` is one line a leaf."""

    headline: str
    tree: tuple[str, ...]
    places: tuple[str, ...]
    parameters: int
    gmacs: float


@lru_cache(maxsize=128)
def described(spec: NetworkSpec) -> Described:
    """Build the network's outline, without memory, and describe it; GMACs at its own input."""
    network = outline(spec)
    prep = spec.preprocessing
    return Described(
        headline(spec),
        tuple(_tree(spec, network)),
        tuple(place.label for place in network.places),
        parameter_count(network),
        gmacs_of(network, prep.size, prep.frames),
    )


def headline(spec: NetworkSpec) -> str:
    """Return the network, its input and its classes in one line."""
    prep = spec.preprocessing
    size = f"{prep.size} px" if prep.channels == 3 else f"{prep.size} px, grey"
    apart = f", every {_nth(prep.frame_stride)}" if prep.frame_stride > 1 else ""
    clip = f"{counted(prep.frames, 'frame')}{apart}, " if prep.frames > 1 else ""
    return f"{network_name(spec)}; {clip}{size}; {_outputs(spec)}"


def _outputs(spec: NetworkSpec | DetectorSpec) -> str:
    """Return what is told apart; a detector's background is no class."""
    if isinstance(spec, DetectorSpec):
        return f"{counted(spec.labels - 1, 'kind')} of objects"
    return counted(spec.num_classes, "class") if spec.num_classes else "no classifier"


def _nth(stride: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{stride}{endings.get(stride % 10 if stride % 100 // 10 != 1 else 0, 'th')}"


def _detector_name(spec: DetectorSpec) -> str:
    """Return the kind of detector, and what it stands on."""
    if isinstance(spec, RCNNSpec):
        kind = "Keypoint" if spec.keypoints else "Mask" if spec.masks else "Faster"
        return f"{kind} R-CNN on {network_name(spec.trunk)} {spec.neck.upper()}"
    words = {"vgg16": "SSD300 on VGG-16", "mobilenet_v3_large": "SSDlite on MobileNetV3"}
    return (
        words[spec.trunk]
        if isinstance(spec.trunk, str)
        else f"SSD300 on {network_name(spec.trunk)}"
    )


def network_name(spec: NetworkSpec | DetectorSpec) -> str:
    """Return the network in a few words: ResNet-50, WRN-28-8."""
    if isinstance(spec, DetectorSpec):
        return _detector_name(spec)
    if isinstance(spec, CompactSpec):
        return _COMPACT[spec.family].format(spec.size_name)
    if isinstance(spec, DigitSpec):
        return "digit network"
    if isinstance(spec, LiteSpec):
        return f"EfficientNet-{spec.size_name.capitalize()}"
    name = f"ResNet-{spec.depth}"
    if spec.groups > 1:
        inner = spec.widening * spec.base_width // spec.groups
        name = f"ResNeXt-{spec.depth} {spec.groups}x{inner}d"
    elif spec.widening > 1:
        name = f"Wide ResNet-{spec.depth}-{spec.widening}"
    return name if spec.base_width == 64 else f"{name}, {counted(spec.base_width, 'channel')} wide"


def block_words(spec: NetworkSpec) -> str:
    """Return the kind of attention block in a few words; "none" without."""
    block = getattr(spec, "block", None)
    if isinstance(block, NonLocalSpec):
        return f"NL, {block.function.replace('_', ' ')}"
    if isinstance(block, CGNLSpec):
        return f"CGNL, {block.kernel.replace('_', ' ')}, {counted(block.groups, 'group')}"
    gate = getattr(spec, "gate", None)
    if block is None and gate is not None:
        return f"{_GATE_NAMES[type(gate).__name__]} gates"
    return _BLOCK_NAMES.get(type(block).__name__, "none")


def _tree(spec: NetworkSpec, network: nn.Module) -> list[str]:
    """Return lines drawn as a tree: what is where, and under it with what options."""
    branches = [
        (f"{place.label}  {block_words(spec)}", _block(spec, network.block_at(place), place.stage))
        for place in network.places
    ]
    branches += [
        (f"{where}  {_GATE_NAMES[type(spec.gate).__name__]}", _options(spec.gate, gate))
        for where, gate in network.gated().items()
    ]
    branches = branches or [("no attention block and no gate", "")]
    lines = [headline(spec), *_time(spec)]
    for number, (what, options) in enumerate(branches, start=1):
        last = number == len(branches)
        lines.append(f"{'└─' if last else '├─'} {what}")
        lines += [f"{'  ' if last else '│ '}    {options}"] if options else []
    return lines


def _time(spec: NetworkSpec) -> list[str]:
    if not isinstance(spec, ModelSpec) or not spec.temporal.reads_time:
        return []
    return [f"│  {fact}" for fact in time_words(spec.temporal)]


def time_words(time: TemporalSpec) -> list[str]:
    """Return how a network steps through time, a fact each."""
    facts = [
        f"first kernel {time.stem_frames} x 7 x 7, stride {time.stem_stride} in time",
        f"first pooling {time.pool_frames} x 3 x 3, stride {time.pool_stride} in time",
        "time halved after res2" if time.halve_after_res2 else "",
        _units("3 x 1 x 1 kernels in", time.inflated),
        _units("channels shifted in time in", time.shifted),
    ]
    return [fact for fact in facts if fact]


def _units(words: str, units: tuple[tuple[int, ...], ...]) -> str:
    listed = [
        f"res{stage}.{'/'.join(map(str, inside))}"
        for stage, inside in enumerate(units, start=2)
        if inside
    ]
    return f"{words} {', '.join(listed)}" if listed else ""


def _block(spec: NetworkSpec, block: nn.Module, stage: int) -> str:
    if isinstance(spec.block, NonLocalSpec):
        words = _nonlocal(spec.block, block, stage)
    elif isinstance(spec.block, CGNLSpec):
        words = _cgnl(spec.block, block)
    else:
        return _options(spec.block, block)
    return ", ".join([*words, counted(parameter_count(block), "parameter")])


def _nonlocal(options: NonLocalSpec, block: NonLocalBlock, stage: int) -> list[str]:
    channels = block.expand.out_channels
    words = [f"{channels} channels, {block.expand.in_channels} inner"]
    if options.function in ("embedded_gaussian", "dot_product"):
        words.append("divided by the root of inner" if options.scale else "not scaled")
    words.append(_KEYS[options.pool_keys])
    words.append("batch norm" if options.norm == "batch" else "no norm")
    if (frames := options.frames_per_group(stage)) is not None:
        words.append(f"inside groups of {counted(frames, 'frame')}")
    return words


def _cgnl(options: CGNLSpec, block: nn.Module) -> list[str]:
    norm = "group norm" if isinstance(block.norm, nn.GroupNorm) else "batch norm"
    words = [
        f"{block.expand.out_channels} channels, {block.expand.in_channels} inner",
        norm,
    ]
    if options.kernel != "dot_product":
        words.append("exact kernel" if options.order is None else f"order {options.order}")
    if options.l2_normalise:
        words.append("theta and phi of unit length")
    return words


def _options(spec: BlockSpec | GateSpec, module: nn.Module) -> str:
    words = [f"{field.name} {getattr(spec, field.name)}" for field in fields(spec)]
    return ", ".join([*words, counted(parameter_count(module), "parameter")])
