"""One fair queue for what keeps the device busy: sessions take turns, whoever asked how often."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from errors import MachineError, counted

Told = Callable[[int, float], None]
"""Called while waiting, with the place in the queue (1 is next) and the seconds waited so far;
whatever it raises leaves the queue."""
_LOOK_EVERY_S = 0.2
_REMEMBERED = 1000
_MINE = threading.local()
"""The turn that this thread holds, and of which queue."""


def _holds() -> bool:
    return getattr(_MINE, "ticket", None) is not None


@dataclass(eq=False)
class _Ticket:
    session: str
    number: int
    began: float = field(default_factory=time.monotonic)


class Turns:
    """Lets one piece of work, or ``places``, run at a time, sessions in turn: of those that wait,
    the one goes next whose session was served the longest ago, or never."""

    def __init__(self, most_waiting: int = 200, places: int = 1) -> None:
        self.most_waiting, self._places = most_waiting, places
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._running: list[_Ticket] = []
        self._served: dict[str, int] = {}
        self._count = 0
        self.seconds_waited = self.seconds_run = 0.0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def is_running(self) -> bool:
        """Whether something runs."""
        return bool(self._running)

    @property
    def served(self) -> int:
        """How many turns were given."""
        return self._count

    @contextmanager
    def turn(self, session: str, told: Told) -> Iterator[None]:
        """Wait for a turn of ``session``, and hold it for the ``with`` body. A turn inside a turn
        of the same thread, of any queue, is the same one. MachineError where too many wait."""
        if _holds():
            yield
            return
        self._enter(session, told)
        try:
            yield
        finally:
            self._leave()

    def pass_on(self, session: str, told: Told) -> None:
        """Inside a turn of this queue: let those go first that wait; a turn again when it returns.

        What takes long does so between its parts.
        """
        if _holds() and _MINE.turns is self and self._waiting:
            self._leave()
            self._enter(session, told)

    def _enter(self, session: str, told: Told) -> None:
        ticket = self._queued(session)
        try:
            self._wait(ticket, told)
        except BaseException:
            self._left(ticket)
            raise
        _MINE.ticket, _MINE.turns = ticket, self

    def _leave(self) -> None:
        """Give the turn back; nothing where ``pass_on`` was left while it waited."""
        if _holds():
            ticket, _MINE.ticket = _MINE.ticket, None
            self._left(ticket)

    def _queued(self, session: str) -> _Ticket:
        with self._changed:
            if len(self._waiting) >= self.most_waiting:
                raise MachineError(
                    f"This server has {counted(len(self._waiting), 'request')} waiting already; "
                    "try again in a minute."
                )
            number = max((one.number for one in self._waiting), default=0) + 1
            ticket = _Ticket(session, number)
            self._waiting.append(ticket)
            return ticket

    def _wait(self, ticket: _Ticket, told: Told) -> None:
        while True:
            with self._changed:
                order = self._order()
                if len(self._running) < self._places and order[0] is ticket:
                    self._waiting.remove(ticket)
                    self._running.append(ticket)
                    self._serve(ticket)
                    return
                place = order.index(ticket) + 1
                self._changed.wait(_LOOK_EVERY_S)
            told(place, time.monotonic() - ticket.began)

    def _order(self) -> list[_Ticket]:
        """Return who waits, in the order of turns: a session's second request stands behind the
        first ones of all others."""
        before: dict[str, int] = {}
        keyed = []
        for ticket in self._waiting:
            nth = before[ticket.session] = before.get(ticket.session, -1) + 1
            keyed.append(((nth, self._served.get(ticket.session, 0), ticket.number), ticket))
        return [ticket for _key, ticket in sorted(keyed, key=lambda one: one[0])]

    def _serve(self, ticket: _Ticket) -> None:
        self._count += 1
        self.seconds_waited += time.monotonic() - ticket.began
        ticket.began = time.monotonic()
        self._served.pop(ticket.session, None)
        self._served[ticket.session] = self._count
        while len(self._served) > _REMEMBERED:
            del self._served[next(iter(self._served))]

    def _left(self, ticket: _Ticket) -> None:
        with self._changed:
            if ticket in self._running:
                self._running.remove(ticket)
                self.seconds_run += time.monotonic() - ticket.began
            else:
                self._waiting.remove(ticket)
            self._changed.notify_all()


DEVICE = Turns()
"""The queue of this process, which has one device: work of a few seconds at the most."""
LONG = Turns()
"""Work that takes longer, beside it: nobody who asks for a little waits for it."""
