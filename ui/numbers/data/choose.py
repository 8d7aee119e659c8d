"""The choice of a data set: the drawn example, a folder of the server, or an upload. Visitors name
no paths of this machine."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from errors import counted
from ui import bound, state
from ui.guard import guarded, plain
from ui.numbers.data import uploads
from ui.server import scratch, settings
from viz.datasets.annotations import cub
from viz.datasets.archive import ENDINGS, TEXTS
from viz.datasets.read import ACCEPTED, read
from viz.datasets.sample import Dataset
from viz.examples import flock

EXAMPLE, UPLOAD = "Example: drawn birds", "Your own pictures"
LARGEST_MB = 256
SPLITS = ("both", "train", "test")
_FILES = "data-files"
_NOTES = 4
"""Notes that stand beside the choice; results list all of them."""


@dataclass(frozen=True)
class Chosen:
    """A data set that was read: its name for the page, and what tells it from all others."""

    title: str
    dataset: Dataset
    mark: tuple[object, ...]


def choose() -> Chosen | None:
    """Draw the choice, and what was read; return the data set, or None until something was
    uploaded.

    What is wrong with an upload is said here, and what was in use before it stays so; the errors
    of reading a folder are raised.
    """
    chosen = _chosen()
    if chosen is not None:
        found = chosen.dataset
        st.caption(f"Read: {plain(found.summary)}")
        more = [f"{counted(len(found.notes[_NOTES:]), 'more note')} beside the results"]
        for note in [*found.notes[:_NOTES], *(more if found.notes[_NOTES:] else [])]:
            st.caption(f":material/info: {plain(note)}")
    return chosen


def _chosen() -> Chosen | None:
    folders = _named_folders()
    name = bound.choice(
        "Pictures", (EXAMPLE, *folders, UPLOAD), state.DATA,
        help=f"To offer folders of this machine here, start it with `--data FOLDER`: {ACCEPTED}.",
    )  # fmt: skip
    if name == EXAMPLE:
        return Chosen(name, example(), (name,))
    if name == UPLOAD:
        return _uploaded()
    return _of_folder(name, folders[name])


def _named_folders() -> dict[str, Path]:
    """Return the folders of the server by name; a number tells two of one name apart."""
    named: dict[str, Path] = {}
    for folder in settings.data_folders():
        name, number = folder.name or str(folder), 2
        while name in named:
            name, number = f"{folder.name} ({number})", number + 1
        named[name] = folder
    return named


@st.cache_resource(show_spinner="Drawing the example")
def example() -> Dataset:
    """Return the drawn data set, written once a process."""
    return read(flock.write(scratch.folder() / "example-birds"))


def _of_folder(name: str, folder: Path) -> Chosen:
    split = None
    if cub.is_cub(folder):
        chosen = bound.pills("Split", SPLITS, state.DATA_SPLIT, "both")
        split = chosen if chosen in SPLITS[1:] else None
    most = bound.number(
        "Pictures at most", 1, 100_000, 200, state.DATA_MOST,
        help="Evenly spaced over the folder. The command line goes through any number.",
    )  # fmt: skip
    return Chosen(name, _read(folder, split, int(most)), (str(folder), split, most))


@st.cache_resource(max_entries=8, ttl=600, show_spinner="Reading the folder")
def _read(folder: Path, split: str | None, most: int) -> Dataset:
    return read(folder, split=split, most=most)


def _uploaded() -> Chosen | None:
    given = st.file_uploader(
        f"A zip of pictures with their annotations, or pictures, up to {LARGEST_MB} MB each",
        ["zip", *(ending[1:] for ending in (*ENDINGS, *TEXTS))],
        accept_multiple_files=True,
        max_upload_size=LARGEST_MB,
        key=_FILES,
        on_change=lambda: uploads.changed(state.widget(_FILES).get()),
        help=f"As {ACCEPTED}.",
    )
    with st.container(), guarded():
        if given:
            uploads.kept(given)
    held = state.DATA_UPLOAD.get()
    if held is None:
        st.caption(
            "Annotations are optional. Without any, sharpness, distance and faithfulness of maps "
            "are measured; with points, boxes or masks also what maps cover."
        )
        return None
    st.caption(f"In use: {plain(held.made_of)}")
    # After another page the widget has forgotten it, and has no cross for it.
    if not {one.file_id for one in given} & {*held.key}:
        st.button("Remove", key="drop-data", on_click=state.DATA_UPLOAD.pop)
    return Chosen(counted(len(held.dataset.samples), "uploaded picture"), held.dataset, held.key)
