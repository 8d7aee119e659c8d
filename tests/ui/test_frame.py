"""Pages opened by their own address: app.py runs first, then the page that was asked for."""

import pytest

from tests.paths import ROOT
from tests.ui.pages import app, assert_sound
from ui import frame

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py"))


@pytest.fixture
def entries(monkeypatch):
    """What frame.entered returned at every run of app.py, in order."""
    returned = []
    real = frame.entered

    def entered():
        returned.append(real())
        return returned[-1]

    monkeypatch.setattr(frame, "entered", entered)
    return returned


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_run_alone_goes_through_the_app_and_is_shown(page, entries):
    at = assert_sound(app().switch_page(page).run())
    assert entries[0] == page
    assert set(entries[1:]) <= {None}
    headings = [m.value for m in at.markdown if m.value.startswith("####")]
    other = {"pages/models.py": "#### Models", "pages/gates.py": "#### Gates"}
    shown = {path for path, words in other.items() if any(h.startswith(words) for h in headings)}
    assert shown == {page} & other.keys()


class Address(dict):
    """The entries of an address bar, each given once."""

    def get_all(self, name):
        return [self[name]]


def test_the_page_that_was_asked_for_is_told_once_and_nobody_is_sent_again(monkeypatch):
    sent, address = [], Address({"gate": "unit3"})
    monkeypatch.setattr(frame.st, "session_state", {})
    monkeypatch.setattr(frame.st, "query_params", address)
    monkeypatch.setattr(
        frame.st, "switch_page", lambda page, query_params: sent.append((page, query_params))
    )
    frame.require("pages/gates.py")
    assert sent == [("app.py", {"gate": ["unit3"]})]
    assert [frame.entered(), frame.entered()] == ["pages/gates.py", None]
    frame.require("pages/models.py")
    assert len(sent) == 1
    assert frame.entered() is None
