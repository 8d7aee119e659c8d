"""A run over many pictures on a page: progress, stop, a turn of the device for each picture; and
the folders that runs are kept in, so that a run that was stopped goes on."""

import hashlib
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from errors import MachineError
from ui import state
from ui.server import scratch, waiting
from ui.server.visitor import stop_if_ended

_KEPT = 6
"""Folders beside those whose results are still shown."""
_LOOK_EVERY_S, _PATIENCE_S = 0.2, 120


class Runs:
    """The folders of a session's runs, on this machine's disk until the session drops them;
    ``stopped`` are the pictures that are kept of those that did not end, and all of theirs;
    ``pressed`` are those whose Stop was pressed last; ``results`` are those that are still held,
    by anybody: their folders stay."""

    def __init__(self) -> None:
        self._running = threading.Lock()
        self.results: weakref.WeakValueDictionary[str, object] = weakref.WeakValueDictionary()
        self.stopped: dict[str, tuple[int, int]] = {}
        self.pressed: set[str] = set()
        try:
            self.folder = Path(tempfile.mkdtemp(dir=scratch.folder(), prefix="runs-"))
        except OSError as problem:
            raise MachineError(
                f"The run could not be kept ({problem.strerror}); whoever runs this server has to "
                "make room."
            ) from problem
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @contextmanager
    def alone(self, mark: str) -> Iterator[Path]:
        """Give the folder of one run, once the run before has ended: a rerun of the page may begin
        while that still works on its last picture."""
        until = time.monotonic() + _PATIENCE_S
        while not self._running.acquire(timeout=_LOOK_EVERY_S):
            stop_if_ended()
            if time.monotonic() > until:
                raise MachineError("The previous run has not ended yet; try again in a minute.")
        try:
            yield self._of(mark)
        finally:
            self._running.release()

    def _of(self, mark: str) -> Path:
        """Return the folder of one run; of earlier ones without a result the last few are kept."""
        held = {mark, *self.results.keys()}
        others = [path for path in self.folder.iterdir() if path.name not in held]
        others.sort(key=lambda path: path.stat().st_mtime)
        for old in others[: max(0, len(others) - _KEPT + 1)]:
            shutil.rmtree(old, ignore_errors=True)
            self.stopped.pop(old.name, None)
        return self.folder / mark


def runs() -> Runs:
    """Return the folders of this session."""
    return state.RUNS.once(Runs)


def stopped(mark: str) -> tuple[int, int] | None:
    """Return how many pictures are kept of a run that did not end, and all of them; or None."""
    own = state.RUNS.get()
    return None if own is None else own.stopped.get(mark)


def was_pressed(mark: str) -> bool:
    """Tell whether Stop ended a run, not another rerun of the page: that of a fresh browser comes
    by itself."""
    own = state.RUNS.get()
    return own is not None and mark in own.pressed


def mark_of(*what: object) -> str:
    """Return the name of a run's folder: the same for the same data set and settings."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:24]


class Progress:
    """A bar with a button that stops, for a ``with`` body: pressing it, or anything else on the
    page, ends the run ``mark`` at the next picture. Finished batches are kept, and it is noted how
    many pictures those are."""

    def __init__(self, pictures: int, key: str, mark: str) -> None:
        self._pictures, self._done, self._mark = pictures, 0, mark
        with st.container(horizontal=True, vertical_alignment="center"):
            self._bar = st.progress(0.0, "Starting")
            st.button(
                "Stop", key=f"{key}-stop", icon=":material/stop:", on_click=runs().pressed.add,
                args=(mark,),
            )  # fmt: skip
        self._queue = st.empty()

    def __enter__(self) -> "Progress":
        runs().pressed.discard(self._mark)
        self._kept(0)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_more: object) -> None:
        # Streamlit ends a run by what is no Exception.
        if kind is None or issubclass(kind, Exception):
            runs().stopped.pop(self._mark, None)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the device, and hold it for one picture."""
        stop_if_ended()
        with waiting.turn(place=self._queue):
            yield
        self._done += 1
        self._show()

    def reached(self, done: int, _pictures: int) -> None:
        """Take note of a finished batch, those of earlier runs among it."""
        self._done = done
        self._kept(done)
        self._show()

    def say(self, text: str) -> None:
        """Say what is done once every picture was gone through."""
        self._bar.progress(1.0, text)

    def _kept(self, pictures: int) -> None:
        runs().stopped[self._mark] = (pictures, self._pictures)

    def _show(self) -> None:
        share = min(1.0, self._done / max(1, self._pictures))
        self._bar.progress(share, f"Picture {min(self._done, self._pictures)} of {self._pictures}")
