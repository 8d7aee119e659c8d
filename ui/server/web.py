"""The app as a web server: Streamlit's own, with limits on uploads, health, metrics and a log."""

import asyncio
import importlib
import inspect
import logging
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pandas  # noqa: F401, ICN001 (a first table needs it, and nobody is to wait for it then)
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import cli_util, config, emojis  # noqa: F401 (a page's icon is one of them)
from streamlit.runtime import (
    app_session,
    memory_session_storage,
    memory_uploaded_file_manager,
)
from streamlit.web.server import server_util

from errors import AttentionVizError
from ui.isolation import given
from ui.server import health, memory, scratch, settings
from ui.server.limits import connections, messages, places, sessions
from ui.server.limits.uploads import Manager, UploadLimits
from ui.server.sending import sockets
from ui.server.sending.page_files import PageFiles
from ui.server.turns import DEVICE, LONG

ROOT = Path(__file__).resolve().parents[2]
FIRST_VIEW = "ui.explore.first_view"
"""The module that makes what the first view needs; by name, as it stands above this room."""
_TIDIED_EVERY_S = 5
"""Seconds from one look for sessions that ended to the next."""
ALWAYS = (Middleware(PageFiles),)
"""What stands before Streamlit's app for every server, the one of ``streamlit run`` as well."""
_LISTENING_S = 0.1
_CHILDREN_S = 8
"""The children that read files start a while later: the first visitor's page is then there."""
_LOG = logging.getLogger("nonlocal_viz.access")
_SECRET = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}")
"""Ids of sessions and files: whoever knows one may write to it."""
Message = dict[str, Any]


class AccessLog:
    """Middleware that logs a line a request: client, method, path without ids, status, ms."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Pass a request on, and log how it ended."""
        if scope["type"] != "http" or not settings.current().access_log:
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), [0]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            _LOG.info("%s", line(scope, status[0], time.monotonic() - began))


def line(scope: Message, status: int, seconds: float) -> str:
    """Return the log's line of a request; what a client sent is printable in it."""
    client = (scope.get("client") or ("-",))[0]
    path = _SECRET.sub("-", scope["path"])[:200]
    shown = "".join(c if c.isprintable() and c != " " else "?" for c in path)
    return f"{client} {scope['method']} {shown} {status} {1000 * seconds:.0f} ms"


async def _health(_request: Request) -> Response:
    status, text = health.health()
    return Response(text, status, media_type="application/json")


async def _metrics(_request: Request) -> Response:
    return PlainTextResponse(health.metrics())


class Server(st.App):
    """Streamlit's app whose store of uploads has limits, and which forgets who is gone."""

    def _create_runtime(self) -> Any:  # noqa: ANN401
        uploads, sessions_of = memory_uploaded_file_manager, memory_session_storage
        before = uploads.MemoryUploadedFileManager, sessions_of.MemorySessionStorage
        uploads.MemoryUploadedFileManager = Manager
        sessions_of.MemorySessionStorage = sessions.Sessions
        try:
            return super()._create_runtime()
        finally:
            uploads.MemoryUploadedFileManager, sessions_of.MemorySessionStorage = before


def _manager() -> Any:  # noqa: ANN401
    return health._uploads()


@asynccontextmanager
async def living(_app: Any) -> AsyncIterator[None]:  # noqa: ANN401
    """Make ready what the first visitor sees, give memory back now and then, and leave nothing.

    What the first view needs is imported and computed before anybody is served: beside it, it would
    take the processor from the browser that draws the page.
    """
    scratch.folder()
    await asyncio.to_thread(_prepare)
    tidying = asyncio.create_task(_keep_tidy())
    asyncio.get_running_loop().call_later(_LISTENING_S, _open_browser)
    try:
        with sockets.prompt(), places.counted():
            yield
    finally:
        tidying.cancel()
        given.pool().close()
        scratch.remove()


async def _keep_tidy() -> None:
    """Start what reads files, then give memory back now and then as long as the server lives."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(_CHILDREN_S)
        await asyncio.to_thread(given.warm)
        memory.set_aside()  # what the first pages imported, too
        times = memory.Times(_TIDIED_EVERY_S)
        while True:
            await asyncio.sleep(_TIDIED_EVERY_S)
            ended, due = sessions.forget(), times.is_due()
            if ended or due:
                await asyncio.to_thread(memory.give_back)


def _prepare() -> None:
    """Compute the first view; a server that cannot serves all the same, and its pages say why."""
    first_view = importlib.import_module(FIRST_VIEW)
    inspect.stack()  # looks up every module once; Streamlit asks for it at its first element
    try:
        first_view.prepare()
    except AttentionVizError as problem:
        _LOG.warning("%s", problem)
    except Exception:
        _LOG.exception("The first view could not be prepared.")
    finally:
        memory.set_aside()
        health.PREPARED.set()


def _open_browser() -> None:
    """Open the page in the browser of who started the program, as Streamlit does."""
    if not config.get_option("server.headless"):
        address = "server.address"
        if config.is_manually_set("browser.serverAddress"):
            address = "browser.serverAddress"
        own = server_util.get_display_address(config.get_option(address) or "localhost")
        cli_util.open_browser(server_util.get_url(own))


def _own_session_only(self: Any) -> None:  # noqa: ANN401
    """Clear what the session holds; caches that all visitors share stay."""
    self._session_state.clear()


def app() -> Server:
    """Return the app under the settings of this process."""
    DEVICE.most_waiting = LONG.most_waiting = settings.current().most_waiting
    if not settings.current().visitors_change_cache:
        # Any client may send the message that clears the caches of everybody.
        app_session.AppSession._handle_clear_cache_request = _own_session_only
    return Server(
        str(ROOT / "app.py"),
        lifespan=living,
        routes=[Route("/health", _health), Route("/metrics", _metrics)],
        middleware=[
            Middleware(AccessLog),
            *ALWAYS,
            Middleware(sessions.SessionLimit),
            Middleware(UploadLimits, manager=_manager),
        ],
    )


def options() -> dict[str, object]:
    """Return the settings of this process as Streamlit names them."""
    own = settings.current()
    return {
        "server.address": own.address,
        "server.port": own.port,
        "server.baseUrlPath": own.base_path,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": min(2048, own.session_upload_mb),
        "server.disconnectedSessionTTL": own.forget_after_s,
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "browser.gatherUsageStats": False,
        "runner.magicEnabled": False,
    }


def run() -> None:
    """Serve until stopped."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    _LOG.setLevel(logging.INFO)
    memory.settle()
    threading.current_thread().name = "server"
    with connections.bounded(), messages.unhurried():
        app().run(config=options())
