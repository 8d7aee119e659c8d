"""A folder of pictures with annotations beside them -> Dataset."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from errors import InputError, MachineError, OutsideError
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
    .csv and .json, and a folder ``masks``. Pictures in folders belong to the class that the first
    folder names, unless annotations say otherwise. ``split`` ("train" or "test") is CUB's;
    ``most`` takes that many pictures, evenly spaced. "example:birds" is the drawn data set.
    ``reader`` and ``parse`` read pictures and annotations: uploads, in another process. InputError
    where nothing can be used.
    """
    folder = _example() if str(folder) == EXAMPLE else Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give {ACCEPTED}.")
    given = [Path(one) for one in annotations] or list(_found(folder))
    cubs = [one for one in given if one.is_dir() and cub.is_cub(one)]
    paths = {str(path.relative_to(folder).as_posix()): path for path in _pictures(folder)}
    if not paths:
        raise InputError(f"{folder} holds no pictures ({', '.join(ENDINGS)}); give {ACCEPTED}.")
    samples = {
        name: Sample(name, path, _class_of(name), reader=reader) for name, path in paths.items()
    }
    names, notes, kept = Names(paths), [], set(paths)
    if cubs:
        known = parse(cub.contents([*cubs, folder], files.LARGEST_BYTES), split)
        notes += _missing_notes(Path(cub.IMAGES), known, _add(samples, names, known))
        kept &= {names.find(name) for name in known}
    for one in given:
        if one not in cubs:
            known = files.masks(one) if one.is_dir() else parse(files.contents(one), None)
            notes += _missing_notes(one, known, _add(samples, names, known))
    if split and not cubs:
        raise InputError(f"--split {split} is CUB's; {folder} has no {cub.IMAGES}. Leave it out.")
    chosen = [samples[name] for name in sorted(kept)]
    return Dataset(folder, tuple(_spaced(chosen, most)), tuple(notes))


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


def _pictures(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside)
        if path.suffix.lower() in ENDINGS and inside[0] != MASKS and not hidden and path.is_file():
            yield path


def _class_of(name: str) -> str:
    """Return the folder that a picture lies in; "images" is a folder of them all."""
    *folders, _file = name.split("/")
    folders = folders[1:] if folders[:1] == ["images"] else folders
    return label(folders[0]) if folders else ""


def _add(samples: dict[str, Sample], names: Names, known: Known) -> list[str]:
    """Give each picture what is known of it; return the names that fit no picture."""
    missing = []
    for called, fields in known.items():
        if called == EVERY:
            raise InputError(
                "The points name no pictures; give a column image, so that each picture has its "
                "own."
            )
        name = names.find(called)
        if name is None:
            missing.append(called)
            continue
        told = {field: value for field, value in fields.items() if value}
        samples[name] = replace(samples[name], **told)
    return missing


def _missing_notes(path: Path, known: Known, missing: list[str]) -> list[str]:
    if not missing:
        return []
    shown = ", ".join(missing[:_SHOWN]) + (", ..." if missing[_SHOWN:] else "")
    if len(missing) == len(known):
        raise OutsideError(
            f"{path.name} has annotations of {len(known)} pictures, none of which is in the folder "
            f"({shown}). Name pictures by their path below the folder, or by their file name."
        )
    return [f"{path.name}: {len(missing)} of {len(known)} names fit no picture: {shown}"]


def _spaced(samples: list[Sample], most: int | None) -> list[Sample]:
    if most is None or len(samples) <= most:
        return samples
    return [samples[k * len(samples) // most] for k in range(most)]
