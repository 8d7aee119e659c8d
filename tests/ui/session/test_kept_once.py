"""What several sessions need at a time is made once."""

import threading

import pytest

from ui.server.kept import Kept


def held() -> Kept[str]:
    return Kept(len, 100, 5)


def test_who_comes_while_it_is_made_waits_for_it():
    kept, begun, goes_on, made = held(), threading.Event(), threading.Event(), []

    def make():
        begun.set()
        goes_on.wait(60)
        made.append(1)
        return "one"

    first = threading.Thread(target=kept.once, args=("key", make, lambda: None))
    first.start()
    begun.wait(60)
    assert kept.once("key", lambda: "another", goes_on.set) == "one"
    first.join()
    assert made == [1]
    assert kept.once("other", lambda: "two", pytest.fail) == "two"


def test_the_last_one_is_what_was_kept_or_asked_for_last():
    kept = held()
    assert kept.last is None
    for key in ("one", "two"):
        kept.keep(key, key)
    assert kept.last == "two"
    assert kept.get("one") == kept.last == "one"


def test_what_failed_is_made_by_the_next_one():
    kept = held()
    with pytest.raises(ZeroDivisionError):
        kept.once("key", lambda: 1 / 0, pytest.fail)
    assert kept.once("key", lambda: "one", pytest.fail) == "one"


def test_waiting_ends_with_the_page():
    kept, begun, goes_on = held(), threading.Event(), threading.Event()

    def make():
        begun.set()
        goes_on.wait(60)
        return "one"

    def gone():
        raise InterruptedError

    first = threading.Thread(target=kept.once, args=("key", make, lambda: None))
    first.start()
    begun.wait(60)
    with pytest.raises(InterruptedError):
        kept.once("key", lambda: "another", gone)
    goes_on.set()
    first.join()
    assert kept.get("key") == "one"
