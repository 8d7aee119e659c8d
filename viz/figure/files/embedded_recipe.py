"""The recipe inside a file: a recipe.json, or a figure that this program wrote."""

from viz.figure.files import recipe_text
from viz.figure.files.recipe_text import ACCEPTED, LARGEST_BYTES
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe

__all__ = ["ACCEPTED", "LARGEST_BYTES", "read"]


def read(content: bytes, name: str) -> Recipe:
    """Return the recipe in a file that is called ``name``; what it is, its bytes say.

    InputError in one line when there is none, or when it cannot be read.
    """
    return recipe_json.loads(recipe_text.find(content, name), name)
