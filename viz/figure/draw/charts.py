"""Panels that are no pictures, and colour bars: drawn with a canvas."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from viz.figure.draw import rasters
from viz.figure.draw.canvas import Canvas
from viz.figure.page import fonts, typesetting
from viz.figure.page.colour_bars import cut_text, ends
from viz.figure.page.plan import SMALL, Bar, Place, Words
from viz.geometry import Box
from viz.rendering.look import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def matrix(canvas: Canvas, place: Place) -> None:
    """Draw an affinity matrix, with lines between the frames of queries and keys."""
    made, box = place.panel.content, place.box
    colours = rasters.colour_table(canvas.panel_rows.look, canvas.grey)
    canvas.image(rasters.matrix_pixels(made, colours), box, f"panel-{place.row}-{place.column}")
    queries, keys = made.frames
    for k in range(1, queries):
        y = box.top + k / queries * (box.bottom - box.top)
        canvas.line(np.array([[box.left, y], [box.right, y]]), 0.3, "0.75")
    for k in range(1, keys):
        x = box.left + k / keys * (box.right - box.left)
        canvas.line(np.array([[x, box.top], [x, box.bottom]]), 0.3, "0.75")
    canvas.frame(box, 0.5)


def bars(canvas: Canvas, place: Place) -> None:
    """Draw the gates of all layers: mean as a dot, least to largest as a line, 1 dotted."""
    made, box, small = place.panel.content, place.box, SMALL * canvas.panel_rows.layout.font_pt
    room = typesetting.line_mm(small)
    axes = _axes_in(
        canvas, Box(box.left + 2.6 * room, box.top + 0.3, box.right - 0.3, box.bottom - 1.3 * room)
    )
    axes.set_gid(f"panel-{place.row}-{place.column}")
    where = np.arange(len(made.names))
    axes.vlines(where, made.least, made.largest, color="0.55", linewidth=1.2)
    axes.plot(where, made.mean, "o", color="black", markersize=2.2)
    axes.axhline(1.0, color="black", linewidth=0.5, linestyle=":")
    axes.set_xlim(-0.6, len(where) - 0.4)
    shown = sorted({0, len(where) // 2, len(where) - 1})
    axes.set_xticks(shown, [str(k + 1) for k in shown])
    axes.tick_params(length=1.5, width=0.4, pad=1)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_fontproperties(fonts.properties(canvas.font))
        text.set_fontsize(small)
        text.set_parse_math(False)
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)


def _axes_in(canvas: Canvas, box: Box) -> "Axes":
    """Return axes of their own in a box in mm."""
    plan = canvas.plan
    return canvas.axes.figure.add_axes(
        (
            box.left / plan.width,
            1 - box.bottom / plan.height,
            (box.right - box.left) / plan.width,
            (box.bottom - box.top) / plan.height,
        )
    )


def colour_bar(canvas: Canvas, bar: Bar, number: int) -> None:
    """Draw a colour bar: pale below the threshold, with what its ends and the cut stand for."""
    look, box = canvas.panel_rows.look, bar.box
    ramp = rasters.colour_table(look, canvas.grey)
    canvas.image(ramp[::-1, None] if bar.upward else ramp[None], box, f"bar-{number}")
    cut, wide, high = _cut(look), box.right - box.left, box.bottom - box.top
    below = (
        Box(box.left, box.bottom - cut * high, box.right, box.bottom)
        if bar.upward
        else Box(box.left, box.top, box.left + cut * wide, box.bottom)
    )
    canvas.veil(below, 0.75)
    canvas.frame(box)
    low, top = ends(bar.low, bar.high)
    texts, middle = [(0.0, low), (1.0, top)], cut_text(bar.low, bar.high, cut)
    if _has_room(canvas, bar, (low, top), middle):
        texts.append((cut, middle))
    points = _fitting(canvas, bar, (low, top))
    for share, text in texts:
        _tick(canvas, bar, share, Words(0, 0, text, points), f"bar-{number}-{share:g}")


def _cut(look: Look) -> float:
    """Return where a bar is cut; 0 where every map has a level of its own."""
    return look.threshold if look.cut == "value" else 0.0


def _fitting(canvas: Canvas, bar: Bar, outer: tuple[str, str]) -> float:
    """Return the size of a bar's numbers: smaller where both ends would not fit."""
    points, font = SMALL * canvas.panel_rows.layout.font_pt, canvas.font
    if bar.upward:
        room, needed = bar.box.bottom - bar.box.top, 2.2 * _letter(points)
    else:
        room = bar.box.right - bar.box.left
        needed = sum(typesetting.width_mm(f"{text} ", font, points) for text in outer)
    return points * min(1.0, room / needed)


def _letter(points: float) -> float:
    """Return the height of a digit in mm."""
    return 0.73 * points * typesetting.MM_PER_POINT


def _has_room(canvas: Canvas, bar: Bar, outer: tuple[str, str], middle: str) -> bool:
    """Tell whether the cut's number fits between what stands at the ends."""
    points, cut, box = (
        SMALL * canvas.panel_rows.layout.font_pt,
        _cut(canvas.panel_rows.look),
        bar.box,
    )
    if not 0 < cut < 1:
        return False
    if bar.upward:
        return min(cut, 1 - cut) * (box.bottom - box.top) > 1.5 * typesetting.line_mm(points)
    low, top, own = (
        typesetting.width_mm(text, canvas.font, points) for text in (*outer, f"{middle} ")
    )
    wide = box.right - box.left
    return cut * wide > low + own / 2 + 0.5 and (1 - cut) * wide > top + own / 2 + 0.5


def _tick(canvas: Canvas, bar: Bar, share: float, words: Words, gid: str) -> None:
    """Write a number where it belongs along the bar."""
    box, pad, letter = bar.box, 0.6, _letter(words.points)
    if bar.upward:
        y = box.bottom - share * (box.bottom - box.top - letter)
        canvas.write(replace(words, x=box.right + pad, y=y, align="left"), gid)
        return
    x = box.left + share * (box.right - box.left)
    align = {0.0: "left", 1.0: "right"}.get(share, "center")
    canvas.write(replace(words, x=x, y=box.bottom + pad + letter, align=align), gid)
