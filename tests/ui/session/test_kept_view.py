"""What a tab keeps of Explore's view: for a session that begins on another page."""

import json

import pytest
import streamlit as st

from tests.ui.session.test_pins import clip_of
from ui import bound, state
from ui.components.keeper import keeper
from ui.session import kept_view, missing
from ui.session.media import linked, medium, shelf
from ui.session.media.shelf import Shelf
from viz.media import footage

ADDRESS = {"file": "a.png", "sha256": "a" * 64, "net": "e2-nl", "at": "3,4"}


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """An empty session and address, a shelf of its own, and the addresses that are gone to."""
    kept, opened = Shelf(), []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "query_params", _Address())
    monkeypatch.setattr(shelf, "_shelf", lambda: kept)
    monkeypatch.setattr(bound, "open_as_link", lambda *given: opened.append(given))
    return opened


class _Address(dict):
    """An address bar."""

    def to_dict(self) -> dict:
        """Return its entries."""
        return dict(self)


def test_explore_opens_as_it_was_and_asks_for_its_file(session):
    keeper.restore("{}", json.dumps(ADDRESS))
    assert [one.path for one in missing.lacking()] == ["a.png"]
    assert json.loads(kept_view.text()) == ADDRESS  # the tab keeps it on
    kept_view.begin()
    assert session == [("pages/explore.py", ADDRESS)]
    kept_view.begin()
    assert len(session) == 1


def test_what_the_server_still_has_is_in_use_at_once(session):
    found = footage.of(clip_of("a.png"))
    shelf.keep(found, 10)
    keeper.restore("{}", json.dumps({**ADDRESS, "sha256": found.sha256}))
    assert medium.in_use() is found
    assert missing.lacking() == []


@pytest.mark.parametrize("other", ["address", "pin"])
def test_an_address_or_a_view_of_its_own_is_what_explore_shows(session, other):
    keeper.restore("{}", json.dumps(ADDRESS))
    if other == "address":
        st.query_params["net"] = "e2-cgnl"
    else:
        state.REFERENCE.set(object())
    kept_view.begin()
    assert session == []


def test_a_session_that_began_on_explore_has_its_address(session):
    st.query_params["sha256"] = "b" * 64
    kept_view.begin()
    assert json.loads(kept_view.text()) == {"sha256": "b" * 64}  # also where that is missing
    keeper.restore("{}", json.dumps(ADDRESS))
    assert missing.lacking() == []
    st.query_params["at"] = "1,2"
    kept_view.note()
    assert json.loads(kept_view.text()) == {"sha256": "b" * 64, "at": "1,2"}


def test_before_explore_was_drawn_what_the_tab_keeps_is_left_alone():
    assert kept_view.text() is None
    state.VIEW.set({"list": "1" * kept_view.LARGEST})
    assert kept_view.text() == ""


@pytest.mark.parametrize(
    "text",
    [None, 3, "", "{", "[]", "3", '{"at": 3}', '{"at": ["1"]}', "[" * 8000,
     '{"at": "' + "1" * kept_view.LARGEST + '"}'],
    ids=range(10),
)  # fmt: skip
def test_a_view_that_this_program_did_not_write_is_passed_over(session, text):
    keeper.restore("{}", text)
    assert not state.VIEW_WAITING.is_set()
    kept_view.begin()
    assert session == []


@pytest.mark.parametrize("sha256", ["", "x", "a" * 63, "A" * 64, "../" * 20])
def test_a_hash_that_is_none_asks_for_nothing(sha256):
    linked.want({"file": "a.png", "sha256": sha256})
    assert missing.lacking() == []


def test_forgetting_leaves_no_view(session):
    keeper.restore("{}", json.dumps(ADDRESS))
    keeper.forget()
    assert kept_view.text() is None
    kept_view.begin()
    assert session == []
