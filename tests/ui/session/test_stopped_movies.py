"""A movie that was stopped: what came of it is a note, until it is made."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException

from errors import InputError
from ui import state
from ui.server import waiting
from ui.session import movies
from viz.figure.files import movie

TITLE = next(iter(movie.KINDS.values()))[0]


@pytest.fixture
def page(monkeypatch):
    """A page whose button was ``pressed`` or not, with the notes and errors that it ``says``."""
    page = SimpleNamespace(pressed=True, says=[])
    shown = SimpleNamespace(progress=lambda *_what: None, empty=lambda: None)
    shown.container = lambda **_how: nullcontext()
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(movies.recipe_json, "dumps", str)
    monkeypatch.setattr(waiting, "turn", lambda _turns: nullcontext())
    for name in ("empty", "progress"):
        monkeypatch.setattr(st, name, lambda *_what: shown)
    monkeypatch.setattr(st, "container", shown.container)
    monkeypatch.setattr(st, "segmented_control", lambda _title, options, **_how: options[0])
    monkeypatch.setattr(st, "button", lambda label, **_how: page.pressed and label != "Stop")
    monkeypatch.setattr(st, "info", lambda text: page.says.append(f"note: {text}"))
    monkeypatch.setattr(st, "error", lambda text: page.says.append(f"error: {text}"))
    monkeypatch.setattr(
        st, "download_button", lambda label, *_what, **_how: page.says.append(label)
    )
    monkeypatch.setattr(st, "video", lambda *_what, **_how: None)
    return page


def ending(after, how):
    """Return a figure whose movie ends after so many of 20 frames."""

    def content(_kind, progress):
        if after:
            progress(after, 20)
        if how is not None:
            raise how
        return b"movie"

    return SimpleNamespace(content=content, recipe="recipe")


def drawn(page, figure, pressed):
    """Draw the page once; return what it says."""
    page.pressed, page.says = pressed, []
    movies.maker(figure, "kick")
    return [one.replace("\\", "") for one in page.says]


@pytest.mark.parametrize(
    ("after", "where"), [(3, "at frame 3 of 20"), (0, "before a frame was drawn")]
)
def test_a_movie_that_was_stopped_says_so_as_a_note_until_it_is_made(page, after, where):
    stopped = ending(after, RerunException(RerunData()))
    with pytest.raises(RerunException):
        drawn(page, stopped, pressed=True)
    said = f"note: Stopped {where}; nothing of the movie is kept. Make the {TITLE} begins anew."
    assert drawn(page, stopped, pressed=False) == [said]
    other = SimpleNamespace(content=None, recipe="another")
    assert drawn(page, other, pressed=False) == []
    assert drawn(page, ending(20, None), pressed=True) == [f"Save the {TITLE} (0.0 MB)"]
    assert not state.MOVIE_ENDED.is_set()


def test_a_movie_that_was_refused_or_broke_was_not_stopped(page):
    assert drawn(page, ending(3, InputError("No room.")), pressed=True) == ["error: No room."]
    with pytest.raises(KeyError):
        drawn(page, ending(3, KeyError()), pressed=True)
    assert drawn(page, ending(3, None), pressed=False) == []
