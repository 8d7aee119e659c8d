"""Objects that a detector found, drawn over a picture: box, mask, key points, number."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from viz.attention.detection import objects
from viz.attention.detection.objects import FoundObject
from viz.figure.draw.canvas import Canvas
from viz.figure.page import typesetting
from viz.figure.page.plan import SMALL, Place, Words
from viz.figure.panels.pictures import drawable
from viz.rendering.marks import PARTS

OnPage = Callable[[float, float], tuple[float, float]]
_LONGEST = 24
_LABELLED = 12
"""Up to so many objects have their class beside their box; more have their number."""


def draw(canvas: Canvas, place: Place, on_page: OnPage, points: float) -> None:
    """Draw every object of a panel's picture, the best on top; ``points`` is the line's width."""
    found = place.panel.content.objects
    for one in reversed(found):
        name = f"{one.number}-{place.row}-{place.column}"
        colour = "white" if canvas.grey else PARTS[one.number % len(PARTS)]
        box = one.box
        corners = np.array(
            [
                on_page(x, y)
                for x, y in (
                    (box.left, box.top),
                    (box.right, box.top),
                    (box.right, box.bottom),
                    (box.left, box.bottom),
                    (box.left, box.top),
                )
            ]
        )
        for line, kind in ((corners, "object"), *((c, "mask") for c in _contours(one, on_page))):
            inside = _held(line, place)
            canvas.line(inside, points + 0.5, "white" if not canvas.grey else "black", "")
            canvas.line(inside, points, colour, f"{kind}-{name}")
        _write(canvas, place, one, tuple(_held(corners, place)[0]), len(found))
        for x, y, visible in one.keypoints if one.keypoints is not None else ():
            spot = on_page(float(x), float(y))
            if visible > 0 and _inside(spot, place):
                where = np.array([spot, spot]) + [[-0.3, 0], [0.3, 0]]
                canvas.line(where, 2 * points, colour, f"keypoint-{name}")


def _contours(one: FoundObject, on_page: OnPage) -> list[np.ndarray]:
    return [np.array([on_page(*xy) for xy in line.tolist()]) for line in objects.outline(one)]


def _held(line: np.ndarray, place: Place) -> np.ndarray:
    """Return a line that stays in its panel: boxes may reach over the edge of the picture."""
    box = place.box
    return np.clip(line, (box.left, box.top), (box.right, box.bottom))


def _inside(spot: tuple[float, float], place: Place) -> bool:
    box = place.box
    return box.left <= spot[0] <= box.right and box.top <= spot[1] <= box.bottom


def _write(
    canvas: Canvas, place: Place, one: FoundObject, corner: tuple[float, float], count: int
) -> None:
    """Write number and class inside the upper left corner of the box."""
    size = 0.8 * SMALL * canvas.panel_rows.layout.font_pt
    drop = 0.9 * size * typesetting.MM_PER_POINT
    text = (
        f"{one.number} {drawable(one.name)[:_LONGEST]}" if count <= _LABELLED else str(one.number)
    )
    x, y = corner[0] + 0.4, min(corner[1] + drop, place.box.bottom)
    words = Words(x, y, text, size, align="left")
    for colour, shift in (("black", 0.15), ("white", 0.0)):
        moved = replace(words, x=x + shift, y=y + shift)
        canvas.write(moved, f"object-words-{one.number}-{place.row}-{place.column}", colour)
