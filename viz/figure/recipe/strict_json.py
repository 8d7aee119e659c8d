"""JSON from files that may be anything: refused in one line, numbers that are none too."""

import json
from collections import Counter

from errors import InputError

FORMAT = "nonlocal-viz-figure"
VERSION = 2
LARGEST_RECIPE = 4 * 2**20
"""Bytes of a recipe: its file is a few KB; ground truth of many photos makes it larger."""


def parsed(text: str | bytes, name: str, wanted: str) -> object:
    """Return what a JSON text holds; InputError names the file, and says what is ``wanted``.

    NaN, Infinity and names that occur twice in one object, which Python's reader takes, are
    refused.
    """

    def refuse(word: str) -> float:
        raise InputError(f"{name} holds {word}, which is not a number; give finite numbers.")

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key, count in Counter(names).items() if count > 1)
            raise InputError(f"{name} holds {twice[:60]!r} twice in one object; give it once.")
        return found

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError) as problem:
        what = "nested too deeply" if isinstance(problem, RecursionError) else problem
        raise InputError(f"{name} is not JSON ({what}); give {wanted}.") from problem


def recipe_object(text: str | bytes, name: str) -> dict[str, object]:
    """Return the JSON object of a recipe's text, of any format; InputError where it is none."""
    if len(text) > LARGEST_RECIPE:
        raise InputError(
            f"{name} has {len(text)} bytes; recipes have at most {LARGEST_RECIPE}. Give a "
            "recipe.json that this program wrote."
        )
    content = parsed(text, name, "a recipe.json that this program wrote")
    if not isinstance(content, dict):
        raise InputError(
            f"{name} holds a {type(content).__name__}; a recipe is one JSON object with the key "
            f'"format": "{FORMAT}/{VERSION}".'
        )
    return content
