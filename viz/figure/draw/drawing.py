"""A plan drawn with matplotlib: one set of axes in mm over the whole page."""

import math
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

import numpy as np

from viz.figure.draw import charts, rasters
from viz.figure.draw import objects as object_marks
from viz.figure.draw.canvas import Canvas
from viz.figure.draw.rasters import Raster
from viz.figure.page import typesetting
from viz.figure.page.plan import Bar, Place, Plan, Words
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.panels.panel_rows import Bars, Matrix, PanelRows, Picture, Spot
from viz.geometry import Box
from viz.rendering import marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(panel_rows: PanelRows, plan: Plan, dpi: int | None = None) -> "Figure":
    """Return the figure: panels, marks and words on one set of axes, whose unit is 1 mm.

    Pictures have the layout's resolution, or ``dpi``. Every artist's gid says what it is:
    panel-ROW-COLUMN, reference-ROW-COLUMN, region-..., part-NUMBER, words-NUMBER.
    """
    canvas = blank(panel_rows, plan, dpi or panel_rows.layout.dpi)
    for place in plan.places:
        _CONTENT[type(place.panel.content)](canvas, place)
    arrows(canvas)
    matches(canvas)
    around(canvas, plan.words, plan.bars)
    return canvas.axes.figure


def blank(panel_rows: PanelRows, plan: Plan, dpi: int) -> Canvas:
    """Return an empty page."""
    from matplotlib.figure import Figure

    size = plan.width / MM_PER_INCH, plan.height / MM_PER_INCH
    figure = Figure(size, dpi=dpi, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, plan.width), ylim=(plan.height, 0))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    return Canvas(axes, panel_rows, plan, rasters.Bases())


def around(canvas: Canvas, some: Container[Words], bars: Iterable[Bar]) -> None:
    """Draw what stands around the panels: ``some`` of the words, colour bars, the legend's dots."""
    for number, words in enumerate(canvas.plan.words):
        if words in some:
            canvas.write(words, f"words-{number}")
    colour_bars(canvas, bars)
    for x, y, number in canvas.plan.dots:
        canvas.dot(x, y, number, canvas.plan.width)


def colour_bars(canvas: Canvas, bars: Iterable[Bar]) -> None:
    """Draw colour bars."""
    for number, bar in enumerate(bars):
        charts.colour_bar(canvas, bar, number)


def raster_of(canvas: Canvas, place: Place) -> Raster:
    """Return the pixels of a picture at the size of its panel."""
    picture = place.panel.content
    rows, cols = pixels_of(canvas, place.box)
    height, width = rows.stop - rows.start, cols.stop - cols.start
    base = canvas.bases.of(picture, width, height, canvas.grey)
    return rasters.over(base, picture, canvas.panel_rows.look, canvas.grey)


def pixels_of(canvas: Canvas, box: Box) -> tuple[slice, slice]:
    """Return the rows and columns of pixels of a box, at least one each."""
    top, left = round(box.top / canvas.pixel), round(box.left / canvas.pixel)
    high = max(1, round((box.bottom - box.top) / canvas.pixel))
    wide = max(1, round((box.right - box.left) / canvas.pixel))
    return slice(top, top + high), slice(left, left + wide)


def _picture(canvas: Canvas, place: Place) -> None:
    made = raster_of(canvas, place)
    canvas.image(made.pixels, place.box, f"panel-{place.row}-{place.column}")
    marks_of(canvas, place, made)


def marks_of(canvas: Canvas, place: Place, made: Raster) -> None:
    """Draw what lies over the pixels of a picture: cells, outlines, boxes, key points."""
    picture, box, name = place.panel.content, place.box, f"{place.row}-{place.column}"
    if made.cells is not None:
        _cells(canvas, made, box, name)
    _outlines(canvas, made, picture, box, name)
    for region in picture.regions:
        _mark(canvas, place, region, "region")
    if picture.reference is not None:
        _mark(canvas, place, picture.reference, "reference")
    object_marks.draw(canvas, place, lambda x, y: on_page(place, x, y), stroke(place))
    for point in picture.points:
        x, y = on_page(place, point.x, point.y)
        if box.left <= x <= box.right and box.top <= y <= box.bottom:
            canvas.dot(x, y, point.number, box.right - box.left)


def _outlines(canvas: Canvas, made: Raster, picture: Picture, box: Box, name: str) -> None:
    """Draw lines around what is shown, in a figure without colours."""
    shade = picture.shade
    if not canvas.grey or made.level is None or shade is None:
        return
    threshold = shade.heat.level(shade.moment, canvas.panel_rows.look)
    if threshold <= 0:
        return
    for line in rasters.outlines(made.level, threshold):
        where = np.array([box.left, box.top]) + line * canvas.pixel
        canvas.line(where, 1.2, "white", f"outline-edge-{name}")
        canvas.line(where, 0.5, "black", f"outline-{name}")


def _cells(canvas: Canvas, made: rasters.Raster, box: Box, name: str) -> None:
    """Lay the map over its picture at its own resolution."""
    wide, high, where = box.right - box.left, box.bottom - box.top, made.where
    over = Box(
        box.left + where.left * wide,
        box.top + where.top * high,
        box.left + where.right * wide,
        box.top + where.bottom * high,
    )
    canvas.image(made.cells, over, f"heat-{name}", inside=box)


def on_page(place: Place, x: float, y: float) -> tuple[float, float]:
    """Map a pixel of a panel's picture to mm on the page."""
    crop, box = place.panel.content.crop, place.box
    return (
        box.left + (x - crop.left) / (crop.right - crop.left) * (box.right - box.left),
        box.top + (y - crop.top) / (crop.bottom - crop.top) * (box.bottom - box.top),
    )


def stroke(place: Place, mark_mm: float = math.inf) -> float:
    """Return the width of a mark's line in points: thinner in small panels and on small marks."""
    fitting = min(
        (place.box.right - place.box.left) / 32, 0.15 * mark_mm / typesetting.MM_PER_POINT
    )
    return min(1.2, max(0.3, fitting))


def _mark(canvas: Canvas, place: Place, region: Box, kind: str) -> None:
    """Draw a mark just inside its panel: a coloured line on a dark one."""
    first = on_page(place, region.left, region.top)
    last = on_page(place, region.right, region.bottom)
    line, box = stroke(place, min(last[0] - first[0], last[1] - first[1])), place.box
    if last[0] <= box.left or first[0] >= box.right or last[1] <= box.top or first[1] >= box.bottom:
        return
    inset = line * typesetting.MM_PER_POINT / 2
    left, right = _inside(first[0], last[0], box.left + inset, box.right - inset, inset)
    top, bottom = _inside(first[1], last[1], box.top + inset, box.bottom - inset, inset)
    held = Box(left, top, right, bottom)
    colour = "white" if kind == "region" or canvas.grey else tuple(v / 255 for v in marks.GREEN)
    dashes = (0, (3, 1.5)) if canvas.grey and kind == "region" else "solid"
    name = f"{place.row}-{place.column}"
    canvas.frame(held, line + 0.4, gid=f"{kind}-edge-{name}")
    canvas.frame(held, line, edgecolor=colour, linestyle=dashes, gid=f"{kind}-{name}")


def _inside(
    first: float, last: float, low: float, high: float, least: float
) -> tuple[float, float]:
    """Return both ends within low to high; what lies at an edge stays ``least`` long."""
    return min(max(first, low), high - least), max(min(last, high), low + least)


def arrows(canvas: Canvas) -> None:
    """Draw the arrows of every row."""
    for number, row in enumerate(canvas.panel_rows.rows):
        ends: dict[tuple[float, float], list[tuple[float, float]]] = {}
        for first, last in row.arrows:
            ends.setdefault(_spot(canvas, number, first), []).append(_spot(canvas, number, last))
        for start, lasts in ends.items():
            place = canvas.plan.place(number, row.arrows[0][0].column)
            colour = "white" if canvas.grey else marks.ARROW
            canvas.arrows(start, lasts, 0.6 * stroke(place), colour)


def matches(canvas: Canvas) -> None:
    """Draw the lines between places that match, the best on top, in colours that tell neighbours
    apart."""
    for number, row in enumerate(canvas.panel_rows.rows):
        for k, ends in reversed([*enumerate(row.lines)]):
            where = np.array([_spot(canvas, number, spot) for spot in ends])
            line = 0.7 * stroke(canvas.plan.place(number, ends[0].column))
            colour = "white" if canvas.grey else marks.PARTS[k % (len(marks.PARTS) - 1)]
            for points, tone, name in ((line + 0.6, "black", "edge-"), (line, colour, "")):
                canvas.line(where, points, tone, f"match-{name}{number}-{k}", ends="o")


def _spot(canvas: Canvas, row: int, spot: Spot) -> tuple[float, float]:
    return on_page(canvas.plan.place(row, spot.column), spot.x, spot.y)


_CONTENT = {Picture: _picture, Bars: charts.bars, Matrix: charts.matrix}
