"""The tray without a page: order, limits, and the frames that pins share."""

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from errors import InputError
from ui.session import pins as session_pins
from viz.figure.recipe.recipe import MOST_REFERENCES, Medium, Network, Part, Reference, View
from viz.types import Clip


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """An empty session: outside a page Streamlit has none."""
    state = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def clip_of(name="a.png", frames=1, side=7):
    numbers = tuple(range(0, 3 * frames, 3)) if frames > 1 else ()
    sha256 = name.encode().hex().ljust(64, "0")[:64]
    return Clip(np.zeros((frames, side, side, 3), np.uint8), (0.0,) * frames, name, sha256, numbers)


def reference_of(clip, x=1.5, frame=0):
    medium = Medium(clip.name, clip.sha256, clip.numbers)
    return Reference(medium, (View(Network("net", "1" * 64)),), (x, 2.5), frame)


def add(clip, **given):
    return session_pins.add(reference_of(clip, **given), clip)


def test_pins_come_in_the_order_in_which_they_were_pinned_and_have_names_of_their_own():
    first, second, third = (add(clip_of(), x=x) for x in (1.0, 2.0, 3.0))
    assert session_pins.pins() == (first, second, third)
    assert len({pin.id for pin in session_pins.pins()}) == 3


def test_an_id_is_never_given_twice():
    first = add(clip_of())
    session_pins.remove(first.id)
    assert add(clip_of()).id != first.id


def test_pins_can_be_put_in_another_order():
    first, second = add(clip_of(), x=1.0), add(clip_of(), x=2.0)
    session_pins.put((second, first))
    assert [pin.id for pin in session_pins.pins()] == [second.id, first.id]


def test_a_pin_that_is_made_is_not_in_the_tray_until_it_is_put():
    pin = session_pins.made(reference_of(clip_of()), clip_of())
    assert session_pins.pins() == ()
    session_pins.put((pin,))
    assert [one.id for one in session_pins.pins()] == [pin.id]


def test_update_gives_one_pin_another_reference():
    first, second = add(clip_of(), x=1.0), add(clip_of(), x=2.0)
    parts = (Part("beak", 1.0, 2.0),)
    session_pins.update(second.id, replace(second.reference, parts=parts))
    assert [pin.reference.parts for pin in session_pins.pins()] == [(), parts]
    assert [pin.id for pin in session_pins.pins()] == [first.id, second.id]


def test_a_network_that_has_a_name_has_it_in_pins_that_come_later():
    seen = session_pins.seen_in(add(clip_of(), x=1.0).reference.views[0])
    session_pins.rename(seen, "ours")
    add(clip_of("b.png"))
    assert session_pins.names() == {seen: ("ours",)}
    (view,) = session_pins.pins()[0].reference.views
    others = tuple(replace(view, label=name, block=name) for name in ("", "x"))
    session_pins.add(replace(reference_of(clip_of()), views=others), clip_of())
    assert [name for (name,) in session_pins.names().values()] == ["ours", "", "x"]
    with pytest.raises(InputError):
        session_pins.rename(seen, "x" * 1000)


@pytest.mark.parametrize("change", [session_pins.remove, lambda id: session_pins.update(id, None)])
def test_an_unknown_id_changes_nothing(change):
    first = add(clip_of())
    change("p99")
    assert [pin.id for pin in session_pins.pins()] == [first.id]


def test_clear_empties_the_tray():
    add(clip_of())
    session_pins.clear()
    assert session_pins.pins() == ()


def test_the_same_frames_are_held_once():
    first, second = add(clip_of(), x=1.0), add(clip_of(), x=2.0)
    assert first.clip is second.clip


def test_a_clip_is_found_by_its_hash_and_frames_and_not_by_its_path():
    clip = clip_of("walk.mp4", frames=5)
    add(clip)
    assert session_pins.clip_of(Medium("elsewhere.mp4", clip.sha256, clip.numbers)) is clip
    assert session_pins.clip_of(Medium("walk.mp4", clip.sha256, clip.numbers[:2])) is None
    assert session_pins.clip_of(Medium("walk.mp4", "f" * 64, clip.numbers)) is None


def test_one_pin_too_many_is_one_line_and_changes_nothing(one_line):
    for x in range(MOST_REFERENCES):
        add(clip_of(), x=float(x))
    with pytest.raises(InputError) as problem:
        add(clip_of(), x=99.0)
    assert str(MOST_REFERENCES) in one_line(problem.value)
    assert len(session_pins.pins()) == MOST_REFERENCES


def test_pixels_count_once_a_clip_and_too_many_are_one_line(one_line, monkeypatch):
    monkeypatch.setattr(session_pins, "MOST_BYTES", 2 * 7 * 7 * 3)
    add(clip_of("a.png"), x=1.0)
    add(clip_of("a.png"), x=2.0)
    add(clip_of("b.png"))
    with pytest.raises(InputError) as problem:
        add(clip_of("c.png"))
    assert "MB" in one_line(problem.value)
    assert len(session_pins.pins()) == 3


def test_what_no_recipe_may_hold_is_refused(one_line):
    with pytest.raises(InputError) as problem:
        add(clip_of(), x=float("nan"))
    one_line(problem.value)
    assert session_pins.pins() == ()
