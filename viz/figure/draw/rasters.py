"""A picture panel as pixels: the crop at the panel's size, and the heat blended over it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from viz.figure.panels.panel_rows import Matrix, Picture, Shade
from viz.geometry import Box
from viz.rendering import colormaps
from viz.rendering import heat as heats
from viz.rendering.look import Look

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_DARKEST = 110
"""Where black of a picture goes in a greyscale figure: the dark is kept for the heat."""


@dataclass(frozen=True, eq=False)
class Raster:
    """What is drawn of a picture: (H, W, 3) uint8, and heat over it at the map's own resolution
    (h, w, 4) uint8 in the box ``where`` (0 to 1 of the panel); None where it is blended in.

    ``level`` (H, W) float32 in [0, 1] is the scaled heat at every pixel, NaN outside of what the
    network sees; None without heat.
    """

    pixels: np.ndarray
    level: np.ndarray | None = None
    cells: np.ndarray | None = None
    where: Box | None = None


def raster(picture: Picture, width: int, height: int, look: Look, greyscale: bool) -> Raster:
    """Return a picture of width x height pixels; smooth heat is blended in, cells lie over it.

    The scalar map is enlarged (half-pixel centres), then cut at the threshold, then coloured.
    """
    return over(base(picture, width, height, greyscale), picture, look, greyscale)


def base(picture: Picture, width: int, height: int, greyscale: bool) -> np.ndarray:
    """Return what is shown of the frame, at the size of its panel and in its colours or greys."""
    pixels = scaled(np.ascontiguousarray(picture.shown), width, height)
    return light_grey(pixels) if greyscale else pixels


class Bases:
    """What is shown of frames at the size of their panels: made once for all panels of a page that
    show the same, and for those of the next page."""

    def __init__(self) -> None:
        self._before: dict[tuple[object, ...], tuple[np.ndarray, np.ndarray]] = {}
        self._here: dict[tuple[object, ...], tuple[np.ndarray, np.ndarray]] = {}

    def of(self, picture: Picture, width: int, height: int, greyscale: bool) -> np.ndarray:
        """Return ``base`` of the same; it is not to be written to."""
        shown = picture.shown
        # Held with what is made of it, so that no other frame comes to lie where it is.
        key = shown.ctypes.data, shown.shape, shown.strides, width, height, greyscale
        found = self._here.get(key) or self._before.get(key)
        self._here[key] = found or (shown, base(picture, width, height, greyscale))
        return self._here[key][1]

    def turn(self) -> None:
        """Begin another page; what this one did not show is forgotten."""
        self._before, self._here = self._here, {}


def scaled(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a (H, W, 3) frame at another size; the heat is painted after this, never before."""
    if frame.shape[:2] == (height, width):
        return frame
    way = cv2.INTER_AREA if width < frame.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(frame, (width, height), interpolation=way)


def over(base: np.ndarray, picture: Picture, look: Look, greyscale: bool) -> Raster:
    """Return the heat of a picture over its base (H, W, 3) uint8, which is left as it is."""
    crop, (height, width) = picture.crop, base.shape[:2]
    if picture.shade is None or picture.shade.heat.constant:
        return Raster(base)
    colours = colour_table(look, greyscale)
    if look.interpolation == "nearest" and not greyscale:
        return Raster(base, None, *_cells(picture.shade, crop, look, colours))
    level = levels(picture.shade, crop, width, height, look)
    shown_from = picture.shade.heat.level(picture.shade.moment, look)
    return Raster(_blended(base, level, look, colours, shown_from), level)


def alone(picture: Picture, width: int, height: int, look: Look) -> np.ndarray:
    """Return the heat of a picture with nothing under it, (height, width, 4) uint8; what is not
    shown is transparent."""
    out = np.zeros((height, width, 4), np.uint8)
    if picture.shade is None or picture.shade.heat.constant:
        return out
    level = levels(picture.shade, picture.crop, width, height, look)
    shown = heats.kept(
        np.nan_to_num(level, nan=-1.0), picture.shade.heat.level(picture.shade.moment, look)
    )
    out[shown, :3] = colour_table(look, False)[np.rint(level[shown] * 255).astype(np.uint8)]
    out[shown, 3] = round(255 * look.heat_opacity)
    return out


def light_grey(pixels: np.ndarray) -> np.ndarray:
    """Return (H, W, 3) uint8 in greys from middle grey to white, so that marks stand out."""
    luma = pixels.astype(np.float32) @ _LUMA
    grey = np.rint(_DARKEST + luma * (255 - _DARKEST) / 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def colour_table(look: Look, greyscale: bool) -> np.ndarray:
    """Return (256, 3) uint8: the look's colours, or darker for more in a greyscale figure."""
    return (
        colormaps.colour_table("gray")[::-1].copy()
        if greyscale
        else colormaps.colour_table(look.colormap)
    )


def levels(shade: Shade, crop: Box, width: int, height: int, look: Look) -> np.ndarray:
    """Return the scaled heat at the middle of every pixel of the crop, (height, width) float32.

    NaN where the network does not see.
    """
    seen, values = shade.geometry.seen, shade.heat.values[shade.moment]
    (rows, cols), smooth = values.shape, look.interpolation == "smooth"
    down = _taps(height, (crop.top, crop.bottom), (seen.top, seen.bottom), rows, smooth)
    across = _taps(width, (crop.left, crop.right), (seen.left, seen.right), cols, smooth)
    level = down.between(values).T
    level = np.ascontiguousarray(across.between(np.ascontiguousarray(level)).T)
    level[down.outside] = np.nan
    level[:, across.outside] = np.nan
    return level


class _Taps(NamedTuple):
    """The two cells along one axis that each pixel lies between, and the share of the second.

    ``outside`` are pixels that the network does not see. A product with a matrix of weights would
    be the same, but its last bit follows the machine's linear algebra.
    """

    lower: np.ndarray
    upper: np.ndarray
    share: np.ndarray
    outside: np.ndarray

    def between(self, values: np.ndarray) -> np.ndarray:
        """(cells, K) -> (pixels, K) float32."""
        share = self.share[:, None]
        found = values[self.lower] * (1 - share)
        found += values[self.upper] * share
        return found


@lru_cache(maxsize=32)
def _taps(
    pixels: int, shown: tuple[float, float], seen: tuple[float, float], cells: int, smooth: bool
) -> _Taps:
    """Return where the middles of pixels lie among cells.

    ``shown`` and ``seen`` are the ends of the crop and of what the network sees. Kept, since the
    panels of a figure and the frames of a movie ask for the same; not to be written to.
    """
    (first, last), (low, high) = shown, seen
    middle = first + (np.arange(pixels) + 0.5) * (last - first) / pixels
    held = ((middle - low) / (high - low) * cells - 0.5).clip(0, cells - 1)
    lower = np.floor(held + (0 if smooth else 0.5)).astype(int).clip(0, cells - 1)
    share = (held - lower).clip(0, 1) if smooth else np.zeros(pixels)
    return _Taps(
        lower,
        np.minimum(lower + 1, cells - 1),
        share.astype(np.float32),
        (middle < low) | (middle >= high),
    )


def _blended(
    base: np.ndarray, level: np.ndarray, look: Look, colours: np.ndarray, shown_from: float
) -> np.ndarray:
    opacity = np.float32(look.heat_opacity)
    under = (1 - opacity) * np.arange(256, dtype=np.float32)
    tints = opacity * colours.astype(np.float32)
    where = np.flatnonzero(heats.kept(np.nan_to_num(level, nan=-1.0), shown_from))
    found = tints[np.rint(level.ravel()[where] * 255).astype(np.uint8)]
    out = base.copy()
    flat = out.reshape(-1, 3)
    found += under[flat[where]]
    flat[where] = np.rint(found, out=found).astype(np.uint8)
    return out


def _cells(shade: Shade, crop: Box, look: Look, colours: np.ndarray) -> tuple[np.ndarray, Box]:
    """Return the map's cells as colours with opacity, and where they lie in the panel."""
    values, seen = shade.heat.values[shade.moment], shade.geometry.seen
    shown = heats.kept(values, shade.heat.level(shade.moment, look))
    opacity = np.where(shown, round(255 * look.heat_opacity), 0)
    tints = colours[np.rint(values * 255).astype(np.uint8)]
    wide, high = crop.right - crop.left, crop.bottom - crop.top
    where = Box(
        (seen.left - crop.left) / wide,
        (seen.top - crop.top) / high,
        (seen.right - crop.left) / wide,
        (seen.bottom - crop.top) / high,
    )
    return np.dstack([tints, opacity.astype(np.uint8)]), where


def matrix_pixels(matrix: Matrix, colours: np.ndarray) -> np.ndarray:
    """Return a matrix in colours, (A, B, 3) uint8; what is below its span, or no number, gets the
    first."""
    low, high = matrix.span
    shown = np.nan_to_num(matrix.values.astype(np.float64), nan=low, posinf=high, neginf=low)
    if matrix.log and high > 0:
        shown, low, high = np.log10(np.maximum(shown, low)), np.log10(low), np.log10(high)
    scaled = (shown - low) / (high - low) if high > low else np.zeros_like(shown)
    return colours[np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)]


def outlines(level: np.ndarray, threshold: float) -> list[np.ndarray]:
    """Return the lines around what is shown, (K, 2) x, y in pixels each."""
    import contourpy

    filled = cv2.copyMakeBorder(
        np.nan_to_num(level, nan=-1.0), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=-1
    )
    found = contourpy.contour_generator(z=filled).lines(threshold)
    return [np.clip(line - 0.5, 0, [level.shape[1], level.shape[0]]) for line in found]
