"""Connections without a request: given up in time, and the oldest ones where they are many."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import h11
from streamlit.web.server.starlette import starlette_server
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S, MOST_WAITING = 20, 500
"""Seconds in which the head of a request has to come, and connections that may wait for theirs."""
LARGEST_MESSAGE = 32 * 2**20
"""Bytes of a message of a page; Streamlit refuses those of more than 25 MB once they are here."""
_FILES = 65536


class Connection(H11Protocol):
    """A connection of uvicorn's that is closed where the head of its request does not come: a
    browser sends it at once."""

    waiting: dict["Connection", asyncio.TimerHandle] = {}  # noqa: RUF012 (of all, the oldest first)

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what has come; go on waiting, from when it began, where that is no whole head."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._end()
        elif self not in self.waiting:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._end()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self.waiting[self] = self.loop.call_later(HEAD_S, self._give_up)
        while len(self.waiting) > MOST_WAITING:
            next(iter(self.waiting))._give_up()

    def _end(self) -> None:
        if (timer := self.waiting.pop(self, None)) is not None:
            timer.cancel()

    def _give_up(self) -> None:
        self._end()
        self.transport.close()


@contextmanager
def bounded() -> Iterator[None]:
    """Let what is served in the ``with`` body have as many open files as the system gives, and
    connections and messages within these limits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    known = starlette_server._get_uvicorn_config_kwargs
    starlette_server._get_uvicorn_config_kwargs = lambda: {
        **known(), "http": Connection, "ws_max_size": LARGEST_MESSAGE,
    }  # fmt: skip
    try:
        yield
    finally:
        starlette_server._get_uvicorn_config_kwargs = known
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
