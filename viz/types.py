"""The values that flow from media to figure. Frozen; those that hold arrays compare by identity."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from models.blocks.kernels import Kernel
from models.blocks.layout import Grid
from models.blocks.pairwise import Pairwise
from models.specs.placement import Place
from viz.geometry import Geometry

Normalise = Literal["clip", "frame", "fixed"]
Interpolation = Literal["smooth", "nearest"]
Meaning = Literal["weights, sum 1", "response, any sign", "largest of scaled maps"]


@dataclass(frozen=True)
class Sampling:
    """Which frames of footage become a clip: ``frames`` of them, ``step`` apart, from ``start``.

    ``step`` and ``start`` count frames of the footage (from 0) or seconds, as ``unit`` says;
    ``start`` None puts the clip in the middle. Networks are published as frames x step: 8x8, 32x2.
    """

    frames: int = 8
    step: float = 8
    start: float | None = None
    unit: Literal["frames", "seconds"] = "frames"


@dataclass(frozen=True, eq=False)
class Clip:
    """Decoded media: frames (T, H, W, 3) uint8 RGB; timestamps in s; sha256 of the file's bytes.

    ``numbers`` are the frames' places in the footage they were sampled from, counted from 0;
    empty where the clip is all there is.
    """

    frames: np.ndarray
    timestamps: tuple[float, ...]
    name: str
    sha256: str
    numbers: tuple[int, ...] = ()

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.frames.shape[1]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.frames.shape[2]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """Network input (1, 3, T, H, W) float32, how it lies in the original picture, and how many
    ``frames`` of the clip it was made from (1: a still picture, held for all T)."""

    tensor: Tensor
    geometry: Geometry
    frames: int = 1


def moment(frame: int, frames: int, moments: int) -> int:
    """Return which of ``moments`` moments of a feature clip frame ``frame`` of ``frames`` lies in.

    Networks may pool time, so that several frames share a moment. A still picture that is held for
    many moments lies in the first.
    """
    return frame * moments // frames


@dataclass(frozen=True)
class Cell:
    """A feature cell: frame t, row y, column x, counted from 0."""

    t: int
    y: int
    x: int

    def position(self, grid: Grid) -> int:
        """Return the index i of this cell in (t, y, x) order."""
        return (self.t * grid.rows + self.y) * grid.cols + self.x


@dataclass(frozen=True)
class Query:
    """A reference: the block's label (res4.4) and the feature cell."""

    block: str
    cell: Cell


@dataclass(frozen=True, eq=False)
class NonLocalCapture:
    """The factors of one NL block's affinity: queries (N, d), keys (M, d) float32 on the CPU.

    With ``groups`` > 1 the positions lie in so many consecutive groups, and a reference attends
    only to keys of its own. ``block_input`` (1, C, T, H, W) is what the block was given.
    """

    place: Place
    queries: Tensor
    keys: Tensor
    pairwise: Pairwise
    query_grid: Grid
    key_grid: Grid
    block_input: Tensor
    groups: int = 1

    def group(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the queries and keys of one group."""
        return self.queries.chunk(self.groups)[index], self.keys.chunk(self.groups)[index]


@dataclass(frozen=True, eq=False)
class CGNLCapture:
    """The factors of one CGNL block: theta, phi, g (C', N) float32 on the CPU.

    They are as the kernel takes them (l2-normalised, scaled where the block does so).
    ``block_input`` (1, C, T, H, W) is kept so that class evidence can go on from it.
    """

    place: Place
    theta: Tensor
    phi: Tensor
    g: Tensor
    kernel: Kernel
    groups: int
    query_grid: Grid
    block_input: Tensor

    @property
    def key_grid(self) -> Grid:
        """phi lives where theta does: CGNL pools no keys."""
        return self.query_grid


BlockCapture = NonLocalCapture | CGNLCapture


@dataclass(frozen=True, eq=False)
class Capture:
    """What one forward pass left: factors by block label, logits (classes,), geometry, and the
    number of ``frames`` of the clip."""

    blocks: dict[str, BlockCapture]
    logits: Tensor
    geometry: Geometry
    frames: int = 1

    def moment(self, frame: int, grid: Grid) -> int:
        """Return the moment t of ``grid`` that frame ``frame`` of the clip lies in."""
        return moment(frame, self.frames, grid.frames)


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """A map over the key grid: values (T, h, w) float32.

    ``channel`` and ``group`` are None for an NL row; a cross-channel map names its second
    channel in
    ``to_channel``.
    """

    values: np.ndarray
    query: Query
    meaning: Meaning
    channel: int | None = None
    to_channel: int | None = None
    group: int | None = None

    @property
    def label(self) -> str:
        """Short name: NL, c17, c17>c40, g3, union."""
        if self.meaning == "largest of scaled maps":
            return "union"
        if self.group is not None:
            return f"g{self.group}"
        if self.channel is None:
            return "NL"
        return (
            f"c{self.channel}" if self.to_channel is None else f"c{self.channel}>c{self.to_channel}"
        )


@dataclass(frozen=True)
class Look:
    """How a map is shown.

    ``threshold`` in [0, 1] of the normalised map, kept when >=; ``fixed_range`` is used when
    ``normalise`` is "fixed"; ``heat_opacity`` in [0, 1]; ``arrows`` go from the reference to so
    many highest values (Wang et al. 2018 draw 20). ``__pydantic_config__``: recipes hold looks
    and take no other keys or types.
    """

    __pydantic_config__ = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
    normalise: Normalise = "clip"
    threshold: float = 0.7
    colormap: str = "inferno"
    heat_opacity: float = 0.6
    interpolation: Interpolation = "smooth"
    fixed_range: tuple[float, float] = (0.0, 1.0)
    arrows: int = 0
