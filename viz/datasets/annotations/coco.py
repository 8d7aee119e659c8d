"""COCO's instances and key points: boxes, outlines, masks, classes and visible points."""

from collections import Counter, defaultdict
from typing import Any

from errors import InputError
from viz.datasets import run_lengths
from viz.datasets.annotations.known import Known, box, gathered, label, numbers
from viz.figure.recipe.recipe import MOST_PARTS, Part
from viz.media.limits import safe_name

MARKS = frozenset(("images", "annotations"))
"""Names that the object has."""


def read(content: object, name: str) -> Known:
    """Read the JSON of COCO's instances or keypoints: boxes, polygons, classes, visible key points.

    Masks are polygons, or run lengths as lists or as COCO packs them into text. A picture's class
    is that of its first object.
    """
    name = safe_name(name)
    if not isinstance(content, dict) or not all(isinstance(content.get(k), list) for k in MARKS):
        raise InputError(f"{name} is not COCO's; give a JSON with lists of images and annotations.")
    kinds, images = content.get("categories") or [], content["images"]
    if not isinstance(kinds, list):
        raise InputError(f"{name}: categories are no list; give COCO's.")
    categories = {str(c.get("id")): c for c in kinds if isinstance(c, dict)}
    place = f"{name}, annotation"
    by_image: dict[Any, list] = defaultdict(list)
    for number, one in enumerate(content["annotations"], 1):
        if not isinstance(one, dict):
            raise InputError(f"{place} {number} is not one of COCO's; give an object of fields.")
        by_image[str(one.get("image_id"))].append((f"{place} {number}", one))
    _check_once([str(one.get("id")) for one in images if isinstance(one, dict)], name)
    return gathered(
        (str(image.get("file_name", "")), _object(one, categories, where))
        for image in images
        if isinstance(image, dict)
        for where, one in by_image.get(str(image.get("id")), [(place, {})])
    )


def _check_once(ids: list[str], name: str) -> None:
    """Refuse an id of several pictures: each would have all annotations of the others."""
    twice = next((one for one, count in Counter(ids).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{name} has several images of the id {twice[:40]}; give each its own.")


def _object(one: dict, categories: dict, place: str) -> dict[str, Any]:
    kind, found = categories.get(str(one.get("category_id")), {}), {}
    found["class_name"] = str(kind.get("name", ""))
    if one.get("bbox"):
        left, top, width, height = numbers(one["bbox"], place, 4)
        found["boxes"] = (box(left, top, left + width, top + height, place),)
    rings = one.get("segmentation")
    if isinstance(rings, list):
        flat = (numbers(ring, place) for ring in rings)
        found["polygons"] = tuple(
            tuple(zip(ring[::2], ring[1::2], strict=False)) for ring in flat if len(ring) >= 6
        )
    elif isinstance(rings, dict):
        found["runs"] = (run_lengths.read(rings, place),)
    found["parts"] = _parts(one, kind, place)
    return found


def _parts(one: dict, kind: dict, place: str) -> tuple[Part, ...]:
    """Return the visible key points of an object, by the names that its category lists."""
    values = numbers(one.get("keypoints") or (), place)
    triples = list(zip(values[::3], values[1::3], values[2::3], strict=False))[:MOST_PARTS]
    listed = kind.get("keypoints")
    names = [label(str(name)) for name in listed] if isinstance(listed, list) else []
    names += [f"part {k + 1}" for k in range(len(names), len(triples))]
    seen = zip(names, triples, strict=False)
    return tuple(Part(name, x, y) for name, (x, y, visible) in seen if visible > 0)
