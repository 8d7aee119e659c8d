"""Sessions whose connection broke: kept for a while, and then let go of, whoever comes or not."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from streamlit import config, runtime
from streamlit.runtime.session_manager import SessionStorage

from ui.server import settings

Message = dict[str, Any]
_AGAIN_LATER = 1013
_FAST = "runner.fastReruns"
MOST = 500
"""Sessions that may wait for their visitor to come back; the longest gone goes first."""


class Sessions(SessionStorage):
    """Streamlit's store of sessions without a connection. Its own drops them only when it is next
    used: files of the last visitor would stay until somebody else comes."""

    def __init__(self, ttl_seconds: float = 45, most: int = MOST) -> None:
        self._kept_s, self._most = ttl_seconds, most
        self._held: dict[str, tuple[float, Any]] = {}

    def get(self, session_id: str) -> Any:  # noqa: ANN401 (Streamlit's SessionInfo)
        """Return a session that was kept, or None."""
        return self._held.get(session_id, (0.0, None))[1]

    def save(self, session_info: Any) -> None:  # noqa: ANN401
        """Keep a session whose connection broke."""
        self._held.pop(session_info.session.id, None)
        self._held[session_info.session.id] = (time.monotonic(), session_info)
        while len(self._held) > self._most:
            self._drop(next(iter(self._held)))

    def delete(self, session_id: str) -> None:
        """Take a session out: its visitor is back, or it has ended; KeyError without one."""
        del self._held[session_id]

    def list(self) -> list[Any]:
        """Return the sessions that are kept."""
        return [info for _time, info in self._held.values()]

    def forget(self) -> int:
        """End the sessions that were kept for long enough; return how many."""
        now = time.monotonic()
        late = [id for id, (since, _info) in self._held.items() if now - since > self._kept_s]
        for id in late:
            self._drop(id)
        return len(late)

    def _drop(self, session_id: str) -> None:
        _since, info = self._held.pop(session_id)
        info.session.shutdown()
        # Streamlit's loop holds the last session that it looked at until another one comes.
        info.session._session_state.clear()


def forget() -> int:
    """End the sessions of this process that were kept for long enough; return how many. It is
    called in the thread that serves."""
    found = runtime.get_instance()._session_mgr._session_storage if runtime.exists() else None
    return found.forget() if isinstance(found, Sessions) else 0


def open_count() -> int:
    """Return how many pages are open."""
    return runtime.get_instance()._session_mgr.num_active_sessions() if runtime.exists() else 0


BURST, A_SECOND = 40, 20
"""Messages of a page that are taken at once, and in a second after that: a slider that is dragged
sends fewer."""
SUSPECT_S, SLOWLY_S, GIVEN_UP_S = 3, 1.0, 30
"""Seconds for which more is waiting, after which a message is taken every so many seconds, and
after which the page is let go of."""
_NOT_SO = 1008
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


def unhurried(request_rerun: Callable[..., None]) -> Callable[..., None]:
    """Return Streamlit's ``AppSession.request_rerun`` for a session that may ask very often.

    With fast reruns each request begins a thread of its own beside the one that it ends. Those that
    come soon after another one are left to the thread that runs. It is called in the thread that
    serves.
    """

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


class SessionLimit:
    """Middleware that takes no more pages than ``most_sessions``, each of which costs a run and
    memory, and no more messages of a page than it can need."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Pass a request on; refuse the websocket of one page too many, which tries again."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
        elif open_count() < settings.current().most_sessions:
            await self.app(scope, Paced(receive, send).receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": _AGAIN_LATER})
