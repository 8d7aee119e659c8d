"""What is prepared before the first visitor comes is what the first page uses."""

import threading

from models.zoo import catalogue
from tests.ui.pages import app
from ui.components.pin_cards import pin_cards
from ui.explore import first_view
from ui.server import health, web
from viz.attention import pipeline


def test_the_first_page_computes_nothing_that_was_prepared(monkeypatch):
    first_view.prepare()

    def again(*_given, **_named):
        raise AssertionError("this was prepared")

    for place, name in ((catalogue, "load"), (pipeline, "capture"), (pin_cards, "thumb")):
        monkeypatch.setattr(place, name, again)
    page = app().run()
    assert not page.exception
    assert not page.error
    assert page.session_state["threshold"] == 0.7


def test_a_server_serves_although_its_first_view_cannot_be_prepared(monkeypatch, caplog):
    def broken():
        raise RuntimeError("no such thing")

    monkeypatch.setattr(first_view, "prepare", broken)
    monkeypatch.setattr(health, "PREPARED", threading.Event())
    web._prepare()
    assert health.PREPARED.is_set()
    assert "could not be prepared" in caplog.text
