"""Data sets that visitors bring: a zip, or pictures with their annotations, on this machine's disk
for as long as the session holds them; all of their bytes are read by children."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from errors import InputError, MachineError, without_frames
from ui import state
from ui.isolation import media as isolation
from ui.isolation import texts
from ui.numbers.data import merge
from ui.numbers.data.merge import Merged
from ui.server import scratch, waiting
from ui.server.visitor import stop_if_ended
from ui.session.media import arrivals
from ui.session.media.medium import contents
from viz.datasets import archive
from viz.datasets.annotations.known import Known
from viz.datasets.read import read
from viz.datasets.sample import Dataset
from viz.media.limits import safe_name


@dataclass(eq=False)
class Uploaded:
    """Uploads that were read, once: the ``dataset`` in a folder that goes when the session drops
    it, and which uploads it is ``made_of``. ``key`` tells them apart."""

    key: tuple[str, ...]
    dataset: Dataset | None = None
    made_of: str = ""


@dataclass(frozen=True, eq=False)
class Refused:
    """Uploads that are no data set, and why: said again, not found again."""

    key: tuple[str, ...]
    why: InputError


def kept(uploads: Sequence) -> Uploaded:
    """Return the uploads as a data set: zips unpacked, other files as they are.

    InputError for what is none, MachineError where there is no room; what was in use before then
    stays in use.
    """
    key = tuple(one.file_id for one in uploads)
    held, refused = state.DATA_UPLOAD.get(), state.DATA_REFUSED.get()
    if held is not None and held.key == key:
        state.DATA_REFUSED.pop()
        return held
    if refused is None or refused.key != key:
        given = contents(uploads)
        with waiting.stoppable(f"Reading {arrivals.called(uploads)}", ("data set", key)):
            try:
                held = _read(given, key)
            except InputError as problem:  # its folder goes
                refused = Refused(key, without_frames(problem))
                state.DATA_REFUSED.set(refused)
                raise refused.why from None
        state.DATA_REFUSED.pop()
        state.DATA_UPLOAD.set(held)
        return held
    raise without_frames(refused.why)


def changed(given: Sequence) -> None:
    """Drop what is in use once its files are removed; those that were refused are not it."""
    if not given and state.DATA_REFUSED.pop() is None:
        state.DATA_UPLOAD.pop()


def _read(uploads: list[tuple[str, bytes]], key: tuple[str, ...]) -> Uploaded:
    held, merged = Uploaded(key), _merged(uploads)
    found = read(_written(merged.files, held), reader=isolation.picture, parse=_parsed)
    held.dataset = replace(found, notes=(*merged.notes, *found.notes))
    held.made_of = merged.made_of
    return held


def _parsed(files: Mapping[str, bytes], split: str | None) -> Known:
    return texts.annotations(files, split, stop_if_ended)


def _merged(uploads: list[tuple[str, bytes]]) -> Merged:
    given = []
    for uploaded, content in uploads:
        name = safe_name(uploaded)
        if name.lower().endswith(".zip"):
            given.append((name, isolation.unpack(content, name, stop_if_ended), True))
        elif archive.is_wanted(name):
            given.append((name, [(name, content)], False))
        else:
            raise InputError(
                f"{name} is neither pictures nor annotations; give a zip, pictures "
                f"({', '.join(archive.ENDINGS)}) or annotations ({', '.join(archive.TEXTS)})."
            )
    found = merge.merged(given)
    archive.check_bounds([(path, len(content)) for path, content in found.files], "The upload")
    return found


def _written(files: list[tuple[str, bytes]], held: Uploaded) -> Path:
    """Write files to a folder that goes with what is ``held``; return it."""
    try:
        folder = Path(tempfile.mkdtemp(dir=scratch.folder(), prefix="data-"))
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
    return folder
