"""How a map is shown: a value whose ranges stand here and nowhere else.

Pages, command line and the schema of recipes read them with ``bounds`` and ``choices``.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

from annotated_types import Interval

from errors import InputError
from viz.rendering.colormaps import Colormap

Normalise = Literal["clip", "frame", "fixed"]
Display = Literal["linear", "log", "without-reference", "auto"]
Cut = Literal["value", "area", "mass"]
Interpolation = Literal["smooth", "nearest"]
Share = Annotated[float, Interval(ge=0, le=1)]


SCALINGS: dict[str, str] = {
    "clip": "the map's own minimum and maximum",
    "frame": "each frame's own minimum and maximum",
    "fixed": "a fixed range",
}
DISPLAYS: dict[str, str] = {
    "auto": "without the reference's own cell where it is far above the rest",
    "linear": "linear",
    "log": "logarithmic",
    "without-reference": "without the reference's own cell",
}
CUTS: dict[str, str] = {
    "value": "from the threshold up",
    "area": "a share of the cells",
    "mass": "a share of the weights",
}
"""What pages call the values of a look's fields, in the order in which they are offered."""
WORDS: dict[str, dict[str, str]] = {"normalise": SCALINGS, "display": DISPLAYS, "cut": CUTS}
"""The same, by the fields' names."""


@dataclass(frozen=True)
class Look:
    """How a map is shown.

    ``display``: values as they are; their logarithm, where none is negative; without the
    reference's own cell, which then counts for neither end and is shown empty; or "auto": without
    it where it towers above all others. ``cut``, what is shown: from ``threshold`` in [0, 1] of the
    normalised map up (kept when >=); the top ``share`` of the cells ("area"); or the fewest cells
    that hold this ``share`` of the sum ("mass", where no value is negative; else by value).
    ``fixed_range`` is used when ``normalise`` is "fixed"; ``heat_opacity`` in [0, 1]; ``arrows`` go
    from the reference to so many highest values (Wang et al. 2018 draw 20).
    ``__pydantic_config__``: recipes hold looks and take no other keys or types.
    """

    __pydantic_config__ = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
    normalise: Normalise = "clip"
    threshold: Share = 0.7
    colormap: Colormap = "inferno"
    heat_opacity: Share = 0.6
    interpolation: Interpolation = "smooth"
    fixed_range: tuple[float, float] = (0.0, 1.0)
    arrows: Annotated[int, Interval(ge=0, le=200)] = 0
    display: Display = "linear"
    cut: Cut = "value"
    share: Share = 0.2


def bounds(owner: type, name: str) -> tuple[float, float]:
    """Return lowest and highest value of a field, as its type says: whole numbers for an int."""
    hint = get_type_hints(owner, include_extras=True)[name]
    (interval,) = (one for one in hint.__metadata__ if isinstance(one, Interval))
    return hint.__origin__(interval.ge), hint.__origin__(interval.le)


def choices(owner: type, name: str) -> tuple[str, ...]:
    """Return the values that a field can have, as its type says."""
    return get_args(get_type_hints(owner)[name])


def check(owner: type, name: str, value: object, called: str) -> None:
    """Raise InputError where a field cannot have a value; ``called`` is the user's name for it."""
    kind = get_type_hints(owner, include_extras=True)[name]
    if get_origin(kind) is Literal and value not in get_args(kind):
        raise InputError(
            f"{called} {str(value)[:40]!r} is not known; use one of {', '.join(get_args(kind))}."
        )
    if get_origin(kind) is Annotated:
        low, high = bounds(owner, name)
        if not low <= value <= high:  # false for NaN
            raise InputError(f"{called} {value:g} is out of range; give {low:g} to {high:g}.")


def check_range(low: float, high: float, called: str) -> None:
    """Raise InputError unless the first end of a fixed range lies below the second."""
    if not low < high:
        raise InputError(
            f"{called} {low:g} to {high:g} is empty; the first number must be below the second."
        )
