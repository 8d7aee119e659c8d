"""A view on a page: one network's overlays with title, colour bar and caption; clips as strips."""

import io
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from models.blocks.layout import Grid
from viz.geometry import Geometry
from viz.rendering import heat as heats
from viz.rendering import overlay
from viz.types import AttentionMap, Cell, Clip, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST_SIDE = 2400
"""Long side in pixels above which a saved view is scaled down; a strip may be twice as high."""
COLUMNS = 8
MARGIN, HEAD, FOOT, GAP = 12, 26, 74, 18
_BETWEEN, _LABEL = 7, 20
"""Pixels between the frames of a strip, and of the line below each, at unit scale."""
_LETTER, _LINE = 5.6, 12
"""Width of a letter of the caption and height of its line, in the same."""
_DPI = 100
NORMALISATION = {
    "clip": "min-max over the map",
    "frame": "min-max of each frame",
    "fixed": "fixed range",
}


@dataclass(frozen=True, eq=False)
class View:
    """One network's part of a view: its maps for one reference, and which of them is shown large.

    ``choice`` says in words how the maps were chosen; ``grid`` is the query grid of ``cell``;
    ``frame`` the frame of the clip that the reference is in.
    """

    model_id: str
    model_sha256: str
    title: str
    choice: str
    geometry: Geometry
    grid: Grid
    cell: Cell
    maps: tuple[AttentionMap, ...]
    shown: AttentionMap
    frame: int = 0

    def sized(self, width: int, height: int) -> "View":
        """Return the same view of a picture scaled to ``width`` x ``height`` pixels."""
        return replace(self, geometry=replace(self.geometry, width=width, height=height))


@dataclass(frozen=True, eq=False)
class Panel:
    """A view with its heat, what paints it, and the lines of its caption."""

    view: View
    heat: heats.Heat
    paint: overlay.Paint
    caption: list[str]

    def painted(self, frame: np.ndarray, index: int, line: int = 0) -> np.ndarray:
        """Return frame ``index`` (H, W, 3) with its heat, and the reference's with its mark."""
        out, view = self.paint(frame, index), self.view
        if index != view.frame:
            return out
        return overlay.mark_reference(out, view.geometry, view.cell, view.grid, line)


class Page:
    """A white page of ``wide`` x ``high`` pixels; places count from its lower left corner.

    ``unit`` scales letters and lines.
    """

    def __init__(self, wide: int, high: int, unit: float) -> None:
        # Imported late: the page of the app shows its first map without it.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.wide, self.high, self.unit = wide, high, unit
        self.figure = Figure((wide / _DPI, high / _DPI), dpi=_DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)

    def axes(self, left: float, low: float, wide: float, high: float) -> "Axes":
        """Return new axes at a place in pixels."""
        box = (left / self.wide, low / self.high, wide / self.wide, high / self.high)
        return self.figure.add_axes(box)

    def write(self, left: float, low: float, text: str, points: float, **how: object) -> None:
        """Write plain text, ``points`` large at unit scale, from a place in pixels."""
        where = (left / self.wide, low / self.high)
        self.figure.text(*where, text, fontsize=points * self.unit, parse_math=False, **how)

    def panel(self, panel: Panel, left: int, low: int, picture: np.ndarray, look: Look) -> "Axes":
        """Draw a picture (H, W, 3), pixel for pixel, between its title and its bar and caption.

        ``left``, ``low`` is the corner of the part below the picture. Returns the picture's axes.
        """
        unit, foot = self.unit, round(FOOT * self.unit)
        axes = self.axes(left, low + foot, picture.shape[1], picture.shape[0])
        axes.imshow(picture, interpolation="none")
        axes.set_axis_off()
        title = panel.view.title
        axes.set_title(title, fontsize=9 * unit, loc="left", pad=5 * unit, parse_math=False)
        bar = self.axes(left, low + foot * 0.62, picture.shape[1], foot * 0.16)
        overlay.draw_colour_bar(bar, panel.heat, look, unit)
        caption = "\n".join(panel.caption)
        self.write(left, low + foot * 0.28, caption, 7, va="top", linespacing=1.1)
        return axes

    def pixels(self) -> np.ndarray:
        """Return the page as (high, wide, 3) uint8."""
        self.canvas.draw()
        return np.asarray(self.canvas.buffer_rgba())[..., :3].copy()

    def png(self) -> bytes:
        """Return the page as PNG: the same page gives the same bytes."""
        packed = io.BytesIO()
        self.canvas.print_png(packed, metadata={"Software": None})
        return packed.getvalue()


def panels(clip: Clip, views: list[View], look: Look, wide: int, unit: float) -> list[Panel]:
    """Return each view with its heat and its caption, broken to fit ``wide`` pixels."""
    letters = max(20, round(wide / (_LETTER * unit)))
    found = []
    for view in views:
        heat = heats.normalise(view.shown, look)
        paint = overlay.painter(view.geometry, heat, look, len(clip.frames))
        found.append(Panel(view, heat, paint, wrap(_caption(clip, view, heat, look), letters)))
    return found


def caption_room(captions: list[Panel], unit: float) -> int:
    """Return the pixels that the longest caption needs after its first line."""
    return round(_LINE * unit) * (max(len(panel.caption) for panel in captions) - 1)


def _caption(clip: Clip, view: View, heat: heats.Heat, look: Look) -> str:
    if heat.constant:
        return f"{view.shown.label}: constant map, nothing shown"
    frame = f"frame {view.frame} " if len(clip.frames) > 1 else ""
    return (
        f"{view.shown.label}, reference {frame}row {view.cell.y} column {view.cell.x}; "
        f"{NORMALISATION[look.normalise]}; shown from {look.threshold:.2f}"
    )


@dataclass(frozen=True)
class Table:
    """How the frames of a strip stand: sizes in pixels, counted from its upper left corner."""

    frames: int
    width: int
    height: int
    unit: float

    @property
    def columns(self) -> int:
        """Frames in a row."""
        return min(self.frames, COLUMNS)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole."""
        rows = -(-self.frames // COLUMNS)
        gap, label = round(_BETWEEN * self.unit), round(_LABEL * self.unit)
        return self.columns * (self.width + gap) - gap, rows * (self.height + label)

    def corner(self, frame: int) -> tuple[int, int]:
        """Return the left and upper edge of a frame."""
        row, column = divmod(frame, COLUMNS)
        return (
            column * (self.width + round(_BETWEEN * self.unit)),
            row * (self.height + round(_LABEL * self.unit)),
        )


def png(clip: Clip, views: list[View], look: Look) -> bytes:
    """Draw a clip as strips of its frames, one network below the other: PNG bytes.

    Each frame has the heat of its moment, its number and its time in s; the reference's has the
    green rectangle, and the arrows of the look start there.
    """
    columns, rows = min(len(clip.frames), COLUMNS), -(-len(clip.frames) // COLUMNS)
    highest = 2 * LARGEST_SIDE / (rows * len(views)) - 2 * _LABEL
    width, height = overlay.fitted(clip, 0.94 * LARGEST_SIDE / columns, max(16, 0.8 * highest))
    unit = max(1.0, columns * width / 1200)
    table = Table(len(clip.frames), width, height, unit)
    margin, head, foot = (round(v * unit) for v in (MARGIN, HEAD, FOOT))
    drawn = panels(clip, [view.sized(width, height) for view in views], look, table.size[0], unit)
    step = head + table.size[1] + foot + caption_room(drawn, unit)
    page = Page(2 * margin + table.size[0], 2 * margin + len(drawn) * step, unit)
    for k, panel in enumerate(drawn):
        low = page.high - margin - (k + 1) * step + caption_room(drawn, unit)
        axes = page.panel(panel, margin, low, _sheet(clip, panel, table), look)
        _label(clip, axes, panel.view.frame, table)
        overlay.draw_arrows(axes, *arrow_ends(panel.view, table, look.arrows), line=0.9 * unit)
    return page.png()


def _sheet(clip: Clip, panel: Panel, table: Table) -> np.ndarray:
    """Return the painted frames in their places on white: (H, W, 3) uint8."""
    wide, high = table.size
    sheet = np.full((high, wide, 3), 255, np.uint8)
    for index, frame in enumerate(clip.frames):
        small = overlay.scaled(frame, table.width, table.height)
        left, top = table.corner(index)
        place = slice(top, top + table.height), slice(left, left + table.width)
        sheet[place] = panel.painted(small, index, round(1.6 * table.unit))
    return sheet


def _label(clip: Clip, axes: "Axes", reference: int, table: Table) -> None:
    roomy = table.width > 18 * _LETTER * table.unit
    for index, time in enumerate(clip.timestamps):
        left, top = table.corner(index)
        text = f"frame {index}, {time:.2f} s" if roomy else f"{index}"
        weight = "bold" if index == reference else "normal"
        where = (left - 0.5, top + table.height + 2 * table.unit)
        axes.text(*where, text, fontsize=7 * table.unit, va="top", weight=weight)


def arrow_ends(
    view: View, table: Table, count: int
) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    """Return where the arrow's start and its ``count`` ends are, in pixels of the table.

    Of a single picture that was held still only the moment that is drawn has ends.
    """
    values = view.shown.values[: 1 if table.frames == 1 else None]
    grid = Grid(*values.shape)

    def middle(frame: int, cell: Cell, grid: Grid) -> tuple[float, float]:
        left, top = table.corner(frame)
        x, y = view.geometry.cell_centre(cell.y, cell.x, grid)
        return left + x - 0.5, top + y - 0.5

    ends = [
        middle(overlay.frame_of(cell.t, table.frames, grid.frames), cell, grid)
        for cell in overlay.strongest(replace(view.shown, values=values), count)
    ]
    return middle(view.frame, view.cell, view.grid), ends
