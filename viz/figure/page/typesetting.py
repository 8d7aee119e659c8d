"""Letters on a figure: how wide a text is, and where its lines break.

Where a layout asks for it, what stands between dollar signs is mathtext ($\\alpha_1$).
"""

import re
from functools import lru_cache
from unicodedata import name as name_of_letter

from errors import InputError
from viz.figure.page import fonts

MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72
LEADING = 1.2
"""From line to line, in letter heights."""
_FORMULA = r"\$(?:\\.|[^$\\])+\$"
_WORDS = re.compile(rf"(?:\\.|{_FORMULA}|\S)+")
"""Words of a mathtext label: spaces in a formula are part of it."""


def is_math(text: str) -> bool:
    """Tell whether a text has a formula between dollar signs."""
    return re.search(rf"(?<!\\){_FORMULA}", text) is not None


@lru_cache(maxsize=4096)
def width_mm(text: str, font: str, points: float, math: bool = False) -> float:
    """Return how wide a line of text is, in mm; ``math`` says that formulas in it are drawn."""
    from matplotlib.textpath import TextToPath

    sized = fonts.properties(font, text).copy()
    sized.set_size(points)
    ismath = math and is_math(text)
    width, _, _ = TextToPath().get_text_width_height_descent(text, sized, ismath=ismath)
    return width * MM_PER_POINT


def line_mm(points: float) -> float:
    """Return the height of a line of text with its leading, in mm."""
    return LEADING * points * MM_PER_POINT


def baseline_mm(points: float) -> float:
    """Return how far below the top of a line its letters stand, in mm."""
    return 0.92 * points * MM_PER_POINT


def plain(text: str, font: str, math: bool = False) -> str:
    """Return a label on one line, letter for letter; InputError where no font has a letter, or with
    ``math`` where a formula cannot be read."""
    line = " ".join(text.split())
    if math and is_math(line):
        _check_formulas(line, font)
        return line
    missing = fonts.lacking(line, font)
    if missing is None:
        return line
    raise InputError(
        f"The label {line[:60]!r} has {missing!r} (U+{ord(missing):04X}, "
        f"{name_of_letter(missing, 'no letter')}), which the font {font[-40:]} does not have, nor "
        "another on this machine; install a TrueType font that does, give its file as own_font "
        "(--own-font), or leave it out."
    )


def _check_formulas(line: str, font: str) -> None:
    from matplotlib.mathtext import MathTextParser

    others = re.sub(_FORMULA, "", line)
    missing = next((c for c in others if ord(c) not in fonts.characters(font)), None)
    if missing is not None:
        raise InputError(
            f"The label {line[:60]!r} has a formula and {missing!r} (U+{ord(missing):04X}), which "
            f"the font {font[-40:]} does not have; beside formulas only its own letters are drawn."
        )
    try:
        MathTextParser("path").parse(line, prop=fonts.properties(font))
    except ValueError as problem:
        reason = str(problem).strip().splitlines()[-1]
        raise InputError(
            f"The label {line[:60]!r} is no mathtext ({reason[:100]}); correct what stands between "
            "dollar signs, write \\$ for a dollar sign, or turn mathtext off."
        ) from problem


def broken(text: str, room: float, font: str, points: float, math: bool = False) -> list[str]:
    """Break a plain text into lines of at most ``room`` mm, between words if that can be; a formula
    stays whole."""
    lines: list[str] = []
    for word in words_of(text, math):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_mm(joined, font, points, math) <= room:
            lines[-1] = joined
        elif math and is_math(word):
            lines.append(word)
        else:
            lines.extend(_pieces(word, room, font, points))
    return lines


def words_of(text: str, math: bool = False) -> list[str]:
    """Return the words of a label; with ``math`` a formula is within one word."""
    return _WORDS.findall(text) if math else text.split()


def _pieces(word: str, room: float, font: str, points: float) -> list[str]:
    """Break a word that is wider than the room; no piece is shorter than a letter."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_mm(pieces[-1] + letter, font, points) > room:
            pieces.append(letter)
        else:
            pieces[-1] += letter
    return pieces
