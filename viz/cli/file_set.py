"""Several files that belong together, put into a folder whole or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from errors import MachineError

PART = ".part-"


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their names, which may have folders, into ``folder``: MachineError, or all.

    A folder that is not there yet appears with all of them at once, however the process ends. In
    one that is there, every file is replaced whole; what a killed process left is removed.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        is_new = not folder.exists()
        home = folder.parent if is_new else folder
        with _staged(home) as part:
            for name, content in files.items():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).write_bytes(content)
            if is_new and _appeared(part, folder):
                return
            for name in files:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).replace(folder / name)
    except OSError as problem:
        raise MachineError(
            f"{folder} could not be written ({problem.strerror}); choose a folder that can be."
        ) from problem


def _appeared(part: Path, folder: Path) -> bool:
    """Give a staged folder its name; False where another process has made that in between."""
    part.chmod(0o777 & ~_umask())
    try:
        part.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        return False
    return True


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


@contextmanager
def _staged(home: Path) -> Iterator[Path]:
    """Make a folder beside what is to come, and remove it and those of killed processes."""
    with _alone(home):
        for left in home.glob(PART + "*"):
            if left.is_dir() and not left.is_symlink() and not _is_held(left):
                shutil.rmtree(left, ignore_errors=True)
        part = Path(tempfile.mkdtemp(dir=home, prefix=f"{PART}{os.getpid()}-"))
    try:
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


def _is_held(left: Path) -> bool:
    """Tell whether the process that made a staged folder still lives."""
    owner = left.name.removeprefix(PART).partition("-")[0]
    if not owner.isdecimal() or len(owner) > 10:
        return True  # none of ours
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
