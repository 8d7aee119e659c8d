"""Recipes, key points and annotations read by children: what viz makes of the files, out of plain
JSON and columns of values."""

from collections.abc import Mapping

import numpy as np

from errors import InputError
from ui.isolation import channel
from ui.isolation.given import Given, Look
from ui.isolation.pool import nothing
from viz.datasets.annotations import columns
from viz.datasets.annotations.columns import Columns
from viz.datasets.annotations.known import Known
from viz.figure import keypoint_files
from viz.figure.files.recipe_text import check_weight
from viz.figure.keypoints import Truth
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe
from viz.media.limits import safe_name


def recipe(content: bytes, name: str, look: Look = nothing) -> Recipe:
    """Return the recipe in a file as ``viz.figure.files.embedded_recipe.read`` does, read by a
    child."""
    check_weight(content, name)
    told, blocks = Given.of([(name, content)]).ask("recipe", look)
    channel.close(blocks)
    return recipe_json.loads(str(told.get("text")), name)


def points(files: Mapping[str, bytes], look: Look = nothing) -> Truth:
    """Return the points in files as ``viz.figure.keypoints.read_files`` does, read by a child."""
    given = Given.of(list(files.items()))
    told, blocks = given.ask("points", look)
    channel.close(blocks)
    try:
        parts = {
            str(picture): tuple(keypoint_files.part(*point, "the points") for point in own)
            for picture, own in told["parts"].items()
        }
        return Truth(parts, safe_name(str(told["name"])))
    except (LookupError, TypeError, AttributeError) as problem:
        raise InputError(f"{safe_name(given.names[0])} could not be read; give a CSV.") from problem


def annotations(files: Mapping[str, bytes], split: str | None, look: Look = nothing) -> Known:
    """Return what annotations say as ``viz.datasets.annotations.files.parse`` does, read by a
    child."""
    given = Given.of(list(files.items()))
    _told, blocks = given.ask("annotations", look, split=split)
    try:
        texts, counts, pixels = blocks
        lengths = [channel.length(*one) for one in ((texts, "u1"), (counts, "i8"), (pixels, "f8"))]
        columns.check_sizes(*lengths, len(given.joined))
        found = Columns(channel.content(texts), _values(counts, "i8"), _values(pixels, "f8"))
        return columns.unpacked(found, len(given.joined))
    except (channel.BrokenChannelError, ValueError) as problem:
        raise InputError(
            f"{safe_name(given.names[0])} could not be read ({problem}); give a CSV or JSON."
        ) from problem
    finally:
        channel.close(blocks)


def _values(block: int, dtype: str) -> np.ndarray:
    """Return a block as an array of one axis, which may be empty."""
    count = channel.length(block, dtype)
    return channel.array(block, (count,), dtype) if count else np.zeros(0, dtype)
