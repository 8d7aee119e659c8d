"""Work that is stopped is not begun again by itself; what a dragged slider reports is checked."""

from contextlib import nullcontext
from threading import Event, Thread

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException

from errors import InputError, StoppedError
from ui import state
from ui.components.live import live
from ui.server import waiting
from ui.server.turns import Turns
from ui.server.visitor import WATCHED, stop_if_ended
from ui.session.media import arrivals


@pytest.fixture(autouse=True)
def session(monkeypatch):
    kept = {}
    monkeypatch.setattr(st, "session_state", kept)
    return kept


def test_stopped_work_is_refused_until_it_is_started_again(one_line):
    waiting.stop(("capture", "a"))
    waiting.stop(("capture", "b"))
    with pytest.raises(StoppedError) as caught, waiting.stoppable("Running", ("capture", "a")):
        pass
    assert "Running: stopped." in one_line(caught.value)
    with waiting.stoppable("Running", ("capture", "c")):
        pass
    waiting.start_again(("capture", "a"))
    with waiting.stoppable("Running", ("capture", "a")):
        pass
    assert waiting.is_stopped(("capture", "b"))  # is not begun again because another is


def test_work_that_only_looks_now_and_then_is_watched_too(monkeypatch):
    monkeypatch.setattr(waiting, "SOON_S", 0.0)
    heard = []
    with waiting.stoppable("Reading", "frames"):
        monkeypatch.setattr(WATCHED, "now", lambda *told: heard.append(told))
        stop_if_ended()
    assert heard == [(None, 0)]
    assert WATCHED.now is None


class Page:
    """What a page shows of work: the words of its bar, and whether its place is empty again."""

    def __init__(self):
        self.words, self.is_empty = [], True

    def container(self, **_how):
        self.is_empty = False
        return nullcontext()

    def empty(self):
        self.is_empty = True
        return self

    def progress(self, _share, words):
        self.words.append(words)
        return self


@pytest.fixture
def drawn(monkeypatch):
    """A page on which everything is shown at once."""
    page = Page()
    monkeypatch.setattr(waiting, "SOON_S", 0.0)
    monkeypatch.setattr(waiting, "EVERY_S", 0.0)
    for name in ("empty", "progress"):
        monkeypatch.setattr(st, name, getattr(page, name))
    monkeypatch.setattr(st, "button", lambda *_what, **_how: False)
    return page


def test_the_bar_says_what_is_known_place_and_share(drawn):
    with waiting.stoppable("Reading walk.mp4", "walk"):
        stop_if_ended(place=2)
        stop_if_ended()
        stop_if_ended(0.25)
        stop_if_ended()  # a look without news keeps what was told
    assert drawn.words[1:] == [
        "Reading walk.mp4: place 2 in the queue, waiting 0 s",
        "Reading walk.mp4, 0 s",
        "Reading walk.mp4: 25%, 0 s",
        "Reading walk.mp4: 25%, 0 s",
    ]
    assert drawn.is_empty


def test_who_waits_for_the_device_sees_the_place_and_can_stop(drawn, monkeypatch):
    turns = Turns()
    held, done = Event(), Event()

    def hold():
        with turns.turn("other", lambda _place, _seconds: None):
            held.set()
            done.wait(10)

    holder = Thread(target=hold)
    holder.start()
    held.wait(10)

    def told(share, place, show=waiting._Shown.watch):
        show(shown, share, place)
        done.set()

    with waiting.stoppable("Running", "run") as watch:
        shown = watch.__self__
        monkeypatch.setattr(WATCHED, "now", told)
        with waiting.turn(turns):
            pass
    holder.join()
    assert "Running: place 1 in the queue, waiting 0 s" in drawn.words


def test_a_refusal_takes_the_place_of_the_bar(drawn):
    def refused():
        with waiting.stoppable("Reading", "x") as watch:
            watch(0.5)
            assert not drawn.is_empty
            raise InputError("This is no film.")

    with pytest.raises(InputError):
        refused()
    assert drawn.is_empty


class Upload:
    """What Streamlit gives of a file that was dropped."""

    name = "walk.mp4"

    def __init__(self, file_id, content=b"*"):
        self.file_id, self.content = file_id, content

    def getvalue(self):
        return self.content


def note(file_id, heard, place="medium"):
    def take(uploads):
        if uploads[0].getvalue() != b"*":
            raise InputError("This is no film.")
        heard.append(uploads[0].file_id)

    content = b"bad" if file_id == "bad" else b"*"
    arrivals.note(place, arrivals.uploaded((Upload(file_id, content),), take, heard.append))


def test_what_arrives_is_read_once_by_the_page_and_refused_in_one_line():
    heard = []
    note("a", heard)
    note("b", heard)  # dropped in its place
    note("bad", heard, "second")
    assert heard == []
    arrivals.settle()
    arrivals.settle()
    assert heard == ["b", "This is no film."]


def test_reading_that_is_broken_off_is_begun_again_and_stopped_reading_is_not(monkeypatch):
    heard = []
    arrivals.note("medium", arrivals.uploaded((Upload("a"),), rerun, heard.append))
    with pytest.raises(RerunException):
        arrivals.settle()  # something else was clicked
    note("a", heard)
    [arrival] = state.ARRIVALS.get().values()
    waiting.stop(arrival.what)
    said = []
    monkeypatch.setattr(st, "info", said.append)
    for _ in range(2):
        arrivals.settle()
    assert heard == ["", ""]  # what was in use comes back, and nothing is wrong
    assert "Reading walk.mp4: stopped" in said[1].replace("\\", "")
    waiting.start_again(arrival.what)
    arrivals.settle()
    assert heard[2:] == ["a"]
    assert not state.ARRIVALS.get()


def rerun(_uploads):
    raise RerunException(RerunData())


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"name": "a", "value": 0.5}, ("a", 0.5)),
        ({"name": "b", "value": 0.5}, None),
        ({"name": "a", "value": "0.5"}, None),
        ({"name": "a", "value": True}, None),
        ({"name": "a"}, None),
        ("a", None),
    ],
)
def test_a_dragged_slider_reports_a_number_of_a_slider_that_is_there(session, value, found):
    session["live"] = {"moved": value}
    assert live.moved("live", ["a"]) == found
