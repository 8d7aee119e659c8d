"""Recipes as JSON text: written, read, and everything that is wrong with one told in a line."""

import json
import math
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from errors import InputError
from viz.attention import pipeline
from viz.figure.recipe import strict_json
from viz.figure.recipe.recipe import Recipe, Reference
from viz.rendering.overlay import COLORMAPS
from viz.types import Look

FORMAT = "nonlocal-viz-figure"
VERSION = 1
LARGEST_BYTES = 4 * 2**20
"""A recipe file is a few KB; ground truth of many photos makes it larger."""


def dumps(recipe: Recipe) -> str:
    """Return the recipe as JSON text, plain ASCII; loads gives an equal recipe back."""
    content = {"format": f"{FORMAT}/{VERSION}", **_adapter().dump_python(recipe, mode="json")}
    return json.dumps(content, indent=1) + "\n"


def loads(text: str | bytes, name: str = "The recipe") -> Recipe:
    """Read a recipe; InputError in one line that names the first entry that is wrong.

    Nothing that the recipe names is opened.
    """
    if len(text) > LARGEST_BYTES:
        raise InputError(
            f"{name} has {len(text)} bytes; recipes have at most {LARGEST_BYTES}. Give a "
            "recipe.json that this program wrote."
        )
    content = _object(text, name)
    _check_format(content.pop("format", None), name)
    return _checked(content, name)


def checked(recipe: Recipe) -> Recipe:
    """Return the recipe, or raise InputError when a value is outside what a file may hold."""
    # Not by way of text: it has no word for NaN.
    return _checked(_adapter().dump_python(recipe, warnings=False), "The figure")


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe file; docs/recipe.schema.json is this."""
    found = _adapter().json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["properties"] = {"format": {"const": f"{FORMAT}/{VERSION}"}, **found["properties"]}
    found["required"] = ["format", *found["required"]]
    return found


@cache
def _adapter() -> TypeAdapter[Recipe]:
    return TypeAdapter(Recipe)


def _object(text: str | bytes, name: str) -> dict[str, Any]:
    content = strict_json.parsed(text, name, "a recipe.json that this program wrote")
    if not isinstance(content, dict):
        raise InputError(
            f"{name} holds a {type(content).__name__}; a recipe is one JSON object with the key "
            f'"format": "{FORMAT}/{VERSION}".'
        )
    return content


def _check_format(found: object, name: str) -> None:
    kind, _, number = str(found).partition("/")
    if kind == FORMAT and number.isdecimal() and int(number[:6]) > VERSION:
        raise InputError(
            f"{name} is of version {number[:6]}; this program reads versions up to {VERSION}. "
            "Update it, or save the recipe with the older program."
        )
    if found != f"{FORMAT}/{VERSION}":
        told = "names no format" if found is None else f"is of format {str(found)[:60]!r}"
        raise InputError(f"{name} {told}; a figure's recipe is {FORMAT}/{VERSION}.")


def _checked(content: dict[str, Any], name: str) -> Recipe:
    try:
        # By way of JSON's types: lists for tuples, but nothing converted.
        recipe = _adapter().validate_json(json.dumps(content, default=str))
    except ValidationError as problem:
        raise InputError(f"{name}: {_told(problem)}") from problem
    _check_look(recipe.look, name)
    for index, reference in enumerate(recipe.references):
        _check_reference(reference, f"{name}: references[{index}]")
    return recipe


def _told(problem: ValidationError) -> str:
    first = problem.errors(include_url=False, include_context=False)[0]
    place = ""
    for step in first["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    if first["type"] == "unexpected_keyword_argument":
        return f"{place[:120]} is not known to this version; remove it."
    if first["type"] in ("missing", "missing_argument"):
        return f"{place[:120]} is missing; give it."
    if not place:
        return f"{first['msg']}."
    came = repr(first["input"])
    more = "..." if len(came) > 60 else ""
    return f"{place[:120]}: {came[:60]}{more} came; {first['msg'].lower().rstrip('.')}."


def _check_look(look: Look, name: str) -> None:
    for key in ("threshold", "heat_opacity"):
        value = getattr(look, key)
        if not 0 <= value <= 1:
            raise InputError(f"{name}: look.{key} is {value:g}; give a number from 0 to 1.")
    if look.colormap not in COLORMAPS:
        raise InputError(
            f"{name}: look.colormap is {look.colormap[:40]!r}; use one of {', '.join(COLORMAPS)}."
        )
    if not 0 <= look.arrows <= 200:
        raise InputError(f"{name}: look.arrows is {look.arrows}; give 0 to 200.")
    low, high = look.fixed_range
    if not low < high:
        raise InputError(
            f"{name}: look.fixed_range is {low:g} to {high:g}; the first must be below the second."
        )


def _check_channels(text: str, place: str) -> None:
    try:
        ranking = pipeline.channels_from(text).ranking
    except InputError as problem:
        raise InputError(f"{place}: {problem}") from problem
    if ranking == "class evidence":
        raise InputError(
            f"{place} is class evidence, which depends on a class; give the channels that it found "
            "as numbers like 0,3,17."
        )


def _check_reference(reference: Reference, place: str) -> None:
    frames = len(reference.medium.frames)
    if reference.frame >= max(1, frames):
        raise InputError(
            f"{place}.frame is {reference.frame}; the medium has {max(1, frames)} frames, counted "
            "from 0."
        )
    for index, view in enumerate(reference.views):
        _check_channels(view.channels, f"{place}.views[{index}].channels")
    if list(reference.medium.frames) != sorted(set(reference.medium.frames)):
        raise InputError(f"{place}.medium.frames must ascend, each number once.")
    if reference.crop is not None:
        left, top, right, bottom = reference.crop
        if not (right - left >= 1 and bottom - top >= 1 and math.isfinite(right + bottom)):
            raise InputError(
                f"{place}.crop is {left:g},{top:g},{right:g},{bottom:g}; give left, top, right, "
                "bottom in pixels, at least one apart."
            )
