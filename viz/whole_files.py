"""Files that are there whole or not at all, however a process ends: written beside their place and
renamed. What a killed process left behind is removed by the next one that writes there."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

PART = ".part-"
"""How the names of what is being written begin; the number of the process follows."""
_FOLDER = "nonlocal-viz-"


def part_name(prefix: str = PART) -> str:
    """Return a name for what this process is writing."""
    return f"{prefix}{os.getpid()}-{secrets.token_hex(8)}"


def is_left(path: Path, prefix: str = PART) -> bool:
    """Tell whether something was being written by a process that is gone."""
    owner = path.name.removeprefix(prefix).partition("-")[0]
    if not path.name.startswith(prefix) or not owner.isdecimal() or len(owner) > 10:
        return False  # none of ours
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def sweep(home: Path, prefix: str = PART) -> None:
    """Remove from a folder what killed processes were writing."""
    for left in home.glob(f"{prefix}*"):
        if left.is_symlink() or not is_left(left, prefix):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()


@cache
def _sweep_once(home: Path, prefix: str) -> None:
    sweep(home, prefix)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``target`` when the body ends well."""
    _sweep_once(target.parent, PART)
    part = target.with_name(part_name())
    try:
        yield part
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder of this machine's temporary one, which goes with the body or the process."""
    home = Path(tempfile.gettempdir())
    _sweep_once(home, _FOLDER)
    made = home / part_name(_FOLDER)
    made.mkdir(mode=0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
