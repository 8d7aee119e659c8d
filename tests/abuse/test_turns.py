"""The queue of the device: one at a time, sessions in turn, nobody left behind."""

import threading
import time

import pytest

from errors import MachineError
from ui.server import waiting
from ui.server.turns import Turns

pytestmark = pytest.mark.timeout(30)


def nobody(_place, _seconds):
    pass


def wait_for(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def worked(turns, requests):
    """Have sessions ask in this order while the device is busy; return the order of service."""
    served, threads = [], []

    def ask(session):
        with turns.turn(session, nobody):
            served.append(session)

    with turns.turn("first", nobody):
        for count, session in enumerate(requests, 1):
            threads.append(threading.Thread(target=ask, args=(session,)))
            threads[-1].start()
            wait_for(lambda count=count: turns.waiting == count)
    for thread in threads:
        thread.join(10)
    return served


@pytest.mark.parametrize(
    ("requests", "order"),
    [
        ("aaab", "abaa"),
        ("aaabbc", "abcaba"),
        ("abab", "abab"),
        ("a", "a"),
        ("abcabc", "abcabc"),
    ],
)
def test_sessions_take_turns_however_often_they_ask(requests, order):
    assert "".join(worked(Turns(), requests)) == order


def test_who_was_served_last_waits_for_who_was_not():
    turns = Turns()
    assert worked(turns, ["a"]) == ["a"]
    assert worked(turns, ["a", "b"]) == ["b", "a"]


def test_one_runs_at_a_time():
    turns, inside, most = Turns(), [0], [0]

    def ask(session):
        for _ in range(7):
            with turns.turn(session, nobody):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.001)
                inside[0] -= 1

    threads = [threading.Thread(target=ask, args=(str(k),)) for k in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1]
    assert (turns.served, turns.waiting, turns.is_running) == (35, 0, False)


def test_place_and_time_are_told_and_whoever_raises_leaves():
    class GoneError(Exception):
        pass

    turns, told = Turns(), []

    def leave(place, seconds):
        told.append((place, seconds))
        if len(told) == 2:
            raise GoneError

    with turns.turn("a", nobody):
        thread = threading.Thread(target=lambda: pytest.raises(GoneError, _enter, turns, leave))
        thread.start()
        thread.join(10)
    assert [place for place, _seconds in told] == [1, 1]
    assert told[1][1] > told[0][1] > 0
    assert turns.waiting == 0
    with turns.turn("b", nobody):
        pass


def _enter(turns, told):
    with turns.turn("b", told):
        pass


def test_a_turn_inside_a_turn_is_the_same_one():
    turns = Turns()
    with turns.turn("a", nobody), turns.turn("a", nobody):
        assert turns.served == 1
        assert turns.is_running
    assert not turns.is_running


def test_a_turn_is_given_back_whatever_happens():
    turns = Turns()
    with pytest.raises(ValueError, match="17"), turns.turn("a", nobody):
        raise ValueError("17")
    with turns.turn("b", nobody):
        assert turns.waiting == 0


def test_too_many_are_refused_in_one_line(one_line):
    turns = Turns(most_waiting=0)
    with pytest.raises(MachineError, match="This server has 0 requests waiting already") as caught:
        _enter(turns, nobody)
    one_line(caught.value)


def test_two_places_run_two_and_no_more():
    turns, inside, most = Turns(places=2), [0], [0]
    lock = threading.Lock()

    def ask(session):
        with turns.turn(session, nobody):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=ask, args=(str(k),)) for k in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [2]
    assert turns.served == 7


def test_long_work_lets_others_go_between_its_parts():
    turns, order = Turns(), []

    def other():
        with turns.turn("b", nobody):
            order.append("b")

    with turns.turn("a", nobody):
        turns.pass_on("a", nobody)  # nobody waits: it goes on
        order.append("a1")
        thread = threading.Thread(target=other)
        thread.start()
        wait_for(lambda: turns.waiting == 1)
        turns.pass_on("a", nobody)
        order.append("a2")
        assert turns.is_running
    thread.join(10)
    assert order == ["a1", "b", "a2"]
    assert not turns.is_running


def test_long_work_that_is_left_while_others_go_gives_its_turn_back():
    turns, go = Turns(), threading.Event()

    def other():
        with turns.turn("b", nobody):
            go.wait(10)

    def leave(_place, _seconds):
        raise ZeroDivisionError

    def work(thread):
        with turns.turn("a", nobody):
            thread.start()
            wait_for(lambda: turns.waiting == 1)
            turns.pass_on("a", leave)

    thread = threading.Thread(target=other)
    with pytest.raises(ZeroDivisionError):
        work(thread)
    go.set()
    thread.join(10)
    assert (turns.is_running, turns.waiting) == (False, 0)


def test_a_turn_inside_a_turn_of_another_queue_is_the_same_one():
    short, long = Turns(), Turns()
    with long.turn("a", nobody), short.turn("a", nobody):
        short.pass_on("a", nobody)
        assert (long.is_running, short.is_running) == (True, False)
    with short.turn("a", nobody):
        assert short.is_running


def test_what_took_long_before_is_expected_to_take_long():
    pace = waiting.Pace()
    assert pace.expected("net", 224**2) < waiting.LONG_S < pace.expected("net", 64 * 448**2)
    pace.note("net", 1000, 5.0)
    assert pace.expected("net", 1000) == 5.0
    pace.note("net", 1000, 1.0)
    assert pace.expected("net", 1000) == 3.0
    assert pace.expected("other", 1000) < 1


def test_files_are_made_in_a_turn_also_outside_of_a_run():
    made = waiting.saved(lambda: waiting.LONG.is_running)
    assert made() is True
    assert not waiting.LONG.is_running
