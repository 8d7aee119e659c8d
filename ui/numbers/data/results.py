"""What was found on a page over many pictures: the session's last results, and those of the example
that all visitors share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

import streamlit as st

from errors import counted
from ui import state
from ui.guard import guarded
from ui.numbers.data import runs
from ui.server.kept import Kept

_MOST, _MOST_BYTES = 4, 64 * 2**20
"""Results of a page that a session keeps."""


class Marked(Protocol):
    """A result; ``mark`` tells it from those of other data and settings, ``nbytes`` is about what
    it takes."""

    @property
    def mark(self) -> str:
        """The name of its run."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about."""


T = TypeVar("T", bound=Marked)


class Words(NamedTuple):
    """What a page says, in markdown: its ``button``; that what was asked for is shown already, is
    not shown but an ``earlier`` result, or that there is ``none`` yet; and that an earlier one is
    shown ``while_nothing`` is chosen that could be begun."""

    button: str
    same: str
    earlier: str
    none: str
    while_nothing: str


@dataclass
class Results(Generic[T]):
    """The results of one page: the last few of the session, in ``own``, and those ``shared`` by all
    visitors, by their marks."""

    own: state.Key[Kept[T] | None]
    shared: dict[str, T] = field(default_factory=dict)

    @property
    def last(self) -> T | None:
        """The result that the session was shown last."""
        own = self.own.get()
        return None if own is None else own.last

    def known(self, mark: str) -> T | None:
        """Return a result that is there: one of the session's, or one that all visitors share."""
        own = self.own.get()
        found = None if own is None else own.get(mark)
        return self.shared.get(mark) if found is None else found

    def keep(self, made: T, shared: bool) -> T:
        """Make a result the session's last; what is ``shared`` is there for everybody after."""
        if shared:
            self.shared[made.mark] = made
        own = self.own.once(lambda: Kept(lambda one: one.nbytes, _MOST_BYTES, _MOST))
        return own.keep(made.mark, made)

    def before(self, words: Words) -> T | None:
        """Return what a page shows while nothing is chosen that could be begun: the last result,
        with the note that it is an earlier one."""
        last = self.last
        st.info(words.while_nothing if last is not None else words.none)
        return last

    def shown(
        self,
        mark: Callable[[], str],
        run: Callable[[bool], T],
        begin: bool,
        is_first: bool,
        words: Words,
    ) -> T | None:
        """Return what a page shows: the kept result of what is chosen, by its ``mark``, else the
        last one.

        ``run`` makes it, given whether it is shared, where ``begin`` says so, or where the session
        has none yet and ``is_first`` says that the choice is that of the page's beginning; one that
        was stopped is not begun again by itself. What came of a press is said.
        """
        last = self.last
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
                return self.keep(found, shared=False)
            if stopped is not None:
                st.info(_stopped(*stopped, words.button))
            if last is not None or stopped is None:
                st.info(words.earlier if last is not None else words.none)
            return last
        if last is not None:  # what is chosen was refused
            st.info(words.while_nothing)
        return last


def _stopped(kept: int, every: int, button: str) -> str:
    if not kept:
        return f"Stopped before any of {counted(every, 'picture')} was kept; {button} begins anew."
    done = f"{kept:,} of {counted(every, 'picture')} done and kept"
    return f"Stopped: {done}; {button} goes on from there."
