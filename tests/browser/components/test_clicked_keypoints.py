"""Parts that are clicked on a picture: the pixel, the dots, the keys, and what Python believes."""

import base64
import io

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from tests.browser.bare.bare_component import mount, sent, show
from tests.conftest import draw
from ui.components.keypoints import keypoints
from viz.figure.recipe.recipe import Part

EVIL = "<img src=x onerror=window.hurt=1>"
BEAK, TAIL = Part("beak", 70.0, 30.0), Part("tail", 10.0, 60.0)


def drawn(height, width):
    return draw(height, width)[0]


def put(page, width, height, parts=(BEAK, TAIL)):
    mount(page, "keypoints", "points", keypoints.data(drawn(height, width), parts))


def click(page, x, y):
    """Click at shares of the picture's sides; return the box of the picture."""
    box = page.locator(".stage img").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    return box


def last(page):
    name, value = sent(page)[-1]
    assert name == "add"
    return value["x"], value["y"]


@pytest.mark.parametrize("size", [(640, 480), (101, 67), (67, 101), (311, 701)])
@pytest.mark.parametrize("window", [(1200, 800), (390, 700)])
def test_a_click_adds_at_the_pixel_of_the_original(page, size, window):
    width, height = size
    page.set_viewport_size({"width": window[0], "height": window[1]})
    put(page, width, height)
    box = page.locator(".stage img").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.01)
    assert box["height"] <= 0.71 * window[1]
    assert box["x"] + box["width"] <= window[0]
    for x, y in ((0.3, 0.8), (0.71, 0.12), (0.999, 0.999)):
        click(page, x, y)
        assert last(page) == pytest.approx((x * width, y * height), abs=1)


def test_a_large_frame_is_sent_smaller_and_clicked_in_its_own_pixels(page):
    put(page, 3000, 2000)
    sides = page.locator(".stage img").evaluate("(one) => [one.naturalWidth, one.naturalHeight]")
    box = click(page, 0.25, 0.6)
    assert sides == [1600, 1067]
    assert last(page) == pytest.approx((750, 1200), abs=1 + 3000 / box["width"])


def test_dots_lie_on_their_pixels_with_their_numbers(page):
    put(page, 101, 67)
    box = page.locator(".stage img").bounding_box()
    for number, part in enumerate((BEAK, TAIL)):
        dot = page.locator("button.dot").nth(number)
        place = dot.bounding_box()
        middle = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        expected = (box["x"] + part.x * box["width"] / 101, box["y"] + part.y * box["height"] / 67)
        assert middle == pytest.approx(expected, abs=1)
        assert dot.inner_text() == str(number + 1)
        assert part.name in dot.get_attribute("aria-label")


def test_a_click_on_a_dot_removes_it_and_adds_nothing(page):
    put(page, 101, 67)
    page.locator("button.dot").nth(1).click()
    assert sent(page) == [["remove", 1]]


@pytest.mark.parametrize("key", ["Delete", "Backspace", "Enter"])
def test_a_key_on_a_dot_removes_it(page, key):
    put(page, 101, 67)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press(key)
    assert sent(page) == [["remove", 0]]
    assert "Removed part 1" in page.locator(".unseen").inner_text()
    show(page, keypoints.data(drawn(67, 101), [TAIL]))
    assert page.locator("button.dot").count() == 1
    assert page.evaluate("document.activeElement.className") == "dot"
    show(page, keypoints.data(drawn(67, 101), []))
    assert page.evaluate("document.activeElement.className") == "target"


def test_a_cross_hair_is_moved_by_keys_and_enter_adds(page):
    put(page, 640, 480)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert sent(page) == []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert page.locator(".cross").is_visible()
    page.keyboard.press("Enter")
    assert last(page) == (320 + 6, 240 + 6 - 2)
    for _ in range(120):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert last(page)[0] == 0
    page.keyboard.press("Escape")
    assert page.locator(".cross").is_hidden()


def test_a_double_click_adds_one_part(page):
    put(page, 640, 480)
    page.locator(".target").dblclick()
    assert len(sent(page)) == 1


def test_a_part_outside_the_frame_has_no_dot_and_the_others_keep_their_numbers(page):
    put(page, 101, 67, [Part("far", 5000.0, -3.0), TAIL])
    assert page.locator("button.dot:visible").all_inner_texts() == ["2"]


def test_names_are_text_and_never_markup(page):
    put(page, 101, 67, [Part(EVIL, 5.0, 6.0)])
    assert EVIL in page.locator("button.dot").get_attribute("aria-label")
    page.wait_for_timeout(50)
    assert page.locator("img").count() == 1
    assert page.evaluate("window.hurt") is None


@pytest.fixture
def session(monkeypatch):
    """What is left of a frame of 101 x 67 pixels with two parts that was shown."""
    state = {"p-shown": (101, 67, 2)}
    monkeypatch.setattr(st, "session_state", state)
    return state


@pytest.mark.parametrize(
    "value",
    [None, "1,2", 3, [1, 2], {}, {"x": 1}, {"x": "1", "y": 2}, {"x": -0.1, "y": 2},
     {"x": 101, "y": 2}, {"x": 1, "y": 67.0}, {"x": float("nan"), "y": 2},
     {"x": float("inf"), "y": 2}, {"x": True, "y": 2}, {"x": 10**400, "y": 2}],
)  # fmt: skip
def test_a_place_that_is_none_of_the_frame_is_passed_over(session, value):
    session["p"] = {"add": value}
    assert keypoints.added("p") is None


def test_a_place_in_the_frame_is_taken(session):
    session["p"] = {"add": {"x": 100.99, "y": 0}}
    assert keypoints.added("p") == (100.99, 0.0)
    assert keypoints.added("elsewhere") is None


@pytest.mark.parametrize("value", [None, -1, 2, 1.0, "1", True, [0]])
def test_a_number_that_is_no_part_is_passed_over(session, value):
    session["p"] = {"remove": value}
    assert keypoints.taken("p") is None


def test_the_number_of_a_part_is_taken(session):
    session["p"] = {"remove": 1}
    assert keypoints.taken("p") == 1
    assert keypoints.taken("elsewhere") is None


def test_the_picture_is_the_frame():
    frame = drawn(67, 101)
    content = base64.b64decode(keypoints.data(frame, [])["picture"].split(",")[1])
    sent_picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    assert np.abs(sent_picture - frame).mean() < 4
