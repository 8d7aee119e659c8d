"""What is kept for the next session, without a page: uploads, and what the browser keeps."""

import json

import pytest
import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from errors import InputError
from tests.ui.session.test_pins import clip_of, reference_of
from ui import state
from ui.components.keeper import keeper
from ui.guard import label
from ui.session import missing
from ui.session import pins as session_pins
from ui.session.media import medium, shelf
from ui.session.media.shelf import MOST_BYTES, Shelf
from viz.examples import bird
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Medium, Recipe
from viz.media import footage

BIRD = Medium("example:bird", bird.clip().sha256)


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """An empty session, and a shelf of its own."""
    kept = Shelf()
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(shelf, "_shelf", lambda: kept)
    return kept


def reference(wanted=BIRD):
    found = reference_of(clip_of())
    return type(found)(wanted, found.views, found.at)


def kept_text(*references, **more):
    pins = recipe_json.dumps(Recipe("parts", references)) if references else None
    return json.dumps({"secret": "s" * 43, "pins": pins, **more})


def test_the_shelf_gives_uploads_to_the_browser_that_made_them_and_to_nobody_else():
    found, one = footage.of(clip_of("a.png")), Shelf()
    one.keep("mine", found, 100)
    assert one.find("mine", found.sha256) is found
    assert one.find("other", found.sha256) is None
    one.forget("mine")
    assert one.find("mine", found.sha256) is None


def test_what_was_used_longest_ago_leaves_a_full_shelf():
    first, second, third = (footage.of(clip_of(f"{k}.png")) for k in "abc")
    one = Shelf()
    one.keep("mine", first, MOST_BYTES // 2)
    one.keep("mine", second, MOST_BYTES // 2)
    assert one.find("mine", first.sha256) is first  # and so the second is the oldest
    one.keep("mine", third, MOST_BYTES // 4)
    assert one.find("mine", second.sha256) is None
    assert one.find("mine", first.sha256) is first
    one.keep("mine", second, MOST_BYTES + 1)
    assert not one.held


def test_an_upload_that_the_server_has_lost_is_one_line():
    with pytest.raises(InputError, match="drop the file again"):
        medium.contents([DeletedFile("file-1")])


def test_pins_of_examples_come_back_at_once():
    keeper.restore(kept_text(reference()))
    (pin,) = session_pins.pins()
    assert pin.reference.medium.sha256 == bird.clip().sha256
    assert state.BROWSER.get() == "s" * 43
    assert not session_pins.can_undo()


def test_the_example_is_never_missing_whatever_its_hash():
    keeper.restore(kept_text(reference(Medium("example:bird", "a" * 64))))
    assert len(session_pins.pins()) == 1


def test_pins_of_uploads_wait_for_their_file_and_are_kept_meanwhile():
    gone = Medium("gone.png", "a" * 64)
    keeper.restore(kept_text(reference(), reference(gone)))
    assert session_pins.pins() == ()
    assert missing.lacking() == [gone]
    assert "gone.png" in keeper.text()
    missing.without()
    assert len(session_pins.pins()) == 1


def test_what_is_kept_comes_back_the_same():
    session_pins.add(reference(), bird.clip())
    text = keeper.text()
    before = session_pins.pins()[0].reference
    session_pins.clear()
    keeper.restore(text)
    assert session_pins.pins()[0].reference == before


@pytest.mark.parametrize(
    "text",
    [
        None, 7, "", "{", "[]", "null", '"x"', "[" * 100_000, json.dumps({"pins": 3}),
        json.dumps({"pins": "{}"}), json.dumps({"secret": "../..", "pins": None}),
        json.dumps({"secret": 5}), "x" * (keeper.LARGEST + 1), kept_text(reference())[:-9],
    ],
    ids=range(14),
)  # fmt: skip
def test_a_text_that_this_program_did_not_write_is_passed_over(text):
    keeper.restore(text)
    assert session_pins.pins() == ()
    assert missing.pending() is None
    assert state.BROWSER.get() is None


def test_choices_of_pages_are_kept_beside_the_pins_and_those_made_since_stay():
    state.BROWSER_CHOICES.set({"figure": "one", "people": "two"})
    text = keeper.text()
    state.BROWSER_CHOICES.set({"figure": "newer"})
    keeper.restore(text)
    assert state.BROWSER_CHOICES.get() == {"figure": "newer", "people": "two"}


@pytest.mark.parametrize(
    "choices", [None, 3, ["figure"], "figure", {"figure": 3}, {str(k): "" for k in range(17)}]
)
def test_choices_that_this_program_did_not_write_are_passed_over(choices):
    keeper.restore(kept_text(reference(), choices=choices))
    assert state.BROWSER_CHOICES.get() == {}
    assert len(session_pins.pins()) == 1


def test_forgetting_leaves_nothing():
    state.BROWSER_CHOICES.set({"figure": "one"})
    session_pins.add(reference(), bird.clip())
    shelf.keep(footage.of(clip_of("a.png")), 10)
    keeper.forget()
    assert session_pins.pins() == ()
    assert not shelf.find(clip_of("a.png").sha256)
    assert json.loads(keeper.text()).keys() == {"secret"}


def test_an_undo_takes_back_the_last_thing_done_to_the_pins():
    first = session_pins.add(reference(), bird.clip())
    session_pins.remove(first.id)
    session_pins.remove(first.id)  # nothing is done twice
    session_pins.undo()
    assert session_pins.pins() == (first,)
    session_pins.undo()
    assert session_pins.pins() == ()
    assert not session_pins.can_undo()


@pytest.mark.parametrize(
    ("text", "said"),
    [("e2-nl", "e2-nl"), ("a_b.pth", "a_b.pth"), ("*x* [y](z)", "x y (z)"), ("$x$ `y`", "x y")],
)
def test_labels_have_no_backslashes_and_no_markup(text, said):
    assert label(text) == said
