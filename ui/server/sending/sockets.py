"""Sockets of the server: what is small goes out at once."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def prompt() -> Iterator[None]:
    """Let the servers that the running loop starts in the ``with`` body send what is small at once
    (TCP_NODELAY), as asyncio does by itself for all but sockets that it is given.

    uvicorn's comes from Streamlit: each file of a page, and each message to it, would wait for the
    browser's delayed acknowledgement of what came before, 40 ms on Linux.
    """
    loop = asyncio.get_running_loop()
    create_server = loop.create_server

    async def create(*given: Any, sock: socket.socket | None = None, **options: Any) -> Any:  # noqa: ANN401
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones have it, too
        return await create_server(*given, sock=sock, **options)

    try:
        loop.create_server = create
    except AttributeError:  # uvloop's: it sends at once in any case
        yield
        return
    try:
        yield
    finally:
        del loop.create_server
