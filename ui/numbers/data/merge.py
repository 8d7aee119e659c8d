"""Several uploads as one folder: nothing of one takes the place of another's without a word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from errors import InputError, counted
from viz.datasets.annotations import cub
from viz.datasets.annotations.files import BY_ENDING
from viz.datasets.archive import TEXTS
from viz.datasets.read import MASKS

_SHOWN = 8
"""Uploads and names that are listed."""
_DEEPEST = 8
"""Folders in one another that an archive may be, and nothing else."""
File = tuple[str, bytes]
"""Path and content."""


@dataclass(frozen=True)
class Given:
    """One upload: its name, and the files in it; one that is no archive is a file of its own."""

    name: str
    files: list[File]
    is_archive: bool

    @property
    def origin(self) -> str:
        """Where its files are from, behind what is said of one."""
        return f"from {self.name}" if self.is_archive else "as a file of its own"


@dataclass(frozen=True)
class Merged:
    """The files of all uploads, each path once; what each upload gave, in one line; and a line on
    what was taken once."""

    files: list[File]
    made_of: str
    notes: tuple[str, ...]


def merged(uploads: Sequence[tuple[str, list[File], bool]]) -> Merged:
    """Put uploads together: (name, files, whether it is an archive) of each.

    An archive that is one folder counts as what is in that folder. Annotations of the same name are
    all kept, by names that say where they are from; a picture that comes twice is taken once.
    InputError, which names both, where two files of the same path differ.
    """
    given = _named(uploads)
    often = Counter(path for one in given for path in {path for path, _ in one.files})
    found: dict[str, tuple[Given, bytes]] = {}
    same: list[str] = []
    for one in given:
        for path, content in one.files:
            is_taken = often[path] > 1 or path in found
            name = _own_name(one, path, found) if is_taken and _is_table(path) else path
            if name not in found:
                found[name] = one, content
                continue
            first, known = found[name]
            if known == content:
                same.append(path)
            elif _is_read(path):
                raise InputError(
                    f"{path} comes twice with different contents, {first.origin} and {one.origin}; "
                    "rename one of them, or leave it out."
                )
    files = [(path, content) for path, (_first, content) in found.items()]
    count = sum(map(_is_read, same))
    notes = [f"{counted(count, 'file')} in several uploads, the same: taken once"] if count else []
    return Merged(files, _made_of(given), tuple(notes))


def _named(uploads: Sequence[tuple[str, list[File], bool]]) -> list[Given]:
    """Return uploads by names of their own: a number tells two of one name apart."""
    made: dict[str, Given] = {}
    for name, files, is_archive in uploads:
        own = _unlike(name, made)
        made[own] = Given(own, _unwrapped(files) if is_archive else files, is_archive)
    return list(made.values())


def _unlike(name: str, others: dict) -> str:
    """Return a name that none of the others has."""
    path, number, own = PurePosixPath(name), 2, name
    while own in others:
        own, number = f"{path.stem} ({number}){path.suffix}", number + 1
    return own


def _own_name(one: Given, path: str, others: dict) -> str:
    """Return what annotations are called whose name another upload has, too."""
    return _unlike(f"{one.name}, {path}" if one.is_archive else one.name, others)


def _unwrapped(files: list[File]) -> list[File]:
    """Return the files of the one folder that an archive is, where it is no class of pictures."""
    for _ in range(_DEEPEST if files else 0):
        tops = {path.partition("/")[0] for path, _ in files}
        inside = [(path.partition("/")[2], content) for path, content in files]
        if len(tops) > 1 or not all(path for path, _ in inside) or tops <= {MASKS, "parts"}:
            return files
        direct = [path for path, _ in inside if "/" not in path]
        has_more = any(_is_table(path) or cub.is_one(path) for path in direct)
        has_more |= any(path.startswith(f"{MASKS}/") for path, _ in inside)
        if any(not path.lower().endswith(TEXTS) for path in direct) and not has_more:
            return files
        files = inside
    return files


def _is_table(path: str) -> bool:
    """Tell whether a file is read as annotations by itself: those beside the pictures are."""
    return "/" not in path and PurePosixPath(path).suffix.lower() in BY_ENDING


def _is_read(path: str) -> bool:
    return not path.lower().endswith(TEXTS) or _is_table(path) or cub.is_one(path)


def _made_of(given: Sequence[Given]) -> str:
    """Return which uploads there are, with what is in each; single pictures together."""
    single = [one.name for one in given if not one.is_archive]
    texts = [name for name in single if name.lower().endswith(TEXTS)]
    words = [f"{one.name} ({_inside(one)})" for one in given if one.is_archive]
    words += [name if _is_read(name) else f"{name} (not read)" for name in texts]
    pictures = len(single) - len(texts)
    return ", ".join([*_listed(words), *_counts({"single picture": pictures})])


def _listed(words: list[str]) -> list[str]:
    return words[:_SHOWN] + ([f"{len(words) - _SHOWN:,} more"] if words[_SHOWN:] else [])


def _inside(one: Given) -> str:
    """Return what is in an archive, in words."""
    paths = [path for path, _ in one.files]
    texts = [path for path in paths if path.lower().endswith(TEXTS)]
    tables = [path for path in texts if _is_table(path)]
    masks = sum(path.startswith(f"{MASKS}/") for path in set(paths) - set(texts))
    words = _counts({"picture": len(paths) - len(texts) - masks, "mask": masks})
    words += _listed(tables)
    words += _counts({
        "CUB text file": sum(map(cub.is_one, texts)),
        "unread text file": sum(not _is_read(path) for path in texts),
    })  # fmt: skip
    return ", ".join(words) or "nothing that is read"


def _counts(kinds: dict[str, int]) -> list[str]:
    return [counted(number, what) for what, number in kinds.items() if number]
