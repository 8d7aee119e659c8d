"""Recipes of earlier versions, brought to today's words; what they draw stays the same."""

from typing import Any


def from_version_1(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a recipe of version 1 as one of version 2.

    A view's ``channels`` are called ``maps``, the layout's ``cgnl`` is called ``one_map``. Entries
    of a wrong type are left for the check that follows.
    """
    renamed = dict(content)
    if isinstance(content.get("layout"), dict):
        renamed["layout"] = _renamed(content["layout"], "cgnl", "one_map")
    if isinstance(content.get("references"), list):
        renamed["references"] = [_reference(one) for one in content["references"]]
    return renamed


def _reference(reference: Any) -> Any:  # noqa: ANN401
    if not isinstance(reference, dict) or not isinstance(reference.get("views"), list):
        return reference
    views = [
        _renamed(view, "channels", "maps") if isinstance(view, dict) else view
        for view in reference["views"]
    ]
    return {**reference, "views": views}


def _renamed(entries: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if key == old else key: value for key, value in entries.items()}
