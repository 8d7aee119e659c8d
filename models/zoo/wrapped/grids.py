"""Which grid of cells tokens lie in: from what modules are given, convolutions left, and counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from models.blocks.layout import Grid
from models.zoo.wrapped.running import Frame
from models.zoo.wrapped.tap import Call

MOST_PREFIX = 8
"""Tokens without a cell (class, registers) that are looked for before a grid."""


class Tokens(NamedTuple):
    """Tokens in reading order: ``prefix`` without a cell, then those of the grid."""

    grid: Grid
    prefix: int = 0

    @property
    def count(self) -> int:
        """How many tokens there are."""
        return self.prefix + self.grid.cells


class Arrangement(NamedTuple):
    """How the picture lies in a tensor: as ``tokens`` on the axis ``axis``, or with its cells on
    the axes from ``axis`` on (prefix 0)."""

    tokens: Tokens
    axis: int
    spatial: bool


@dataclass(frozen=True)
class Picture:
    """What is known beforehand: the input's (frames, rows, columns), and the user's answer."""

    size: tuple[int, int, int]
    answer: Tokens | None = None


def arranged(frame: Frame, call: Call, picture: Picture) -> Arrangement | None:
    """Return how the whole picture lies in what a module was given; None where it does not."""
    x = frame.tensor
    if x is None or x.ndim < 3:
        return None
    if x.ndim == 3:
        if 1 not in x.shape[:2]:
            return None
        axis = 1 if x.shape[0] == 1 else 0
        found = tokens_of(x.shape[axis], call, picture, frame)
        return found and Arrangement(found, axis, False)
    if x.shape[0] != 1:
        return None
    return _spatial(x, picture)


def _spatial(x: Tensor, picture: Picture) -> Arrangement | None:
    """Return the axes of a (1, ..., C) or (1, C, ...) tensor that fit the picture's shape."""
    count = x.ndim - 2
    for axis in (1, 2):
        grid = as_grid(tuple(x.shape[axis : axis + count]))
        if fits(grid, picture.size) and x.shape[axis : axis + count].numel() > 1:
            return Arrangement(Tokens(grid), axis, True)
    return None


def tokens_of(
    count: int, call: Call, picture: Picture, frame: Frame | None = None
) -> Tokens | None:
    """Return the grid and prefix of ``count`` tokens; None where none fits.

    From the user's answer; else the grids that the module was given, those that convolutions left,
    and, with one prefix token or none, those of the picture's shape; with as few as possible.
    """
    if picture.answer is not None and picture.answer.count == count:
        return picture.answer
    known = declared_prefix(call)
    wanted = range(MOST_PREFIX + 1) if known is None else (known, 0)
    given = tuple(frame.numbers) if frame else ()
    if (found := _seen(count, wanted, (*given, *call.grids), picture)) is not None:
        return found
    for ahead in wanted[:2]:
        if (grid := _shaped(count - ahead, picture.size)) is not None:
            return Tokens(grid, ahead)
    return None


def pooled_from(count: int, tokens: Tokens, call: Call, picture: Picture) -> Tokens | None:
    """Return the grid of ``count`` tokens that others were pooled to, the prefix left alone; only
    one that a convolution or a pool left."""
    return _seen(count, (tokens.prefix, 0), call.grids, picture)


def _seen(
    count: int, prefixes: Iterable[int], shapes: Iterable[tuple[int, ...]], picture: Picture
) -> Tokens | None:
    grids = [grid for one in shapes if fits(grid := as_grid(one), picture.size)]
    for ahead in prefixes:
        for grid in grids:
            if grid.cells + ahead == count and grid.cells > 1:
                return Tokens(grid, ahead)
    return None


def declared_prefix(call: Call) -> int | None:
    """Return how many prefix tokens a running module says it has."""
    for frame, _number in call.frames:
        found = getattr(frame.module, "num_prefix_tokens", None)
        if isinstance(found, int):
            return found
    return None


def as_grid(shape: Iterable[int]) -> Grid:
    """(rows, columns) or (frames, rows, columns) -> Grid."""
    return Grid(*([1, *shape][-3:]))


def fits(grid: Grid, size: tuple[int, int, int]) -> bool:
    """Tell whether cells could be those of a picture: the same stride both ways, rounding aside."""
    frames, height, width = size
    if not (1 <= grid.frames <= frames and 1 <= grid.rows <= height and grid.cols >= 1):
        return False
    return abs(grid.cols - width * grid.rows / height) < 1


def _shaped(cells: int, size: tuple[int, int, int]) -> Grid | None:
    """Return the grid of one moment, or of each that halving leaves, in the picture's shape."""
    frames, height, width = size
    moments = frames
    while moments >= 1:
        if cells > 1 and cells % moments == 0:
            plane = cells // moments
            rows = round((plane * height / width) ** 0.5)
            if rows and plane % rows == 0:
                grid = Grid(moments, rows, plane // rows)
                if fits(grid, size):
                    return grid
        moments //= 2
    return None
