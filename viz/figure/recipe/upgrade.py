"""Recipes of earlier versions, brought to today's words; what they draw stays the same."""

import re
from collections.abc import Mapping
from typing import Any

from errors import InputError

_VIEW = {"channels": "maps"}
_LAYOUT = {"cgnl": "one_map"}
"""Key of version 1 -> of version 2."""
_NEW = {"kind", *_VIEW.values(), *_LAYOUT.values()}


def from_version_1(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the content of a recipe of version 1 as one of version 2.

    A view's ``channels`` are called ``maps``, the layout's ``cgnl`` is called ``one_map``; where
    the channels were "groups", "channel 1" was the first group. Entries of a wrong type are left
    for the check that follows. InputError for a key that version 1 did not have.
    """
    changed = dict(content)
    if isinstance(content.get("layout"), dict):
        changed["layout"] = _renamed(content["layout"], _LAYOUT, f"{name}: layout")
    if isinstance(content.get("references"), list):
        changed["references"] = [
            _reference(one, f"{name}: references[{number}]")
            for number, one in enumerate(content["references"])
        ]
    return changed


def _reference(reference: Any, place: str) -> Any:  # noqa: ANN401
    if not isinstance(reference, dict) or not isinstance(reference.get("views"), list):
        return reference
    views = [
        _view(view, f"{place}.views[{number}]") if isinstance(view, dict) else view
        for number, view in enumerate(reference["views"])
    ]
    return {**reference, "views": views}


def _view(view: dict[str, Any], place: str) -> dict[str, Any]:
    renamed = _renamed(view, _VIEW, place)
    ranked = re.fullmatch("channel ([1-9][0-9]{0,4})", str(renamed.get("shown")))
    if ranked and str(renamed.get("maps")).strip() == "groups":
        renamed["shown"] = f"group {int(ranked[1]) - 1}"
    return renamed


def _renamed(entries: dict[str, Any], names: Mapping[str, str], place: str) -> dict[str, Any]:
    for key in entries:
        if key in _NEW:
            raise InputError(f"{place}.{key} is not known to version 1 of recipes; remove it.")
    return {names.get(key, key): value for key, value in entries.items()}
