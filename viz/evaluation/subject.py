"""One picture as one network saw it: its reference patches, and which cells matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from errors import OutsideError
from models.blocks.layout import Grid
from models.loaded import LoadedModel
from viz.attention.captures import BlockCapture, Capture
from viz.datasets import run_lengths
from viz.datasets.sample import Sample
from viz.geometry import Geometry
from viz.types import Cell, Clip, ModelInput

MIDDLE = "middle"
"""The name of the reference of a picture without parts: the middle of its object, or its own."""


class Reference(NamedTuple):
    """A reference: the name of its part, where it is in pixels, and its cell of the block."""

    name: str
    at: tuple[float, float]
    cell: Cell


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture, what the network was given, and what it left at one block."""

    sample: Sample
    clip: Clip
    model: LoadedModel
    model_input: ModelInput
    capture: Capture
    block: BlockCapture

    @cached_property
    def device(self) -> torch.device:
        """Where the block's factors are, and its maps are measured."""
        return next((part.device for part in self.block.tensors), torch.device("cpu"))

    @property
    def predicts(self) -> bool:
        """Whether the network answers with a class."""
        return len(self.capture.logits) > 0 and not self.capture.detections

    @property
    def geometry(self) -> Geometry:
        """Where the cells of the block lie in the picture."""
        return self.capture.geometry_of(self.block)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every visible part that the network sees; without parts the middle of the object."""
        parts = [(part.name, (part.x, part.y)) for part in self.sample.parts]
        if not parts:
            parts = [(MIDDLE, self._middle)]
        return tuple(self._seen(parts))

    def _seen(self, parts: list[tuple[str, tuple[float, float]]]) -> Iterator[Reference]:
        grid = self.block.query_grid
        for name, at in parts:
            try:
                yield Reference(name, at, Cell(0, *self.geometry.cell_at(*at, grid)))
            except OutsideError:  # cut off by the network's crop, or a part outside its picture
                continue

    @property
    def _middle(self) -> tuple[float, float]:
        if self.sample.boxes:
            box = self.sample.boxes[0]
            return (box.left + box.right) / 2, (box.top + box.bottom) / 2
        return self.clip.width / 2, self.clip.height / 2

    def position(self, at: tuple[float, float], grid: Grid) -> int:
        """Return the position of a pixel in one frame of a grid."""
        row, col = self.geometry.cell_at(*at, grid)
        return row * grid.cols + col

    def places(self, grid: Grid) -> Tensor:
        """Return the position of each reference in one frame of a grid: (P,) int64."""
        return self.capture.memory.once(("parts", grid), lambda: self._places(grid))

    def _places(self, grid: Grid) -> Tensor:
        found = [self.position(one.at, grid) for one in self.references]
        return torch.tensor(found, dtype=torch.int64, device=self.device)

    def region(self, grid: Grid) -> Tensor | None:
        """Return the cells of one frame (h w,) whose middle lies on the object, where the block's
        factors are: bool.

        On its mask, else in its polygons and run lengths, else in its boxes; None where nothing is
        known of it.
        """
        return self.capture.memory.once(("region", grid), lambda: self._region(grid))

    def _region(self, grid: Grid) -> Tensor | None:
        drawn, boxes = self._drawn, self.sample.boxes
        if drawn is None and not boxes:
            return None
        shape = (self.clip.height, self.clip.width) if drawn is None else drawn.shape
        rows, cols = self._middles(grid, *shape)
        if drawn is not None:
            inside = drawn[rows][:, cols]
        else:
            inside = np.zeros((grid.rows, grid.cols), bool)
            for box in boxes:
                edges = (round(max(0, v)) for v in (box.top, box.bottom, box.left, box.right))
                top, bottom, left, right = edges
                high, wide = (rows >= top) & (rows < bottom), (cols >= left) & (cols < right)
                inside |= high[:, None] & wide
        return torch.from_numpy(inside.flatten()).to(self.device)

    def _middles(self, grid: Grid, high: int, wide: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the row and the column of the middles of cells, (h,) and (w,) int, in pixels of
        the picture or of its mask, which has (high, wide)."""
        x = [self.geometry.cell_centre(0, col, grid)[0] for col in range(grid.cols)]
        y = [self.geometry.cell_centre(row, 0, grid)[1] for row in range(grid.rows)]
        cols = (np.array(x) * wide / self.clip.width).astype(int).clip(0, wide - 1)
        rows = (np.array(y) * high / self.clip.height).astype(int).clip(0, high - 1)
        return rows, cols

    @cached_property
    def _drawn(self) -> np.ndarray | None:
        """Where the object is by its mask or its outlines, (H, W) bool, in pixels of the picture or
        of the mask; None where there are boxes at the most."""
        if self.sample.mask is not None:
            return self.sample.inside()
        if not (self.sample.runs or self.sample.polygons):
            return None
        inside = np.zeros((self.clip.height, self.clip.width), np.uint8)
        if self.sample.runs:
            inside |= run_lengths.mask_of(self.sample.runs, self.clip.height, self.clip.width)
        if self.sample.polygons:
            rings = [np.rint(np.array(ring)).astype(np.int32) for ring in self.sample.polygons]
            cv2.fillPoly(inside, rings, 1)
        return inside.astype(bool)

    @property
    def object_size(self) -> float:
        """The longer side of the object's box in pixels, of the picture where there is none."""
        if self.sample.boxes:
            box = self.sample.boxes[0]
            return max(box.right - box.left, box.bottom - box.top)
        return float(max(self.clip.width, self.clip.height))
