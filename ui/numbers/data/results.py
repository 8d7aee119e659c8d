"""What was found on a page over many pictures: the session's last result, and those of the example
that all visitors share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import streamlit as st

from ui import state
from ui.guard import guarded


class Marked(Protocol):
    """A result; ``mark`` tells it from those of other data and settings."""

    @property
    def mark(self) -> str:
        """The name of its run."""


T = TypeVar("T", bound=Marked)


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
        words: tuple[str, str],
    ) -> T | None:
        """Return what a page shows: the result of what is chosen, by its ``mark``, else the last.

        ``run`` makes it, given whether it is shared, where ``begin`` says so, or where the session
        has none yet and ``is_first`` says that the choice is that of the page's beginning.
        ``words`` are what is said where there is an older one, and where there is none.
        """
        last = self.last.get()
        with guarded():
            found = self.known(mark())
            at_once = last is None and is_first
            if found is None and (begin or at_once):
                with st.container():
                    run(at_once)
                st.rerun()
            if found is not None:
                self.last.set(found)
                return found
            st.info(words[0] if last is not None else words[1])
        return last
