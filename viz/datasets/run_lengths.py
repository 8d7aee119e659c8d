"""COCO's run-length masks: lengths of runs down the columns, as lists or packed into text."""

from collections.abc import Mapping, Sequence

import numpy as np

from errors import InputError, counted
from viz.media.limits import MAX_SHOWN

Runs = tuple[int, int, tuple[int, ...]]
"""Height, width, and the lengths of runs down the columns, the first of them outside the object."""


def read(mask: Mapping[str, object], place: str) -> Runs:
    """Read {"size": [height, width], "counts": lengths or text}; InputError for any other, with
    the ``place`` of it."""
    size, counts = mask.get("size"), mask.get("counts")
    try:
        high, wide = (_whole(side) for side in size)
        lengths = _unpacked(counts) if isinstance(counts, str) else list(map(_whole, counts))
    except (TypeError, ValueError):
        high = wide = 0
        lengths = []
    return checked(high, wide, lengths, place)


def checked(high: int, wide: int, lengths: Sequence[int], place: str) -> Runs:
    """Return runs that cover a mask of ``wide`` x ``high`` pixels; InputError, with the ``place``,
    where they do not."""
    if min(high, wide) < 1 or high * wide > MAX_SHOWN or min(lengths, default=-1) < 0:
        raise InputError(f"{place}: no run-length mask; give a size, and counts as COCO does.")
    if sum(lengths) != high * wide:
        raise InputError(
            f"{place}: the runs of a mask of {wide} x {high} cover "
            f"{counted(sum(lengths), 'pixel')}, not {high * wide}; export the annotations again."
        )
    return high, wide, tuple(lengths)


def _whole(value: object) -> int:
    """Return a whole number as it is; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(value)
    return value


def _unpacked(text: str) -> list[int]:
    """Return the lengths in a text: five bits a letter from "0" on, lowest first, a sixth that more
    follow; from the fourth on each is a difference to the one before the last."""
    lengths: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 35:
            raise ValueError(letter)
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError(text)
    return lengths


def mask_of(runs: Sequence[Runs], high: int, wide: int) -> np.ndarray:
    """Return where any of the masks is, (H, W) bool; InputError for one of another size."""
    inside = np.zeros((high, wide), bool)
    for own_high, own_wide, lengths in runs:
        if (own_high, own_wide) != (high, wide):
            raise InputError(
                f"A run-length mask is {own_wide} x {own_high}, its picture {wide} x {high}; give "
                "the picture that was annotated."
            )
        filled = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
        inside |= filled.reshape(wide, high).T
    return inside
