"""Ground-truth points of pictures: from CUB's text files, from CSV and from JSON."""

import os.path
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from errno import EINVAL
from pathlib import Path, PurePosixPath

from errors import InputError, OutsideError, counted
from viz.figure.keypoint_files import EVERY, Point, from_csv, from_json, is_seen, part
from viz.figure.recipe.recipe import MOST_PARTS, Part
from viz.media import limits

LARGEST_BYTES = 16 * 2**20
ACCEPTED = "CSV or JSON file of points, or a folder with CUB's part_locs.txt and images.txt"
LOCATIONS, NAMES, PICTURES = "part_locs.txt", "parts.txt", "images.txt"


@dataclass(frozen=True)
class Truth:
    """Visible points by picture; the name ``EVERY`` holds those of every picture."""

    parts: Mapping[str, tuple[Part, ...]]
    name: str

    def of(self, name: str) -> tuple[Part, ...]:
        """Return the points of a picture, found by its path, its name, or that without the ending.

        OutsideError where there is none, or several that it could be.
        """
        if EVERY in self.parts:
            return self.parts[EVERY]
        asked = _path(name)
        for same in (_is, _ends, _same_name, _same_stem):
            found = [known for known in self.parts if same(asked, _path(known))]
            if len(found) == 1:
                return self.parts[found[0]]
            if found:
                raise OutsideError(
                    f"{self.name} has points of {_listed(found)}, each of which could be {name}. "
                    "Name the pictures with their folders."
                )
        raise OutsideError(
            f"{self.name} has no points of {name}; it has those of {_listed(self.parts)}."
        )


def read(path: str | Path) -> Truth:
    """Read a folder as CUB lays it out, CUB's part_locs.txt in one, or a CSV or JSON of points.

    InputError, in one line that names the line or entry, for anything that cannot be used.
    """
    path = Path(path)
    if path.name == LOCATIONS:
        path = path.parent.parent if path.parent.name == "parts" else path.parent
    is_folder = os.path.isdir(path)  # noqa: PTH112 (never raises)
    return read_cub(path) if is_folder else read_bytes(_content(path), path.name)


def read_cub(folder: Path) -> Truth:
    """Read images.txt, parts/part_locs.txt and parts/parts.txt; all may lie side by side.

    Without parts.txt the parts are called part 1, part 2 and so on.
    """
    places = {name: (folder / name, folder / "parts" / name) for name in (LOCATIONS, NAMES)}
    places[PICTURES] = (folder / PICTURES, folder.parent / PICTURES)
    found = {
        name: next((path for path in paths if os.path.isfile(path)), None)  # noqa: PTH113
        for name, paths in places.items()
    }
    files = {name: _content(path) for name, path in found.items() if path}
    return read_cub_files(files, limits.safe_name(folder.absolute().name))


def read_cub_files(files: Mapping[str, bytes], name: str = "CUB's files") -> Truth:
    """Read CUB's text files by their names, whatever their folder: see read_cub."""
    texts = {}
    for path, content in files.items():
        own = _path(path).name
        if own in (LOCATIONS, NAMES, PICTURES):
            texts[own] = _text(content, own)
    for wanted in (LOCATIONS, PICTURES):
        if wanted not in texts:
            raise InputError(
                f"{wanted} is missing in {name}; CUB's points are in {LOCATIONS} (image, part, x, "
                f"y, visible), the pictures of the image numbers in {PICTURES}."
            )
    pictures = _numbered(texts[PICTURES], PICTURES)
    names = _numbered(texts.get(NAMES, ""), NAMES)
    return _gathered(_located(texts[LOCATIONS], pictures, names), name, pictures.values())


def read_files(files: Mapping[str, bytes]) -> Truth:
    """Return the points in CUB's text files, or in the first file, a CSV or JSON."""
    if {LOCATIONS, NAMES, PICTURES} & set(files):
        return read_cub_files(files)
    name, content = next(iter(files.items()))
    return read_bytes(content, name)


def read_bytes(content: bytes, name: str) -> Truth:
    """Read a JSON or a CSV of points, recognised by the content.

    JSON: a list of {"name", "x", "y"}, and of each also "image" and "visible" where wanted; or
    such a list, or {part: [x, y]}, by picture. CSV: columns name, x, y, and image, visible where
    wanted, with these names in its first line or in this order; separated by comma, semicolon or
    tab.
    """
    name = limits.safe_name(name)
    text = _text(content, name)
    start = text.lstrip()[:1]
    if not start:
        raise InputError(f"{name} is empty ({counted(len(content), 'byte')}); give a {ACCEPTED}.")
    return _gathered(from_json(text, name) if start in "[{" else from_csv(text, name), name)


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise OSError(EINVAL, "not a regular file")
        with path.open("rb") as opened:
            return opened.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        reason = getattr(problem, "strerror", None) or problem
        raise InputError(
            f"{limits.safe_name(path.name)} could not be read ({reason}); give a {ACCEPTED}."
        ) from problem


def _text(content: bytes, name: str) -> str:
    if len(content) > LARGEST_BYTES:
        raise InputError(
            f"{name} has more than {LARGEST_BYTES // 2**20} MB; points of pictures take less. "
            f"Give a {ACCEPTED}."
        )
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise InputError(f"{name}, line {line}: not UTF-8 text; give a {ACCEPTED}.") from problem
    if "\0" in text:
        raise InputError(f"{name} is not text; give a {ACCEPTED}.")
    return text


def _gathered(points: Iterable[Point], name: str, pictures: Iterable[str] = ()) -> Truth:
    parts: dict[str, list[Part]] = {picture: [] for picture in pictures}
    for point in points:
        own = parts.setdefault(point.picture, [])
        if len(own) == MOST_PARTS:
            raise InputError(
                f"{point.place}: more than {MOST_PARTS} points of one picture; up to that many are "
                "accepted. Take fewer."
            )
        own.append(point.part)
    if EVERY in parts and len(parts) > 1:
        raise InputError(
            f"{name} names the picture of some points and not of others; name that of all, or none."
        )
    if not any(parts.values()):
        raise InputError(f"{name} has no visible point; give at least one.")
    return Truth({picture: tuple(own) for picture, own in parts.items()}, name)


def _numbered(text: str, name: str) -> dict[str, str]:
    """Return {number: the rest of the line} of a CUB text file."""
    found = {}
    for line, content in enumerate(text.splitlines(), 1):
        number, *rest = content.split(maxsplit=1)[:2] or [""]
        if number and not rest:
            raise InputError(
                f"{name}, line {line}: {content[:60]!r} cannot be read; give a number and a name."
            )
        if number:
            found[number] = rest[0].strip()
    return found


def _located(text: str, pictures: dict[str, str], names: dict[str, str]) -> Iterator[Point]:
    """Read part_locs.txt: image part x y visible; images that are not listed are left out."""
    for line, content in enumerate(text.splitlines(), 1):
        cells = content.split()
        if not cells:
            continue
        place = f"{LOCATIONS}, line {line}"
        if len(cells) != 5:
            raise InputError(
                f"{place}: {content[:60]!r} cannot be read; give image, part, x, y and visible "
                "(0 or 1)."
            )
        image, number, x, y, visible = cells
        if image in pictures and is_seen(visible, place):
            named = names.get(number, f"part {number}")
            yield Point(pictures[image], part(named, x, y, place), place)


Same = Callable[[PurePosixPath, PurePosixPath], bool]


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))


def _is(asked: PurePosixPath, known: PurePosixPath) -> bool:
    return asked == known


def _ends(asked: PurePosixPath, known: PurePosixPath) -> bool:
    short, long = sorted((asked.parts, known.parts), key=len)
    return long[-len(short) :] == short


def _same_name(asked: PurePosixPath, known: PurePosixPath) -> bool:
    return asked.name == known.name


def _same_stem(asked: PurePosixPath, known: PurePosixPath) -> bool:
    return asked.stem == known.stem


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - 3} more" if names[3:] else ""
    return ", ".join(names[:3]) + more
