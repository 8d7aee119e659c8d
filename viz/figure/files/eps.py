"""A drawing as EPS: words as text with their fonts, everything else as one picture under them.

PostScript knows no transparency, which heat, colour bars and arrows are drawn with; so they are
drawn at the figure's resolution and packed (LanguageLevel 3). The recipe stands in comments.
"""

import base64
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

RECIPE_LINE = "%NonlocalVizRecipe: "
_POINTS = 72
_LINE = 200
"""Letters of the recipe in a line of comments."""
_BOUNDS = "_bounds"
_CREATED = re.compile(r"^%%CreationDate:.*\n", re.M)
_PAGE_BEGINS = re.compile(r"^.* rectclip\n", re.M)
_COMMENTS_END = "%%EndComments\n"


def write(
    drawing: "Figure",
    pixels: Callable[["Figure", int], np.ndarray],
    dpi: int,
    creator: str,
    recipe_text: str | None,
) -> bytes:
    """Return the drawing as EPS, the same bytes for the same drawing; it is left as it was.

    ``pixels`` draws a figure as (H, W, 3 or 4) uint8; ``recipe_text`` is plain ASCII.
    """
    words = [text for axes in drawing.axes[:1] for text in axes.texts if text.get_visible()]
    others = [one for axes in drawing.axes for one in axes.get_children() if one not in words]
    with _hidden(words):
        under = pixels(drawing, dpi)[..., :3]
    packed = io.StringIO()
    unseen = [one for one in others if one.get_visible()]
    with _hidden(unseen), _hidden([drawing.patch]), _boxes_as_fonts_tell():
        drawing.savefig(packed, format="eps", backend="ps", metadata={"Creator": creator})
    text = _CREATED.sub("", packed.getvalue(), count=1)
    comments = _comments(recipe_text) + _COMMENTS_END
    text = text.replace(_COMMENTS_END, comments, 1)
    place = _PAGE_BEGINS.search(text)
    if place is None:
        raise ValueError("matplotlib wrote an EPS without a clip of its page")
    wide, high = (side * _POINTS for side in drawing.get_size_inches())
    picture = _picture(under, wide, high)
    return f"{text[: place.end()]}{picture}{text[place.end() :]}".encode("latin-1")


def recipe_in(content: bytes) -> bytes | None:
    """Return the recipe in an EPS of ours; None where it holds none. ValueError where it is
    damaged."""
    mark = RECIPE_LINE.encode()
    lines = [line[len(mark) :] for line in content.splitlines() if line.startswith(mark)]
    return base64.b64decode(b"".join(lines), validate=True) if lines else None


@contextmanager
def _hidden(artists: Sequence["Artist"]) -> Iterator[None]:
    shown = [artist for artist in artists if artist.get_visible()]
    try:
        for artist in shown:
            artist.set_visible(False)
        yield
    finally:
        for artist in shown:
            artist.set_visible(True)


@contextmanager
def _boxes_as_fonts_tell() -> Iterator[None]:
    """Have matplotlib take the box of a font's letters from its head table, where it stands.

    It would draw every letter of the font for it: a second a font. Where a version of matplotlib
    finds the box by another name, nothing is changed. The caller holds the lock of drawings.
    """
    from matplotlib.backends import backend_ps  # noqa: PLC0415 (its fonts take long to import)

    own = getattr(backend_ps, _BOUNDS, None)
    if own is None:
        yield
        return
    try:
        setattr(backend_ps, _BOUNDS, _box)
        yield
    finally:
        setattr(backend_ps, _BOUNDS, own)


def _box(font: "TTFont") -> tuple[int, int, int, int]:
    """Return the box of all letters: left, bottom, right, top in units of the font."""
    head = font["head"]
    return head.xMin, head.yMin, head.xMax, head.yMax


def _comments(recipe_text: str | None) -> str:
    if recipe_text is None:
        return ""
    letters = base64.b64encode(recipe_text.encode("ascii")).decode()
    starts = range(0, len(letters), _LINE)
    return "".join(f"{RECIPE_LINE}{letters[at : at + _LINE]}\n" for at in starts)


def _picture(pixels: np.ndarray, wide: float, high: float) -> str:
    """Return the PostScript that draws (H, W, 3) uint8 over a page of wide x high points."""
    rows, columns, _rgb = pixels.shape
    packed = base64.a85encode(zlib.compress(pixels.tobytes(), 6), wrapcol=240).decode()
    packed = packed.replace("\n", "\n ")  # no line may begin like a comment
    return (
        f"gsave\n{wide:.6f} {high:.6f} scale\n/DeviceRGB setcolorspace\n"
        f"<< /ImageType 1 /Width {columns} /Height {rows} /BitsPerComponent 8\n"
        f"/Decode [0 1 0 1 0 1] /ImageMatrix [{columns} 0 0 {-rows} 0 {rows}]\n"
        "/DataSource currentfile /ASCII85Decode filter /FlateDecode filter >> image\n"
        f"{packed}~>\ngrestore\n"
    )
