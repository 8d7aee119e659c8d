"""Work that is stopped is not begun again by itself; what a dragged slider reports is checked."""

import pytest
import streamlit as st

from errors import InputError
from ui import state
from ui.components.live import live
from ui.server import waiting
from ui.server.visitor import WATCHED, stop_if_ended


@pytest.fixture(autouse=True)
def session(monkeypatch):
    kept = {}
    monkeypatch.setattr(st, "session_state", kept)
    return kept


def test_stopped_work_is_refused_until_it_is_started_again(one_line):
    state.STOPPED.set(("capture", "a"))
    with pytest.raises(InputError) as caught, waiting.stoppable("Running", ("capture", "a")):
        pass
    assert "Running: stopped." in one_line(caught.value)
    with waiting.stoppable("Running", ("capture", "b")):
        pass
    state.STOPPED.pop()
    with waiting.stoppable("Running", ("capture", "a")):
        pass


def test_work_that_only_looks_now_and_then_is_watched_too(monkeypatch):
    monkeypatch.setattr(waiting, "SOON_S", 0.0)
    heard = []
    with waiting.stoppable("Reading", "frames"):
        monkeypatch.setattr(WATCHED, "now", heard.append)
        stop_if_ended()
    assert heard == [None]
    assert WATCHED.now is None


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
