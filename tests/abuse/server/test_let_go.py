"""What is let go of: kept results, sessions, memory, the shelf of uploads, temporary folders."""

import gc
import os
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.paths import ROOT
from tests.ui.session.test_pins import clip_of
from ui.server import health, memory, scratch, web
from ui.server.kept import Kept as KeptByBytes
from ui.server.limits import sessions
from ui.server.limits.sessions import Sessions
from ui.session.media import shelf
from viz.media import footage

pytestmark = pytest.mark.slow


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


def test_memory_is_given_back_while_little_is_done_and_at_the_latest_in_three_minutes(monkeypatch):
    used = iter((0.0, *(0.1 * k for k in range(1, 13)), *(1.2 + 2.0 * k for k in range(1, 73))))
    monkeypatch.setattr(memory.time, "process_time", lambda: next(used))
    times = memory.Times(5)
    idle, busy = [[times.is_due() for _ in range(looks)] for looks in (12, 72)]
    assert idle == [False] * 11 + [True]
    assert busy == ([False] * 35 + [True]) * 2


def test_before_anybody_is_served_what_there_is_is_set_aside(monkeypatch):
    set_aside = []
    monkeypatch.setattr(memory, "set_aside", lambda: set_aside.append(health.PREPARED.is_set()))
    monkeypatch.setitem(sys.modules, "a_view", SimpleNamespace(prepare=lambda: None))
    monkeypatch.setattr(web, "FIRST_VIEW", "a_view")
    health.PREPARED.clear()
    web._prepare()
    assert set_aside == [False]
    assert health.PREPARED.is_set()


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
