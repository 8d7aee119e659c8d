"""Recipes, key points and annotations, as a child reads them: out of files of any kind into plain
JSON, and columns of plain values."""

import json
from collections.abc import Sequence

from ui.isolation import channel
from viz.datasets.annotations import columns, files
from viz.figure.keypoints import read_files
from viz.figure.recipe import strict_json


def recipe(request: dict, blocks: Sequence[int]) -> tuple[dict, list[int]]:
    """Tell the recipe in a file as JSON text: one object, every name once, of any format."""
    from viz.figure.files import recipe_text  # pypdf and the like take a while to import

    [(name, content)] = channel.files(request, blocks)
    found = strict_json.recipe_object(recipe_text.find(content, name), name)
    return {"text": json.dumps(found)}, []


def points(request: dict, blocks: Sequence[int]) -> tuple[dict, list[int]]:
    """Tell the points in a file, or in CUB's text files, by picture."""
    found = read_files(dict(channel.files(request, blocks)))
    parts = {name: [[p.name, p.x, p.y] for p in own] for name, own in found.parts.items()}
    return {"name": found.name, "parts": parts}, []


def annotations(request: dict, blocks: Sequence[int]) -> tuple[dict, list[int]]:
    """Tell nothing: what annotations of a data set say is the blocks, as columns."""
    known = files.parse(dict(channel.files(request, blocks)), request["split"])
    made: list[int] = []
    try:
        for column in columns.packed(known):
            made.append(channel.block(column))
    except BaseException:
        channel.close(made)
        raise
    return {}, made
