"""The usual recipe, one with another value somewhere, and how a recipe is refused."""

import json
from dataclasses import replace

import pytest

from errors import InputError
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Medium, Network, Part, Recipe, Reference, View


def usual(**how) -> Recipe:
    medium = Medium("walk.mp4", "0a" * 32, (2, 3, 5))
    one = Reference(
        medium,
        (View(Network("e2-nl", "1b" * 32, (("frames", "8"),))),),
        (7.0, 11.0),
        2,
        "first",
        (Part("beak", 13.0, 17.5),),
        (0.0, 0.0, 19.0, 23.0),
    )
    return replace(Recipe("parts", (one,), versions={"torch": "2"}), **how)


def edited(place: str, value: object) -> str:
    """Return the usual recipe with another value at a place like references.0.at."""
    content = json.loads(recipe_json.dumps(usual()))
    *steps, last = [int(step) if step.isdecimal() else step for step in place.split(".")]
    held = content
    for step in steps:
        held = held[step]
    held[last] = value
    return json.dumps(content)


def refused(one_line, text, name="fig.json") -> str:
    with pytest.raises(InputError) as caught:
        recipe_json.loads(text, name)
    said = one_line(caught.value)
    assert said.startswith(name)
    return said


REFERENCE = usual().references[0]
