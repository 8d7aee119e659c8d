"""The fonts of a figure: those that come with the program, one of your own, and for letters that it
lacks one of the machine's that has them."""

import logging
import os.path
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category

from errors import InputError
from viz.figure.recipe.recipe import Layout

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

FAMILIES: dict[str, str] = {
    "sans": "DejaVu Sans",
    "serif": "DejaVu Serif",
    "times": "STIXGeneral",
}
"""Fonts that come with matplotlib, so that every machine has the same; STIX is like Times."""
_MATH = {"sans": "dejavusans", "serif": "dejavuserif", "times": "stix"}
"""Font -> matplotlib's set of fonts for formulas beside it."""
_ENDINGS = (".ttf", ".ttc", ".otf")
_LARGEST = 64 * 2**20
_BEST = (
    "DejaVu", "Noto Sans CJK", "Noto Sans", "Noto", "Source Han", "WenQuanYi Zen Hei", "WenQuanYi",
    "Microsoft YaHei", "Yu Gothic", "Hiragino", "IPA", "Arial Unicode", "FreeSans", "Free",
)  # fmt: skip
"""How the names of fonts for further letters begin, the best first; others follow by name."""
_NEVER = ("Last Resort", "cm", "STIXSize", "STIXNon", "Unifont CSUR", "Unifont Upper")
"""Fonts of placeholders, and of pieces of formulas."""
_LOCK = threading.Lock()


def _is_told(record: logging.LogRecord) -> bool:
    """Tell whether a line of matplotlib's log is for users: further fonts have the weight that they
    have."""
    return "font weight" not in record.getMessage()


logging.getLogger("matplotlib.font_manager").addFilter(_is_told)


def typeface(layout: Layout) -> str:
    """Return the font of a layout: a name of FAMILIES, an installed family, or a file."""
    return layout.own_font or layout.font


def is_file(font: str) -> bool:
    """Tell whether a font is given by a path, which only command line and Python open."""
    return font.lower().endswith(_ENDINGS)


def beside(layout: Layout, folder: Path) -> Layout:
    """Return a layout with its font's file taken from ``folder``, where it is not at its path: a
    recipe has the bare name of a file that lay elsewhere."""
    given = layout.own_font
    if not is_file(given) or os.path.isfile(given):  # noqa: PTH113 (never raises)
        return layout
    here = os.path.abspath(folder / Path(given).name)  # noqa: PTH100
    return replace(layout, own_font=here) if os.path.isfile(here) else layout  # noqa: PTH113


@lru_cache(maxsize=512)
def properties(font: str, text: str = "", bold: bool = False) -> "FontProperties":
    """Return matplotlib's name for a font, with those behind it that ``text`` needs."""
    from matplotlib.font_manager import FontProperties

    own = characters(font)
    others = (_further(letter) for letter in sorted(set(text)) if ord(letter) not in own)
    families = [family(font), *dict.fromkeys(other for other in others if other)]
    weight = "bold" if bold else "normal"
    return FontProperties(
        family=families, weight=weight, math_fontfamily=_MATH.get(font, "dejavusans")
    )


def lacking(text: Iterable[str], font: str) -> str | None:
    """Return the first letter that neither a font has nor another of this machine; None where all
    are there."""
    own = characters(font)
    return next((c for c in text if ord(c) not in own and _further(c) is None), None)


def characters(font: str) -> frozenset[int]:
    """Return the letters of a font, by their numbers."""
    return _of_family(family(font))


@cache
def family(font: str) -> str:
    """Return the family of a font; InputError where it is not installed, or no font's file."""
    if font in FAMILIES:
        return FAMILIES[font]
    if is_file(font):
        return _registered(Path(font))
    if font in _installed():
        return font
    raise InputError(
        f"There is no font {font[:60]!r} on this machine; give {', '.join(FAMILIES)}, the name of "
        f"one that is installed, or the path of a file ({', '.join(_ENDINGS)})."
    )


def _registered(path: Path) -> str:
    """Tell matplotlib of a font file, and return its family."""
    from matplotlib.font_manager import fontManager, get_font

    cure = "give the path of a TrueType font, of which files hold the letters that occur"
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise OSError(f"no file of at most {_LARGEST // 2**20} MB")
        if not _has_outlines(str(path)):
            raise ValueError("its outlines are not TrueType")
        with _LOCK:
            fontManager.addfont(str(path))
            # Before one of the same name that is installed.
            fontManager.ttflist.insert(0, fontManager.ttflist.pop())
            return get_font(str(path)).family_name
    except Exception as problem:  # FreeType and fontTools raise almost anything on other files
        reason = str(problem)[:80] or type(problem).__name__
        raise InputError(f"The font {path.name} cannot be used ({reason}); {cure}.") from problem


@cache
def _has_outlines(path: str) -> bool:
    """Tell whether a font has TrueType outlines: PDFs hold no others, nor pictures of letters."""
    from fontTools.ttLib import TTFont

    with Path(path).open("rb") as file, TTFont(file, fontNumber=0, lazy=True) as font:
        return "glyf" in font


def _installed() -> set[str]:
    from matplotlib.font_manager import fontManager

    return {entry.name for entry in fontManager.ttflist}


@cache
def _candidates() -> tuple[str, ...]:
    """Return the families that further letters are looked for in, the best first."""
    names = {name for name in _installed() if not name.startswith(_NEVER)}

    def rank(name: str) -> tuple[int, str]:
        starts = (k for k, start in enumerate(_BEST) if name.startswith(start))
        return next(starts, len(_BEST)), name

    return tuple(sorted(names, key=rank))


@lru_cache(maxsize=4096)
def _further(letter: str) -> str | None:
    """Return the family that draws a letter that a figure's font lacks; None where there is none.

    Control characters, private ones and those that are not assigned are drawn by nothing.
    """
    if category(letter).startswith("C"):
        return None
    return next((name for name in _candidates() if ord(letter) in _of_family(name)), None)


@lru_cache(maxsize=256)
def _of_family(name: str) -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    path = findfont(FontProperties(family=name), fallback_to_default=False)
    try:
        return frozenset(get_font(path).get_charmap()) if _has_outlines(str(path)) else frozenset()
    except Exception:  # a font of the machine that cannot be read has no letters
        return frozenset()
