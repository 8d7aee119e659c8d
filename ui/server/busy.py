"""Work that may take long: its progress, and a button that stops it.

Whatever is clicked ends a run of the page at its next word to Streamlit. Work that calls its watch
now and then therefore really stops; by a note of the session the page does not begin it again.
"""

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import streamlit as st

from errors import InputError
from ui import state
from ui.server import visitor

Watch = Callable[[float | None], None]
"""Called now and then by the work, with the share that is done where that is known."""
SOON_S, EVERY_S = 0.4, 0.2


@contextmanager
def stoppable(words: str, what: Hashable) -> Iterator[Watch]:
    """Show ``words``, progress and Stop while the body works, once it takes more than a moment.

    InputError where this work (``what`` tells it from other) was stopped before, with the button
    that starts it again.
    """
    if state.STOPPED.get() == what:
        st.button("Start again", key="start-again", on_click=state.STOPPED.pop)
        raise InputError(f"{words}: stopped. Start it again, or choose something smaller.")
    place = st.empty()
    shown = _Shown(place, words, what)
    before, visitor.WATCHED.now = getattr(visitor.WATCHED, "now", None), shown.watch
    try:
        yield shown.watch
    finally:
        visitor.WATCHED.now = before
    place.empty()


class _Shown:
    """What stands in a place of the page while work goes on."""

    def __init__(self, place: object, words: str, what: Hashable) -> None:
        self._place, self._words, self._what = place, words, what
        self._began = self._drawn = time.monotonic()
        self._bar = None

    def watch(self, share: float | None) -> None:
        """Draw how far it is, now and then."""
        now = time.monotonic()
        if now - self._began < SOON_S or (self._bar is not None and now - self._drawn < EVERY_S):
            return
        self._drawn = now
        if self._bar is None:
            with self._place.container(horizontal=True, vertical_alignment="center"):
                self._bar = st.progress(0.0, self._words)
                st.button("Stop", key="stop", on_click=state.STOPPED.set, args=(self._what,))
        self._bar.progress(min(1.0, share or 0.0), f"{self._words}, {now - self._began:.0f} s")
