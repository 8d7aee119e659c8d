"""Temporary files of this process, in one folder whose lock falls with it: what a killed server
left is removed when the next one starts."""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

PREFIX = "nonlocal-viz-server-"
_LOCK, _NEW = "lock", "lock.new"
_BEING_MADE_S = 60
_HELD: list[int] = []


@cache
def folder() -> Path:
    """Return the folder of this process; the first call makes it and removes those of the dead."""
    sweep()
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    descriptor = os.open(made / _NEW, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (made / _NEW).rename(made / _LOCK)  # from here on, others find it held
    _HELD.append(descriptor)
    return made


def sweep() -> int:
    """Remove the folders of processes that are gone; return how many."""
    return sum(_removed(found) for found in Path(tempfile.gettempdir()).glob(PREFIX + "*"))


def _removed(found: Path) -> bool:
    """Remove a folder if nobody holds its lock. One without a lock is being made, or half gone."""
    with suppress(OSError):
        if found.is_symlink() or found.stat().st_uid != os.getuid():
            return False
        if not (found / _LOCK).exists():
            if time.time() - found.stat().st_mtime < _BEING_MADE_S:
                return False
            shutil.rmtree(found, ignore_errors=True)
            return True
        descriptor = os.open(found / _LOCK, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(found, ignore_errors=True)
            return True
        finally:
            os.close(descriptor)
    return False


def remove() -> None:
    """Remove the folder of this process, at its end."""
    if folder.cache_info().currsize:
        shutil.rmtree(folder(), ignore_errors=True)
