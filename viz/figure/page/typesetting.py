"""Letters on a figure: the fonts there are, how wide a text is, and where its lines break."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from errors import InputError
from viz.figure.recipe.recipe import Font

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

FAMILIES: dict[str, str] = {
    "sans": "DejaVu Sans",
    "serif": "DejaVu Serif",
    "times": "STIXGeneral",
}
"""Fonts that come with matplotlib, so that every machine has the same; STIX is like Times."""
MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72
LEADING = 1.2
"""From line to line, in letter heights."""


@cache
def properties(font: Font, bold: bool = False) -> "FontProperties":
    """Return matplotlib's name for a font."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FAMILIES[font], weight="bold" if bold else "normal")


@cache
def _characters(font: Font) -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(properties(font))).get_charmap())


@lru_cache(maxsize=4096)
def width_mm(text: str, font: Font, points: float) -> float:
    """Return how wide a line of text is, in mm."""
    from matplotlib.textpath import TextToPath

    sized = properties(font).copy()
    sized.set_size(points)
    width, _, _ = TextToPath().get_text_width_height_descent(text, sized, ismath=False)
    return width * MM_PER_POINT


def line_mm(points: float) -> float:
    """Return the height of a line of text with its leading, in mm."""
    return LEADING * points * MM_PER_POINT


def baseline_mm(points: float) -> float:
    """Return how far below the top of a line its letters stand, in mm."""
    return 0.92 * points * MM_PER_POINT


def plain(text: str, font: Font) -> str:
    """Return a label on one line, letter for letter; InputError when the font lacks a letter."""
    line = " ".join(text.split())
    lacking = next((c for c in line if ord(c) not in _characters(font)), None)
    if lacking is None:
        return line
    others = [name for name in FAMILIES if ord(lacking) in _characters(name)]
    cure = f"use the font {' or '.join(others)}" if others else "leave it out"
    raise InputError(
        f"The label {line[:60]!r} has {lacking!r} (U+{ord(lacking):04X}), which the font {font} "
        f"does not have; {cure}."
    )


def broken(text: str, room: float, font: Font, points: float) -> list[str]:
    """Break a plain text into lines of at most ``room`` mm, between words if that can be."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_mm(joined, font, points) <= room:
            lines[-1] = joined
        else:
            lines.extend(_pieces(word, room, font, points))
    return lines


def _pieces(word: str, room: float, font: Font, points: float) -> list[str]:
    """Break a word that is wider than the room; no piece is shorter than a letter."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_mm(pieces[-1] + letter, font, points) > room:
            pieces.append(letter)
        else:
            pieces[-1] += letter
    return pieces
