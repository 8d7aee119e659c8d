"""The files that every page is made of (Streamlit's scripts, styles, fonts), answered from memory.

A first view asks for more than a hundred of them, at the moment when the server computes it.
Streamlit's own way takes some milliseconds of processor time for each, in the thread that serves
everybody: checks, a session, compression, threads that look at the disk.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from starlette.responses import FileResponse
from streamlit import config, file_util

FOLDER = "static"
"""What is in it has a hash in its name, so that it never changes; index.html stands beside it."""
_FOR_EVER = (b"cache-control", b"public, immutable, max-age=31536000")
_CONDITIONS = {b"range", b"if-none-match", b"if-modified-since", b"if-range", b"if-match"}
Message = dict[str, Any]


class PageFile(NamedTuple):
    """A file as it is answered: headers as ASGI has them, and its bytes."""

    headers: list[tuple[bytes, bytes]]
    content: bytes


class PageFiles:
    """Middleware that answers plain requests for the files of pages, and passes on all others."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Answer a request, or pass it on."""
        found = _asked(scope)
        if found is None:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": found.headers})
        await send({"type": "http.response.body", "body": found.content})


def _asked(scope: Message) -> PageFile | None:
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    path = scope["path"].removeprefix(f"/{base}" if base else "")
    if not path.startswith(f"/{FOLDER}/") or path not in _names():
        return None
    if any(name in _CONDITIONS for name, _value in scope["headers"]):
        return None
    return _read(path)


@cache
def _names() -> dict[str, Path]:
    """Return every file of pages by its path in addresses: no other can be asked for."""
    top = Path(file_util.get_static_dir())
    files = (found for found in (top / FOLDER).rglob("*") if found.is_file())
    return {f"/{found.relative_to(top).as_posix()}": found for found in files}


@cache
def _read(path: str) -> PageFile:
    file = _names()[path]
    headers = FileResponse(file, stat_result=file.stat()).raw_headers
    return PageFile([*headers, _FOR_EVER], file.read_bytes())
