"""A folder of pictures with annotations beside them -> Dataset."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from errors import InputError, MachineError, OutsideError, counted
from models.zoo import cache
from viz.datasets.annotations import cub, files
from viz.datasets.annotations.files import BY_ENDING, Parse
from viz.datasets.annotations.known import Known, label
from viz.datasets.archive import ENDINGS
from viz.datasets.names import Names
from viz.datasets.sample import Dataset, Reader, Sample
from viz.examples import flock
from viz.figure.keypoints import EVERY
from viz.media import pictures

MASKS = "masks"
EXAMPLE = "example:birds"
"""The name of the data set that the program draws itself."""
ACCEPTED = (
    "a folder of pictures, with CUB's text files, a CSV or JSON of points or boxes, COCO's "
    f"annotations, a folder {MASKS}, or a folder for each class; {EXAMPLE} is drawn"
)
_SHOWN = 3


def read(
    folder: str | Path,
    annotations: Iterable[str | Path] = (),
    split: str | None = None,
    most: int | None = None,
    reader: Reader = pictures.load,
    parse: Parse = files.parse,
) -> Dataset:
    """Read a data set: every picture below ``folder``, in the order of the names, and what its
    annotations say.

    Without ``annotations`` those in the folder itself are taken: CUB's files (images.txt), every
    .csv and .json, and a folder ``masks``. What several files say of a picture is put together; of
    a class or mask the first counts. Pictures in folders belong to the class that the first
    folder names, unless annotations say otherwise. ``split`` ("train" or "test") is CUB's;
    ``most`` takes that many pictures, evenly spaced. "example:birds" is the drawn data set.
    ``reader`` and ``parse`` read pictures and annotations: uploads, in another process. InputError
    where nothing can be used.
    """
    folder = _example() if str(folder) == EXAMPLE else Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give {ACCEPTED}.")
    there = list(_visible(folder))
    given = [Path(one) for one in annotations]
    notes = [] if given else _deeper_notes(folder, there)
    given = given or list(_found(folder))
    cubs = [one for one in given if one.is_dir() and cub.is_cub(one)]
    paths = {_name(folder, path): path for path in there if _is_picture(folder, path)}
    if not paths:
        raise InputError(f"{folder} holds no pictures ({', '.join(ENDINGS)}); give {ACCEPTED}.")
    told, kept = _Told(Names(paths)), set(paths)
    if cubs:
        known = parse(cub.contents([*cubs, folder], files.LARGEST_BYTES), split)
        notes += told.add(cub.IMAGES, known)
        kept &= {told.names.find(name) for name in known}
    for one in given:
        if one not in cubs:
            known = files.masks(one) if one.is_dir() else parse(files.contents(one), None)
            notes += told.add(one.name, known)
    if split and not cubs:
        raise InputError(f"--split {split} is CUB's; {folder} has no {cub.IMAGES}. Leave it out.")
    samples = tuple(
        Sample(name, paths[name], reader=reader,
               **{"class_name": _class_of(name), **told.of.get(name, {})})
        for name in _spaced(sorted(kept), most)
    )  # fmt: skip
    return Dataset(folder, samples, tuple(notes), len(kept))


def _example() -> Path:
    """Draw the example's pictures where downloads are kept."""
    folder = cache.folder() / "example-birds"
    try:
        return flock.write(folder)
    except OSError as problem:
        raise MachineError(
            f"{folder} could not be written ({problem.strerror}); set {cache.VARIABLE} to a folder "
            "with room."
        ) from problem


def _found(folder: Path) -> Iterator[Path]:
    if cub.is_cub(folder):
        yield folder
    yield from sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in BY_ENDING)
    if (folder / MASKS).is_dir():
        yield folder / MASKS


def _visible(folder: Path) -> Iterator[Path]:
    """Give every picture and annotation file below a folder that is not hidden, by its name."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in (*ENDINGS, *BY_ENDING) and not hidden and path.is_file():
            yield path


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _is_picture(folder: Path, path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and path.relative_to(folder).parts[0] != MASKS


def _deeper_notes(folder: Path, there: Sequence[Path]) -> list[str]:
    """Return a line on annotations that are not in the folder itself, of which none is read."""
    deeper = [_name(folder, path) for path in there
              if path.suffix.lower() in BY_ENDING and path.parent != folder]  # fmt: skip
    if not deeper:
        return []
    return [
        f"{counted(len(deeper), 'annotation file')} in folders inside, not read: {_some(deeper)}; "
        "annotations are read beside the folders of pictures"
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if names[_SHOWN:] else "")


def _class_of(name: str) -> str:
    """Return the folder that a picture lies in; "images" is a folder of them all."""
    *folders, _file = name.split("/")
    folders = folders[1:] if folders[:1] == ["images"] else folders
    return label(folders[0]) if folders else ""


class _Told:
    """What annotations say ``of`` each picture, fields of Sample by its name: several files
    together."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.of: dict[str, dict[str, Any]] = defaultdict(dict)

    def add(self, file: str, known: Known) -> list[str]:
        """Take what a file says; return lines on what of it is not used."""
        missing, others = [], []
        for called, fields in known.items():
            if called == EVERY:
                raise InputError(
                    "The points name no pictures; give a column image, so that each picture has "
                    "its own."
                )
            name = self.names.find(called)
            if name is None:
                missing.append(called)
            elif not self._joined(name, fields):
                others.append(name)
        notes = _missing_notes(file, known, missing)
        if others:
            notes.append(
                f"{file}: {counted(len(others), 'picture')} with another class or mask in "
                f"annotations before, which counts: {_some(others)}"
            )
        return notes

    def _joined(self, name: str, fields: dict[str, Any]) -> bool:
        """Put fields to those that are known of a picture; tell whether all of them are used."""
        own, is_used = self.of[name], True
        for field, value in fields.items():
            if isinstance(value, tuple):
                own[field] = tuple(dict.fromkeys(own[field] + value)) if field in own else value
            elif value:
                is_used &= own.setdefault(field, value) == value
        return is_used


def _missing_notes(file: str, known: Known, missing: list[str]) -> list[str]:
    if not missing:
        return []
    if len(missing) == len(known):
        raise OutsideError(
            f"{file} has annotations of {counted(len(known), 'picture')}, none of which is in the "
            f"folder ({_some(missing)}). Name pictures by their path below the folder, or by their "
            "file name."
        )
    return [f"{file}: {len(missing):,} of {len(known):,} names fit no picture: {_some(missing)}"]


def _spaced(names: list[str], most: int | None) -> list[str]:
    if most is None or len(names) <= most:
        return names
    return [names[k * len(names) // most] for k in range(most)]
