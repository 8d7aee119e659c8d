"""What annotations add to pictures by name, and the values that their files are made of."""

import math
from collections.abc import Iterable
from typing import Any

from errors import InputError
from viz.figure.keypoint_files import one_line
from viz.figure.recipe.recipe import LONGEST_LABEL
from viz.geometry import Box

Known = dict[str, dict[str, Any]]
"""Name of a picture as the annotation calls it -> fields of Sample."""


def label(text: str) -> str:
    """Return the name of a class as it can be shown: one line, no control characters, cut."""
    return one_line(text)[:LONGEST_LABEL]


def numbers(values: object, place: str, count: int | None = None) -> list[float]:
    """Return finite numbers, ``count`` of them where that is given; InputError names ``place``."""
    try:
        found = list(map(float, values))
    except (TypeError, ValueError, OverflowError):
        found = [math.nan]
    if not all(map(math.isfinite, found)) or (count is not None and len(found) != count):
        raise InputError(f"{place}: {str(values)[:60]!r} are not pixels; give numbers.")
    return found


def box(left: float, top: float, right: float, bottom: float, place: str) -> Box:
    """Return a box in pixels; InputError, which names ``place``, where it has no area."""
    if not (right > left and bottom > top):
        raise InputError(
            f"{place}: a box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) has no area; give "
            "left below right and top below bottom."
        )
    return Box(left, top, right, bottom)


def gathered(found: Iterable[tuple[str, dict[str, Any]]]) -> Known:
    """Join the tuples of each picture; of texts the first counts, as one line of letters."""
    known: Known = {}
    for name, fields in found:
        own = known.setdefault(name, {})
        for field, value in fields.items():
            if isinstance(value, tuple):
                own.setdefault(field, []).extend(value)
            else:
                own[field] = own.get(field) or label(value)
    return {name: {field: _whole(value) for field, value in own.items()}
            for name, own in known.items()}  # fmt: skip


def _whole(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
