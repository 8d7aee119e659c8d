"""Uploads are bounded where they arrive: by session and by process, and only where a widget of the
session asked for them. What is refused is never read."""

import re
import threading
from collections import defaultdict
from typing import Any

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from ui.server import settings

_PLACE = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")
_MB = 2**20
Message = dict[str, Any]


class Manager(MemoryUploadedFileManager):
    """Streamlit's store of uploads, which also knows the places that widgets asked for."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self._asked: dict[str, set[str]] = defaultdict(set)
        self._coming: dict[tuple[str, str], int] = {}
        self._counting = threading.Lock()
        self.refused = 0

    def get_upload_urls(self, session_id: str, file_names: Any) -> list:  # noqa: ANN401
        """Return places for files, and note that they were asked for."""
        found = super().get_upload_urls(session_id, file_names)
        with self._counting:
            self._asked[session_id] |= {one.file_id for one in found}
        return found

    def remove_session_files(self, session_id: str) -> None:
        """Forget a session's files and places."""
        super().remove_session_files(session_id)
        with self._counting:
            self._asked.pop(session_id, None)

    def sizes(self) -> dict[str, int]:
        """Return the bytes that are here and on their way, by session."""
        found: dict[str, int] = defaultdict(int)
        with self._lock:
            for session, files in self.file_storage.items():
                found[session] += sum(len(one.data) for one in files.values())
        for (session, _file), size in list(self._coming.items()):
            found[session] += size
        return found

    def begin(self, session: str, file: str, size: int | None) -> str | None:
        """Note that a file begins to arrive; or return why it may not, in one line."""
        with self._counting:
            refusal = self._refusal(session, file, size)
            if refusal is None:
                self._coming[session, file] = size or 0
            else:
                self.refused += 1
            return refusal

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
        sizes, held = self.sizes(), self.file_storage.get(session, {})
        if len(held) >= limits.session_files:
            return f"Up to {limits.session_files:,} files are kept of one visitor; remove some."
        if sizes.get(session, 0) + size > limits.session_upload_mb * _MB:
            return (
                f"Files of up to {limits.session_upload_mb:,} MB together are kept of one visitor; "
                "remove some."
            )
        if sum(sizes.values()) + size > limits.process_upload_mb * _MB:
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
        try:
            await self.app(scope, receive, send)
        finally:
            manager.end(session, file)


def _length(scope: Message) -> int | None:
    found = dict(scope["headers"]).get(b"content-length", b"")
    return int(found) if found.isdigit() and len(found) < 16 else None


async def _answer(send: Any, line: str) -> None:  # noqa: ANN401
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": line.encode()})
