"""Recipes as JSON text: written, read, and everything that is wrong with one said in a line."""

import json
import math
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from errors import InputError, counted
from viz.attention.kinds import registry as kinds
from viz.figure.recipe import file_names, strict_json, upgrade
from viz.figure.recipe.recipe import Recipe, Reference, View
from viz.figure.recipe.strict_json import FORMAT, VERSION
from viz.rendering import look

LARGEST_BYTES = strict_json.LARGEST_RECIPE


def dumps(recipe: Recipe) -> str:
    """Return the recipe as JSON text, plain ASCII; loads gives an equal recipe back, in which files
    outside the working folder have their bare names (``file_names``)."""
    written = _adapter().dump_python(file_names.without_folders(recipe), mode="json")
    content = {"format": f"{FORMAT}/{VERSION}", **written}
    return json.dumps(content, indent=1) + "\n"


def loads(text: str | bytes, name: str = "The recipe") -> Recipe:
    """Read a recipe; InputError in one line that names the first entry that is wrong.

    Nothing that the recipe names is opened.
    """
    content = strict_json.recipe_object(text, name)
    version = _version(content.pop("format", None), name)
    return _checked(upgrade.from_version_1(content, name) if version == 1 else content, name)


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


def _version(found: object, name: str) -> int:
    """Return the version of a recipe's format; InputError for another format or a newer version."""
    kind, _, number = str(found).partition("/")
    known = {f"{FORMAT}/{version}": version for version in range(1, VERSION + 1)}
    if isinstance(found, str) and found in known:
        return known[found]
    if kind == FORMAT and number.isdecimal() and int(number[:6]) > VERSION:
        raise InputError(
            f"{name} is of version {number[:6]}; this program reads versions up to {VERSION}. "
            "Update it, or save the recipe with the older program."
        )
    what = "names no format" if found is None else f"is of format {str(found)[:60]!r}"
    raise InputError(f"{name} {what}; a figure's recipe is {FORMAT}/{VERSION}.")


def _checked(content: dict[str, Any], name: str) -> Recipe:
    try:
        # By way of JSON's types: lists for tuples, but nothing converted.
        recipe = _adapter().validate_json(json.dumps(content, default=str))
    except ValidationError as problem:
        raise InputError(f"{name}: {_explained(problem)}") from problem
    look.check_range(*recipe.look.fixed_range, f"{name}: look.fixed_range")
    for index, reference in enumerate(recipe.references):
        _check_reference(reference, f"{name}: references[{index}]")
    return recipe


def _explained(problem: ValidationError) -> str:
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
    given = repr(first["input"])
    more = "..." if len(given) > 60 else ""
    reason = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place[:120]} is {given[:60]}{more}; {reason[0].lower()}{reason[1:]}."


def _check_view(view: View, place: str) -> None:
    try:
        kinds.selection(view.maps)
    except InputError as problem:
        raise InputError(f"{place}.maps: {problem}") from problem
    if view.kind is not None and view.kind not in kinds.KINDS:
        raise InputError(
            f"{place}.kind is {view.kind!r}; use one of {', '.join(kinds.KINDS)}, or leave it out."
        )


def _check_reference(reference: Reference, place: str) -> None:
    frames = len(reference.medium.frames)
    if reference.frame >= max(1, frames):
        raise InputError(
            f"{place}.frame is {reference.frame}; the medium has "
            f"{counted(max(1, frames), 'frame')}, counted from 0."
        )
    if reference.look is not None:
        look.check_range(*reference.look.fixed_range, f"{place}.look.fixed_range")
    for index, view in enumerate(reference.views):
        _check_view(view, f"{place}.views[{index}]")
    if list(reference.medium.frames) != sorted(set(reference.medium.frames)):
        raise InputError(f"{place}.medium.frames must ascend, each number once.")
    if reference.crop is not None:
        left, top, right, bottom = reference.crop
        if not (right - left >= 1 and bottom - top >= 1 and math.isfinite(right + bottom)):
            raise InputError(
                f"{place}.crop is {left:g},{top:g},{right:g},{bottom:g}; give left, top, right, "
                "bottom in pixels, at least one apart."
            )
