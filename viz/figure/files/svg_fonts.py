"""The fonts of an SVG that matplotlib wrote with letters as text, put inside it.

Of each font only the glyphs that occur, so that the figure looks the same where the font is not
installed. Programs that know no embedded fonts find a similar one named behind.
"""

import base64
import io
import re
from dataclasses import dataclass
from functools import lru_cache

from defusedxml import ElementTree
from fontTools import subset
from matplotlib.font_manager import FontProperties, fontManager

SIMILAR = {
    "DejaVu Sans": "Verdana, sans-serif",
    "DejaVu Serif": "serif",
    "STIXGeneral": "'Times New Roman', Times, serif",
}
"""Family -> what stands behind it in font-family."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAMILIES = re.compile(
    r"""(<(?:text|tspan) [^<>]*?font-family: )('[^'"<>;]+'(?:, '[^'"<>;]+')*)(?=[;"])"""
)
_STYLE_PLACE = "</metadata>\n"


@dataclass(frozen=True, order=True)
class Face:
    """A font as a style attribute asks for it; ``weight`` is CSS's number, 400 is regular."""

    family: str
    weight: int = 400
    style: str = "normal"


def embedded(svg: str) -> str:
    """Return the SVG with its fonts inside, and characters that XML cannot hold as U+FFFD."""
    svg = _NOT_XML.sub("\ufffd", svg)
    rules = "\n".join(_rule(face, letters) for face, letters in sorted(faces(svg).items()))
    head, place, rest = svg.partition(_STYLE_PLACE)
    if not place:
        raise ValueError("matplotlib wrote an SVG without metadata")
    style = f' <defs>\n  <style type="text/css">\n{rules}\n  </style>\n </defs>\n'
    return head + place + (style if rules else "") + _FAMILIES.sub(_with_similar, rest)


def faces(svg: str) -> dict[Face, str]:
    """Return each font that is used and the letters that it draws, sorted.

    Where several families are named, a letter is drawn by the first that has it. Families that
    are not installed are left to the reader's machine.
    """
    found: dict[Face, set[str]] = {}
    for element in ElementTree.fromstring(svg).iter():
        style = _style(element.get("style", ""))
        families = re.findall(r"'([^']+)'", style.get("font-family", ""))
        letters = set("".join(element.itertext())) - set("\n\r\t")
        for family in families:
            face = Face(
                family, int(style.get("font-weight", 400)), style.get("font-style", "normal")
            )
            drawn = letters & _characters(face)
            if drawn:
                found.setdefault(face, set()).update(drawn)
            letters -= drawn
    return {face: "".join(sorted(letters)) for face, letters in found.items()}


def _style(text: str) -> dict[str, str]:
    pairs = (entry.partition(":") for entry in text.split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _with_similar(match: re.Match[str]) -> str:
    start, families = match.groups()
    similar = SIMILAR.get(families.split("'")[1])
    return f"{start}{families}, {similar}" if similar else match.group()


def _rule(face: Face, letters: str) -> str:
    packed = base64.b64encode(_subset(face, letters)).decode()
    return (
        f"@font-face {{font-family: '{face.family}'; font-weight: {face.weight}; "
        f"font-style: {face.style}; src: url(data:font/woff;base64,{packed}) format('woff')}}"
    )


def _file(face: Face) -> tuple[str, int] | None:
    """Return the file of a font, and its number in it (collections hold several)."""
    asked = FontProperties(family=face.family, weight=face.weight, style=face.style)
    try:
        found = fontManager.findfont(asked, fallback_to_default=False)
        return str(found), found.face_index
    except ValueError:
        return None


@lru_cache(16)
def _characters(face: Face) -> frozenset[str]:
    place = _file(face)
    if place is None:
        return frozenset()
    path, number = place
    with subset.load_font(path, subset.Options(font_number=number), lazy=True) as font:
        return frozenset(chr(code) for code in font.getBestCmap())


@lru_cache(64)
def _subset(face: Face, letters: str) -> bytes:
    path, number = _file(face)
    options = subset.Options(
        flavor="woff", hinting=False, recalc_timestamp=False, font_number=number
    )
    options.drop_tables += ["FFTM", "BDF "]  # FontForge's time stamp; bitmaps
    packed = io.BytesIO()
    with subset.load_font(path, options) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=letters)
        subsetter.subset(font)
        subset.save_font(font, packed, options)
    return packed.getvalue()
