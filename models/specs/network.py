"""What a network is made of, as values: enough to build it, describe it and prepare its input."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from errors import SpecError
from models.specs.block import BlockSpec, GlobalContextSpec
from models.specs.checks import one_of, switch, within
from models.specs.gate import CGDSpec, GateSpec
from models.specs.lite import LiteName

PlacementName = Literal["none", "1", "1-after", "5", "10"]
LitePlacementName = Literal["none", "1", "5"]
HeadName = Literal["mean", "people"]
NormName = Literal["batch", "affine", "frozen", "frozen, no epsilon"]

RESNET_UNITS: dict[int, tuple[int, int, int, int]] = {
    14: (1, 2, 2, 1),
    18: (2, 2, 2, 2),
    20: (1, 2, 2, 1),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Residual units in res2..res5 for each depth (He et al. 2016, Table 1). 20 is the bottleneck
ResNet-20 of the CGD paper, 14 what its authors' code makes of ResNet-18."""

BASIC_DEPTHS = (14, 18, 34)
"""Depths whose units are two 3x3 convolutions instead of a bottleneck."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3
"""EfficientNet-Lite's input is (x - 127) / 128 of x in 0..255."""

MAX_BASE_WIDTH = 512
MAX_CLASSES = 100_000
MAX_FRAMES = 256


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become input: values in [0, 1], minus ``mean``, over ``std``.

    ``size`` is the crop side in pixels at which the accuracy was measured; ``resize`` the short
    side before that crop. ``stride`` is the network's total down-sampling. Three means are R, G,
    B; one is grey. ``frames`` x ``frame_stride`` is the clip: how many frames, how far apart.
    ``fixed`` networks take exactly ``size`` x ``size`` pixels. ``interpolation`` is how pictures
    are resized.
    """

    size: int = 224
    resize: int = 256
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    stride: int = 32
    frames: int = 1
    frame_stride: int = 1
    fixed: bool = False
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"

    def __post_init__(self) -> None:
        switch("Fixed input size", self.fixed)
        one_of("Interpolation", self.interpolation, ("bilinear", "bicubic"))
        within("Input stride", self.stride, 1, 1024)
        within("Input size", self.size, self.stride, 8192)
        within("Size before the crop", self.resize, self.size, 8192)
        within("Frames of a clip", self.frames, 1, MAX_FRAMES)
        within("Stride between frames", self.frame_stride, 1, 1024)
        for what, values in (("mean", self.mean), ("deviation", self.std)):
            if len(values) not in (1, 3) or len(values) != len(self.mean):
                raise SpecError(
                    f"{values!r} is not a channel {what}; use three numbers, R, G, B, or one for "
                    "grey."
                )
            for value in values:
                within(f"Channel {what}", value, 1e-6 if what == "deviation" else -10, 10, float)

    @property
    def channels(self) -> int:
        """3 for colour, 1 for grey."""
        return len(self.mean)


Units = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Chosen residual units of res2, res3, res4, res5, counted from 0."""
NO_UNITS: Units = ((), (), (), ())


@dataclass(frozen=True)
class TemporalSpec:
    """How a ResNet sees time; the default treats frames apart until the classifier's mean.

    ``stem_frames`` x 7 x 7 is the first kernel and ``stem_stride`` its stride in time;
    ``pool_frames``, ``pool_stride`` the same of the max-pool behind it, ``pool_padding`` its
    padding in space. ``halve_after_res2`` max-pools time by 2 there. ``inflated`` units have a
    3 x 1 x 1 first convolution; ``shifted`` ones shift 1/8 of their input channels one frame each
    way (Lin et al. 2019).
    """

    stem_frames: int = 1
    stem_stride: int = 1
    pool_frames: int = 1
    pool_stride: int = 1
    pool_padding: int = 1
    halve_after_res2: bool = False
    inflated: Units = NO_UNITS
    shifted: Units = NO_UNITS

    def __post_init__(self) -> None:
        one_of("Frames of the first kernel", self.stem_frames, (1, 3, 5, 7))
        one_of("Stride in time of the stem", self.stem_stride, (1, 2))
        one_of("Frames of the first pooling", self.pool_frames, (1, 2, 3))
        one_of("Stride in time of the first pooling", self.pool_stride, (1, 2))
        one_of("Padding of the first pooling", self.pool_padding, (0, 1))
        switch("Halving of time after res2", self.halve_after_res2)
        for what, units in (("Inflated", self.inflated), ("Shifted", self.shifted)):
            if len(units) != 4 or any(not isinstance(stage, tuple) for stage in units):
                raise SpecError(f"{what} units cannot be {units!r}; use four tuples, res2 to res5.")
            for unit in (unit for stage in units for unit in stage):
                within(f"{what} unit", unit, 0, 100)

    def moments(self, frames: int) -> int:
        """Return the moments of res3 and later for a clip of ``frames``; 0 when it is too short."""
        left = (frames - 1) // self.stem_stride + 1
        left = max(0, (left - self.pool_frames) // self.pool_stride + 1)
        return left // 2 if self.halve_after_res2 else left

    @property
    def reads_time(self) -> bool:
        """Whether frames influence each other before the classifier, blocks left aside."""
        return self != TemporalSpec(pool_padding=self.pool_padding)


@dataclass(frozen=True)
class ModelSpec:
    """A ResNet for images or clips: depth, width, attention block and its places, classes.

    ``placement`` is a row of models.specs.placement or an explicit list of labels ("res4.4").
    ``gate`` is in every unit. ``norm`` "affine" is scale and shift without statistics, "frozen"
    the detectors' batch norm whose statistics are buffers. ``widening`` times the usual width is
    inside of bottlenecks, whose 3 x 3 convolutions have ``groups`` groups: 2 and 1 in wide ResNets,
    2 and 32 in ResNeXt 32x4d. ``strided`` is the convolution of a bottleneck that carries the
    stride: the 3 x 3 one, or the first, as in Caffe2's networks. ``num_classes`` 0 is a network
    without a classifier. ``last_stride`` is that of res5. ``head`` "people" tells the actions of
    people in boxes, each yes or no (models.backbones.people); without boxes of the whole input.
    """

    depth: int = 50
    base_width: int = 64
    block: BlockSpec | None = None
    placement: PlacementName | tuple[str, ...] = "none"
    num_classes: int = 1000
    dropout: float = 0.0
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    temporal: TemporalSpec = field(default_factory=TemporalSpec)
    norm: NormName = "batch"
    gate: GateSpec | None = None
    widening: int = 1
    groups: int = 1
    strided: Literal["conv1", "conv2"] = "conv2"
    last_stride: int = 2
    head: HeadName = "mean"

    def __post_init__(self) -> None:
        one_of("Stride of res5", self.last_stride, (1, 2))
        one_of("Head", self.head, get_args(HeadName))
        if self.head == "people" and isinstance(self.block, GlobalContextSpec):
            raise SpecError(
                "Actions of people are told behind NL or CGNL blocks, or none; a global context "
                "block stands inside of a unit, where nothing can be run on from."
            )
        one_of("Strided convolution", self.strided, ("conv1", "conv2"))
        one_of("ResNet depth", self.depth, tuple(RESNET_UNITS))
        if not isinstance(self.placement, tuple):
            one_of("Placement", self.placement, get_args(PlacementName))
        _placed(self.block, self.placement)
        one_of("Norm", self.norm, get_args(NormName))
        within("Number of classes", self.num_classes, 0, MAX_CLASSES)
        within("Dropout", self.dropout, 0, 1, float)
        within("Base width", self.base_width, 8, MAX_BASE_WIDTH)
        within("Widening", self.widening, 1, 16)
        within("Groups", self.groups, 1, self.base_width * self.widening)
        if self.base_width * self.widening % self.groups:
            raise SpecError(
                f"{self.base_width * self.widening} channels are not {self.groups} equal groups; "
                "use a number of groups that divides them."
            )
        if self.depth in BASIC_DEPTHS and (self.widening, self.groups) != (1, 1):
            raise SpecError(
                f"ResNet-{self.depth} has no bottlenecks to widen or group; use one with 50 layers "
                "or more."
            )

    @property
    def expansion(self) -> int:
        """Output channels of a unit over its inner ones: 1 in basic units, 4 in bottlenecks."""
        return 1 if self.depth in BASIC_DEPTHS else 4


@dataclass(frozen=True)
class CompactSpec:
    """A small image network of the CGD paper; ``gate`` (CGD or none) is in every unit.

    ``size_name`` chooses the member of the family: the width factor of MobileNet ("1.0", "0.7"),
    the version of SqueezeNet ("1.0", "1.1"), depth of PreResNet ("56"), depth-width of WRN
    ("28-8").
    """

    family: Literal["mobilenet", "squeezenet", "preresnet", "wrn"] = "mobilenet"
    size_name: str = "1.0"
    num_classes: int = 1000
    gate: GateSpec | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def __post_init__(self) -> None:
        one_of("Network", self.family, ("mobilenet", "squeezenet", "preresnet", "wrn"))
        within("Number of classes", self.num_classes, 1, MAX_CLASSES)


@dataclass(frozen=True)
class DigitSpec:
    """The small digit network with two NL blocks that AlexHex7's demonstration trains."""

    block: BlockSpec
    base_width: int = 32
    num_classes: int = 10
    preprocessing: Preprocessing = field(
        default_factory=lambda: Preprocessing(28, 28, (0.0,), (1.0,), stride=4, fixed=True)
    )

    def __post_init__(self) -> None:
        within("Number of classes", self.num_classes, 1, MAX_CLASSES)
        within("Base width", self.base_width, 8, MAX_BASE_WIDTH)


@dataclass(frozen=True)
class LiteSpec:
    """An EfficientNet-Lite for images or clips, with blocks after any of its units.

    ``placement`` is a row of models.specs.placement or an explicit list of labels ("unit14").
    ``gate`` (CGD or none) stands in every unit, after its depthwise convolution. Frames are
    treated apart until a block or gate; logits are those of their mean feature.
    """

    size_name: LiteName = "lite2"
    block: BlockSpec | None = None
    placement: LitePlacementName | tuple[str, ...] = "none"
    num_classes: int = 1000
    dropout: float = 0.0
    preprocessing: Preprocessing = field(
        default_factory=lambda: Preprocessing(256, 288, LITE_MEAN, LITE_STD)
    )
    gate: GateSpec | None = None

    def __post_init__(self) -> None:
        one_of("EfficientNet", self.size_name, get_args(LiteName))
        if not isinstance(self.placement, tuple):
            one_of("Placement", self.placement, get_args(LitePlacementName))
        _placed(self.block, self.placement)
        if not isinstance(self.gate, CGDSpec | None):
            raise SpecError(
                f"{type(self.gate).__name__} is no gate of an EfficientNet-Lite; use CGD."
            )
        within("Number of classes", self.num_classes, 1, MAX_CLASSES)
        within("Dropout", self.dropout, 0, 1, float)


def _placed(block: BlockSpec | None, placement: str | tuple[str, ...]) -> None:
    """Refuse a block without a place, and a place without a block."""
    if (block is None) != (placement in ("none", ())):
        raise SpecError(
            f"Placement {placement!r} is wrong with {'no' if block is None else 'a'} "
            "block; a network without a block has placement 'none', one with a block another."
        )


NetworkSpec = ModelSpec | CompactSpec | DigitSpec | LiteSpec
