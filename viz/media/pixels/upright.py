"""An open picture as 8-bit RGB: shrunk where it is large, turned upright, deep values scaled, its
colours as sRGB, what is transparent on white."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageOps

from viz.media.pixels import colours, hdr, levels
from viz.media.pixels.levels import Levels, Tags

ORIENTATION = 0x0112
SIDEWAYS = 5
"""Orientations from this on exchange width and height."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_DESCRIBED = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_LAYERED = ("RGBA", "LA", "PA", "La", "RGBa")
_REDUCIBLE = ("L", "RGB", "RGBA", "RGBX", "CMYK", "LA", "La", "RGBa", "YCbCr")
_BAND = 64
"""Rows of pixels that are gone over at a time."""
_BITS, _WHITE_IS_ZERO, _PHOTOMETRIC = 258, 0, 262
_LOWEST, _HIGHEST = (340, 280), (341, 281)
"""TIFF tags, the more general first: SMinSampleValue, MinSampleValue; SMax..., Max..."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Pictures ([T,] H, W, 3) uint8 RGB, what was assumed about them, a sentence each, and the
    levels of deep values (None: 8 bits)."""

    values: np.ndarray
    notes: tuple[str, ...] = ()
    levels: Levels | None = None


def is_deep(picture: Image.Image, content: bytes) -> bool:
    """Return whether an open picture has more than 8 bits a value."""
    return picture.mode in _DEEP or is_deep_colour(picture, content)


def is_deep_colour(picture: Image.Image, content: bytes) -> bool:
    """Return whether it has several values a pixel of more than 8 bits, which Pillow cuts off."""
    if picture.format == "PNG":
        return content[24:25] == b"\x10" and content[25:26] in (b"\2", b"\4", b"\6")
    bits = _tag(picture, _BITS, whole=True) or ()
    return len(bits) > 1 and max(bits) > 8


def upright(
    picture: Image.Image,
    content: bytes = b"",
    asked: tuple[float, float] | None = None,
    factor: int = 1,
) -> Pixels:
    """Return the current frame of an open picture of these bytes.

    ``asked`` are the levels of a deep picture; ``factor`` (a power of two) shrinks both sides.
    """
    if is_deep(picture, content):
        return _deep(picture, content, asked, factor)
    turned = _turned(picture, factor)
    transfer = hdr.transfer_of(content)
    if transfer in hdr.NAMES:
        codes = _array(turned).astype(np.uint16) * 257
        return Pixels(hdr.toned(codes, transfer), (hdr.note(transfer),))
    turned, note = _on_white(turned)
    return Pixels(_array(turned), (note,) if note else ())


def _array(picture: Image.Image) -> np.ndarray:
    """Return a picture as (H, W, 3) uint8, a band at a time: Pillow's own way for the whole goes
    over it three times, through memory that is new each time."""
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    wide, high = picture.size
    values = np.empty((high, wide, 3), np.uint8)
    for top in range(0, high, _BAND):
        end = min(high, top + _BAND)
        values[top:end] = np.asarray(picture.crop((0, top, wide, end)))
    return values


def orientation(picture: Image.Image) -> int:
    """Return how a picture has to be turned, 1 to 8, by its EXIF or, without any, its XMP."""
    if picture.format != "TIFF" and not any(name in picture.info for name in _DESCRIBED):
        return 1  # Pillow would decode a whole PNG to look for it behind the pixels
    found = picture.getexif().get(ORIENTATION, 1)
    return found if found in _TURNS else 1


def of_deep(
    values: np.ndarray, tags: Tags, asked: tuple[float, float] | None, info: dict, turn: int = 1
) -> Pixels:
    """Return deep values (H, W) or (H, W, 3 or 4) RGB(A) as a picture, turned by an orientation.

    ``info`` are Pillow's facts of the file, of which the ICC profile is used.
    """
    found = levels.found(values, tags, asked)
    eight = levels.eight_bit(values, found)
    flat = Image.fromarray(255 - eight if tags.inverted else eight)
    if flat.mode == "RGBA":
        white = Image.new("RGBA", flat.size, "white")
        flat = Image.alpha_composite(white, flat).convert("RGB")
    flat.info = {"icc_profile": info.get("icc_profile")}
    flat, colour = colours.to_srgb(flat)
    if turn in _TURNS:
        flat = flat.transpose(_TURNS[turn])
    notes = tuple(text for text in (found.note, colour) if text)
    return Pixels(_array(flat), notes, found)


def together(
    decode: Callable[[int, tuple[float, float] | None], Pixels],
    numbers: Sequence[int],
    asked: tuple[float, float] | None,
) -> Pixels:
    """Decode frames so that all have the same levels: where they differ, the widest of them."""
    values, found, notes = _gathered(decode, numbers, asked)
    if len(found) > 1:
        widest = min(low for low, _ in found), max(high for _, high in found)
        del values
        values, _, _ = _gathered(decode, numbers, widest)
        text = f"frames shown from {widest[0]:g} to {widest[1]:g}, the widest levels of any of them"
        notes = {f"{text}; {levels.OTHERWISE}": None}
        found = {widest}
    return Pixels(values, tuple(notes), Levels(*found.pop()) if found else None)


def _gathered(
    decode: Callable[[int, tuple[float, float] | None], Pixels],
    numbers: Sequence[int],
    asked: tuple[float, float] | None,
) -> tuple[np.ndarray, set[tuple[float, float]], dict[str, None]]:
    """Return frames (T, H, W, 3), each held once, their levels (low, high), and their notes."""
    values: np.ndarray | None = None
    found: set[tuple[float, float]] = set()
    notes: dict[str, None] = {}
    for place, number in enumerate(numbers):
        one = decode(number, asked)
        if values is None:
            values = np.empty((len(numbers), *one.values.shape), np.uint8)
        values[place] = one.values
        notes |= dict.fromkeys(one.notes)
        if one.levels is not None:
            found.add(one.levels.ends)
    if values is None:
        raise ValueError("no frames were asked for")
    return values, found, notes


def shrunk(values: np.ndarray, factor: int) -> np.ndarray:
    """Return means of factor x factor pixels of (H, W) or (H, W, C), sides rounded up."""
    if factor == 1:
        return values
    height, width = (-(-side // factor) for side in values.shape[:2])
    held = values.astype(np.float32) if values.dtype == np.int32 else values
    return cv2.resize(held, (width, height), interpolation=cv2.INTER_AREA)


def decoded(content: bytes, page: int = 0) -> np.ndarray:
    """Return a picture's values by OpenCV, (H, W) or (H, W, 3 or 4) RGB(A), in their own type."""
    packed = np.frombuffer(content, np.uint8)
    if page:
        _, pages = cv2.imdecodemulti(packed, cv2.IMREAD_UNCHANGED, range=(page, page + 1))
        values = pages[0] if pages else None
    else:
        values = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("its pixels cannot be decoded")
    if values.ndim == 3:
        order = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}[values.shape[2]]
        values = cv2.cvtColor(values, order)
    return values


def _turned(picture: Image.Image, factor: int) -> Image.Image:
    if factor == 1:
        return ImageOps.exif_transpose(picture)
    picture.load()
    turn = 1 if picture.format == "TIFF" else orientation(picture)  # TIFFs are turned by load
    small = _reduced(picture, factor)
    return small.transpose(_TURNS[turn]) if turn in _TURNS else small


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """Return means of factor x factor pixels, sides rounded up. Bands are taken one after another:
    Pillow makes a second picture of the whole where there is an opacity or a palette."""
    mode = picture.mode if picture.mode in _REDUCIBLE else _full_mode(picture)
    wide, high = picture.size
    small = Image.new(mode, (-(-wide // factor), -(-high // factor)))
    for top in range(0, high, _BAND * factor):
        band = picture.crop((0, top, wide, min(high, top + _BAND * factor)))
        band = (band if mode == band.mode else band.convert(mode)).reduce(factor)
        small.paste(band, (0, top // factor))
        small.info = band.info
    return small


def _full_mode(picture: Image.Image) -> str:
    clear = picture.mode in _LAYERED or "transparency" in picture.info
    return "RGBA" if clear else "L" if picture.mode == "1" else "RGB"


def _on_white(picture: Image.Image) -> tuple[Image.Image, str]:
    """Return a picture in sRGB without transparency, and what was done to its colours."""
    if picture.mode in _LAYERED or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        flat, note = colours.to_srgb(layered.convert("RGB"))
        flat = flat.convert("RGBA")
        flat.putalpha(layered.getchannel("A"))
        return Image.alpha_composite(Image.new("RGBA", flat.size, "white"), flat), note
    if picture.mode in ("L", "RGB", "CMYK"):
        return colours.to_srgb(picture)
    return colours.to_srgb(picture.convert("RGB"))


def _deep(
    picture: Image.Image, content: bytes, asked: tuple[float, float] | None, factor: int
) -> Pixels:
    """Return a picture of more than 8 bits a value."""
    tags = tags_of(picture)
    if is_deep_colour(picture, content):
        turn = orientation(picture)
        picture.load()  # raises for what is cut short, of which OpenCV makes a picture
        values = decoded(content, picture.tell())
    else:
        turned = ImageOps.exif_transpose(picture)
        turn, values = 1, np.asarray(turned)
        values = values.astype(np.uint16) if turned.mode.startswith("I;16") else values
    return of_deep(shrunk(values, factor), tags, asked, picture.info, turn)


def tags_of(picture: Image.Image) -> Tags:
    """Return what a TIFF says of its values; nothing of other formats."""
    if picture.format != "TIFF":
        return Tags()
    low, high = (
        next((v for v in (_tag(picture, tag) for tag in both) if v is not None), None)
        for both in (_LOWEST, _HIGHEST)
    )
    bits = _tag(picture, _BITS)
    whole = picture.mode != "F" and isinstance(bits, int)
    inverted = _tag(picture, _PHOTOMETRIC) == _WHITE_IS_ZERO
    return Tags(low, high, bits if whole else None, inverted)


def _tag(picture: Image.Image, number: int, whole: bool = False) -> object:
    """Return a TIFF tag's first value, or with ``whole`` all of them; None where there is none."""
    value = getattr(picture, "tag_v2", {}).get(number)
    if value is None or whole:
        return value if value is None or isinstance(value, tuple) else (value,)
    value = value[0] if isinstance(value, tuple) and value else value
    return value if isinstance(value, int | float) else None
