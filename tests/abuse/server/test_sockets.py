"""Connections that are taken: what is sent on them goes out at once."""

import asyncio
import socket

from ui.server.sending import sockets


class Taken(asyncio.Protocol):
    """A connection of which the socket is kept."""

    sockets: list = []  # noqa: RUF012

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the socket."""
        self.sockets.append(transport.get_extra_info("socket"))


async def waits(with_prompt: bool) -> bool:
    """Tell whether small answers wait on a connection to a server on a socket that was given."""
    listening = socket.socket()  # without a protocol, as Streamlit makes it
    listening.bind(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    if with_prompt:
        with sockets.prompt():
            server = await loop.create_server(Taken, sock=listening)
    else:
        server = await loop.create_server(Taken, sock=listening)
    _reader, writer = await asyncio.open_connection(*listening.getsockname())
    while not Taken.sockets:
        await asyncio.sleep(0.01)
    told = Taken.sockets.pop().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()
    server.close()
    return not told


def test_servers_that_are_started_send_small_answers_at_once():
    assert not asyncio.run(waits(with_prompt=True))
    assert asyncio.run(waits(with_prompt=False)), "asyncio does so itself now: prompt() can go"


def test_the_loop_is_given_back():
    async def made() -> bool:
        loop = asyncio.get_running_loop()
        with sockets.prompt():
            assert "create_server" in vars(loop)
        return "create_server" in vars(loop)

    assert not asyncio.run(made())
