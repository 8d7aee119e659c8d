"""Pictures by the names that annotations call them: whole path, its end, or without the ending."""

from collections.abc import Iterable
from pathlib import PurePosixPath

_AMBIGUOUS = ""
_DEEPEST = 64
"""Last parts of a path that are looked at."""


class Names:
    """Finds a picture of a data set by how an annotation calls it, in constant time.

    A name fits a picture when it is its path below the folder, that path's last parts, its file
    name, or one of these without the ending; the longest that fits one picture alone counts.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._known: dict[str, str] = {}
        for name in names:
            for key in {key for way in (name, _bare(name)) for key in _ends(way)}:
                self._known[key] = _AMBIGUOUS if key in self._known else name
        for name in names:
            self._known[name] = name

    def find(self, called: str) -> str | None:
        """Return the picture that ``called`` names; None for none, and for several."""
        called = called.replace("\\", "/").strip("/")
        for way in (called, _bare(called)):
            for key in _ends(way):
                if key in self._known:
                    return self._known[key] or None
        return None


def _bare(name: str) -> str:
    """Return a path without the ending of its file name."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix else name


def _ends(name: str) -> list[str]:
    """Return a/b/c, b/c, c."""
    parts = name.rsplit("/", _DEEPEST)
    return ["/".join(parts[k:]) for k in range(len(parts))]
