"""Messages of pages: no more than a visitor needs, and no thread for each of them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamlit import config
from streamlit.runtime.app_session import AppSession

Message = dict[str, Any]
_NOT_SO = 1008
_FAST = "runner.fastReruns"
BURST, A_SECOND = 40, 20
"""Messages of a page that are taken at once, and in a second after that: a slider that is dragged
sends fewer."""
SUSPECT_S, SLOWLY_S, GIVEN_UP_S = 3, 1.0, 30
"""Seconds for which more is waiting, after which a message is taken every so many seconds, and
after which the page is let go of."""
SOON_S = 0.25
"""A run that is asked for so soon after another takes the place of that one in its thread."""


class Paced:
    """The messages of a page, no faster than they may come: what waits is held back at its sender.

    Each message costs the thread that serves everybody; as many as a visitor can send would keep it
    from all others.
    """

    def __init__(self, receive: Callable, send: Callable) -> None:
        self._receive, self._send = receive, send
        self._left, self._late_since = float(BURST), None

    async def receive(self) -> Message:
        """Return the next message in time, or that the page is gone. Only while a page has nothing
        to say it earns that it may say more."""
        asked = time.monotonic()
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        now = time.monotonic()
        self._left = min(BURST, max(self._left, 0) + (now - asked) * A_SECOND) - 1
        if self._left >= 0:
            self._late_since = None
            return message
        self._late_since = self._late_since or now
        if now - self._late_since > GIVEN_UP_S:
            await self._send({"type": "websocket.close", "code": _NOT_SO})
            return {"type": "websocket.disconnect", "code": _NOT_SO}
        is_suspect = now - self._late_since > SUSPECT_S
        await asyncio.sleep(SLOWLY_S if is_suspect else 1 / A_SECOND)
        return message


@contextmanager
def unhurried() -> Iterator[None]:
    """Let sessions that ask for runs very often have them in one thread, in the ``with`` body.

    With fast reruns each request begins a thread of its own beside the one that it ends; those that
    come soon after another one are left to the thread that runs.
    """
    known = AppSession.request_rerun
    AppSession.request_rerun = _unhurried(known)
    try:
        yield
    finally:
        AppSession.request_rerun = known


def _unhurried(request_rerun: Callable[..., None]) -> Callable[..., None]:
    """Return what requests a run. It is called in the thread that serves."""

    def requested(self: Any, *state: Any) -> None:  # noqa: ANN401
        now, fast = time.monotonic(), config.get_option(_FAST)
        is_soon = now - getattr(self, "_began", 0.0) < SOON_S
        self._began = self._began if is_soon else now
        if not (is_soon and fast):
            request_rerun(self, *state)
            return
        try:
            config.set_option(_FAST, False)
            request_rerun(self, *state)
        finally:
            config.set_option(_FAST, fast)

    return requested
