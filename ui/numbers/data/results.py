"""What was found on a page over many pictures: the session's last result, and those of the example
that all visitors share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

import streamlit as st

from errors import counted
from ui import state
from ui.guard import guarded
from ui.numbers.data import runs


class Marked(Protocol):
    """A result; ``mark`` tells it from those of other data and settings."""

    @property
    def mark(self) -> str:
        """The name of its run."""


T = TypeVar("T", bound=Marked)


class Words(NamedTuple):
    """What a page says, in markdown: its ``button``; that what was asked for is shown already, is
    not shown but an ``earlier`` result, or that there is ``none`` yet."""

    button: str
    same: str
    earlier: str
    none: str


@dataclass
class Results(Generic[T]):
    """The results of one page: the session's ``last``, and those ``shared`` by all visitors, by
    their marks."""

    last: state.Key[T | None]
    shared: dict[str, T] = field(default_factory=dict)

    def known(self, mark: str) -> T | None:
        """Return a result that is there: the session's last, or one that all visitors share."""
        last = self.last.get()
        return last if last is not None and last.mark == mark else self.shared.get(mark)

    def keep(self, made: T, shared: bool) -> T:
        """Make a result the session's last; what is ``shared`` is there for everybody after."""
        if shared:
            self.shared[made.mark] = made
        self.last.set(made)
        return made

    def shown(
        self,
        mark: Callable[[], str],
        run: Callable[[bool], T],
        begin: bool,
        is_first: bool,
        words: Words,
    ) -> T | None:
        """Return what a page shows: the result of what is chosen, by its ``mark``, else the last.

        ``run`` makes it, given whether it is shared, where ``begin`` says so, or where the session
        has none yet and ``is_first`` says that the choice is that of the page's beginning; one that
        was stopped is not begun again by itself. What came of a press is said.
        """
        last = self.last.get()
        with guarded():
            chosen = mark()
            found, stopped = self.known(chosen), runs.stopped(chosen)
            at_once = last is None and is_first and not runs.was_pressed(chosen)
            if found is None and (begin or at_once):
                with st.container():
                    run(at_once)
                st.rerun()
            if found is not None:
                if begin:
                    st.info(words.same)
                self.last.set(found)
                return found
            if stopped is not None:
                st.info(_stopped(*stopped, words.button))
            if last is not None or stopped is None:
                st.info(words.earlier if last is not None else words.none)
        return last


def _stopped(kept: int, every: int, button: str) -> str:
    if not kept:
        return f"Stopped before any of {counted(every, 'picture')} was kept; {button} begins anew."
    done = f"{kept:,} of {counted(every, 'picture')} done and kept"
    return f"Stopped: {done}; {button} goes on from there."
