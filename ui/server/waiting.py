"""Work of a session as pages show it: its turn at the device with place and time, its progress, and
a button that stops it.

Whatever is clicked ends a run of the page at its next word to Streamlit. Work that calls its watch
now and then therefore really stops; by a note of the session the page does not begin it again.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit import runtime

from errors import AttentionVizError, MachineError, StoppedError
from ui import state
from ui.server import memory
from ui.server.turns import DEVICE, LONG, Turns
from ui.server.visitor import WATCHED, is_there, session_id, stop_if_ended

LONG_S = 3.0
"""Work that is expected to take more seconds stands in the queue for long work."""
_USUAL_PACE = 2e-6
"""Seconds a pixel of a network that has not run yet."""


class Pace:
    """Seconds that a pixel took, by network: what is expected of the next run."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._lock = threading.Lock()

    def expected(self, network: str, pixels: int) -> float:
        """Return the seconds that a run of so many pixels is expected to take."""
        return self._known.get(network, _USUAL_PACE) * pixels

    def note(self, network: str, pixels: int, seconds: float) -> None:
        """Remember a run, the last ones for more than those before."""
        with self._lock:
            before = self._known.get(network, seconds / pixels)
            self._known[network] = (before + seconds / pixels) / 2


PACE = Pace()


@contextmanager
def turn(turns: Turns = DEVICE, place: Any = None) -> Iterator[None]:  # noqa: ANN401 (st.empty's)
    """Wait for this session's turn, showing the place in the queue: in the bar of work that can be
    stopped, else in ``place`` where many turns are taken. Any click leaves the queue, and so does a
    closed tab."""
    place = place or st.empty()

    def told(number: int, seconds: float) -> None:
        stop_if_ended(place=number)
        if getattr(WATCHED, "now", None) is None:  # else it stands beside the button that stops it
            place.caption(f"Place {number} in the queue for this server, waiting {seconds:.0f} s")

    memory.check()
    with turns.turn(session_id(), told):
        place.empty()
        yield


def pass_on() -> None:
    """Inside a long turn: let others go first that wait."""
    LONG.pass_on(session_id(), lambda _place, _seconds: stop_if_ended())


def is_long(network: str, pixels: int) -> bool:
    """Tell whether a run of a network on so many pixels is expected to take long."""
    return PACE.expected(network, pixels) > LONG_S


@contextmanager
def run_of(network: str, pixels: int, is_taken: bool) -> Iterator[None]:
    """Wait for the turn of a run of a network on so many pixels, and note how long it took.

    Long runs have a queue of their own. So have those of a network that ``is_taken`` by another
    run: whoever waits for it must not keep the others waiting.
    """
    with turn(LONG if is_taken or is_long(network, pixels) else DEVICE):
        began = time.monotonic()
        yield
        PACE.note(network, pixels, time.monotonic() - began)


def saved(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return what makes a file for a download button, in a turn of the session that drew it."""
    session = session_id()

    def told(_place: int, _seconds: float) -> None:
        if session and runtime.exists() and not is_there(session):
            raise MachineError("The page was closed; nothing was made.")

    def made() -> bytes:
        memory.check()
        with LONG.turn(session, told):
            return make()

    return made


Watch = Callable[..., None]
"""Called now and then by the work, with the share that is done where that is known, and its place
in a queue while it waits: as ``stop_if_ended``."""
SOON_S, EVERY_S = 0.4, 0.2
_MOST_STOPPED = 100


def stop(what: Hashable) -> None:
    """Note that this work was stopped, beside other that was."""
    state.STOPPED.set((*(one for one in state.STOPPED.get() if one != what), what)[-_MOST_STOPPED:])


def start_again(what: Hashable) -> None:
    """Let this work begin again, where it was stopped."""
    if is_stopped(what):
        state.STOPPED.set(tuple(one for one in state.STOPPED.get() if one != what))


def is_stopped(what: Hashable) -> bool:
    """Tell whether this work was stopped and not started again."""
    return what in state.STOPPED.get()


@contextmanager
def stoppable(words: str, what: Hashable) -> Iterator[Watch]:
    """Show ``words``, progress and Stop while the body works, once it takes more than a moment.

    StoppedError where this work (``what`` tells it from other) was stopped before, with the button
    that starts it again.
    """
    if is_stopped(what):
        st.button("Start again", key=f"again-{abs(hash(what))}", on_click=start_again, args=(what,))
        raise StoppedError(f"{words}: stopped. Start it again, or choose something smaller.")
    place = st.empty()
    shown = _Shown(place, words, what)
    before, WATCHED.now = getattr(WATCHED, "now", None), shown.watch
    try:
        yield shown.watch
    except AttentionVizError:
        place.empty()  # a refusal takes its place
        raise
    finally:
        WATCHED.now = before
    place.empty()


class _Shown:
    """What stands in a place of the page while work goes on."""

    def __init__(self, place: object, words: str, what: Hashable) -> None:
        self._place, self._words, self._what = place, words, what
        self._began = self._drawn = time.monotonic()
        self._share: float | None = None
        self._bar = None

    def watch(self, share: float | None = None, place: int = 0) -> None:
        """Draw how far it is, now and then; a share counts until the next one is told."""
        self._share = self._share if share is None else min(1.0, share)
        now = time.monotonic()
        if now - self._began < SOON_S or (self._bar is not None and now - self._drawn < EVERY_S):
            return
        self._drawn = now
        if self._bar is None:
            with self._place.container(horizontal=True, vertical_alignment="center"):
                self._bar = st.progress(0.0, self._words)
                st.button(
                    "Stop",
                    key=f"stop-{abs(hash(self._what))}",
                    on_click=stop,
                    args=(self._what,),
                )
        words = _state(self._words, self._share, place)
        self._bar.progress(self._share or 0.0, f"{words} {now - self._began:.0f} s")


def _state(words: str, share: float | None, place: int) -> str:
    if place:
        return f"{words}: place {place} in the queue, waiting"
    return f"{words}," if share is None else f"{words}: {share:.0%},"
