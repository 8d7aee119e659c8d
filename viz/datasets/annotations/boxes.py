"""CSVs of boxes, whose first line names their columns."""

import csv
from collections.abc import Iterator
from typing import Any, NamedTuple

from errors import InputError
from viz.datasets.annotations.known import Known, box, gathered, numbers
from viz.media.limits import safe_name

_EDGES = (("left", "top", "right", "bottom"), ("x", "y", "width", "height"))
_PICTURE = ("image", "file", "picture", "filename", "path")
_CLASS = ("class", "label", "category")
_FIRST_LINE = 4096


def are_in(text: str) -> bool:
    """Tell whether the first line of a CSV names the edges of boxes."""
    first = text[:_FIRST_LINE].partition("\n")[0]
    words = {word.strip().lower() for word in first.split(",")}
    return any(set(edges) <= words for edges in _EDGES)


class _Columns(NamedTuple):
    """Where the picture, the edges of its box and its class stand in a line."""

    image: int
    edges: tuple[int, ...]
    are_sides: bool
    kind: int | None
    count: int


def read(text: str, name: str) -> Known:
    """Read a CSV of boxes: columns image, and left, top, right, bottom or x, y, width, height, in
    pixels; class where wanted. Several lines of a picture are several boxes."""
    rows, name = csv.reader(text.splitlines(), skipinitialspace=True), safe_name(name)
    try:
        return gathered(_boxes(rows, _columns(next(rows, []), name), name))
    except csv.Error as problem:
        raise InputError(
            f"{name}, line {rows.line_num}: {problem}; give a CSV of boxes, one a line."
        ) from problem


def _columns(first: list[str], name: str) -> _Columns:
    """Return the columns that the first line names."""
    words = [word.strip().lower() for word in first]
    edges = next((names for names in _EDGES if set(names) <= set(words)), None)
    image = next((known for known in _PICTURE if known in words), None)
    if edges is None or image is None:
        raise InputError(
            f"{name} has no columns of boxes; name them in its first line: image, left, top, "
            "right, bottom, or image, x, y, width, height."
        )
    kind = next((words.index(known) for known in _CLASS if known in words), None)
    places = tuple(map(words.index, edges))
    return _Columns(words.index(image), places, edges == _EDGES[0], kind, len(words))


def _boxes(
    rows: Iterator[list[str]], columns: _Columns, name: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in rows:
        if not row:
            continue
        row += [""] * (columns.count - len(row))
        place = f"{name}, line {rows.line_num}"
        a, b, c, d = numbers([row[edge] for edge in columns.edges], place)
        right, bottom = (c, d) if columns.are_sides else (a + c, b + d)
        kind = "" if columns.kind is None else row[columns.kind]
        yield row[columns.image], {"boxes": (box(a, b, right, bottom, place),), "class_name": kind}
