"""Original pixels <-> model input pixels <-> feature cells: one object for pictures and clicks
alike.

Coordinates are continuous: pixel k covers [k, k + 1), so the middle of the first pixel is 0.5.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from errors import OutsideError
from models.specs.grid import Grid

Mode = Literal["fit", "center-crop"]
MODES: tuple[Mode, ...] = get_args(Mode)
SIZES = (16, 1344)
"""Smallest and largest side of an input in pixels."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: left <= x < right, top <= y < bottom."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Geometry:
    """Original (width x height) -> resized -> cropped at (crop_left, crop_top) to input size."""

    width: int
    height: int
    resized_width: int
    resized_height: int
    crop_left: float
    crop_top: float
    input_width: float
    input_height: float

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """Map original pixels to model input pixels (outside the crop: outside the input)."""
        return (
            x * self.resized_width / self.width - self.crop_left,
            y * self.resized_height / self.height - self.crop_top,
        )

    def to_original(self, x: float, y: float) -> tuple[float, float]:
        """Map model input pixels to original pixels."""
        return (
            (x + self.crop_left) * self.width / self.resized_width,
            (y + self.crop_top) * self.height / self.resized_height,
        )

    @property
    def seen(self) -> Box:
        """The part of the original that the network sees, in original pixels."""
        return Box(*self.to_original(0, 0), *self.to_original(self.input_width, self.input_height))

    def cell_at(self, x: float, y: float, grid: Grid) -> tuple[int, int]:
        """Return (row, col) of the cell under original pixel (x, y), or raise OutsideError."""
        u, v = self.to_input(x, y)
        inside = 0 <= u < self.input_width and 0 <= v < self.input_height  # false for NaN
        if not inside:
            box = self.seen
            raise OutsideError(
                f"({x:g}, {y:g}) is outside: the network sees x {box.left:.0f} to "
                f"{box.right:.0f}, y {box.top:.0f} to {box.bottom:.0f} of this {self.width} x "
                f"{self.height} picture. Choose a point inside."
            )
        # A point just left of the far edge may round up to it.
        row = min(int(v * grid.rows / self.input_height), grid.rows - 1)
        col = min(int(u * grid.cols / self.input_width), grid.cols - 1)
        return row, col

    def nearest_cell(self, x: float, y: float, grid: Grid) -> tuple[int, int]:
        """Return (row, col) of the cell under original pixel (x, y), or the closest one."""
        seen = self.seen
        # An edge itself may round to the outside.
        edge_x, edge_y = 1e-6 * self.width, 1e-6 * self.height
        inside_x = min(max(x, seen.left + edge_x), seen.right - edge_x)
        inside_y = min(max(y, seen.top + edge_y), seen.bottom - edge_y)
        return self.cell_at(inside_x, inside_y, grid)

    def cell_box(self, row: int, col: int, grid: Grid) -> Box:
        """Return the rectangle of one feature cell in original pixels."""
        step_x, step_y = self.input_width / grid.cols, self.input_height / grid.rows
        return Box(
            *self.to_original(col * step_x, row * step_y),
            *self.to_original((col + 1) * step_x, (row + 1) * step_y),
        )

    def cell_centre(self, row: int, col: int, grid: Grid) -> tuple[float, float]:
        """Return the middle of a feature cell in original pixels."""
        box = self.cell_box(row, col, grid)
        return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def fit(width: int, height: int, size: int, stride: int) -> Geometry:
    """Whole picture, long side about ``size``, both sides rounded to ``stride``."""
    scale = size / max(width, height)
    new_width = max(stride, round(width * scale / stride) * stride)
    new_height = max(stride, round(height * scale / stride) * stride)
    return Geometry(width, height, new_width, new_height, 0, 0, new_width, new_height)


def center_crop(width: int, height: int, resize: int, crop: int) -> Geometry:
    """The papers' test protocol: short side to ``resize``, then the middle ``crop`` x ``crop``."""
    short = min(width, height)
    new_width, new_height = int(resize * width / short), int(resize * height / short)
    left, top = round((new_width - crop) / 2), round((new_height - crop) / 2)
    return Geometry(width, height, new_width, new_height, left, top, crop, crop)
