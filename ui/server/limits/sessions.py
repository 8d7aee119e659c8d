"""Sessions whose connection broke: kept for a while, and then let go of, whoever comes or not."""

import time
from typing import Any

from streamlit import runtime
from streamlit.runtime.session_manager import SessionStorage

from ui.server import settings
from ui.server.limits.messages import Message, Paced

_AGAIN_LATER = 1013
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
