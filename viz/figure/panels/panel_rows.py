"""A figure before it is drawn: rows of panels as values, with nothing decided about the page."""

from dataclasses import dataclass

import numpy as np

from viz.attention.detection.objects import FoundObject
from viz.figure.recipe.recipe import Layout
from viz.geometry import Box, Geometry
from viz.rendering.heat import Heat
from viz.rendering.look import Look


@dataclass(frozen=True)
class Point:
    """A ground-truth part in pixels of the picture; ``number`` (from 0) chooses its colour."""

    x: float
    y: float
    number: int


@dataclass(frozen=True, eq=False)
class Shade:
    """The heat over a picture: ``moment`` t of a normalised map, where ``geometry`` puts it."""

    heat: Heat
    moment: int
    geometry: Geometry


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame (H, W, 3) uint8 of which ``crop`` is shown, its heat, and the marks on it: the green
    box of the reference, white boxes of regions, points, objects that were found.

    All are in pixels of the file, of which ``size`` is (width, height) where the frame is smaller.
    """

    frame: np.ndarray
    crop: Box
    shade: Shade | None = None
    reference: Box | None = None
    regions: tuple[Box, ...] = ()
    points: tuple[Point, ...] = ()
    objects: tuple[FoundObject, ...] = ()
    size: tuple[int, int] | None = None

    @property
    def shown(self) -> np.ndarray:
        """The part of the frame that the crop shows."""
        crop, (high, wide) = self.crop, self.frame.shape[:2]
        width, height = self.size or (wide, high)
        top, bottom = _span(crop.top, crop.bottom, high / height)
        left, right = _span(crop.left, crop.right, wide / width)
        return self.frame[top:bottom, left:right]

    @property
    def aspect(self) -> float:
        """Height over width."""
        return (self.crop.bottom - self.crop.top) / (self.crop.right - self.crop.left)


def _span(first: float, last: float, scale: float) -> tuple[int, int]:
    """Return the whole pixels, at least one, of a frame of another scale."""
    start = int(first * scale)
    return start, max(start + 1, int(last * scale))


@dataclass(frozen=True, eq=False)
class Bars:
    """The gates of a network by layer: least, mean and largest factor of each, (K,) float32."""

    names: tuple[str, ...]
    least: np.ndarray
    mean: np.ndarray
    largest: np.ndarray
    aspect: float = 0.75


LOG_DECADES = 1e6


@dataclass(frozen=True, eq=False)
class Matrix:
    """An affinity matrix (A, B) float32, of which each entry is the mean of ``block`` (rows,
    columns) references and keys; ``frames`` of queries and keys lie one after the other."""

    values: np.ndarray
    block: tuple[int, int]
    size: tuple[int, int]
    frames: tuple[int, int]
    log: bool = False

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest value shown; on a log scale six decades at most."""
        finite = self.values[np.isfinite(self.values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        return (max(low, high / LOG_DECADES), high) if self.log and high > 0 else (low, high)

    @property
    def aspect(self) -> float:
        """Height over width."""
        return self.values.shape[0] / self.values.shape[1]


Content = Picture | Bars | Matrix


@dataclass(frozen=True, eq=False)
class Panel:
    """One cell of the figure: ``head`` names its column, ``label`` and a note stand under it.

    ``span`` is what 0 and 1 of its heat stand for, None where it has no two such numbers.
    """

    content: Content
    head: str = ""
    label: str = ""
    note: str = ""
    span: tuple[float | None, float | None] = (None, None)

    @property
    def has_heat(self) -> bool:
        """Whether a colour bar has something to explain."""
        if isinstance(self.content, Picture):
            return self.content.shade is not None
        return isinstance(self.content, Matrix)


@dataclass(frozen=True)
class Spot:
    """A place in a picture of a row: its column, and pixels of the original."""

    column: int
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Row:
    """Panels side by side (None: an empty place), arrows between them, strongest first.

    ``low`` and ``high`` are what 0 and 1 of the row's heat stand for, None where its maps differ;
    ``note`` is what has to be said of them; ``one_map`` is set where all panels show one map.
    ``lines`` join places that match, best first.
    """

    label: str
    panels: tuple[Panel | None, ...]
    arrows: tuple[tuple[Spot, Spot], ...] = ()
    low: float | None = None
    high: float | None = None
    note: str = ""
    one_map: bool = False
    lines: tuple[tuple[Spot, Spot], ...] = ()

    @property
    def has_heat(self) -> bool:
        """Whether a colour bar has something to explain."""
        return any(panel.has_heat for panel in self.panels if panel is not None)


@dataclass(frozen=True, eq=False)
class PanelRows:
    """All rows, how they are to look, the names of ground-truth parts by number, what has to be
    said of the maps, and what they are scaled over where look and layout do not say it."""

    rows: tuple[Row, ...]
    look: Look
    layout: Layout
    legend: tuple[str, ...] = ()
    note: str = ""
    scaled: str = ""

    @property
    def panels(self) -> list[tuple[int, int, Panel]]:
        """Return (row, column, panel) of every panel there is."""
        return [
            (r, k, panel)
            for r, row in enumerate(self.rows)
            for k, panel in enumerate(row.panels)
            if panel is not None
        ]

    @property
    def has_heat(self) -> bool:
        """Whether a colour bar has something to explain."""
        return any(row.has_heat for row in self.rows)
