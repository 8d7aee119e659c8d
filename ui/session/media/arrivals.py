"""Files that were dropped and are not read yet.

A callback only notes them; the page's run reads them, where progress is shown and Stop is heard: a
callback swallows both. What was in use stays so until they are read, and when they are not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from errors import AttentionVizError
from ui import state
from ui.guard import label, plain
from ui.server import waiting


@dataclass(frozen=True, eq=False)
class Arrival:
    """Uploads, what takes them, and what is told why they were not taken, in markdown.

    The uploads are held here, so that they are read also when their widget is gone meanwhile.
    """

    uploads: tuple[Any, ...]
    take: Callable[[Sequence[Any]], None]
    refuse: Callable[[str], None]

    @property
    def what(self) -> tuple[str, ...]:
        """What tells this work from other."""
        return ("upload", *(one.file_id for one in self.uploads))

    @property
    def words(self) -> str:
        """What is being done."""
        if len(self.uploads) > 1:
            return f"Reading {len(self.uploads)} files"
        return f"Reading {label(getattr(self.uploads[0], 'name', 'the upload'))[:80]}"


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


def settle() -> None:
    """Read what has arrived, before anything on the page is drawn that depends on it.

    What is stopped stays here and is offered to be started again.
    """
    for place, arrival in state.ARRIVALS.get().items():
        try:
            with waiting.stoppable(arrival.words, arrival.what):
                arrival.take(arrival.uploads)
        except AttentionVizError as problem:
            arrival.refuse(plain(str(problem)))
            if waiting.is_stopped(arrival.what):
                continue
        forget(place)
