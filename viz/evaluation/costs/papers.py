"""The cost tables of the papers, and which networks here hold the modules they list.

CGD (He et al. 2019) Tables 3, 5, 6 and 11; NL (Wang et al. 2018) Table 2 (e). Orders of growth
(CGNL Table 1, CGD Table 1) are measured in ``growth``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import NamedTuple

from torch import nn

from models.blocks.comparison import CBAM, BAMBlock, SqueezeExcitation
from models.specs.block import A2Spec, BAMSpec, CGNLSpec, NonLocalSpec
from models.specs.gate import CBAMSpec, CGDSpec, SESpec
from models.specs.network import (
    RESNET_UNITS,
    CompactSpec,
    ModelSpec,
    NetworkSpec,
    TemporalSpec,
)


def short(number: float) -> str:
    """Return 2.53M for 2530000: up to four digits and a unit; a dash for what is not known."""
    if isnan(number):
        return "-"
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if number >= unit:
            return f"{number / unit:.4g}{name}"
    return f"{number:g}"


class Cost(NamedTuple):
    """Parameters and multiply-adds, whole numbers; the paper's are rounded as it prints them."""

    parameters: float
    multiply_adds: float

    def __str__(self) -> str:
        return f"{short(self.parameters):>8} {short(self.multiply_adds):>8}"


@dataclass(frozen=True)
class Row:
    """A module: the network that holds it, or, beside a plain network, what stands at its units."""

    name: str
    paper: Cost
    spec: NetworkSpec | None = None
    make: Callable[[int], nn.Module] | None = None
    units: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the paper: its plain network, the input (frames, side) and what is added to it."""

    title: str
    base: NetworkSpec
    paper: Cost
    rows: tuple[Row, ...]
    size: int = 224
    frames: int = 1
    note: str = ""


def _se(channels: int) -> nn.Module:
    return SqueezeExcitation(channels, SESpec())


def _cbam(channels: int) -> nn.Module:
    return CBAM(channels, CBAMSpec())


def _bam(channels: int) -> nn.Module:
    return BAMBlock(channels, BAMSpec())


ROUNDED = "the paper prints 0.02M, to which ours rounds"
STAGE_ENDS = ("res2.2", "res3.3", "res4.5")
MOBILE_UNITS = tuple(f"layers.{n}" for n in range(13))
MOBILE_ENDS = ("layers.2", "layers.4", "layers.10")
SQUEEZE_ENDS = ("features.4", "features.7")
STEM_NOTE = (
    "counted at 112 x 112, which gives the feature sizes of the paper's 224 x 224: in the authors' "
    "code the stem does not stride"
)
CLIP = TemporalSpec(stem_stride=2, pool_frames=2, pool_stride=2, halve_after_res2=True)
"""C2D of 32 frames: 16 behind the first convolution, 8 in res2, 4 after it (Wang et al. 2018)."""

POOLED_NL = NonLocalSpec(pool_keys="after")


def _mobile_rows(size_name: str, papers: tuple[Cost, ...]) -> tuple[Row, ...]:
    """Return the four rows of a MobileNet; SE and CBAM behind each unit, BAM where sizes halve."""
    units = (MOBILE_UNITS, MOBILE_ENDS, MOBILE_UNITS)
    beside = zip(("SE", "BAM", "CBAM"), papers[:3], (_se, _bam, _cbam), units, strict=True)
    gated = CompactSpec("mobilenet", size_name, gate=CGDSpec())
    rows = [Row(name, paper, make=make, units=places) for name, paper, make, places in beside]
    return (*rows, Row("CGD", papers[3], gated))


TABLES = (
    Table(
        "CGD, Table 3: ResNet-50 C2D, 32 x 224 x 224",
        ModelSpec(temporal=CLIP),
        Cost(25.56e6, 17.87e9),
        (
            Row(
                "NL, keys pooled",
                Cost(2.10e6, 1.80e9),
                ModelSpec(block=POOLED_NL, placement="1", temporal=CLIP),
            ),
            Row(
                "CGNL, 1 group",
                Cost(2.10e6, 1.64e9),
                ModelSpec(block=CGNLSpec(groups=1), placement="1", temporal=CLIP),
            ),
            Row(
                "CGNL, 8 groups",
                Cost(1.64e6, 1.29e9),
                ModelSpec(block=CGNLSpec(), placement="1", temporal=CLIP),
            ),
            Row(
                "CGD",
                Cost(0.02e6, 0.095e6),
                ModelSpec(gate=CGDSpec(), temporal=CLIP),
                note=ROUNDED,
            ),
        ),
        frames=32,
        note="the paper's plain network is smaller by more than its stride explains (see Table 6)",
    ),
    Table(
        "CGD, Table 5: MobileNet 1.0",
        CompactSpec("mobilenet", "1.0"),
        Cost(4.23e6, 0.569e9),
        _mobile_rows(
            "1.0",
            (Cost(0.49e6, 0.480e6), Cost(0.09e6, 20.56e6), Cost(0.49e6, 3.082e6), Cost(3e4, 3e4)),
        ),
        size=112,
        note=STEM_NOTE,
    ),
    Table(
        "CGD, Table 5: MobileNet 0.7",
        CompactSpec("mobilenet", "0.7"),
        Cost(2.30e6, 0.283e9),
        _mobile_rows(
            "0.7",
            (Cost(0.24e6, 0.235e6), Cost(4e4, 10.10e6), Cost(0.24e6, 2.592e6), Cost(2e4, 2.1e4)),
        ),
        size=112,
        note=STEM_NOTE + "; our C/16 is rounded down",
    ),
    Table(
        "CGD, Table 5: SqueezeNet 1.1, 224 x 224",
        CompactSpec("squeezenet", "1.1"),
        Cost(1.24e6, 0.716e9),
        (
            Row(
                "BAM",
                Cost(0.02e6, 14.00e6),
                make=_bam,
                units=SQUEEZE_ENDS,
                note="the paper does not say where its BAMs stand; ours where sizes halve",
            ),
            Row(
                "CGD",
                Cost(3.2e3, 2e3),
                CompactSpec("squeezenet", "1.1", gate=CGDSpec()),
                note="with the batch norms that come with it; 3.2K counts their statistics too",
            ),
        ),
        note="the paper's multiply-adds are about twice version 1.1's, as if additions counted too",
    ),
    Table(
        "CGD, Table 6: ResNet-50, 224 x 224",
        ModelSpec(),
        Cost(25.56e6, 3.858e9),
        (
            Row(
                "SE",
                Cost(2.52e6, 2.52e6),
                ModelSpec(gate=SESpec()),
                note="ours has biases; without them 2.515M",
            ),
            Row("BAM", Cost(0.36e6, 82.2e6), ModelSpec(block=BAMSpec(), placement=STAGE_ENDS)),
            Row("CBAM", Cost(2.53e6, 6.39e6), ModelSpec(gate=CBAMSpec())),
            Row(
                "A2, 5 blocks",
                Cost(33.0e6, 2.65e9),
                ModelSpec(block=A2Spec(), placement="5"),
                note="33.0M is about the whole network with A2, 25.56M + 7.36M, not its addition",
            ),
            Row("CGNL", Cost(1.64e6, 321e6), ModelSpec(block=CGNLSpec(), placement="1")),
            Row(
                "CGNLx",
                Cost(1.64e6, 321e6),
                ModelSpec(block=CGNLSpec("gaussian_rbf"), placement="1"),
            ),
            Row("CGD", Cost(0.02e6, 0.023e6), ModelSpec(gate=CGDSpec()), note=ROUNDED),
        ),
        note="3.858G is a bottleneck that strides in its first 1x1; ours strides in the 3x3",
    ),
    Table(
        "CGD, Table 11: ResNet-50, 800 x 800",
        ModelSpec(),
        Cost(nan, nan),
        (
            Row(
                "NL, keys pooled",
                Cost(2.10e6, 6.84e9),
                ModelSpec(block=POOLED_NL, placement="1"),
            ),
            Row("CGNL", Cost(1.64e6, 4.10e9), ModelSpec(block=CGNLSpec(), placement="1")),
            Row("CGD", Cost(0.02e6, 0.02e6), ModelSpec(gate=CGDSpec()), note=ROUNDED),
        ),
        size=800,
    ),
)


@dataclass(frozen=True)
class Relative:
    """A network whose parameters and multiply-adds a paper prints over those of the plain one."""

    name: str
    parameters: float
    multiply_adds: float
    spec: NetworkSpec
    note: str = ""


RELATIVE_TITLE = "NL, Table 2 (e): ResNet-101 C2D, 32 x 224 x 224; ratios to it"
RELATIVE_PAPER = Cost(43.2e6, 34.2e9)
RELATIVE_NOTE = (
    "a unit that strides in its first 1x1 (He et al. 2016) costs less; ours strides in the 3x3"
)
RELATIVE_FRAMES, RELATIVE_SIZE = 32, 224
RELATIVE_BASE = ModelSpec(depth=101, num_classes=400, temporal=CLIP)
RELATIVE_ROWS = (
    Relative(
        "NL C2D, 5 blocks",
        1.2,
        1.2,
        ModelSpec(
            101,
            block=NonLocalSpec(pool_keys="before"),
            placement="5",
            num_classes=400,
            temporal=CLIP,
        ),
        note="keys pooled before their convolutions; pooled after them it would be 1.32x",
    ),
    Relative(
        "I3D 3x1x1",
        1.2,
        1.5,
        ModelSpec(
            101,
            num_classes=400,
            temporal=replace(
                CLIP,
                stem_frames=5,
                inflated=tuple(tuple(range(0, units, 2)) for units in RESNET_UNITS[101]),
            ),
        ),
        note="every second unit has a 3 x 1 x 1 first convolution, the stem 5 frames",
    ),
)
