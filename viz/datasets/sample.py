"""What is known of one picture of a data set, in pixels of the original."""

from dataclasses import dataclass
from pathlib import Path

from viz.figure.recipe.recipe import Part
from viz.geometry import Box

Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Sample:
    """One picture: its ``name`` (path below the data set's folder), and what annotations say.

    ``class_name`` is "" where none is known. ``parts`` are its visible points, ``boxes`` its
    objects, ``polygons`` their outlines; ``mask`` is a picture, above 127 where the object is.
    """

    name: str
    path: Path
    class_name: str = ""
    parts: tuple[Part, ...] = ()
    boxes: tuple[Box, ...] = ()
    polygons: tuple[Polygon, ...] = ()
    mask: Path | None = None


@dataclass(frozen=True)
class Dataset:
    """Pictures in the order of their names; ``notes`` say what could not be used, a line each."""

    folder: Path
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()

    def has(self, field: str) -> bool:
        """Tell whether any picture has ``parts``, ``boxes``, ``polygons``, a ``mask`` ..."""
        return any(getattr(sample, field) for sample in self.samples)
