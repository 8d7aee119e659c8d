"""Checks that specs make at the door: they also come from foreign files."""

from errors import SpecError


def within(what: str, value: object, low: float, high: float, kind: type = int) -> None:
    """Refuse a value of another type or outside low..high."""
    numeric = kind if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, numeric) or not low <= value <= high:
        what_kind = "whole number" if kind is int else "number"
        raise SpecError(f"{what} cannot be {value!r}; use a {what_kind} from {low:g} to {high:g}.")


def one_of(what: str, value: object, accepted: tuple) -> None:
    """Refuse a value that is not among the accepted ones (True is not 1 here)."""
    if not any(type(value) is type(a) and value == a for a in accepted):
        raise SpecError(
            f"{what} {value!r} is not known; use one of {', '.join(map(str, accepted))}."
        )


def switch(what: str, value: object) -> None:
    """Refuse anything but True and False."""
    one_of(what, value, (True, False))
