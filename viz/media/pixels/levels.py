"""Pixels of more than 8 bits: which of their values is black and which is white.

Files rarely say. What is decided is said as a note, and ``levels`` of viz.media.pictures.read
overrules it.
"""

from typing import NamedTuple

import numpy as np

from errors import MediaError

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras and microscopes have a value."""
_ALMOST_DARK = 1 / 16
"""Floating-point values of at most 1 that reach this are taken as 0 to 1."""
_WHOLE_UINT16 = 65535
OTHERWISE = "give levels LOW,HIGH (--levels) if that is wrong"


class Levels(NamedTuple):
    """The values that are shown as black and as white, and how that was found out; "" where it is
    as the file's format has it."""

    low: float
    high: float
    note: str = ""

    @property
    def ends(self) -> tuple[float, float]:
        """The two values."""
        return self.low, self.high


class Tags(NamedTuple):
    """What a file says of its values: lowest, highest, bits (None where it does not), and whether
    the lowest is white."""

    low: float | None = None
    high: float | None = None
    bits: int | None = None
    inverted: bool = False


def check(levels: tuple[float, float] | None) -> None:
    """Raise MediaError where ``levels`` are not two finite numbers, the second above the first."""
    if levels is None:
        return
    try:
        low, high = (float(value) for value in levels)
        fits = np.isfinite([low, high]).all() and low < high
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise MediaError(
            f"Levels {str(levels)[:40]} cannot be used; give the values that are black and white, "
            "the second above the first, like 0,4095."
        )


def found(values: np.ndarray, tags: Tags, asked: tuple[float, float] | None = None) -> Levels:
    """Return black and white of values of any shape, uint16, integer or floating.

    In order of trust: what was asked for; the range in the file's tags, where the values lie in it
    and it is not simply all that the type can hold; the bits that the file says; what occurs. Of
    integers from 0 to 65,535 that is the least of DEPTHS bits that holds the highest; of floating
    point 0 to 1 where the values are in it, and else, as of other integers, lowest to highest.
    """
    if asked is not None:
        return Levels(*map(float, asked), note=f"shown from {asked[0]:g} to {asked[1]:g}, as asked")
    low, high = _ends(values)
    told = _tagged(tags, low, high)
    if told is not None:
        return told
    whole = np.issubdtype(values.dtype, np.integer)
    if whole and low >= 0 and high <= _WHOLE_UINT16:
        return _by_bits(tags.bits, high)
    if not whole and low >= 0 and _ALMOST_DARK <= high <= 1:
        return Levels(0.0, 1.0, f"floating-point values, shown from 0 to 1; {OTHERWISE}")
    kind = "integer" if whole else "floating-point"
    note = f"{kind} values, shown from lowest to highest, {low:.6g} to {high:.6g}; {OTHERWISE}"
    return Levels(low, high if high > low else low + 1, note)


def eight_bit(values: np.ndarray, levels: Levels) -> np.ndarray:
    """Return values as uint8: black at ``levels.low``, white at ``levels.high``, NaN black."""
    scale = 255 / (levels.high - levels.low)
    if values.dtype == np.uint16:
        steps = np.arange(65536, dtype=np.float64)
        table = np.rint(((steps - levels.low) * scale).clip(0, 255)).astype(np.uint8)
        return table[values]
    shifted = (values.astype(np.float64) - levels.low) * scale
    return np.rint(np.nan_to_num(shifted, nan=0.0).clip(0, 255)).astype(np.uint8)


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Return the lowest and highest finite value; 0 and 0 where there is none."""
    if np.issubdtype(values.dtype, np.integer):
        return float(values.min()), float(values.max())
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _tagged(tags: Tags, low: float, high: float) -> Levels | None:
    if tags.high is None or tags.high == _WHOLE_UINT16:
        return None
    least = 0.0 if tags.low is None else tags.low
    if not least < tags.high or low < least or high > tags.high:
        return None
    note = f"shown from {least:g} to {tags.high:g}, as its tags say; {OTHERWISE}"
    return Levels(float(least), float(tags.high), note)


def _by_bits(said: int | None, highest: float) -> Levels:
    if said is not None and said < 16 and highest < 2**said:
        return Levels(0.0, 2.0**said - 1)
    bits = next(bits for bits in DEPTHS if highest < 2**bits)
    if bits == 16:
        return Levels(0.0, float(_WHOLE_UINT16))
    note = (
        f"16-bit values up to {highest:.0f}, taken as {bits} bits: shown from 0 to "
        f"{2**bits - 1}; {OTHERWISE}"
    )
    return Levels(0.0, 2.0**bits - 1, note)
