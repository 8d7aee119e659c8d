"""Points of pictures in CSV and JSON: read line by line, each refusal naming the line or entry."""

import csv
import math
import reprlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from errors import InputError
from viz.figure.recipe import strict_json
from viz.figure.recipe.recipe import LONGEST_LABEL, Part

EVERY = ""
"""Stands for the picture's name where a file names none: its points hold for every picture."""

_FARTHEST = 1e6
_SAMPLE = 4096
_COLUMNS = {
    "name": ("name", "part", "keypoint", "label"),
    "x": ("x",),
    "y": ("y",),
    "picture": ("image", "file", "picture", "filename", "path"),
    "visible": ("visible", "visibility"),
}
_PLAIN = ("name", "x", "y", "picture", "visible")
"""The order of columns where a CSV has no header."""
_SEPARATORS = "\t;,"
_SEEN = ("1", "1.0", "true", "yes", "")
_UNSEEN = ("0", "0.0", "false", "no")


class Point(NamedTuple):
    """A visible point, the picture that it is of, and where it was read."""

    picture: str
    part: Part
    place: str


def from_csv(text: str, name: str) -> Iterator[Point]:
    """Read a CSV whose columns ``keypoints.read_bytes`` tells."""
    separator = _separator(text)
    rows = csv.reader(text.splitlines(), delimiter=separator, skipinitialspace=True)
    columns: dict[str, int] | None = None
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as problem:
            raise InputError(
                f"{name}, line {rows.line_num}: {problem}; give {_wanted()}."
            ) from problem
        if cells is None:
            return
        cells = [cell.strip() for cell in cells]
        place = f"{name}, line {rows.line_num}"
        if not any(cells):
            continue
        if columns is None:
            columns, is_header = _columns(cells)
            if is_header:
                continue
        yield from _row(cells, columns, separator, place)


def _row(cells: list[str], columns: dict[str, int], separator: str, place: str) -> Iterator[Point]:
    try:
        name, x, y = cells[columns["name"]], cells[columns["x"]], cells[columns["y"]]
    except LookupError as problem:
        raise InputError(
            f"{place}: {separator.join(cells)[:60]!r} cannot be read; give {_wanted()}."
        ) from problem
    if is_seen(_cell(cells, columns, "visible"), place):
        if separator != ",":
            x, y = x.replace(",", "."), y.replace(",", ".")
        yield Point(_cell(cells, columns, "picture"), part(name, x, y, place), place)


def _cell(cells: list[str], columns: dict[str, int], key: str) -> str:
    """Return a cell that may be missing, which is empty then: every picture, and visible."""
    place = columns.get(key, len(cells))
    return cells[place] if place < len(cells) else EVERY


def _separator(text: str) -> str:
    """Return what separates the first line into most of name, x and y."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    for sign in _SEPARATORS:
        if len(next(csv.reader([first[:_SAMPLE]], delimiter=sign))) >= 3:
            return sign
    return ","


def _columns(cells: list[str]) -> tuple[dict[str, int], bool]:
    """Return the place of each column, and whether the first line is a header."""
    words = [cell.strip("# ").lower() for cell in cells]
    found = {
        key: words.index(word)
        for key, known in _COLUMNS.items()
        for word in reversed(known)
        if word in words
    }
    if "x" in found and "y" in found:
        return found, True
    return {key: k for k, key in enumerate(_PLAIN)}, False


def _wanted() -> str:
    return "name, x, y (and picture, visible), or a first line that names the columns"


def from_json(text: str, name: str) -> Iterator[Point]:
    """Read a JSON of one of the forms that ``keypoints.read_bytes`` tells."""
    wanted = 'a list of {"name", "x", "y"}, or one by picture'
    content = strict_json.parsed(text, name, wanted)
    if isinstance(content, list) or all(_is_pair(value) for value in content.values()):
        yield from _entries(content, EVERY, name)
        return
    for picture, points in content.items():
        yield from _entries(points, picture, f"{name}, {picture[:60]!r}")


def _entries(points: object, picture: str, place: str) -> Iterator[Point]:
    """Read a list of {"name", "x", "y"}, or {part: [x, y]}."""
    if isinstance(points, dict):
        points = [
            {"name": name, "x": at[0], "y": at[1]} if _is_pair(at) else {"name": name, "x": at}
            for name, at in points.items()
        ]
    if not isinstance(points, list):
        raise InputError(
            f'{place}: {_shown(points)} are no points; give a list of {{"name", "x", "y"}}, or '
            f"{{part: [x, "
            "y]}."
        )
    for number, point in enumerate(points, 1):
        own = f"{place}, point {number}"
        if not isinstance(point, dict) or not {"name", "x", "y"} <= point.keys():
            raise InputError(f'{own}: {_shown(point)} is no point; give {{"name", "x", "y"}}.')
        if is_seen(point.get("visible", 1), own):
            of = next((point[key] for key in _COLUMNS["picture"] if key in point), picture)
            if not isinstance(of, str):
                raise InputError(f"{own}: {_shown(of)} is not the name of a picture; give a name.")
            yield Point(of, part(point["name"], point["x"], point["y"], own), own)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and not isinstance(value[0], dict)


def _shown(value: object) -> str:
    return reprlib.repr(value)[:60]


@lru_cache(1024)
def one_line(text: str) -> str:
    """Return a text with every space and every sign that is not printed as one space."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def part(name: object, x: object, y: object, place: str) -> Part:
    """Return a point of a name and numbers or texts; InputError names ``place``."""
    label = one_line(name) if isinstance(name, str) else ""
    if not label or len(label) > LONGEST_LABEL:
        raise InputError(
            f"{place}: {_shown(name)} is not the name of a point; give 1 to {LONGEST_LABEL} "
            "characters."
        )
    return Part(label, _number(x, "x", place), _number(y, "y", place))


def _number(value: object, what: str, place: str) -> float:
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not abs(found) <= _FARTHEST:
        raise InputError(
            f"{place}: {what} {_shown(value)} cannot be used; give a number of pixels."
        )
    return found


def is_seen(value: object, place: str) -> bool:
    """Tell whether a word or number says that a point is visible; InputError names ``place``."""
    if value in ("", "1"):
        return True
    word = str(value).lower() if isinstance(value, str | int | float) else "?"
    if word not in _SEEN + _UNSEEN:
        raise InputError(f"{place}: {_shown(value)} is not a visibility; give 1 or 0.")
    return word in _SEEN
