"""A checkpoint of the user's own: given, asked about, inspected, used; for this session only."""

import re
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from errors import AttentionVizError, MachineError, without_frames
from models import checkpoints
from models.checkpoints import Inspection, Read
from models.report import Question, UndecidedError
from models.zoo import catalogue
from models.zoo.catalogue import SUFFIXES
from models.zoo.published import told_of
from ui import state
from ui.guard import guarded, label, plain
from ui.isolation import weights
from ui.models import answers
from ui.models import inspection as model_inspection
from ui.server import scratch, waiting
from ui.server.visitor import stop_if_ended
from ui.session import device, own_networks
from ui.session.media import medium

MAX_MB = 2048
_PIECE = 2**24


@dataclass(eq=False)
class Held:
    """A checkpoint on this machine: where it is, what it is called, and a key that is its own."""

    path: Path
    name: str
    key: tuple[object, ...]


def given() -> Held | None:
    """Let a checkpoint be uploaded; None until there is one. It stays in use after another page,
    where its widget has forgotten it."""
    upload = st.file_uploader(
        f"Checkpoint ({', '.join(SUFFIXES)}, or without an ending), up to {MAX_MB // 1024} GB",
        key="checkpoint",
        max_upload_size=MAX_MB,
        on_change=state.OWN_FILE.pop,
    )
    if upload is not None:
        medium.check_held([upload])
        return _kept(upload, upload.name, ("upload", upload.file_id))
    held = state.OWN_FILE.get()
    if held is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"In use: {plain(held.name)}")
            st.button("Remove", key="drop-checkpoint", on_click=state.OWN_FILE.pop)
    return held


def _kept(upload: BinaryIO, name: str, key: tuple[object, ...]) -> Held:
    """Write an upload to a temporary folder that goes when the session drops it."""
    held = state.OWN_FILE.get()
    if held is None or held.key != key:
        try:
            folder = tempfile.mkdtemp(dir=scratch.folder())
            held = Held(Path(folder) / file_name(name), name, key)
            weakref.finalize(held, shutil.rmtree, folder, ignore_errors=True)
            _copy(upload, held)
        except OSError as problem:
            raise MachineError(
                f"The upload could not be kept in {tempfile.gettempdir()} ({problem.strerror}); "
                "make room there."
            ) from problem
        state.OWN_FILE.set(held)
    return held


def _copy(upload: BinaryIO, held: Held) -> None:
    """Write an upload to its file, and show the share that is done."""
    size = upload.seek(0, SEEK_END)
    upload.seek(0)
    work = waiting.stoppable(f"Copying {label(held.name)}", ("copy", held.key))
    with st.container(), work as watch, held.path.open("wb") as file:
        while piece := upload.read(_PIECE):
            file.write(piece)
            watch(file.tell() / size)


def file_name(name: str) -> str:
    """Return a harmless file name in which adapters still read what the user's name tells."""
    last = name.replace("\\", "/").rpartition("/")[2]
    letters = re.sub(r"[^A-Za-z0-9._-]+", "_", last)[-120:].lstrip(".")
    return letters or "checkpoint"


def show(held: Held) -> None:
    """Ask what the checkpoint does not tell, then show what it is."""
    given = answers.answered(held.key, _asked(held))
    if given is None:
        return
    answers.ignored(held.key)
    answers.take_back(held.key)
    try:
        with st.container():
            found = _inspected(held, given)
    except UndecidedError as open_questions:
        asked = _asked(held)
        new = tuple(q for q in open_questions.questions if q.name not in {a.name for a in asked})
        if not new:
            raise
        state.OWN_QUESTIONS.set((held.key, (*asked, *new)))
        st.rerun()
    st.markdown(f"**{plain(held.name)}**")
    model_inspection.inspection(found.spec, found.report)
    answers.change(held.key, found.report)
    names = answers.class_names(held.key, found.spec, held.name)
    _use(held, found, given, names)


def _asked(held: Held) -> tuple[Question, ...]:
    key, questions = state.OWN_QUESTIONS.get()
    return questions if key == held.key else ()


def _inspected(held: Held, given: dict[str, str]) -> Inspection:
    """Return what the checkpoint is; kept, so that other widgets do not read it again."""
    key = (held.key, tuple(sorted(given.items())))
    known = state.OWN_INSPECTION.get()
    if known is None or known[0] != key:
        with waiting.stoppable(f"Reading {label(held.name)}", ("checkpoint", *key)):
            try:
                outcome = checkpoints.inspect(held.path, given, told_of, _reader())
            except AttentionVizError as problem:
                outcome = without_frames(problem)
        known = (key, outcome)
        state.OWN_INSPECTION.set(known)
    if isinstance(known[1], AttentionVizError):
        raise without_frames(known[1])
    return known[1]


def _reader() -> Read:
    """Return what reads a checkpoint in a child process, which ends with the session."""
    return weights.reader(stop_if_ended)


def _use(held: Held, found: Inspection, given: dict[str, str], names: tuple[str, ...]) -> None:
    """Offer to look at the network; it is loaded first, so that a failure changes nothing."""
    if not model_inspection.explore_button(found.spec, "use_own"):
        return
    name, work = f"own-{file_name(held.name).partition('.')[0]}", ("load", held.key)
    waiting.start_again(work)  # the button asks for it anew
    with guarded():
        with st.container(), waiting.stoppable(f"Loading {label(held.name)}", work):
            loaded = checkpoints.load(held.path, given, name, told_of, _reader())
            model = catalogue.ready(loaded, device.chosen())
        model = model.with_names(names)
        own_networks.add(model, f"{held.name}, {found.report.family}")
        model_inspection.go_to(name, found.spec)
