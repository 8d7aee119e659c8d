"""Data sets that visitors bring: a zip, or pictures with their annotations, on this machine's disk
for as long as the session holds them."""

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import InputError, MachineError
from ui import state
from ui.isolation import media as isolation
from ui.server import scratch, waiting
from ui.server.visitor import stop_if_ended
from ui.session.media import arrivals
from ui.session.media.medium import contents
from viz.datasets import archive
from viz.media.pictures import safe_name


@dataclass(eq=False)
class Uploaded:
    """A folder of uploaded files, which goes when the session drops it; ``key`` tells it apart."""

    folder: Path
    key: tuple[str, ...]


def kept(uploads: Sequence) -> Uploaded:
    """Return the uploads as a folder: zips unpacked, other files as they are.

    MediaError for what is no data set, MachineError where there is no room.
    """
    key = tuple(one.file_id for one in uploads)
    held = state.DATA_UPLOAD.get()
    if held is None or held.key != key:
        with waiting.stoppable(f"Reading {arrivals.called(uploads)}", ("data set", key)):
            held = _written(_files(contents(uploads)), key)
        state.DATA_UPLOAD.set(held)
    return held


def _files(uploads: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for name, content in uploads:
        if name.lower().endswith(".zip"):
            found += isolation.unpack(content, name, stop_if_ended)
        elif archive.is_wanted(name):
            found.append((safe_name(name), content))
        else:
            raise InputError(
                f"{safe_name(name)} is neither pictures nor annotations; give a zip, pictures "
                f"({', '.join(archive.ENDINGS)}) or annotations ({', '.join(archive.TEXTS)})."
            )
    archive.check_bounds([(path, len(content)) for path, content in found], "The upload")
    return found


def _written(files: list[tuple[str, bytes]], key: tuple[str, ...]) -> Uploaded:
    try:
        folder = Path(tempfile.mkdtemp(dir=scratch.folder(), prefix="data-"))
        held = Uploaded(folder, key)
        weakref.finalize(held, shutil.rmtree, folder, ignore_errors=True)
        for done, (path, content) in enumerate(files):
            stop_if_ended(done / len(files))
            place = folder / path
            if not place.resolve().is_relative_to(folder.resolve()):
                raise InputError(f"{safe_name(path)} leads out of its archive; pack it again.")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    except OSError as problem:
        raise MachineError(
            f"The upload could not be kept ({problem.strerror}); give fewer files or shorter names."
        ) from problem
    return held
