"""One server for many: settings, uploads that nobody asked for, memory, and what is left behind."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import fields, replace
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from errors import InputError, MachineError
from tests.paths import ROOT
from tests.ui.session.test_pins import clip_of
from ui.server import health, memory, scratch, sessions, settings, uploads, web
from ui.server.kept import Kept as KeptByBytes
from ui.server.sessions import Sessions
from ui.server.settings import Settings
from ui.server.uploads import Manager, UploadLimits
from ui.session.media import shelf
from viz.cli.main import main
from viz.media import footage

pytestmark = pytest.mark.slow

SERVER_TOML = ROOT / "deploy" / "server.toml"


@pytest.fixture
def limited():
    before = settings.current()
    yield lambda **values: settings.use(Settings(**values))
    settings.use(before)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\nport = 99999", "[server] port is 99999; give a number from 1 to 65535"),
        ("[server]\nport = '80'", "[server] port is '80'; give a whole number"),
        ("[server]\nport = true", "[server] port is True; give a whole number"),
        ("[server]\nprot = 80", "[server] prot is not known; use address, port"),
        ("[limits]\nport = 80", "[limits] port is not known"),
        ("[sever]\nport = 80", "is not known; use the tables [server]"),
        ("port = 80", "'port' stands in no table"),
        ("[login]\nlogin = 'yes'", "give true or false"),
        ("[server", "could not be read as TOML"),
        ("[limits]\nsession_files = " + "9" * 5000, "could not be read as TOML"),
        ("[limits]\nsession_files = " + "9" * 300, "give a number from"),
        ("[server]\nport = 0x" + "f" * 10_000, "far too large; give a number from"),
        ("[server]\nfolders = " + "[" * 20_000, "could not be read as TOML"),
        ("#" * 70_000, "too large"),
    ],
)
def test_settings_name_the_entry_that_is_wrong(tmp_path, one_line, text, words):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        settings.load(path)
    assert words in one_line(caught.value)


def test_settings_that_are_no_file_are_refused(tmp_path, one_line):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError) as caught:
            settings.load(path)
        one_line(caught.value)


def test_the_example_names_every_setting_with_what_it_is_without():
    assert settings.load(SERVER_TOML) == settings.SHARED
    text = SERVER_TOML.read_text()
    for one in fields(Settings):
        assert f"\n{one.name} = " in text, one.name


def test_visitors_of_a_shared_server_do_not_change_its_cache():
    assert not settings.SHARED.visitors_change_cache
    assert Settings().visitors_change_cache


def test_check_prints_the_settings(capsys):
    assert main(["serve", "--settings", str(SERVER_TOML), "--port", "17", "--check"]) == 0
    assert "port = 17" in capsys.readouterr().out
    assert main(["serve", "--port", "0", "--check"]) == 2


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


@pytest.mark.parametrize(("count", "reached"), [(6, True), (7, False)])
def test_a_page_too_many_is_not_taken(limited, monkeypatch, count, reached):
    limited(most_sessions=7)
    monkeypatch.setattr(sessions, "open_count", lambda: count)
    sent, found = [], []

    async def app(_scope, _receive, _send):
        found.append(True)

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(sessions.SessionLimit(app)({"type": "websocket"}, receive, send))
    assert bool(found) == reached
    assert [one["code"] for one in sent] == ([] if reached else [1013])


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


def test_the_log_holds_no_ids_and_one_line():
    file = "12345678-1234-1234-1234-123456789012"
    scope = {"method": "PUT", "path": f"/_stcore/upload_file/{file}/{file}\n17 ", "client": None}
    assert web.line(scope, 413, 0.01) == "- PUT /_stcore/upload_file/-/-?17? 413 10 ms"


def test_health_says_when_no_more_work_is_taken(limited, monkeypatch):
    monkeypatch.setattr(health, "PREPARED", threading.Event())
    assert health.health()[0] == 503  # networks and pages are still loaded
    health.PREPARED.set()
    assert health.health()[0] == 200
    limited(memory_mb=1)
    status, text = health.health()
    assert (status, json.loads(text)["ready"]) == (503, False)
    with pytest.raises(MachineError, match="limit of 1 MB of memory"):
        memory.check()


def test_what_is_alive_is_not_walked_again_and_what_died_goes():
    class Knot:
        pass

    knot = Knot()
    knot.itself, gone = knot, weakref.ref(knot)
    memory.give_back()
    assert gc.get_freeze_count() > 10_000
    del knot
    assert gone() is not None
    memory.give_back()
    assert gone() is None
    gc.unfreeze()


def test_metrics_are_numbers():
    for line in health.metrics().splitlines():
        assert line.startswith("#") or float(line.split()[1]) >= 0


def test_what_is_kept_is_bounded_by_bytes_and_the_last_stays():
    kept = KeptByBytes(len, 10, 3)
    for key in "abc":
        kept.keep(key, b"123")
    assert kept.get("a") == b"123"
    kept.keep("d", b"12")
    assert [key for key in "abcd" if kept.get(key)] == ["a", "c", "d"]
    kept.keep("e", b"0" * 17)
    assert (len(kept), kept.nbytes) == (1, 17)


class Kept:
    """What Streamlit stores of a session."""

    def __init__(self, id):
        self.session, self.id, self.is_shut = self, id, False
        self._session_state = {"a picture": id}

    def shutdown(self):
        self.is_shut = True


def test_sessions_that_nobody_comes_back_to_are_ended(monkeypatch):
    store, kept = Sessions(ttl_seconds=45, most=2), {id: Kept(id) for id in "abc"}
    now = time.monotonic()
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now)
    for one in kept.values():
        store.save(one)
    assert [one.id for one in store.list()] == ["b", "c"]
    assert (kept["a"].is_shut, store.get("a"), store.get("b")) == (True, None, kept["b"])
    store.delete("b")
    assert store.forget() == 0
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now + 46)
    assert store.forget() == 1
    assert [one.is_shut for one in kept.values()] == [True, False, True]
    assert [one._session_state for one in kept.values()] == [{}, {"a picture": "b"}, {}]
    with pytest.raises(KeyError):
        store.delete("c")


def test_uploads_kept_for_a_refresh_go_after_the_last_page(limited, monkeypatch):
    limited(keep_uploads_s=30)
    there, now = {"one"}, time.monotonic()
    monkeypatch.setattr(shelf.time, "monotonic", lambda: now)
    monkeypatch.setattr(shelf, "session_id", lambda: "one")
    monkeypatch.setattr(shelf, "is_there", there.__contains__)
    held, picture = shelf.Shelf(), footage.of(clip_of("a.png"))
    held.keep("secret", picture, 17)
    now += 1000
    assert held.find("secret", picture.sha256) is picture
    there.clear()
    now += 29
    held.tidy()
    assert held.held
    now += 2
    held.tidy()
    assert not held.held
    assert held.find("secret", picture.sha256) is None
    for number in range(shelf.MOST_FILES + 7):
        held.keep("secret", replace(picture, sha256=str(number)), 1)
    assert len(held.held) == shelf.MOST_FILES


PROGRAM = (
    "from ui.server import scratch; import time, sys; f = scratch.folder();"
    "(f / 'upload').write_bytes(b'1'); print(f, flush=True); time.sleep(60)"
)


@pytest.mark.slow
def test_what_a_killed_server_left_goes_when_the_next_one_starts(tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=env, stdout=subprocess.PIPE, text=True
        )
        return process, Path(process.stdout.readline().strip())

    first, left = start()
    second, other = start()
    assert left.exists(), "the second start must not take what the first one uses"
    first.kill()
    first.communicate()
    assert (left / "upload").exists()
    third, _ = start()
    assert not left.exists()
    assert other.exists()
    for process in (second, third):
        process.kill()
        process.communicate()


def test_a_folder_that_is_being_made_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    made = tmp_path / f"{scratch.PREFIX}x"
    made.mkdir()
    assert scratch.sweep() == 0
    os.utime(made, (time.time() - 100,) * 2)
    assert scratch.sweep() == 1
    assert not made.exists()
