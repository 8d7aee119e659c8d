"""Uploads are bounded where they arrive: by session and by process, and only where a widget of the
session asked for them. What is refused is never read."""

import asyncio
import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from errors import counted
from ui.server import settings

_PLACE = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")
_MB = 2**20
SILENT_S = 30
"""Seconds without a byte after which an upload is given up."""
GRACE_S, SLOWEST = 60, 8 * 1024
"""After so many seconds an upload has to have come with so many bytes a second."""
_PLACES = 4
"""Times ``session_files``: places of a session that are remembered, the newest."""
Message = dict[str, Any]


@dataclass
class _Coming:
    """A file on its way: the bytes that it has, those that are here, and since when it comes."""

    size: int
    here: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def is_slow(self) -> bool:
        """Whether it keeps its place for far too long."""
        took = time.monotonic() - self.began
        return took > GRACE_S and self.here < SLOWEST * took


class Manager(MemoryUploadedFileManager):
    """Streamlit's store of uploads, which also knows the places that widgets asked for."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self._asked: dict[str, dict[str, None]] = defaultdict(dict)
        self._coming: dict[tuple[str, str], _Coming] = {}
        self._counting = threading.Lock()
        self.refused = 0

    def get_upload_urls(self, session_id: str, file_names: Any) -> list:  # noqa: ANN401
        """Return places for files, and note that they were asked for; for no more than a session
        may have."""
        most = settings.current().session_files
        found = super().get_upload_urls(session_id, list(file_names)[:most])
        with self._counting:
            asked = self._asked[session_id]
            asked.update(dict.fromkeys(one.file_id for one in found))
            for file in list(asked)[: max(0, len(asked) - _PLACES * most)]:
                del asked[file]
        return found

    def remove_session_files(self, session_id: str) -> None:
        """Forget a session's files and places."""
        super().remove_session_files(session_id)
        with self._counting:
            self._asked.pop(session_id, None)

    def sizes(self) -> dict[str, int]:
        """Return the bytes that are here, by session."""
        found: dict[str, int] = defaultdict(int)
        with self._lock:
            for session, files in self.file_storage.items():
                found[session] += sum(len(one.data) for one in files.values())
        for (session, _file), one in list(self._coming.items()):
            found[session] += one.here
        return found

    def begin(self, session: str, file: str, size: int | None) -> str | None:
        """Note that a file begins to arrive; or return why it may not, in one line."""
        with self._counting:
            refusal = self._refusal(session, file, size)
            if refusal is None:
                self._coming[session, file] = _Coming(size or 0)
            else:
                self.refused += 1
            return refusal

    def goes_on(self, session: str, file: str, more: int) -> bool:
        """Note that ``more`` bytes of a file have come; tell whether the rest may.

        What a visitor only says will come takes nobody's room: the server's limit counts what is
        here, so that it is looked at as bytes come.
        """
        one = self._coming[session, file]
        before, one.here = one.here // _MB, one.here + more
        is_full = one.here // _MB > before and self._is_full(0)
        if one.here > one.size or one.is_slow or is_full:
            self.refused += 1
            return False
        return True

    def _is_full(self, more: int) -> bool:
        most = settings.current().process_upload_mb * _MB
        return sum(self.sizes().values()) + more > most

    def end(self, session: str, file: str) -> None:
        """Note that a file has arrived, or never will."""
        self._coming.pop((session, file), None)

    def _refusal(self, session: str, file: str, size: int | None) -> str | None:
        limits = settings.current()
        if file not in self._asked.get(session, ()):
            return "This place for a file was not asked for; choose the file on the page."
        if size is None:
            return "A file has to say its size; choose it on the page."
        if (session, file) in self._coming:
            return "This file is on its way already; wait for it."
        held = self.file_storage.get(session, {})
        claimed = sum(
            one.size - one.here for (of, _), one in list(self._coming.items()) if of == session
        )
        if len(held) >= limits.session_files:
            most = counted(limits.session_files, "file")
            return f"Up to {most} of one visitor can be kept; remove some."
        if self.sizes().get(session, 0) + claimed + size > limits.session_upload_mb * _MB:
            return (
                f"Files of up to {limits.session_upload_mb:,} MB together are kept of one visitor; "
                "remove some."
            )
        if self._is_full(size):
            return "The server holds as many files as it may; try again in a few minutes."
        return None


class UploadLimits:
    """Middleware that asks the manager before a file is read."""

    def __init__(self, app: Any, manager: Any) -> None:  # noqa: ANN401
        self.app, self.manager = app, manager

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Pass a request on, or answer it with one line."""
        place = _PLACE.search(scope.get("path", "")) if scope["type"] == "http" else None
        manager = self.manager()
        if place is None or scope["method"] != "PUT" or not isinstance(manager, Manager):
            await self.app(scope, receive, send)
            return
        session, file = place.groups()
        refusal = manager.begin(session, file, _length(scope))
        if refusal is not None:
            await _answer(send, refusal)
            return

        async def watched() -> Message:
            try:
                message = await asyncio.wait_for(receive(), SILENT_S)
            except TimeoutError:
                return {"type": "http.disconnect"}
            more = len(message.get("body", b""))
            if more and not manager.goes_on(session, file, more):
                return {"type": "http.disconnect"}
            return message

        try:
            await self.app(scope, watched, send)
        except ClientDisconnect:
            await _answer(send, "The upload was too slow, or the server is full; try it again.")
        finally:
            manager.end(session, file)


def _length(scope: Message) -> int | None:
    """Return the bytes that a request says it has; None where it does not, or says it twice."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    found = headers.get(b"content-length", b"")
    return int(found) if found.isdigit() and len(found) < 16 else None


async def _answer(send: Any, line: str) -> None:  # noqa: ANN401
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": line.encode()})
