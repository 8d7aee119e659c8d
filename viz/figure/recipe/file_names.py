"""What a recipe calls the files that it names: never the folders of somebody's machine.

Recipes lie inside published figures. A path below the folder that it was given in stays; of one
that begins at the root or leads upward only the last part does, and a hash tells the rest.
"""

import re
from dataclasses import replace

from viz.figure.recipe.recipe import Medium, Network, Recipe, Reference, View

_DRIVE = re.compile(r"[A-Za-z]:")
_NAMELESS = "unnamed"


def public(path: str) -> str:
    """Return a path as recipes hold it: unchanged where it lies below the working folder, else its
    last part. Paths of Windows are told, too; public(public(path)) is public(path)."""
    parts = re.split(r"[\\/]", path)
    from_root = not parts[0] or path.startswith("~") and len(parts) > 1
    if not from_root and ".." not in parts and not _DRIVE.match(path):
        return path
    names = [part for part in parts if part not in ("", ".", "..")]
    last = _DRIVE.sub("", names[-1]) if names else ""
    return public(last) if last else _NAMELESS


def without_folders(recipe: Recipe) -> Recipe:
    """Return a recipe whose media, checkpoints and font are named as ``public`` does."""
    layout = replace(recipe.layout, own_font=_font(recipe.layout.own_font))
    references = tuple(_reference(one) for one in recipe.references)
    return replace(recipe, references=references, layout=layout)


def _font(given: str) -> str:
    return public(given) if given else ""


def _reference(one: Reference) -> Reference:
    return replace(
        one,
        medium=_medium(one.medium),
        second=one.second and _medium(one.second),
        views=tuple(_view(view) for view in one.views),
    )


def _medium(one: Medium) -> Medium:
    return replace(one, path=public(one.path))


def _view(one: View) -> View:
    return replace(one, network=_network(one.network))


def _network(one: Network) -> Network:
    return replace(one, id=public(one.id))
