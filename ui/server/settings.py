"""What a server is allowed and how it is reached: one TOML file, every entry with its range.

Without a file the values are those of a program that one person runs for themselves.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from errors import InputError
from viz.media.pictures import check_regular

LARGEST_BYTES = 2**16
_LEGIBLE = 10**300


@dataclass(frozen=True)
class Entry:
    """The table that an entry of the file stands in, and what it takes."""

    table: str
    lowest: int = 0
    highest: int = 0


def _entry(table: str, value: object, lowest: int = 0, highest: int = 0) -> Any:  # noqa: ANN401
    return field(default=value, metadata={"entry": Entry(table, lowest, highest)})


@dataclass(frozen=True)
class Settings:
    """The settings of one server process.

    Sizes are in MB (2^20 bytes), times in seconds. ``memory_mb`` 0 is three quarters of the
    machine's memory. ``device`` computes for everybody; visitors choose where it is "auto".
    """

    address: str = _entry("server", "localhost")
    port: int = _entry("server", 8501, 1, 65535)
    base_path: str = _entry("server", "")
    access_log: bool = _entry("server", True)
    most_sessions: int = _entry("limits", 1000, 1, 10**5)
    session_upload_mb: int = _entry("limits", 4096, 1, 2**20)
    process_upload_mb: int = _entry("limits", 8192, 1, 2**20)
    session_files: int = _entry("limits", 5000, 1, 10**6)
    session_capture_mb: int = _entry("limits", 2048, 16, 2**20)
    memory_mb: int = _entry("limits", 0, 0, 2**24)
    device: str = _entry("server", "auto")
    most_waiting: int = _entry("limits", 200, 1, 10**4)
    forget_after_s: int = _entry("limits", 45, 5, 3600)
    keep_uploads_s: int = _entry("limits", 4 * 3600, 5, 30 * 86400)
    visitors_change_cache: bool = _entry("cache", True)
    login: bool = _entry("login", False)
    folders: tuple[str, ...] = _entry("data", ())


SHARED = Settings(
    most_sessions=200,
    session_upload_mb=1024,
    process_upload_mb=4096,
    session_files=1000,
    session_capture_mb=1024,
    keep_uploads_s=30,
    visitors_change_cache=False,
)
"""What ``serve`` starts from: a machine that several people share."""

_CURRENT = [Settings()]


def current() -> Settings:
    """Return the settings of this process."""
    return _CURRENT[0]


def use(settings: Settings) -> None:
    """Make these the settings of this process."""
    _CURRENT[0] = settings


def load(path: Path) -> Settings:
    """Read a TOML file over SHARED; InputError in one line that names the entry that is wrong."""
    try:
        check_regular(path)
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path} is too large for settings; give a TOML file as in deploy/.")
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise InputError(
            f"{path} could not be read as TOML ({reason}); deploy/server.toml shows one."
        ) from problem
    found = replace(SHARED, **dict(_taken(given, path)))
    return replace(found, folders=check_folders(found.folders))


def _taken(given: dict[str, Any], path: Path) -> list[tuple[str, Any]]:
    known = {(one.metadata["entry"].table, one.name): one for one in fields(Settings)}
    taken = []
    for table, entries in given.items():
        if not isinstance(entries, dict):
            raise InputError(f"{path}: {table[:40]!r} stands in no table; use {_tables()}.")
        for name, value in entries.items():
            one = known.get((table, name))
            if one is None:
                names = ", ".join(n for t, n in known if t == table) or f"the tables {_tables()}"
                raise InputError(f"{path}: [{table[:40]}] {name[:40]} is not known; use {names}.")
            place = f"{path}: [{table}] {name}"
            if isinstance(one.default, tuple):
                value = texts(value, place)
            _check(one.default, one.metadata["entry"], value, place)
            taken.append((name, value))
    return taken


def texts(value: object, place: str) -> tuple[str, ...]:
    """Return a list of texts; InputError for anything else."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InputError(f"{place} is {value!r:.40}; give a list of texts in quotes.")
    return tuple(value)


def data_folders() -> tuple[Path, ...]:
    """Return the folders of pictures that whoever started the server lets visitors measure."""
    return tuple(Path(one) for one in current().folders)


def check_folders(folders: Iterable[str]) -> tuple[str, ...]:
    """Return absolute paths of folders; InputError for one that is not there."""
    for one in folders:
        if not Path(one).is_dir():
            raise InputError(f"{one} is not a folder of pictures; give one that is there.")
    return tuple(str(Path(one).resolve()) for one in folders)


def _tables() -> str:
    return ", ".join(dict.fromkeys(f"[{one.metadata['entry'].table}]" for one in fields(Settings)))


def _check(default: object, entry: Entry, value: object, place: str) -> None:
    if type(value) is not type(default):
        kind = {bool: "true or false", int: "a whole number", str: "text in quotes"}[type(default)]
        raise InputError(f"{place} is {value!r:.40}; give {kind}.")
    if isinstance(value, int) and entry.highest and not entry.lowest <= value <= entry.highest:
        said = value if abs(value) < _LEGIBLE else "far too large"
        raise InputError(
            f"{place} is {said}; give a number from {entry.lowest} to {entry.highest}."
        )
