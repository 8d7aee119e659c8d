"""A folder that is there takes the place of itself with more files in it, at one moment."""

import ctypes
import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

MOST_ENTRIES = 20_000
"""Entries of a folder that is swapped; each of them is linked to."""
_HERE, _EXCHANGE = -100, 2
"""Linux's AT_FDCWD and RENAME_EXCHANGE."""


def suits(folder: Path) -> bool:
    """Tell whether a folder may be swapped for another one: it is no mount, nobody's working
    folder as far as this process knows, and its parent can be written to."""
    whole, here = folder.resolve(), Path.cwd()
    return (
        _renameat2() is not None
        and not folder.is_symlink()
        and (not folder.exists() or folder.stat().st_uid == os.geteuid())
        and whole != here
        and whole not in here.parents
        and not os.path.ismount(whole)
        and os.access(whole.parent, os.W_OK)
    )


def fill_up(part: Path, folder: Path) -> bool:
    """Link into ``part`` everything of ``folder`` that it does not have; False where that cannot
    be: too much, or what cannot be linked to."""
    count = 0
    for home, folders, files in os.walk(folder):
        there = part / Path(home).relative_to(folder)
        if there.exists() and not there.is_dir():
            return False
        count += len(folders) + len(files)
        if count > MOST_ENTRIES or any(os.path.ismount(Path(home, one)) for one in folders):
            return False
        there.mkdir(exist_ok=True)
        try:
            _link(Path(home), there, folders, files)
        except OSError:
            return False
    return True


def _link(home: Path, there: Path, folders: list[str], files: list[str]) -> None:
    shutil.copystat(home, there)
    for name in (*files, *(one for one in folders if (home / one).is_symlink())):
        with suppress(FileExistsError):
            os.link(home / name, there / name, follow_symlinks=False)


def exchange(part: Path, folder: Path) -> bool:
    """Let two folders change places at one moment; False where the system does not.

    What came into ``folder`` in between is in ``part`` then, and is moved back beside the others.
    """
    call = _renameat2()
    if call is None or call(_HERE, os.fsencode(part), _HERE, os.fsencode(folder), _EXCHANGE):
        return False
    for home, _folders, files in os.walk(part):
        there = folder / Path(home).relative_to(part)
        for name in files:
            if there.is_dir() and not os.path.lexists(there / name):
                with suppress(OSError):
                    Path(home, name).rename(there / name)
    return True


@cache
def _renameat2() -> Any:  # noqa: ANN401 (a function of the C library)
    try:
        return ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
