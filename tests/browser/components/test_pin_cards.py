"""The strip of pins: cards, order by pointer, finger and keys, and what Python believes of it."""

import base64
import io

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.bare.bare_component import mount, sent, show
from ui.components.pin_cards import pin_cards
from ui.session import pins as session_pins
from ui.session.pins import Pin
from viz.figure.recipe.recipe import Medium, Network, Reference, View
from viz.types import Clip

EVIL = "<img src=x onerror=window.hurt=1>"
IDS = ["p1", "p2", "p3", "p4", "p5"]


def clip_of(name="a.png", frames=1, size=(48, 64)):
    colours = np.linspace(20, 230, frames).astype(np.uint8)
    pixels = np.broadcast_to(colours[:, None, None, None], (frames, *size, 3)).copy()
    numbers = tuple(range(frames)) if frames > 1 else ()
    return Clip(pixels, (0.0,) * frames, name, name.encode().hex(), numbers)


def pin_of(id, at=(10.0, 20.0), label="", frame=0, clip=None, views=("e2-nl", "e2-cgnl")):
    clip = clip or clip_of(f"{id}.png")
    networks = tuple(View(Network(name, "1" * 64), "res4.4") for name in views)
    medium = Medium(clip.name, clip.sha256, clip.numbers)
    return Pin(id, Reference(medium, networks, at, frame, label), clip)


def data_of(ids=IDS, current=None, **labels):
    pins = [pin_of(id, label=labels.get(id, "")) for id in ids]
    return {"cards": pin_cards.cards(pins), "current": current}


@pytest.fixture
def strip(page: Page) -> Page:
    page.set_viewport_size({"width": 1000, "height": 700})
    mount(page, "pin_cards", "pin-cards", data_of())
    return page


def order(page):
    return page.locator(".card").evaluate_all("(all) => all.map((one) => one.dataset.id)")


def face(page, number):
    return page.locator(".card .face").nth(number)


def focused(page):
    return page.evaluate("document.activeElement.closest('.card')?.dataset.id")


def middle(page, number):
    box = page.locator(".card").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def drag(page, start, end, share=0.4):
    """Drag a card to a share of the width beside the middle of another, and stay there."""
    x, y, _ = middle(page, start)
    to_x, to_y, width = middle(page, end)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x + share * width, to_y, steps=5)


def test_cards_stand_in_the_order_of_the_pins_with_their_numbers(strip):
    assert order(strip) == IDS
    assert strip.locator(".grip").all_inner_texts() == ["1", "2", "3", "4", "5"]
    assert strip.locator(".title").all_inner_texts() == [f"{id}.png" for id in IDS]
    assert "e2-nl, e2-cgnl" in strip.locator(".detail").first.inner_text()
    loaded = "(all) => all.every((one) => one.complete && one.naturalWidth > 0)"
    assert strip.locator(".card img").evaluate_all(loaded)


@pytest.mark.parametrize(
    ("start", "end", "share", "expected"),
    [
        (0, 2, 0.4, ["p2", "p3", "p1", "p4", "p5"]),
        (0, 2, -0.4, ["p2", "p1", "p3", "p4", "p5"]),
        (3, 0, -0.4, ["p4", "p1", "p2", "p3", "p5"]),
        (1, 4, 0.4, ["p1", "p3", "p4", "p5", "p2"]),
    ],
)
def test_a_card_is_dragged_to_where_the_line_is(strip, start, end, share, expected):
    drag(strip, start, end, share)
    line = strip.locator(".landing").bounding_box()
    box = strip.locator(".card").nth(end).bounding_box()
    edge = box["x"] + (box["width"] if share > 0 else 0)
    assert abs(line["x"] - edge) < 12
    strip.mouse.up()
    assert order(strip) == expected
    assert sent(strip) == [["order", expected]]
    assert strip.locator(".landing").is_hidden()
    assert strip.locator(".grip").all_inner_texts() == ["1", "2", "3", "4", "5"]


def test_a_drag_is_no_click_and_a_click_no_drag(strip):
    drag(strip, 0, 2)
    strip.mouse.up()
    strip.wait_for_timeout(50)
    assert [name for name, _ in sent(strip)] == ["order"]
    face(strip, 1).click()
    assert sent(strip)[1:] == [["choose", "p3"]]
    assert face(strip, 1).get_attribute("aria-pressed") == "true"


def test_a_card_that_is_put_back_tells_nothing(strip):
    drag(strip, 1, 2, -0.4)
    strip.mouse.up()
    assert sent(strip) == []
    assert order(strip) == IDS


def test_escape_gives_a_drag_up(strip):
    drag(strip, 0, 3)
    strip.keyboard.press("Escape")
    strip.mouse.up()
    assert sent(strip) == []
    assert order(strip) == IDS
    assert strip.locator(".lifted").count() == 0


def test_a_finger_drags_by_the_grip(browser):
    context = browser.new_context(viewport={"width": 390, "height": 900}, has_touch=True)
    tab = context.new_page()
    mount(tab, "pin_cards", "pin-cards", data_of())
    touch = context.new_cdp_session(tab)
    box = tab.locator(".grip").first.bounding_box()
    x, y = box["x"] + 12, box["y"] + 12
    to_x, to_y, width = middle(tab, 3)
    steps = [(x + (to_x + 0.3 * width - x) * k / 6, y + (to_y - y) * k / 6) for k in range(7)]
    for k, (a, b) in enumerate(steps):
        kind = "touchMove" if k else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(tab.locator(".card").first).to_have_attribute("data-id", "p2")
    assert sent(tab) == [["order", ["p2", "p3", "p4", "p1", "p5"]]]
    context.close()


@pytest.mark.parametrize("modifier", ["Alt", "Control"])
def test_keys_move_the_card_and_the_focus_goes_with_it(strip, modifier):
    face(strip, 1).focus()
    strip.keyboard.press(f"{modifier}+ArrowRight")
    strip.keyboard.press(f"{modifier}+ArrowRight")
    assert order(strip) == ["p1", "p3", "p4", "p2", "p5"]
    assert focused(strip) == "p2"
    assert sent(strip)[-1] == ["order", ["p1", "p3", "p4", "p2", "p5"]]
    assert "p2.png is now 4 of 5" in strip.locator(".unseen").inner_text()
    strip.keyboard.press(f"{modifier}+Home")
    assert order(strip)[0] == "p2"


def test_the_ends_hold_a_card(strip):
    face(strip, 0).focus()
    strip.keyboard.press("Alt+ArrowLeft")
    assert order(strip) == IDS
    assert sent(strip) == []


def test_arrows_go_from_card_to_card_and_tab_enters_at_one(strip):
    strip.keyboard.press("Tab")
    assert focused(strip) == "p1"
    for key, expected in (("ArrowRight", "p2"), ("ArrowDown", "p3"), ("ArrowLeft", "p2"),
                          ("End", "p5"), ("Home", "p1")):  # fmt: skip
        strip.keyboard.press(key)
        assert focused(strip) == expected
    assert sent(strip) == []
    assert strip.locator(".face[tabindex='0']").count() == 1


def test_enter_chooses_and_delete_removes_and_the_next_card_has_the_focus(strip):
    face(strip, 1).focus()
    strip.keyboard.press("Enter")
    strip.keyboard.press("Delete")
    assert sent(strip) == [["choose", "p2"], ["remove", "p2"]]
    assert order(strip) == ["p1", "p3", "p4", "p5"]
    assert focused(strip) == "p3"
    assert "Removed" in strip.locator(".unseen").inner_text()


def test_the_cross_removes_its_card(strip):
    cross = strip.locator(".remove").nth(3)
    assert cross.is_visible()
    assert "p4.png" in cross.get_attribute("aria-label")
    cross.click()
    assert sent(strip) == [["remove", "p4"]]
    assert order(strip) == ["p1", "p2", "p3", "p5"]


def test_new_data_keeps_the_focus_and_says_which_is_chosen(strip):
    face(strip, 2).focus()
    show(strip, data_of(["p5", "p3", "p1"], current="p5"))
    assert order(strip) == ["p5", "p3", "p1"]
    assert focused(strip) == "p3"
    assert face(strip, 0).get_attribute("aria-pressed") == "true"
    show(strip, data_of(["p5"]))
    assert focused(strip) == "p5"
    show(strip, data_of([]))
    assert order(strip) == []


def test_labels_are_text_and_never_markup(page):
    mount(page, "pin_cards", "pin-cards", data_of(p2=EVIL))
    assert page.locator(".title").nth(1).inner_text() == EVIL
    assert EVIL in face(page, 1).get_attribute("aria-label")
    assert page.locator(".card img").count() == len(IDS)
    page.wait_for_timeout(50)
    assert page.evaluate("window.hurt") is None


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_it_wraps_and_never_scrolls_sideways(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    mount(page, "pin_cards", "pin-cards", data_of(p3="a-name-without-any-space" * 8))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def picture(card):
    content = base64.b64decode(card["picture"].split(",")[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def greenest(pixels):
    """The middle (x, y) of what is green."""
    rows, cols = np.nonzero(pixels[..., 1] - pixels[..., 0] > 100)
    return (cols.min() + cols.max()) / 2, (rows.min() + rows.max()) / 2


def test_a_card_shows_the_frame_of_the_reference_with_a_green_box():
    clip = clip_of("long.mp4", frames=4, size=(600, 800))
    [card] = pin_cards.cards([pin_of("p1", (200.0, 450.0), frame=3, clip=clip)])
    pixels = picture(card)
    assert pixels.shape == (72, 96, 3)
    assert greenest(pixels) == pytest.approx((24, 54), abs=1)
    assert np.abs(pixels[5, 60] - 230).max() < 8
    assert "frame\u00a03" in card["detail"]


def test_a_pin_of_gates_has_no_box_and_names_its_layer():
    [card] = pin_cards.cards([pin_of("p1", None, views=("own",))])
    assert card["detail"] == "own · res4.4"
    pixels = picture(card)
    assert np.abs(pixels - pixels[0, 0]).max() < 8


@pytest.fixture
def session(monkeypatch):
    state = {}
    monkeypatch.setattr(st, "session_state", state)
    for x in (1.0, 2.0, 3.0):
        pin = pin_of("p", (x, 1.0))
        session_pins.add(pin.reference, pin.clip)
    return state


@pytest.mark.parametrize(
    "value",
    [None, "p1", 3, [], ["p1"], ["p1", "p2"], ["p1", "p2", "p2"], ["p1", "p2", "p3", "p3"],
     ["p1", "p2", 3], ["p1", "p2", "p9"], {"p1": 0}, [["p1"], "p2", "p3"]],
)  # fmt: skip
def test_an_order_that_is_none_of_the_pins_is_passed_over(session, value):
    session["s"] = {"order": value}
    assert pin_cards.ordered("s") is None


def test_an_order_of_all_pins_is_taken(session):
    session["s"] = {"order": ["p3", "p1", "p2"]}
    assert pin_cards.ordered("s") == ["p3", "p1", "p2"]


@pytest.mark.parametrize("value", [None, 1, "p9", ["p1"], {}, True])
def test_an_unknown_pin_is_neither_removed_nor_chosen(session, value):
    session["s"] = {"remove": value, "choose": value}
    assert pin_cards.removed("s") is None
    assert pin_cards.chosen("s") is None


def test_a_known_pin_is_removed_or_chosen(session):
    session["s"] = {"remove": "p2", "choose": "p3"}
    assert (pin_cards.removed("s"), pin_cards.chosen("s")) == ("p2", "p3")
    assert pin_cards.ordered("elsewhere") is None


def test_the_button_of_explore_pins_and_the_sidebar_counts(explore):
    explore.get_by_role("button", name="Pin for a figure").click()
    expect(explore.get_by_role("heading", name="Pins (1)")).to_be_visible()
    expect(explore.get_by_test_id("stToast")).to_contain_text("Pinned")
    explore.get_by_role("button", name="Pin for a figure").click()
    expect(explore.get_by_test_id("stToast").last).to_contain_text("already")
    explore.get_by_test_id("stSidebar").get_by_role("link", name="Make a figure").click()
    explore.wait_for_url("**/figure*")
