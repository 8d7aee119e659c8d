"""A drawing as the bytes of a file: PDF, SVG, EPS, PNG or TIFF, the same for the same drawing.

Nothing in the bytes depends on the clock, the machine's matplotlibrc, or what was drawn before.
"""

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from errors import MachineError
from viz import whole_files
from viz.figure.draw.settings import HASH_SALT, fixed_settings
from viz.figure.files import eps, svg_fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STILL = {
    "pdf": ("PDF", "application/pdf"),
    "svg": ("SVG", "image/svg+xml"),
    "png": ("PNG", "image/png"),
    "eps": ("EPS", "application/postscript"),
    "tiff": ("TIFF", "image/tiff"),
}
"""Kind -> (title, media type) of the files that hold one picture."""
CREATOR = HASH_SALT
RECIPE_KEY = "Recipe"
"""Keyword of a PNG's text chunk. In a PDF the recipe is the Subject, in an SVG dc:description, in
a TIFF its description, in an EPS it stands in comments."""
_ALIASES = {"tif": "tiff"}
_DESCRIPTION, _SOFTWARE = 270, 305

_LEVEL = 1
"""zlib's level of a PNG: for 1650 x 900 px level 6 takes 0.4 s more, and saves 15 %."""


def write(drawing: "Figure", kind: str, dpi: int, recipe_text: str | None) -> bytes:
    """Return the drawing as the bytes of a ``kind`` of STILL, with the recipe inside.

    ``dpi`` is the resolution of PNG and TIFF, and of what is no text in an EPS. ``recipe_text`` is
    plain ASCII; None leaves it out. Letters stay letters in PDF, SVG and EPS, with their fonts
    embedded. The drawing is left as it was; several threads may write, also the same drawing.
    """
    with fixed_settings():
        return _WRITERS[kind](drawing, dpi, recipe_text)


def _pdf(drawing: "Figure", dpi: int, recipe_text: str | None) -> bytes:
    packed = io.BytesIO()
    facts = {"Creator": CREATOR, "CreationDate": None, "Subject": recipe_text}
    drawing.savefig(packed, format="pdf", backend="pdf", dpi=dpi, metadata=facts)
    return packed.getvalue()


def _svg(drawing: "Figure", dpi: int, recipe_text: str | None) -> bytes:
    packed = io.StringIO()
    facts = {"Creator": CREATOR, "Date": None, "Description": recipe_text}
    drawing.savefig(packed, format="svg", backend="svg", dpi=dpi, metadata=facts)
    return svg_fonts.embedded(packed.getvalue()).encode()


def _png(drawing: "Figure", dpi: int, recipe_text: str | None) -> bytes:
    return png(pixels(drawing, dpi), dpi, recipe_text)


def png(picture: np.ndarray, dpi: int, recipe_text: str | None = None) -> bytes:
    """Return (H, W, 3 or 4) uint8 as a PNG, with the recipe inside."""
    facts = PngInfo()
    if recipe_text is not None:
        # Not compressed: Pillow refuses a picture whose compressed texts exceed 1 MB.
        facts.add_text(RECIPE_KEY, recipe_text)
    packed = io.BytesIO()
    Image.fromarray(picture).save(
        packed, "PNG", dpi=(dpi, dpi), pnginfo=facts, compress_level=_LEVEL
    )
    return packed.getvalue()


def _eps(drawing: "Figure", dpi: int, recipe_text: str | None) -> bytes:
    return eps.write(drawing, pixels, dpi, CREATOR, recipe_text)


def _tiff(drawing: "Figure", dpi: int, recipe_text: str | None) -> bytes:
    facts = {_SOFTWARE: CREATOR}
    if recipe_text is not None:
        facts[_DESCRIPTION] = recipe_text
    packed = io.BytesIO()
    picture = Image.fromarray(pixels(drawing, dpi))
    picture.save(packed, "TIFF", dpi=(dpi, dpi), tiffinfo=facts, compression="tiff_lzw")
    return packed.getvalue()


def kind_of(path: Path) -> str:
    """Return the kind of file that a path's ending asks for, in small letters: pdf, tiff ("" where
    it has none)."""
    ending = path.suffix.lower().removeprefix(".")
    return _ALIASES.get(ending, ending)


def pixels(drawing: "Figure", dpi: int) -> np.ndarray:
    """Return the drawing as (H, W, 3) uint8, or with opacity (H, W, 4) where something shines
    through; it is left as it was."""
    canvas, own_dpi = drawing.canvas, drawing.dpi
    try:
        drawing.dpi = dpi
        agg = FigureCanvasAgg(drawing)
        agg.draw()
        rgba = np.asarray(agg.buffer_rgba())
    finally:
        drawing.dpi = own_dpi
        drawing.set_canvas(canvas)
    # RGB where nothing shines through: a third smaller, twice as fast, and what journals ask for.
    opaque = rgba[..., 3].min() == 255
    return np.ascontiguousarray(rgba[..., :3]) if opaque else rgba.copy()


_WRITERS: dict[str, Callable[["Figure", int, str | None], bytes]] = {
    "pdf": _pdf,
    "svg": _svg,
    "eps": _eps,
    "png": _png,
    "tiff": _tiff,
}

_REASONS = {
    errno.EACCES: "there is no permission to write in its folder; choose another folder",
    errno.EPERM: "there is no permission to write in its folder; choose another folder",
    errno.EROFS: "its folder can only be read; choose another folder",
    errno.ENOSPC: "there is no room left on the disk; make room, or choose another disk",
    errno.EDQUOT: "your share of the disk is used up; make room, or choose another disk",
    errno.ENAMETOOLONG: "its name is too long for this machine; choose a shorter one",
}


def save(content: bytes, path: Path) -> None:
    """Write ``content`` to ``path`` whole or not at all; a link is followed.

    MachineError says what stood in the way: no such folder, no permission, no room. What stood
    under the name before is then still there, and nothing is left behind.
    """
    path = Path(path)
    try:
        target = path.resolve()
        _check_place(path, target)
        _replace(content, target)
    except (OSError, ValueError, RuntimeError) as problem:
        words = getattr(problem, "strerror", None) or problem
        reason = _REASONS.get(getattr(problem, "errno", None), f"{words}; choose another place")
        raise MachineError(f"{path} was not saved: {reason}.") from problem


def _check_place(path: Path, target: Path) -> None:
    if not target.parent.is_dir():
        stands = "is no folder" if target.parent.exists() else "does not exist"
        raise MachineError(
            f"{path} was not saved: {target.parent} {stands}; make that folder, or choose another."
        )
    if target.exists() and not target.is_file():
        what = "is a folder" if target.is_dir() else "is no ordinary file"
        raise MachineError(f"{path} was not saved: it {what}; add or choose a file's name.")


def _replace(content: bytes, target: Path) -> None:
    with whole_files.replacing(target) as part:
        part.write_bytes(content)
