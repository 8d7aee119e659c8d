"""Ranges of a look: in its type, and read from there."""

from dataclasses import MISSING, fields
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import pytest

from errors import InputError
from viz.rendering import look as looks
from viz.rendering.look import Look

HINTS = get_type_hints(Look, include_extras=True)
NUMBERS = [name for name, kind in HINTS.items() if get_origin(kind) is Annotated]
WORDS = [name for name, kind in HINTS.items() if get_origin(kind) is Literal]


def test_the_ranges_are_these():
    assert {name: looks.bounds(Look, name) for name in NUMBERS} == {
        "threshold": (0.0, 1.0), "heat_opacity": (0.0, 1.0), "arrows": (0, 200),
        "share": (0.0, 1.0),
    }  # fmt: skip
    assert {name: looks.choices(Look, name) for name in WORDS} == {
        "normalise": ("clip", "frame", "fixed"),
        "colormap": ("inferno", "viridis", "magma", "cividis", "gray", "jet"),
        "interpolation": ("smooth", "nearest"),
        "display": ("linear", "log", "without-reference", "auto"),
        "cut": ("value", "area", "mass"),
    }
    assert {*NUMBERS, *WORDS, "fixed_range"} == {field.name for field in fields(Look)}


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_have_the_type_of_their_field(name):
    kinds = {type(end) for end in looks.bounds(Look, name)}
    assert kinds == {get_args(HINTS[name])[0]}


@pytest.mark.parametrize("name", [*NUMBERS, *WORDS])
def test_what_a_look_starts_with_and_both_ends_are_in_range(name):
    (field,) = (one for one in fields(Look) if one.name == name)
    assert field.default is not MISSING
    ends = looks.bounds(Look, name) if name in NUMBERS else looks.choices(Look, name)
    for value in (field.default, *ends):
        looks.check(Look, name, value, name)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("threshold", 1.0001, "--it 1.0001 is out of range; give 0 to 1."),
        ("threshold", -1e-9, "--it -1e-09 is out of range; give 0 to 1."),
        ("threshold", float("nan"), "--it nan is out of range; give 0 to 1."),
        ("threshold", float("inf"), "--it inf is out of range; give 0 to 1."),
        ("heat_opacity", 2, "--it 2 is out of range; give 0 to 1."),
        ("arrows", -1, "--it -1 is out of range; give 0 to 200."),
        ("arrows", 201, "--it 201 is out of range; give 0 to 200."),
        ("normalise", "row", "--it 'row' is not known; use one of clip, frame, fixed."),
        ("interpolation", "cubic", "--it 'cubic' is not known; use one of smooth, nearest."),
        ("colormap", "nope\n" * 99, "is not known; use one of inferno"),
    ],
)
def test_what_is_outside_is_refused_with_what_is_accepted(name, value, words, one_line):
    with pytest.raises(InputError) as caught:
        looks.check(Look, name, value, "--it")
    assert words in one_line(caught.value)


@pytest.mark.parametrize("ends", [(1.0, 0.0), (0.5, 0.5), (float("nan"), 1.0), (0.0, float("nan"))])
def test_an_empty_range_is_refused(ends, one_line):
    with pytest.raises(InputError, match="the first number must be below the second") as caught:
        looks.check_range(*ends, "--range")
    one_line(caught.value)
    looks.check_range(-1.0, 0.0, "--range")
