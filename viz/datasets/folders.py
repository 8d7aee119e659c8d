"""Where a run writes its files: a folder of this machine, or a URL like s3://bucket/run."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import filelock

from errors import InputError, MachineError
from viz.figure.files import export

_WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "memory"}
"""File systems whose files appear whole or not at all; elsewhere they get their name in the end."""


class File(Protocol):
    """A file of a run, by its ``name``: a Path, or one behind a URL."""

    @property
    def name(self) -> str:
        """Its last part."""

    def read_bytes(self) -> bytes:
        """Return what is in it."""


class Folder(ABC):
    """A folder that files are written to whole or not at all."""

    @abstractmethod
    def file(self, name: str) -> File:
        """Return the file called ``name`` (a path below the folder), there or not."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """Return what is in a file; None where there is none."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a file; MachineError where that cannot be."""

    @abstractmethod
    def is_empty(self, name: str) -> bool:
        """Tell whether nothing lies in the folder called ``name`` below this one."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep other runs out of it where that can be."""
        yield


@dataclass(frozen=True)
class LocalFolder(Folder):
    """A folder of this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def file(self, name: str) -> Path:
        """Return the path of a file."""
        return self.path / name

    def read(self, name: str) -> bytes | None:
        """Return what is in a file; None where there is none."""
        path = self.file(name)
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        """Write a file under another name first, so that a kill leaves no half of it."""
        path = self.file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        export.save(content, path)

    def is_empty(self, name: str) -> bool:
        """Tell whether nothing lies in a folder below this one."""
        path = self.file(name)
        return not path.is_dir() or not any(path.iterdir())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep other runs out of it by a lock."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / ".lock", timeout=0)
            lock.acquire()
        except filelock.Timeout as problem:
            raise MachineError(
                f"{self} is being written by another run; wait for it, or choose another folder."
            ) from problem
        except OSError as problem:
            raise MachineError(
                f"{self} could not be made ({problem.strerror}); choose a folder that can be "
                "written."
            ) from problem
        try:
            self._clear()
            yield
        finally:
            lock.release()

    def _clear(self) -> None:
        """Remove what a kill left under names that files have only while they are written."""
        for left in self.path.rglob(".*.part"):
            with suppress(OSError):
                left.unlink()


@dataclass(frozen=True)
class RemoteFile:
    """A file behind a URL."""

    system: Any
    path: str

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.rpartition("/")[2]

    def read_bytes(self) -> bytes:
        """Return what is in it."""
        return self.system.cat_file(self.path)


@dataclass(frozen=True)
class RemoteFolder(Folder):
    """A folder behind a URL, reached through fsspec. Nothing keeps a second run out of it: two runs
    of the same data write the same bytes."""

    url: str
    system: Any
    root: str

    def __str__(self) -> str:
        return self.url

    def file(self, name: str) -> RemoteFile:
        """Return a file below the URL."""
        return RemoteFile(self.system, f"{self.root}/{name}")

    def read(self, name: str) -> bytes | None:
        """Return what is in a file; None where there is none."""
        try:
            return self.file(name).read_bytes()
        except FileNotFoundError:
            return None
        except Exception as problem:  # each file system has errors of its own
            raise self._failed("read", name, problem) from problem

    def write(self, name: str, content: bytes) -> None:
        """Write a file; where the file system shows halves, under another name first."""
        path, kinds = self.file(name).path, self.system.protocol
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        try:
            self.system.makedirs(path.rpartition("/")[0], exist_ok=True)
            place = path if kinds & _WHOLE else f"{path}.part"
            self.system.pipe_file(place, content)
            if place != path:
                self.system.mv(place, path)
        except Exception as problem:
            raise self._failed("written", name, problem) from problem

    def is_empty(self, name: str) -> bool:
        """Tell whether nothing lies in a folder below this one."""
        try:
            return not self.system.ls(self.file(name).path, detail=False)
        except FileNotFoundError:
            return True
        except Exception as problem:
            raise self._failed("read", name, problem) from problem

    def _failed(self, done: str, name: str, problem: Exception) -> MachineError:
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        return MachineError(
            f"{self.url}/{name} could not be {done} ({reason}); check the address and your right "
            "to write there."
        )


def folder(out: str | Path) -> Folder:
    """Return the folder at a path or a URL; InputError where no package knows the URL."""
    kind, sign, rest = str(out).partition("://")
    if not sign:
        return LocalFolder(Path(out))
    if kind == "file":
        return LocalFolder(Path(rest))
    import fsspec  # noqa: PLC0415 (for this alone)

    try:
        system, root = fsspec.core.url_to_fs(str(out))
    except (ImportError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:120]
        raise InputError(
            f"{str(out)[:80]} cannot be written to here ({reason}); install that package, or give "
            "a folder."
        ) from problem
    except Exception as problem:
        reason = " ".join(str(problem).split())[:120]
        raise MachineError(f"{str(out)[:80]} cannot be reached ({reason}).") from problem
    return RemoteFolder(str(out).rstrip("/"), system, root.rstrip("/"))
