"""Work that is stopped is not begun again by itself; what a dragged slider reports is checked."""

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException

from errors import InputError
from ui import state
from ui.components.live import live
from ui.server import waiting
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
    with pytest.raises(InputError) as caught, waiting.stoppable("Running", ("capture", "a")):
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
        monkeypatch.setattr(WATCHED, "now", heard.append)
        stop_if_ended()
    assert heard == [None]
    assert WATCHED.now is None


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


def test_reading_that_is_broken_off_is_begun_again_and_stopped_reading_is_not():
    heard = []
    arrivals.note("medium", arrivals.uploaded((Upload("a"),), rerun, heard.append))
    with pytest.raises(RerunException):
        arrivals.settle()  # something else was clicked
    note("a", heard)
    [arrival] = state.ARRIVALS.get().values()
    waiting.stop(arrival.what)
    for _ in range(2):
        arrivals.settle()
    assert len(heard) == 2
    assert "Reading walk.mp4: stopped" in heard[0].replace("\\", "")
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
