"""Uploads: what nobody asked for, too much, too slow or silent is given up."""

import asyncio
import time

import pytest
from starlette.requests import ClientDisconnect
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ui.server.limits import uploads
from ui.server.limits.uploads import Manager, UploadLimits

pytestmark = pytest.mark.slow


def held(manager, session, size):
    (place,) = manager.get_upload_urls(session, ["x"])
    manager.add_file(session, UploadedFileRec(place.file_id, "x", "", b"0" * size))
    return place.file_id


def asked(manager, session):
    return manager.get_upload_urls(session, ["x"])[0].file_id


def test_places_that_no_widget_asked_for_take_nothing():
    manager = Manager("/x")
    assert "not asked for" in manager.begin("a", "f", 1)
    file = asked(manager, "a")
    assert "not asked for" in manager.begin("b", file, 1)
    assert manager.begin("a", file, 1) is None
    assert "on its way" in manager.begin("a", file, 1)
    manager.end("a", file)
    manager.remove_session_files("a")
    assert "not asked for" in manager.begin("a", file, 1)
    assert manager.refused == 4


def test_a_session_over_its_limit_is_refused_and_nobody_else(limited):
    limited(session_upload_mb=3, process_upload_mb=5, session_files=3)
    manager = Manager("/x")
    held(manager, "a", 2**21)
    assert "3 MB together" in manager.begin("a", asked(manager, "a"), 2**21)
    held(manager, "b", 2**21)
    assert "as many files as it may" in manager.begin("c", asked(manager, "c"), 2**21)
    assert "say its size" in manager.begin("c", asked(manager, "c"), None)
    manager.remove_session_files("a")
    assert manager.begin("c", asked(manager, "c"), 2**21) is None
    for _ in range(3):
        held(manager, "d", 1)
    assert "Up to 3 files" in manager.begin("d", asked(manager, "d"), 1)


def test_what_is_only_said_to_come_takes_nobodys_room(limited):
    limited(session_upload_mb=4, process_upload_mb=5)
    manager = Manager("/x")
    mine = asked(manager, "a")
    assert manager.begin("a", mine, 2**22) is None
    assert "4 MB together" in manager.begin("a", asked(manager, "a"), 1)  # of the same visitor
    other = asked(manager, "b")
    assert manager.begin("b", other, 2**22) is None
    assert manager.goes_on("a", mine, 3 * 2**20)
    assert manager.sizes() == {"a": 3 * 2**20, "b": 0}
    assert manager.goes_on("b", other, 2**20)
    assert not manager.goes_on("b", other, 2 * 2**20)  # here it is too much


def test_a_file_has_the_bytes_that_it_said_and_comes_in_time(monkeypatch):
    manager = Manager("/x")
    file = asked(manager, "a")
    manager.begin("a", file, 5)
    assert manager.goes_on("a", file, 5)
    assert not manager.goes_on("a", file, 1)
    slow = asked(manager, "a")
    manager.begin("a", slow, 2**20)
    now = time.monotonic()
    monkeypatch.setattr(uploads.time, "monotonic", lambda: now + uploads.GRACE_S + 1)
    assert not manager.goes_on("a", slow, 1000)


def test_places_are_given_and_remembered_by_the_limit(limited):
    limited(session_files=3)
    manager = Manager("/x")
    first = asked(manager, "a")
    assert len(manager.get_upload_urls("a", ["x"] * 1000)) == 3
    for _ in range(100):
        manager.get_upload_urls("a", ["x"] * 1000)
    assert len(manager._asked["a"]) == 3 * uploads._PLACES
    assert "not asked for" in manager.begin("a", first, 1)


def uploaded(monkeypatch, pieces, headers):
    """Return how a server's app sees an upload, and what is answered."""
    monkeypatch.setattr(uploads, "SILENT_S", 0.05)
    manager, seen, sent = Manager("/x"), [], []
    file = asked(manager, "s")
    coming = iter(pieces)

    async def receive():
        for piece in coming:
            return {"type": "http.request", "body": piece, "more_body": True}
        await asyncio.sleep(60)
        return {}

    async def app(_scope, receive, _send):
        for _ in range(9):
            message = await receive()
            seen.append(message.get("body"))
            if message["type"] == "http.disconnect":
                raise ClientDisconnect

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "PUT", "path": f"/_stcore/upload_file/s/{file}",
        "headers": headers,
    }  # fmt: skip
    asyncio.run(UploadLimits(app, lambda: manager)(scope, receive, send))
    assert not manager._coming
    return seen, sent[0]["status"]


def test_uploads_that_fall_silent_or_bring_too_much_are_given_up(monkeypatch):
    size = [(b"content-length", b"7")]
    assert uploaded(monkeypatch, [b"abc"], size) == ([b"abc", None], 413)
    assert uploaded(monkeypatch, [b"abc", b"defgh"], size) == ([b"abc", None], 413)
    both = [*size, (b"transfer-encoding", b"chunked")]  # which of them counts is anybody's guess
    assert uploaded(monkeypatch, [b"abc"], both) == ([], 413)


def answered(scope, manager):
    """Return what the middleware sends, and how often the app behind it was reached."""
    sent, reached = [], []

    async def app(_scope, _receive, _send):
        reached.append(1)

    async def send(message):
        sent.append(message)

    asyncio.run(UploadLimits(app, lambda: manager)(scope, None, send))
    return sent, len(reached)


def test_the_middleware_answers_without_reading():
    manager = Manager("/x")
    scope = {
        "type": "http", "method": "PUT", "path": "/_stcore/upload_file/s/f",
        "headers": [(b"content-length", b"7")],
    }  # fmt: skip
    sent, reached = answered(scope, manager)
    assert (sent[0]["status"], reached) == (413, 0)
    assert b"not asked for" in sent[1]["body"]
    for other in ({"path": "/"}, {"method": "GET"}, {"type": "websocket"}):
        assert answered(scope | other, manager)[1] == 1
    file = asked(manager, "s")
    assert answered(scope | {"path": f"/base/_stcore/upload_file/s/{file}"}, manager) == ([], 1)
    assert manager.sizes() == {}
    for length in (b"", b"-1", b"x", b"9" * 40):
        headers = {
            "headers": [(b"content-length", length)],
            "path": f"/_stcore/upload_file/s/{file}",
        }
        assert answered(scope | headers, manager)[1] == 0
