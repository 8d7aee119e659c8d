"""Several files that belong together, put into a folder whole or not at all."""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EISDIR, ENOTDIR
from pathlib import Path, PurePath

from errors import MachineError
from viz import whole_files
from viz.cli import folder_swap
from viz.whole_files import PART

WHOLE = ".whole-"
"""How the names of folders begin whose files are all there and only have to be moved."""


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their names, which may have folders, into ``folder``: MachineError, or all.

    All of them appear at once, however the process ends: as a new folder, or as one that takes the
    place of the one that was there, with all that was in it. Where a folder cannot be swapped (it
    is a mount, or the working folder) every file is replaced whole, and the next call finishes
    what a killed one began.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _check(folder, files)
        if not folder.exists() or folder_swap.suits(folder):
            with _staged(folder.parent, files) as part, _alone(folder.parent):
                if _appeared(part, folder):
                    return
        with _alone(folder):
            _finish(folder)
        with _staged(folder, files) as part:
            whole = part.rename(part.with_name(part.name.replace(PART, WHOLE, 1)))
            _move(whole, folder)
    except OSError as problem:
        raise MachineError(
            f"{folder} could not be written ({problem.strerror}); choose a folder that can be."
        ) from problem


def _check(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise OSError where a file would have to stand in the place of a folder, or the other way."""
    for name in files:
        if (folder / name).is_dir():
            raise IsADirectoryError(EISDIR, f"{name} is a folder there")
        for parent in PurePath(name).parents:
            if os.path.lexists(folder / parent) and not (folder / parent).is_dir():
                raise NotADirectoryError(ENOTDIR, f"{parent} is no folder there")


def _appeared(part: Path, folder: Path) -> bool:
    """Put a staged folder in the place of ``folder``; False where it cannot be done at once."""
    if folder.is_dir() and any(folder.iterdir()):
        return folder_swap.fill_up(part, folder) and folder_swap.exchange(part, folder)
    part.chmod(stat.S_IMODE(folder.stat().st_mode) if folder.is_dir() else 0o777 & ~_umask())
    part.rename(folder)
    return True


def _move(whole: Path, folder: Path) -> None:
    """Move all files of a staged folder to where they belong."""
    for path in sorted(whole.rglob("*")):
        if not path.is_dir() or path.is_symlink():
            target = folder / path.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    shutil.rmtree(whole, ignore_errors=True)


def _finish(folder: Path) -> None:
    """Finish what a killed process had ready and did not get to move."""
    for whole in folder.glob(WHOLE + "*"):
        if whole.is_dir() and not whole.is_symlink() and whole_files.is_left(whole, WHOLE):
            _move(whole, folder)


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


@contextmanager
def _staged(home: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Make a folder with files beside what is to come; remove it, and those of killed processes."""
    with _alone(home):
        whole_files.sweep(home)
        part = home / whole_files.part_name()
        part.mkdir(mode=0o700)
    try:
        for name, content in files.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(content)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one process at a time look for what is left; the lock falls with the process."""
    descriptor = os.open(home, os.O_RDONLY)
    try:
        with suppress(OSError):  # network file systems without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
