"""Files that were dropped and are not read yet.

A callback only notes them; the page's run reads them, where progress is shown and Stop is heard: a
callback swallows both. What was in use stays so until they are read, and when they are not; what
was taken away by hand stays away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from errors import AttentionVizError, StoppedError, counted
from ui import state
from ui.guard import label, plain, say
from ui.server import waiting
from ui.server.limits import places
from ui.server.visitor import session_id


@dataclass(frozen=True, eq=False)
class Arrival:
    """Work on files: what is said of it, ``what`` tells it from other, what does it, and what is
    told, in markdown, why it was refused; nothing ("") where its user stopped it."""

    words: str
    what: tuple
    take: Callable[[], None]
    refuse: Callable[[str], None]


def called(uploads: Sequence[Any]) -> str:
    """Return the name of an upload, or how many there are, in markdown."""
    if len(uploads) > 1:
        return counted(len(uploads), "file")
    return label(getattr(uploads[0], "name", "the upload"))[:80]


def uploaded(
    uploads: Sequence[Any], take: Callable[[Sequence[Any]], None], refuse: Callable[[str], None]
) -> Arrival:
    """Return uploads, which ``take`` reads, as they arrive.

    They are held, so that they are read also when their widget is gone meanwhile.
    """
    held = tuple(uploads)
    words = f"Reading {called(held)}"
    return Arrival(words, tuple(one.file_id for one in held), lambda: take(held), refuse)


def note(place: str, arrival: Arrival) -> None:
    """Note what was dropped in a place; it takes that of what was dropped there before."""
    forget(place)
    state.ARRIVALS.set({**state.ARRIVALS.get(), place: arrival})


def forget(place: str) -> None:
    """Read no more what was dropped in a place."""
    others = dict(state.ARRIVALS.get())
    if (arrival := others.pop(place, None)) is not None:
        state.ARRIVALS.set(others)
        waiting.start_again(arrival.what)


def is_replaced() -> bool:
    """Tell, once an uploader has become empty, whether another file takes the place of its one: the
    browser takes the old one away when it has asked where the new one goes, and sends that after. A
    press of the cross asks for nothing."""
    return places.given(session_id()) > state.PLACES_GIVEN.get()


def settle() -> None:
    """Read what has arrived, before anything on the page is drawn that depends on it.

    What is stopped stays here and is offered to be started again.
    """
    state.PLACES_GIVEN.set(places.given(session_id()))
    for place, arrival in state.ARRIVALS.get().items():
        try:
            with waiting.stoppable(arrival.words, arrival.what):
                arrival.take()
        except StoppedError as problem:
            say(problem)
            arrival.refuse("")
            continue
        except AttentionVizError as problem:
            arrival.refuse(plain(str(problem)))
        forget(place)
