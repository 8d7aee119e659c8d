"""What a detector found, as the canvas gets it: boxes, masks and key points in canvas pixels, and
the means over objects that the pointer may take."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from viz.geometry import Box
from viz.types import Clip

Placed = Callable[[float, float], tuple[float, float]]
"""Original pixel -> canvas pixel, inside the canvas."""


def placer(clip: Clip, size: tuple[int, int]) -> Placed:
    """Return what puts a pixel of the picture on a canvas of a size, to a tenth of a pixel."""
    width, height = size

    def placed(x: float, y: float) -> tuple[float, float]:
        across, down = x * width / clip.width, y * height / clip.height
        return round(min(max(across, 0), width), 1), round(min(max(down, 0), height), 1)

    return placed


@dataclass(frozen=True, eq=False)
class Drawn:
    """An object over a frame, in pixels of the picture: ``outlines`` (K, 2) x, y around its mask,
    ``keypoints`` (k, 3) x, y and whether it is seen, or None."""

    number: int
    frame: int
    box: Box
    text: str
    colour: str
    outlines: tuple[np.ndarray, ...] = ()
    keypoints: np.ndarray | None = None

    def packed(self, placed: Placed) -> dict[str, object]:
        """Return what the header says of it."""
        box = self.box
        left, top = placed(box.left, box.top)
        right, bottom = placed(box.right, box.bottom)
        points = () if self.keypoints is None else self.keypoints.tolist()
        return {
            "number": self.number, "frame": self.frame, "text": self.text, "colour": self.colour,
            "left": left, "top": top, "right": right, "bottom": bottom,
            "outlines": [[placed(x, y) for x, y in line.tolist()] for line in self.outlines],
            "points": [placed(x, y) for x, y, visible in points if visible > 0],
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Over:
    """An object that a panel shows the mean over: the ``positions`` of its patches in the query
    grid, and the mean map (T, h, w), or None where the browser adds the maps up itself."""

    frame: int
    number: int
    text: str
    positions: Sequence[int]
    mean: np.ndarray | None = None

    def packed(
        self, floats: Callable[[Tensor], object], heights: Callable[[np.ndarray], object]
    ) -> dict[str, object]:
        """Return what the header says of it; the two put an array into a buffer."""
        arrays = {"mean": heights(self.mean)} if self.mean is not None else {}
        if self.mean is None:
            arrays["positions"] = floats(torch.tensor(self.positions))
        words = {"text": self.text, "count": len(self.positions)}
        return {"frame": self.frame, "number": self.number, **words, "arrays": arrays}


@dataclass(frozen=True)
class FoundOnPanels:
    """What was found, by panel. The pointer takes ("patch", "middle", "mean") objects of the panel
    ``lead``; ``masks`` are drawn "translucent", as an "outline", or "none"."""

    drawn: Mapping[int, Sequence[Drawn]] = field(default_factory=dict)
    lead: int = 0
    pointer: str = "patch"
    masks: str = "translucent"
    over: Mapping[int, Sequence[Over]] = field(default_factory=dict)
