"""What is known of one picture of a data set, in pixels of the original."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from errors import counted
from viz.datasets.run_lengths import Runs
from viz.figure.recipe.recipe import Part
from viz.geometry import Box
from viz.media import pictures
from viz.types import Clip

Polygon = tuple[tuple[float, float], ...]
Reader = Callable[[Path], Clip]
"""Reads a picture's file; MediaError where it cannot."""
_MASK_FROM = 128
_SHOWN, _LONGEST = 3, 40
"""Names of classes in a summary, and letters of each."""


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


_KNOWN = {"points": ("parts",), "boxes": ("boxes",), "masks": ("polygons", "runs", "mask")}
"""What annotations may mark -> the fields of a Sample that hold it."""
_FIELDS = tuple(field for fields in _KNOWN.values() for field in fields)


@dataclass(frozen=True)
class Dataset:
    """Pictures in the order of their names; ``notes`` say what could not be used, a line each.

    ``every`` is how many pictures there are, where fewer of them were taken.
    """

    folder: Path
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()
    every: int = 0

    def has(self, field: str) -> bool:
        """Tell whether any picture has ``parts``, ``boxes``, ``polygons``, a ``mask`` ..."""
        return any(getattr(sample, field) for sample in self.samples)

    @cached_property
    def summary(self) -> str:
        """What was read, in one line: pictures, those with points, boxes or masks, classes, and how
        many have none of these."""
        count = len(self.samples)
        words = [counted(count, "picture")]
        if count < self.every:
            words = [f"{count:,} of {counted(self.every, 'picture')}, evenly spaced"]
        words += [
            f"{number:,} with {what}"
            for what, fields in _KNOWN.items()
            if (number := sum(any(getattr(s, f) for f in fields) for s in self.samples))
        ]
        words += self._classes()
        bare = sum(not any(getattr(s, f) for f in _FIELDS) for s in self.samples)
        if not bare:
            return ", ".join(words)
        which = "none has" if bare == count else f"{bare:,} without"
        return f"{', '.join(words)}; {which} points, boxes or masks"

    def _classes(self) -> list[str]:
        names = sorted({sample.class_name for sample in self.samples})
        found = [name[:_LONGEST] for name in names if name]
        if not found:
            return []
        shown = ", ".join(found[:_SHOWN]) + (", ..." if found[_SHOWN:] else "")
        bare = sum(not sample.class_name for sample in self.samples)
        more = [f"{counted(bare, 'picture')} without a class"] if bare else []
        return [f"{counted(len(found), 'class')} ({shown})", *more]
