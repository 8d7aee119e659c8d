"""What is prepared before the first visitor comes is what the first page uses."""

from models.zoo import catalogue
from tests.ui.pages import app
from ui.components.pin_cards import pin_cards
from ui.explore import first_view
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
