"""Annotations, each as what it adds to pictures by name: CUB's text files, boxes, points, masks,
COCO. No path that an annotation names is ever opened; names are only looked up."""

import csv
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from errors import InputError
from viz.datasets import run_lengths
from viz.figure import keypoints
from viz.figure.recipe.recipe import LONGEST_LABEL, MOST_PARTS, Part
from viz.geometry import Box
from viz.media.pictures import content_of, safe_name

LARGEST_BYTES = 512 * 2**20
IMAGES, CLASSES, LABELS = "images.txt", "classes.txt", "image_class_labels.txt"
BOXES, SPLIT = "bounding_boxes.txt", "train_test_split.txt"
Known = dict[str, dict[str, Any]]
"""Name of a picture as the annotation calls it -> fields of Sample."""
_EDGES = (("left", "top", "right", "bottom"), ("x", "y", "width", "height"))
_PICTURE = ("image", "file", "picture", "filename", "path")
_CLASS = ("class", "label", "category")


def is_cub(folder: Path) -> bool:
    """Tell whether a folder holds any of CUB's text files."""
    return any(_cub_file((folder,), name) for name in (IMAGES, LABELS, BOXES, keypoints.LOCATIONS))


def _cub_file(folders: Sequence[Path], name: str) -> Path | None:
    """Return the file of a name in one of the folders, or in ``parts`` inside."""
    places = (folder / inside / name for folder in folders for inside in ("", "parts"))
    return next((place for place in places if place.is_file()), None)


def _rows(folders: Sequence[Path], name: str, least: int) -> dict[str, list[str]]:
    """Return {id: the other words of its line} of one of CUB's files; empty where there is none."""
    path, found = _cub_file(folders, name), {}
    if path is None:
        return found
    text = content_of(path, LARGEST_BYTES, "a text file").decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and len(words) <= least:
            raise InputError(
                f"{name}, line {number}: {safe_name(line)!r} cannot be read; give an id and "
                f"{least} more words, as CUB does."
            )
        if words:
            found[words[0]] = words[1:]
    return found


def cub(folders: Sequence[Path], split: str | None = None) -> Known:
    """Read the text files of CUB-200-2011, each from the first of the folders that has it.

    images.txt says which picture an id is; each of the other files may be missing. ``split`` takes
    "train" or "test" only.
    """
    images, classes = _rows(folders, IMAGES, 1), _rows(folders, CLASSES, 1)
    labels, boxes = _rows(folders, LABELS, 1), _rows(folders, BOXES, 4)
    wanted = _rows(folders, SPLIT, 1)
    if not images:
        raise InputError(
            f"{IMAGES} is missing: it says which picture a number of CUB's files is. Put it beside "
            "the pictures, or beside the other files."
        )
    if split and not wanted:
        raise InputError(f"--split {split} needs {SPLIT}, which is not there; leave it out.")
    parts, known = _parts(folders), {}
    for key, (path, *_more) in images.items():
        if split and wanted.get(key, [""])[0] != ("1" if split == "train" else "0"):
            continue
        number = labels.get(key, [""])[0]
        name = classes.get(number, [path.partition("/")[0] if "/" in path else number])[0]
        found = {"class_name": label(name), "parts": tuple(parts.get(path, ()))}
        if key in boxes:
            left, top, width, height = _numbers(boxes[key][:4], f"{BOXES}, id {key}")
            found["boxes"] = (Box(left, top, left + width, top + height),)
        known[path] = found
    return known


def _parts(folders: Sequence[Path]) -> Mapping[str, tuple[Part, ...]]:
    """Return the visible parts of each picture by its path in images.txt."""
    names = (IMAGES, keypoints.LOCATIONS, keypoints.NAMES)
    found = {name: path for name in names if (path := _cub_file(folders, name))}
    if keypoints.LOCATIONS not in found:
        return {}
    files = {name: content_of(path, LARGEST_BYTES, "text") for name, path in found.items()}
    return keypoints.read_cub_files(files).parts


def points(path: Path) -> Known:
    """Read a CSV or JSON of points (see ``viz.figure.keypoints``)."""
    return {name: {"parts": tuple(parts)} for name, parts in keypoints.read(path).parts.items()}


def boxes(path: Path) -> Known:
    """Read a CSV of boxes: columns image, and left, top, right, bottom or x, y, width, height, in
    pixels; class where wanted. The first line names them. Several lines of a picture are several
    boxes."""
    text = content_of(path, LARGEST_BYTES, "a CSV of boxes").decode("utf-8-sig", "replace")
    rows, name = csv.DictReader(text.splitlines(), skipinitialspace=True), safe_name(path.name)
    try:
        return _gathered(_boxes_of(rows, *_columns(rows, name), name))
    except csv.Error as problem:
        raise InputError(
            f"{name}, line {rows.line_num}: {problem}; give a CSV of boxes, one a line."
        ) from problem


def _columns(rows: csv.DictReader, name: str) -> tuple[str, tuple[str, ...]]:
    """Return which columns are the picture and the edges of its box."""
    columns = [column.strip().lower() for column in rows.fieldnames or ()]
    rows.fieldnames = columns
    edges = next((names for names in _EDGES if set(names) <= set(columns)), None)
    image = next((known for known in _PICTURE if known in columns), None)
    if edges is None or image is None:
        raise InputError(
            f"{name} has no columns of boxes; name them in its first line: image, left, top, "
            "right, bottom, or image, x, y, width, height."
        )
    return image, edges


def _boxes_of(
    rows: csv.DictReader, image: str, edges: tuple[str, ...], name: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in rows:
        place = f"{name}, line {rows.line_num}"
        a, b, c, d = _numbers([row[edge] for edge in edges], place)
        right, bottom = (c, d) if edges[0] == "left" else (a + c, b + d)
        kind = next((row[column] or "" for column in _CLASS if column in row), "")
        yield row[image] or "", {"boxes": (_box(a, b, right, bottom, place),), "class_name": kind}


def _gathered(found: Iterator[tuple[str, dict[str, Any]]]) -> Known:
    """Join the tuples of each picture; of texts the first counts, as one line of letters."""
    known: dict[str, dict[str, Any]] = {}
    for name, fields in found:
        own = known.setdefault(name, {})
        for field, value in fields.items():
            if isinstance(value, tuple):
                own.setdefault(field, []).extend(value)
            else:
                own[field] = own.get(field) or label(value)
    return {name: {field: _whole(value) for field, value in own.items()}
            for name, own in known.items()}  # fmt: skip


def _whole(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def label(text: str) -> str:
    """Return the name of a class as it can be shown: one line, no control characters, cut."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_LABEL]


def coco(path: Path) -> Known:
    """Read COCO's instances or keypoints: boxes, polygons, classes, visible key points.

    Masks are polygons, or run lengths as lists or as COCO packs them into text. A picture's class
    is that of its first object.
    """
    content = _json(path)
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    ):
        raise InputError(
            f"{safe_name(path.name)} is not COCO's; give a JSON with lists of images and "
            "annotations."
        )
    kinds, images = content.get("categories") or [], content["images"]
    if not isinstance(kinds, list):
        raise InputError(f"{safe_name(path.name)}: categories are no list; give COCO's.")
    categories = {str(c.get("id")): c for c in kinds if isinstance(c, dict)}
    place = f"{safe_name(path.name)}, annotation"
    by_image: dict[Any, list] = defaultdict(list)
    for number, one in enumerate(content["annotations"], 1):
        if not isinstance(one, dict):
            raise InputError(f"{place} {number} is not one of COCO's; give an object of fields.")
        by_image[str(one.get("image_id"))].append((f"{place} {number}", one))
    _check_once([str(one.get("id")) for one in images if isinstance(one, dict)], path)
    return _gathered(
        (str(image.get("file_name", "")), _object(one, categories, where))
        for image in images
        if isinstance(image, dict)
        for where, one in by_image.get(str(image.get("id")), [(place, {})])
    )


def _check_once(ids: list[str], path: Path) -> None:
    """Refuse an id of several pictures: each would have all annotations of the others."""
    twice = next((one for one, count in Counter(ids).items() if count > 1), None)
    if twice is not None:
        raise InputError(
            f"{safe_name(path.name)} has several images of the id {twice[:40]}; give each its own."
        )


def _json(path: Path) -> object:
    content = content_of(path, LARGEST_BYTES, "a JSON")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise InputError(
            f"{safe_name(path.name)} is not JSON; give COCO's annotations, or a JSON of points."
        ) from problem


def _object(one: dict, categories: dict, place: str) -> dict[str, Any]:
    kind, found = categories.get(str(one.get("category_id")), {}), {}
    found["class_name"] = str(kind.get("name", ""))
    if one.get("bbox"):
        left, top, width, height = _numbers(one["bbox"], place, 4)
        found["boxes"] = (_box(left, top, left + width, top + height, place),)
    rings = one.get("segmentation")
    if isinstance(rings, list):
        flat = [_numbers(ring, place) for ring in rings]
        found["polygons"] = tuple(
            tuple(zip(ring[::2], ring[1::2], strict=False)) for ring in flat if len(ring) >= 6
        )
    elif isinstance(rings, dict):
        found["runs"] = (run_lengths.read(rings, place),)
    numbers = _numbers(one.get("keypoints") or (), place)
    triples = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False))[:MOST_PARTS]
    listed = kind.get("keypoints")
    names = [label(str(name)) for name in listed] if isinstance(listed, list) else []
    names += [f"part {k + 1}" for k in range(len(names), len(triples))]
    seen = zip(names, triples, strict=False)
    found["parts"] = tuple(Part(name, x, y) for name, (x, y, visible) in seen if visible > 0)
    return found


def _numbers(values: object, place: str, count: int | None = None) -> list[float]:
    try:
        found = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        found = [math.nan]
    if not all(map(math.isfinite, found)) or (count is not None and len(found) != count):
        raise InputError(f"{place}: {str(values)[:60]!r} are not pixels; give numbers.")
    return found


def _box(left: float, top: float, right: float, bottom: float, place: str) -> Box:
    if not (right > left and bottom > top):
        raise InputError(
            f"{place}: a box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) has no area; give "
            "left below right and top below bottom."
        )
    return Box(left, top, right, bottom)


def masks(folder: Path) -> Known:
    """Return the pictures of a folder as masks of those of the same name, whatever the ending."""
    return {
        str(path.relative_to(folder).with_suffix("").as_posix()): {"mask": path}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix.lower() in (".png", ".bmp", ".tif", ".tiff")
    }


def of_json(path: Path) -> Known:
    """Read COCO's annotations, or a JSON of points: whichever it holds."""
    content = _json(path)
    is_coco = isinstance(content, dict) and {"images", "annotations"} <= content.keys()
    return coco(path) if is_coco else points(path)


def of_csv(path: Path) -> Known:
    """Read a CSV of boxes where its first line names their columns, else of points."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        words = {word.strip().lower() for word in file.readline(4096).split(",")}
    return boxes(path) if any(set(edges) <= words for edges in _EDGES) else points(path)


BY_ENDING: dict[str, Callable[[Path], Known]] = {".csv": of_csv, ".json": of_json}
