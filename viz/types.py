"""The values that flow from media to figure. Frozen; those that hold arrays compare by identity."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:  # what reads media does without torch
    from torch import Tensor

    from models.blocks.layout import Grid
    from viz.geometry import Geometry

Meaning = Literal[
    "weights, sum 1",
    "response, any sign",
    "cosine, -1 to 1",
    "class evidence, 0 and above",
    "mean |activation|, 0 and above",
    "largest of scaled maps",
]
"""What a value of a map is: its unit, and the signs that it can have."""


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
    empty where the clip is all there is. ``notes`` say what was assumed about the file, a sentence
    each. ``size`` is the file's (width, height) in pixels where frames are held smaller: all
    coordinates are in pixels of the file. ``shown`` are the values that are black and white where
    they have more than 8 bits (None: they have not), ``levels`` those that were asked for.
    """

    frames: np.ndarray
    timestamps: tuple[float, ...]
    name: str
    sha256: str
    numbers: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    shown: tuple[float, float] | None = None
    levels: tuple[float, float] | None = None

    @property
    def height(self) -> int:
        """Rows of pixels of the file."""
        return self.size[1] if self.size else self.frames.shape[1]

    @property
    def width(self) -> int:
        """Columns of pixels of the file."""
        return self.size[0] if self.size else self.frames.shape[2]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """Network input (1, 3, T, H, W) float32, how it lies in the original picture, and how many
    ``frames`` of the clip it was made from (1: a still picture, held for all T)."""

    tensor: "Tensor"
    geometry: "Geometry"
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

    def position(self, grid: "Grid") -> int:
        """Return the index i of this cell in (t, y, x) order."""
        return (self.t * grid.rows + self.y) * grid.cols + self.x


@dataclass(frozen=True)
class Query:
    """A reference: the block's label (res4.4) and the feature cell."""

    block: str
    cell: Cell


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """A map over the key grid: values (T, h, w) float32.

    ``label`` is its short name (NL, c17, c17>c40, g3, cosine); where a reference has several maps
    ``part`` says what this one is of (channel, group, head, class) and ``number`` which. ``own`` is
    the reference's own cell (t, y, x) in the key grid, where it has one.
    """

    values: np.ndarray
    query: Query
    meaning: Meaning
    label: str = "NL"
    part: str = ""
    number: int | None = None
    own: tuple[int, int, int] | None = None
