"""What is known of one picture of a data set, in pixels of the original."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from viz.datasets.run_lengths import Runs
from viz.figure.recipe.recipe import Part
from viz.geometry import Box
from viz.media import pictures
from viz.types import Clip

Polygon = tuple[tuple[float, float], ...]
Reader = Callable[[Path], Clip]
"""Reads a picture's file; MediaError where it cannot."""
_MASK_FROM = 128


@dataclass(frozen=True)
class Sample:
    """One picture: its ``name`` (path below the data set's folder), and what annotations say.

    ``class_name`` is "" where none is known. ``parts`` are its visible points, ``boxes`` its
    objects, ``polygons`` and ``runs`` their outlines and masks; ``mask`` is a picture, above 127
    where the object is. ``reader`` decodes both files: in another process where they are uploads.
    """

    name: str
    path: Path
    class_name: str = ""
    parts: tuple[Part, ...] = ()
    boxes: tuple[Box, ...] = ()
    polygons: tuple[Polygon, ...] = ()
    mask: Path | None = None
    runs: tuple[Runs, ...] = ()
    reader: Reader = field(default=pictures.load, repr=False, compare=False)

    def clip(self) -> Clip:
        """Decode the picture."""
        return self.reader(self.path)

    def inside(self) -> np.ndarray | None:
        """Return where its mask says that the object is, (H, W) bool; None without a mask."""
        if self.mask is None:
            return None
        return self.reader(self.mask).frames[0, ..., 0] >= _MASK_FROM


@dataclass(frozen=True)
class Dataset:
    """Pictures in the order of their names; ``notes`` say what could not be used, a line each."""

    folder: Path
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()

    def has(self, field: str) -> bool:
        """Tell whether any picture has ``parts``, ``boxes``, ``polygons``, a ``mask`` ..."""
        return any(getattr(sample, field) for sample in self.samples)
