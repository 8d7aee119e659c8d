"""CUB-200-2011's text files: pictures, classes, boxes, parts, the split, by ids of pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from errors import InputError
from viz.datasets.annotations.known import Known, label, numbers
from viz.figure import keypoints
from viz.figure.recipe.recipe import Part
from viz.geometry import Box
from viz.media.limits import safe_name
from viz.media.pictures import content_of

IMAGES, CLASSES, LABELS = "images.txt", "classes.txt", "image_class_labels.txt"
BOXES, SPLIT = "bounding_boxes.txt", "train_test_split.txt"
MARKS = (IMAGES, LABELS, BOXES, keypoints.LOCATIONS)
"""Files of which a folder has one at least."""
_FILES = (*MARKS, CLASSES, SPLIT, keypoints.NAMES)


def is_cub(folder: Path) -> bool:
    """Tell whether a folder holds any of CUB's text files."""
    return any(_file((folder,), name) for name in MARKS)


def is_one(path: str) -> bool:
    """Tell whether a path below a folder is that of one of CUB's text files."""
    return path.removeprefix("parts/") in _FILES


def _file(folders: Sequence[Path], name: str) -> Path | None:
    """Return the file of a name in one of the folders, or in ``parts`` inside."""
    places = (folder / inside / name for folder in folders for inside in ("", "parts"))
    return next((place for place in places if place.is_file()), None)


def contents(folders: Sequence[Path], most: int) -> dict[str, bytes]:
    """Return the bytes of CUB's files by name, each from the first of the folders that has it.

    MediaError where one is of more than ``most`` bytes, or cannot be read.
    """
    found = {name: path for name in _FILES if (path := _file(folders, name))}
    return {name: content_of(path, most, "a text file") for name, path in found.items()}


def _rows(files: Mapping[str, bytes], name: str, least: int) -> dict[str, list[str]]:
    """Return {id: the other words of its line} of one of CUB's files; empty where there is none."""
    found = {}
    text = files.get(name, b"").decode("utf-8", "replace")
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


def read(files: Mapping[str, bytes], split: str | None = None) -> Known:
    """Read CUB's text files by name.

    images.txt says which picture an id is; each of the other files may be missing. ``split`` takes
    "train" or "test" only. InputError, in one line that names the file, for what cannot be used.
    """
    images, classes = _rows(files, IMAGES, 1), _rows(files, CLASSES, 1)
    labels, boxes = _rows(files, LABELS, 1), _rows(files, BOXES, 4)
    wanted = _rows(files, SPLIT, 1)
    if not images:
        raise InputError(
            f"{IMAGES} is missing: it says which picture a number of CUB's files is. Put it beside "
            "the pictures, or beside the other files."
        )
    if split and not wanted:
        raise InputError(f"--split {split} needs {SPLIT}, which is not there; leave it out.")
    parts, known = _parts(files), {}
    for key, (path, *_more) in images.items():
        if split and wanted.get(key, [""])[0] != ("1" if split == "train" else "0"):
            continue
        number = labels.get(key, [""])[0]
        name = classes.get(number, [path.partition("/")[0] if "/" in path else number])[0]
        found = {"class_name": label(name), "parts": tuple(parts.get(path, ()))}
        if key in boxes:
            left, top, width, height = numbers(boxes[key][:4], f"{BOXES}, id {key}")
            found["boxes"] = (Box(left, top, left + width, top + height),)
        known[path] = found
    return known


def _parts(files: Mapping[str, bytes]) -> Mapping[str, tuple[Part, ...]]:
    """Return the visible parts of each picture by its path in images.txt."""
    if keypoints.LOCATIONS not in files:
        return {}
    names = (IMAGES, keypoints.LOCATIONS, keypoints.NAMES)
    return keypoints.read_cub_files({name: files[name] for name in names if name in files}).parts
