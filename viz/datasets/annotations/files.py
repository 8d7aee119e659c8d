"""Annotations as files: which there are, their bytes, and what they say. No path that an annotation
names is ever opened; names are only looked up."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from errors import InputError
from viz.datasets.annotations import boxes, coco, cub
from viz.datasets.annotations.known import Known
from viz.figure import keypoints
from viz.media.limits import safe_name
from viz.media.pictures import content_of

LARGEST_BYTES = 512 * 2**20
Parse = Callable[[Mapping[str, bytes], str | None], Known]
"""As ``parse``, perhaps in another process."""


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of a .csv or .json file by its name; InputError for any other.

    MediaError where it cannot be read, or is larger than 512 MB.
    """
    if path.suffix.lower() not in BY_ENDING or not path.is_file():
        raise InputError(
            f"{path} are no annotations; give a .csv or .json file, a folder with CUB's files, or "
            "one of masks."
        )
    return {path.name: content_of(path, LARGEST_BYTES, "a CSV or JSON of annotations")}


def parse(files: Mapping[str, bytes], split: str | None = None) -> Known:
    """Return what files say: CUB's text files together, or one .csv or .json.

    ``split`` ("train" or "test") is CUB's. InputError, in one line that names the file, for what
    cannot be used.
    """
    if set(cub.MARKS) & files.keys():
        return cub.read(files, split)
    [(name, content)] = files.items()
    return BY_ENDING[Path(name).suffix.lower()](content, name)


def _points(content: bytes, name: str) -> Known:
    """Read a CSV or JSON of points (see ``viz.figure.keypoints``)."""
    found = keypoints.read_bytes(content, name).parts
    return {picture: {"parts": tuple(parts)} for picture, parts in found.items()}


def _of_csv(content: bytes, name: str) -> Known:
    """Read a CSV of boxes where its first line names their columns, else of points."""
    text = content.decode("utf-8-sig", "replace")
    return boxes.read(text, name) if boxes.are_in(text) else _points(content, name)


def _of_json(content: bytes, name: str) -> Known:
    """Read COCO's annotations, or a JSON of points: whichever it holds."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise InputError(
            f"{safe_name(name)} is not JSON; give COCO's annotations, or a JSON of points."
        ) from problem
    if isinstance(found, dict) and found.keys() >= coco.MARKS:
        return coco.read(found, name)
    del found  # points are read with every name once
    return _points(content, name)


BY_ENDING: dict[str, Callable[[bytes, str], Known]] = {".csv": _of_csv, ".json": _of_json}


def masks(folder: Path) -> Known:
    """Return the pictures of a folder as masks of those of the same name, whatever the ending."""
    return {
        str(path.relative_to(folder).with_suffix("").as_posix()): {"mask": path}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix.lower() in (".png", ".bmp", ".tif", ".tiff")
    }
