"""What annotations say as three columns of plain values, to be taken from a process that is not
trusted: whatever is put together again is checked, as a file is."""

from array import array
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Any, NamedTuple

import numpy as np

from errors import InputError
from viz.datasets import run_lengths
from viz.datasets.annotations.known import Known, label
from viz.datasets.sample import Polygon
from viz.figure.recipe.recipe import Part
from viz.geometry import Box

_BETWEEN = "\0"
_PLACE = "A mask"
_TEXTS, _COUNTS, _PIXELS = 8, 4, 1
"""Bytes of texts, counts and pixels that a byte of a file may become: a number that stands for a
name is written out, a line of two words is a picture."""
_MORE = 1024
MOST_PICTURES = 200_000
"""Pictures that are told of: forty for each that an upload may have."""


class Columns(NamedTuple):
    """``texts``, each once, between zeros, in UTF-8; ``counts``, int64: of each picture the places
    of its name and class among the texts, how many parts, boxes, polygons and masks it has, then
    the places of its parts' names, the corners of each polygon, and of each mask its height, width,
    number of runs, and these; ``pixels``, float64: of each picture x, y of its parts, the edges of
    its boxes, x, y of its polygons."""

    texts: bytes
    counts: np.ndarray
    pixels: np.ndarray


class _Texts:
    """Texts and their places."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def joined(self) -> bytes:
        plain = (text.replace(_BETWEEN, "?") for text in self._places)
        return _BETWEEN.join(plain).encode("utf-8", "replace")


def packed(known: Known) -> Columns:
    """Return annotations as columns; a field ``mask``, which is a path, is left out.

    InputError for those of more than MOST_PICTURES.
    """
    if len(known) > MOST_PICTURES:
        raise InputError(
            f"The annotations are of {len(known):,} pictures; of uploads those of up to "
            f"{MOST_PICTURES:,} are taken. Leave out the pictures that are not there."
        )
    texts, counts, pixels = _Texts(), array("q"), array("d")
    for name, fields in known.items():
        parts, boxes = fields.get("parts", ()), fields.get("boxes", ())
        polygons, runs = fields.get("polygons", ()), fields.get("runs", ())
        counts.extend((texts.place(name), texts.place(fields.get("class_name", ""))))
        counts.extend(map(len, (parts, boxes, polygons, runs)))
        counts.extend(texts.place(part.name) for part in parts)
        counts.extend(map(len, polygons))
        for high, wide, lengths in runs:
            counts.extend((high, wide, len(lengths), *lengths))
        for part in parts:
            pixels.extend((part.x, part.y))
        for one in boxes:
            pixels.extend((one.left, one.top, one.right, one.bottom))
        for polygon in polygons:
            pixels.extend(value for corner in polygon for value in corner)
    return Columns(texts.joined(), np.array(counts), np.array(pixels))


def unpacked(columns: Columns, size: int) -> Known:
    """Return the annotations in columns, which come of files of ``size`` bytes; fields that are
    empty are left out. ValueError or InputError for what is no such thing, or more than the files
    can hold."""
    check_sizes(len(columns.texts), len(columns.counts), len(columns.pixels), size)
    if not np.isfinite(columns.pixels).all():
        raise ValueError("pixels that are no numbers")
    reader = _Reader(columns)
    known = dict(islice(reader.pictures(), MOST_PICTURES))
    reader.check_end()
    return known


def check_sizes(texts: int, counts: int, pixels: int, size: int) -> None:
    """Raise ValueError where columns are larger than what files of ``size`` bytes can say."""
    if (
        texts > _TEXTS * size + _MORE
        or counts > _COUNTS * size + _MORE
        or pixels > _PIXELS * size + _MORE
    ):
        raise ValueError("more than its file can say")


class _Reader:
    """Goes through columns once."""

    def __init__(self, columns: Columns) -> None:
        self._texts = columns.texts.decode("utf-8").split(_BETWEEN)
        self._counts, self._pixels = memoryview(columns.counts), memoryview(columns.pixels)
        self._at = self._pixel = 0

    def pictures(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the name and the fields of each picture."""
        while self._at < len(self._counts):
            name, kind, parts, boxes, polygons, runs = self._taken(6)
            names = [label(self._text(place)) for place in self._taken(parts)]
            corners = self._taken(polygons)
            fields: dict[str, Any] = {}
            if found := label(self._text(kind)):
                fields["class_name"] = found
            if runs:
                fields["runs"] = tuple(self._mask() for _ in self._each(runs))
            if parts:
                fields["parts"] = tuple(map(Part, names, *self._pixels_of(parts, 2)))
            if boxes:
                fields["boxes"] = tuple(map(Box, *self._pixels_of(boxes, 4)))
            if polygons:
                fields["polygons"] = self._outlines(corners)
            yield self._text(name), fields

    def check_end(self) -> None:
        """Raise ValueError for what is of no picture."""
        if (self._at, self._pixel) != (len(self._counts), len(self._pixels)):
            raise ValueError("more than is of its pictures")

    def _text(self, place: int) -> str:
        if not 0 <= place < len(self._texts):
            raise ValueError("a text that is not there")
        return self._texts[place]

    def _each(self, count: int) -> range:
        """Return the numbers of so many things, each of which takes a count at least."""
        if not 0 <= count <= len(self._counts) - self._at:
            raise ValueError("a number of things that are not there")
        return range(count)

    def _taken(self, count: int) -> list[int]:
        """Return the next counts."""
        start, self._at = self._at, self._at + len(self._each(count))
        return self._counts[start : self._at].tolist()

    def _pixels_of(self, count: int, wide: int) -> list[list[float]]:
        """Return the next pixels of ``count`` things, a list for each of their ``wide`` values."""
        start, end = self._pixel, self._pixel + count * wide
        if not start <= end <= len(self._pixels):
            raise ValueError("pixels that are not there")
        self._pixel = end
        return [self._pixels[start + k : end : wide].tolist() for k in range(wide)]

    def _outlines(self, corners: list[int]) -> tuple[Polygon, ...]:
        """Return the next polygons, of so many corners each."""
        if min(corners) < 0:
            raise ValueError("an outline of fewer corners than none")
        x, y = self._pixels_of(sum(corners), 2)
        ends = zip(corners, accumulate(corners), strict=True)
        return tuple(tuple(zip(x[k - n : k], y[k - n : k], strict=True)) for n, k in ends)

    def _mask(self) -> run_lengths.Runs:
        high, wide, count = self._taken(3)
        return run_lengths.checked(high, wide, self._taken(count), _PLACE)
