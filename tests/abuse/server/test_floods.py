"""Floods: connections without a request, more messages than a page needs, reruns without end."""

import asyncio
import resource
from contextlib import suppress

import pytest
from streamlit import config as streamlit_config
from streamlit.web.server.starlette import starlette_server
from uvicorn.config import Config
from uvicorn.server import ServerState

from ui.server.limits import connections, messages
from ui.server.limits.connections import Connection
from ui.server.limits.messages import Paced

pytestmark = [pytest.mark.slow, pytest.mark.timeout(30)]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def answer(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


def served(visit):
    """Let a visit talk to a server of such connections; all of them are closed in the end."""

    async def run():
        config, state, writers = Config(answer, lifespan="off", log_config=None), ServerState(), []
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(config, state, {}), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]

        async def connect():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            return reader, writer

        try:
            await asyncio.wait_for(visit(connect), 20)
        finally:
            server.close()
            for writer in writers:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
            await asyncio.sleep(0.05)

    asyncio.run(run())
    assert not Connection.waiting


async def ended(reader):
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


def test_a_head_that_never_ends_is_given_up_whatever_trickles(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    async def visit(connect):
        reader, writer = await connect()
        trickle = asyncio.create_task(trickled(writer))
        assert await ended(reader)
        trickle.cancel()

    async def trickled(writer):
        writer.write(GET[:-4] + b"\r\nX: ")
        while True:
            writer.write(b"a")
            await asyncio.sleep(0.02)

    served(visit)


def test_a_request_is_answered_and_the_next_one_has_its_own_time(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    async def visit(connect):
        reader, writer = await connect()
        for _ in range(2):
            writer.write(GET)
            assert b"200 OK" in await reader.readuntil(b"here\r\n0\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(GET[:9])
        assert await ended(reader)

    served(visit)


def test_of_too_many_that_wait_the_oldest_goes_and_requests_are_answered(monkeypatch):
    monkeypatch.setattr(connections, "MOST_WAITING", 3)

    async def visit(connect):
        waiting = [await connect() for _ in range(5)]
        assert await ended(waiting[0][0])
        assert await ended(waiting[1][0])
        reader, writer = await connect()
        writer.write(GET)
        assert b"200 OK" in await reader.readuntil(b"\r\n")
        waiting[4][1].write(GET)
        assert b"200 OK" in await waiting[4][0].readuntil(b"\r\n")

    served(visit)


def test_the_server_has_these_limits_while_it_serves():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    known = starlette_server._get_uvicorn_config_kwargs
    with connections.bounded():
        found = starlette_server._get_uvicorn_config_kwargs()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= before[0]
    assert (found["http"], found["ws_max_size"]) == (Connection, connections.LARGEST_MESSAGE)
    assert starlette_server._get_uvicorn_config_kwargs is known
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


class Clock:
    """Time that passes only where it is slept."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(messages.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(messages.asyncio, "sleep", self.sleep)

    async def sleep(self, seconds):
        self.now += seconds


def received(clock, count, every):
    """Return when each of so many messages is handed on, and what is sent."""
    sent, told = [], []

    async def receive():
        clock.now += every
        return {"type": "websocket.receive", "bytes": b"x"}

    async def send(message):
        sent.append(message)

    async def run():
        page = Paced(receive, send)
        for _ in range(count):
            told.append((clock.now, (await page.receive())["type"]))

    asyncio.run(run())
    return told, sent


def test_messages_of_a_visitor_are_not_held_back(monkeypatch):
    clock = Clock(monkeypatch)
    told, sent = received(clock, 1000, 1 / messages.A_SECOND)
    assert clock.now == pytest.approx(1000 + 1000 / messages.A_SECOND)
    assert not sent
    assert {kind for _at, kind in told} == {"websocket.receive"}


def test_a_flood_of_messages_is_held_back_and_then_let_go_of(monkeypatch):
    clock = Clock(monkeypatch)
    told, sent = received(clock, 200, 0.0)
    taken = [at - 1000 for at, kind in told if kind == "websocket.receive"]
    at_once = sum(at < 0.001 for at in taken)
    assert at_once in (messages.BURST, messages.BURST + 1)
    steady = sum(0.001 <= at <= messages.SUSPECT_S for at in taken)
    assert steady <= messages.A_SECOND * messages.SUSPECT_S + 1
    assert len(taken) - at_once - steady <= messages.GIVEN_UP_S / messages.SLOWLY_S
    assert sent[0] == {"type": "websocket.close", "code": 1008}
    assert told[-1][1] == "websocket.disconnect"


def test_reruns_that_follow_one_another_at_once_share_a_thread(monkeypatch):
    clock, fast = Clock(monkeypatch), []

    class Session:
        pass

    asked = messages._unhurried(
        lambda _self, _state: fast.append(streamlit_config.get_option("runner.fastReruns"))
    )
    one, other = Session(), Session()
    for session, wait in ((one, 0), (one, 0.1), (other, 0), (one, 0.1), (one, 0.2)):
        clock.now += wait
        asked(session, None)
    assert fast == [True, False, True, False, True]
    assert streamlit_config.get_option("runner.fastReruns")
