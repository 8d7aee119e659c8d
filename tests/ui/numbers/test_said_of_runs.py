"""What a page says after its button was pressed: the same as is shown, stopped, or nothing yet."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException

from errors import InputError
from ui import state
from ui.numbers.data import runs
from ui.numbers.data.results import _MOST, _MOST_BYTES, Results, Words

WORDS = Words("**Go**", "the same", "earlier", "none yet", "earlier, of others")


@pytest.fixture
def said(monkeypatch):
    """An empty session, and what is said in it as notes."""
    told = []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "info", told.append)
    monkeypatch.setattr(st, "error", told.append)
    monkeypatch.setattr(st, "rerun", rerun)
    for name in ("container", "progress", "button", "empty"):
        monkeypatch.setattr(st, name, lambda *_what, **_how: nullcontext(SimpleNamespace()))
    return told


def rerun():
    raise RerunException(RerunData())


def result(mark="a", nbytes=3):
    return SimpleNamespace(mark=mark, nbytes=nbytes)


def shown(results, mark="a", run=None, begin=False, is_first=False):
    return results.shown(lambda: mark, run or (lambda _shared: None), begin, is_first, WORDS)


def stopped_after(kept, every=40, mark="a", is_pressed=True):
    """Run until Streamlit ends it, with so many pictures kept: Stop was pressed, or the page was
    run anew."""

    def run():
        with runs.Progress(every, "x", mark) as progress:
            progress._show = lambda: None
            progress.reached(kept, every)
            rerun()

    with pytest.raises(RerunException):
        run()
    if is_pressed:
        runs.runs().pressed.add(mark)


def test_pressing_the_button_for_what_is_shown_already_says_so(said):
    results = Results(state.EVALUATED)
    results.keep(result(), shared=False)
    assert shown(results).mark == "a"
    assert said == []
    assert shown(results, begin=True).mark == "a"
    assert said == ["the same"]
    assert shown(results, mark="b").mark == "a"
    assert said[1:] == ["earlier"]


def test_a_result_comes_back_with_its_choice_and_the_last_few_are_kept(said):
    results = Results(state.EVALUATED)
    made = {mark: results.keep(result(mark), shared=mark == "a") for mark in "abcdef"}
    assert shown(results, mark="c") is made["c"]
    assert shown(results, mark="a") is made["a"]  # everybody's
    assert said == []
    assert shown(results, mark="b") is made["a"]  # too long ago
    assert said == ["earlier"]
    assert len(state.EVALUATED.get()) == _MOST


def test_results_that_take_much_memory_are_not_kept(said):
    results = Results(state.EVALUATED)
    results.keep(result(), shared=False)
    large = results.keep(result("b", _MOST_BYTES + 1), shared=False)
    assert shown(results) is shown(results, mark="b") is large
    assert said == ["earlier"]


def test_while_nothing_can_be_begun_the_last_result_is_said_to_be_an_earlier_one(said):
    results = Results(state.EVALUATED)
    assert results.before(WORDS) is None
    made = results.keep(result(), shared=False)
    assert results.before(WORDS) is made
    assert said == ["none yet", "earlier, of others"]


def test_what_is_refused_leaves_the_last_result_and_says_that_it_is_an_earlier_one(said):
    def refuse(_shared):
        raise InputError("Nothing could be measured.")

    results = Results(state.EVALUATED)
    made = results.keep(result(), shared=False)
    assert shown(results, "b", refuse, begin=True) is made
    assert said == [r"Nothing could be measured.", "earlier, of others"]


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (16, "Stopped: 16 of 40 pictures done and kept; **Go** goes on from there."),
        (0, "Stopped before any of 40 pictures was kept; **Go** begins anew."),
    ],
)
def test_a_run_that_was_stopped_says_what_is_kept_and_is_not_begun_again(said, kept, words):
    results, ran = Results(state.EVALUATED), []
    stopped_after(kept)
    assert shown(results, run=ran.append, is_first=True) is None
    assert said == [words]
    assert ran == []
    with pytest.raises(RerunException):
        shown(results, run=ran.append, begin=True)
    assert ran == [False]
    assert shown(results, mark="b") is None
    assert said[1:] == ["none yet"]


def test_a_first_run_that_another_run_of_the_page_ended_is_begun_again_without_a_word(said):
    results, ran = Results(state.EVALUATED), []
    stopped_after(0, is_pressed=False)
    with pytest.raises(RerunException):
        shown(results, run=ran.append, is_first=True)
    assert ran == [True]
    assert said == []


def test_stop_is_heard_until_the_run_is_begun_again(said):
    stopped_after(16)
    assert runs.was_pressed("a")
    stopped_after(16, is_pressed=False)
    assert not runs.was_pressed("a")
    assert said == []


def test_a_run_that_ended_or_was_refused_was_not_stopped(said):
    with runs.Progress(40, "x", "a"):
        pass
    with pytest.raises(InputError), runs.Progress(40, "x", "b"):
        raise InputError("Nothing could be measured.")
    assert runs.stopped("a") is runs.stopped("b") is None
    assert said == []


def test_the_pictures_of_a_folder_that_is_gone_are_not_kept(said):
    with runs.runs().alone("old") as folder:
        folder.mkdir()
    stopped_after(16, mark="old")
    for number in range(runs._KEPT):
        assert runs.stopped("old") == (16, 40)
        with runs.runs().alone(f"new{number}") as folder:
            folder.mkdir()
    assert runs.stopped("old") is None
    assert said == []


def test_the_folder_of_a_result_stays_as_long_as_somebody_holds_it(said):
    with runs.runs().alone("old") as folder:
        folder.mkdir()
    held = runs.runs().results["old"] = {"a result"}
    for number in range(2 * runs._KEPT):
        with runs.runs().alone(f"new{number}") as other:
            other.mkdir()
    assert folder.is_dir()
    del held
    with runs.runs().alone("last"):
        assert not folder.exists()
    assert said == []
