"""What a detector is, as values: trunk, neck, heads, and how a picture is laid into its input."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from errors import SpecError
from models.specs.block import NonLocalSpec
from models.specs.checks import one_of, switch, within
from models.specs.network import CompactSpec, ModelSpec, Preprocessing
from models.specs.placement import Place, places

Neck = Literal["fpn", "c4"]
SSDName = Literal["vgg16", "mobilenet_v3_large"]
MOST_LABELS = 10_000
HEAD_STAGE, LEVEL_STAGE, NECK_STAGE = 9, 8, 7
"""Stages of the places in a head, on the levels of an SSD, in a neck; trunks have 0 to 5."""
KEYPOINT_CONVOLUTIONS = 8


@dataclass(frozen=True)
class DetectorInput(Preprocessing):
    """How a picture becomes a detector's input: always whole, never cropped.

    Its short side becomes ``short`` pixels, unless the long one would exceed ``size``; both are
    rounded to ``stride``, so that nothing is padded. ``fixed`` detectors (SSD) stretch every
    picture to ``size`` x ``size``.
    """

    size: int = 1344
    resize: int = 1344
    short: int = 800

    def __post_init__(self) -> None:
        super().__post_init__()
        within("Short side", self.short, self.stride, 8192)

    def sides(self, width: int, height: int, size: int | None = None) -> tuple[int, int]:
        """Return width and height of the input for a picture; ``size`` replaces its long side,
        and the short one in proportion."""
        if self.fixed:
            return self.size, self.size
        long = size or self.size
        short = self.short * long / self.size
        scale = min(short / min(width, height), long / max(width, height))
        wide, high = (
            max(self.stride, round(side * scale / self.stride) * self.stride)
            for side in (width, height)
        )
        return wide, high


class HeadPlace(Place):
    """After convolution ``unit`` (counted from 0) of the key point head."""

    @property
    def label(self) -> str:
        """Name shown to people, e.g. head1."""
        return f"head{self.unit}"

    @property
    def key(self) -> str:
        """Name in a state dict."""
        return self.label


class LevelPlace(Place):
    """On level ``unit`` (counted from 0, the finest) of the feature maps of an SSD."""

    @property
    def label(self) -> str:
        """Name shown to people, e.g. level0."""
        return f"level{self.unit}"

    @property
    def key(self) -> str:
        """Name in a state dict."""
        return self.label


class NeckPlace(Place):
    """On the mean of the levels of a balanced pyramid."""

    @property
    def label(self) -> str:
        """Name shown to people."""
        return "neck"

    @property
    def key(self) -> str:
        """Name in a state dict."""
        return self.label


@dataclass(frozen=True)
class RCNNSpec:
    """A Faster, Mask or Keypoint R-CNN on a ResNet.

    ``neck`` "fpn" is torchvision's (a pyramid of ``channels`` channels over res2 to res5); "c4" is
    maskrcnn-benchmark's, whose res5 is the head of boxes and masks. ``version`` 2 is torchvision's
    second recipe: batch norms in pyramid and heads. ``labels`` counts the background, label 0.
    ``keypoints`` a person (0: no such head); ``head_block`` stands after every second convolution
    of their head (Wang et al. 2018, sec. 6.2). ``inclusive`` pyramids are maskrcnn-benchmark's,
    whose boxes hold their last pixels, as those of "c4" do; ``aligned`` ones are mmdetection's,
    with regions pooled at half-pixel centres, and ``neck_block`` stands in its balanced pyramid
    (Pang et al. 2019). ``dense``, ``mask_width`` and
    ``keypoint_width`` are the widths of its heads. ``proposals`` reach the second stage;
    ``detections`` scoring above ``score`` remain.
    """

    trunk: ModelSpec = field(default_factory=lambda: ModelSpec(norm="frozen"))
    neck: Neck = "fpn"
    labels: int = 91
    masks: bool = False
    keypoints: int = 0
    head_block: NonLocalSpec | None = None
    channels: int = 256
    version: int = 1
    inclusive: bool = False
    aligned: bool = False
    neck_block: NonLocalSpec | None = None
    dense: int = 1024
    mask_width: int = 256
    keypoint_width: int = 512
    proposals: int = 1000
    detections: int = 100
    score: float = 0.05
    preprocessing: DetectorInput = field(default_factory=DetectorInput)

    def __post_init__(self) -> None:
        if not isinstance(self.trunk, ModelSpec) or self.trunk.temporal.reads_time:
            raise SpecError("The trunk of an R-CNN must be a ResNet of pictures; use one.")
        one_of("Neck", self.neck, get_args(Neck))
        switch("Masks", self.masks)
        within("Number of labels", self.labels, 2, MOST_LABELS)
        within("Key points", self.keypoints, 0, 1000)
        within("Channels of the pyramid", self.channels, 1, 4096)
        one_of("Version", self.version, (1, 2))
        within("Proposals", self.proposals, 1, 10_000)
        within("Detections", self.detections, 1, 1000)
        within("Lowest score", self.score, 0, 1, float)
        if self.neck == "c4" and (self.keypoints or self.version == 2):
            raise SpecError("A C4 detector has boxes and masks only; key points need an FPN.")
        switch("Inclusive boxes", self.inclusive)
        within("Width of the box head", self.dense, 1, 65_536)
        within("Width of the mask head", self.mask_width, 1, 4096)
        within("Width of the key point head", self.keypoint_width, 1, 4096)
        if self.inclusive and (self.neck == "c4" or self.version == 2):
            raise SpecError("Inclusive boxes are a choice of the first recipe's pyramid only.")
        switch("Aligned regions", self.aligned)
        if self.aligned and (self.neck == "c4" or self.inclusive or self.version == 2):
            raise SpecError("Aligned regions are a choice of the first recipe's pyramid only.")
        if self.neck_block is not None and not self.aligned:
            raise SpecError("A block in the neck needs aligned regions; switch them on.")
        if self.head_block is not None and not self.keypoints:
            raise SpecError("A block in the key point head needs key points; give their number.")

    @property
    def block(self) -> object:
        """The attention block of the trunk or, where it has none, of neck or head."""
        return self.trunk.block or self.neck_block or self.head_block

    @property
    def gate(self) -> object:
        """The gate in the units of the trunk."""
        return self.trunk.gate

    @property
    def last_pixel(self) -> int:
        """1 where x2 and y2 of a box are the last pixels inside, 0 where they are its edges."""
        return 1 if self.neck == "c4" or self.inclusive else 0

    @property
    def num_classes(self) -> int:
        """Labels, the background among them."""
        return self.labels

    @property
    def places(self) -> tuple[Place, ...]:
        """Where its blocks are: in the trunk, then in neck and head."""
        inside = places(self.trunk.depth, self.trunk.placement)
        after = range(1, KEYPOINT_CONVOLUTIONS, 2) if self.head_block else ()
        neck = (NeckPlace(NECK_STAGE, 0),) if self.neck_block else ()
        return (*inside, *neck, *(HeadPlace(HEAD_STAGE, unit) for unit in after))


@dataclass(frozen=True)
class SSDSpec:
    """A single-shot detector: torchvision's SSD300 on VGG-16 and SSDlite on MobileNetV3, or SSD300
    on the MobileNet of the CGD paper, with its gates.

    ``block`` stands on every level of ``levels`` (0 is the finest of six).
    """

    trunk: SSDName | CompactSpec = "vgg16"
    labels: int = 91
    block: NonLocalSpec | None = None
    levels: tuple[int, ...] = ()
    preprocessing: DetectorInput = field(
        default_factory=lambda: DetectorInput(size=300, resize=300, stride=1, fixed=True)
    )

    def __post_init__(self) -> None:
        if isinstance(self.trunk, CompactSpec):
            one_of("Trunk of an SSD", self.trunk.family, ("mobilenet",))
        else:
            one_of("Trunk of an SSD", self.trunk, get_args(SSDName))
        within("Number of labels", self.labels, 2, MOST_LABELS)
        for level in self.levels:
            within("Level", level, 0, 5)
        if (self.block is None) != (not self.levels):
            raise SpecError("A block needs levels to stand on, and levels a block; give both.")

    @property
    def gate(self) -> object:
        """The gate in the units of the trunk."""
        return self.trunk.gate if isinstance(self.trunk, CompactSpec) else None

    @property
    def num_classes(self) -> int:
        """Labels, the background among them."""
        return self.labels

    @property
    def places(self) -> tuple[Place, ...]:
        """Where its blocks are."""
        return tuple(LevelPlace(LEVEL_STAGE, level) for level in sorted(set(self.levels)))


DetectorSpec = RCNNSpec | SSDSpec
