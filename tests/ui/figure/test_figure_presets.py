"""Presets and settings of the Figure page: which fit the pins, how they begin, what stays."""

import json
from dataclasses import fields

import pytest
import streamlit as st

from models.build import build
from models.loaded import LoadedModel
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, Preprocessing
from tests.ui.figure.test_figure_page import FIGURE, bird, drawn, page, told
from tests.ui.pages import app, assert_sound
from ui.figure import (
    recipe as figure_recipe,
)
from ui.figure import (
    settings as figure_settings,
)
from ui.figure import (
    sidebar as figure_sidebar,
)
from ui.figure.options import FIRST, GROUPS
from ui.session import pins as session_pins
from viz.examples import bird as bird_example
from viz.examples import kick as kick_example
from viz.figure.panels.presets import TABLE
from viz.figure.recipe.recipe import Layout, Medium, Network, View
from viz.media import footage
from viz.rendering.look import Look

pytestmark = pytest.mark.slow


def test_presets_that_the_pins_are_not_enough_for_say_so_before_they_are_chosen():
    at = page(bird())
    listed = at.selectbox(key="figure-preset").options
    assert {one for one in listed if one.endswith(" (not with these pins)")} == {
        f"{TABLE[name].title} (not with these pins)" for name in ("matches", "gates", "objects")
    }
    said = next(one.value for one in at.caption if one.value.startswith("Not with these pins"))
    assert said == (
        "Not with these pins: Matches (needs a second picture); Gates (needs networks with gates: "
        "CGD, SE or CBAM); Objects (needs a detector)."
    )
    at.session_state["pins"] = (session_pins.Pin("g", bird(at=None), bird_example.clip()),)
    at.run()
    assert "View, Parts, Frames, Heatmaps, Arrows, Groups, Strongest patches (needs a" in told(at)
    assert figure_sidebar._why({"parts": "", "gates": ""}) == ""


def test_strongest_patches_fit_a_page_however_many_pins_there_are():
    at = page(bird())
    at.selectbox(key="figure-preset").set_value("strongest").run()
    assert drawn(at).layout.transpose
    assert at.toggle(key="figure-transpose").value
    assert "taller" not in told(at)
    clip = bird_example.clip()
    more = (session_pins.Pin(f"m{k}", bird(at=(300.0, 200.0 + k)), clip) for k in range(4))
    at.session_state["pins"] += tuple(more)
    assert not drawn(assert_sound(at.run())).layout.transpose
    at.toggle(key="figure-transpose").set_value(True).run()
    assert "It is taller than a journal's page" in told(assert_sound(at))
    at.session_state["pins"] = at.session_state["pins"][:4]
    assert drawn(assert_sound(at.run())).layout.transpose  # as the user said


def test_gates_and_patches_are_drawn_by_the_presets_that_show_them():
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(size=32, resize=32, stride=4))
    model = LoadedModel("own-wrn", spec, build(spec), (), "1" * 64)
    view = View(Network("own-wrn", "1" * 64), mode="fit", size=32)
    at = app().switch_page(FIGURE)
    at.session_state["own_models"] = {model.id: (model, "a network of mine")}
    gates = bird(views=(view,), at=None)
    at.session_state["pins"] = (session_pins.Pin("g", gates, bird_example.clip()),)
    assert_sound(at.run())
    assert drawn(at).preset == "gates"
    at.session_state["pins"] += (session_pins.Pin("p", bird(), bird_example.clip()),)
    at.run()
    at.selectbox(key="figure-preset").set_value("parts").run()
    assert_sound(at)
    assert drawn(at).references == (bird(),)
    assert "pin 1" in told(at)


def test_what_a_preset_does_not_show_of_two_pictures_is_said():
    clip, other = bird_example.clip(), bird_example.second()
    second = Medium("example:second-bird", other.sha256)
    pins = (
        session_pins.Pin("a", bird(), clip),
        session_pins.Pin("b", bird(second=second), clip, other),
    )
    assert figure_recipe.left_out(pins, "arrows") == []
    assert figure_recipe.left_out(pins, "matches") == [
        "Not in this preset: pin 1, which it cannot show."
    ]
    assert figure_recipe.left_out(pins, "strongest") == [
        "This preset shows the first of the two pictures of pin 2."
    ]


def test_the_preset_stays_when_pins_change_places_and_suits_anew_once_all_are_gone():
    at = page(bird(), bird(at=(300.0, 200.0)))
    clip = footage.of(kick_example.clip()).take((0, 4, 8))
    kick = bird(medium=Medium("example:kick", clip.sha256, clip.numbers))
    at.session_state["pins"] = (session_pins.Pin("k", kick, clip), *at.session_state["pins"])
    at.run()
    assert drawn(at).preset == "parts"
    at.button(key="figure-clear").click().run()
    assert_sound(at)
    at.session_state["pins"] = (session_pins.Pin("k", kick, clip),)
    at.run()
    assert_sound(at)
    assert drawn(at).preset == "frames"


def refreshed(at, *references, choices=None):
    """The page in the next session of the same browser."""
    again = app().switch_page(FIGURE)
    pins = at.session_state["pins"]
    kept = at.session_state["browser-choices"] if choices is None else choices
    again.session_state["pins"], again.session_state["browser-choices"] = pins, kept
    return assert_sound(again.run())


def test_a_refresh_keeps_preset_look_and_layout():
    at = page(bird())
    at.selectbox(key="figure-preset").set_value("heatmaps").run()
    at.selectbox(key="figure-captions").set_value("(a)").run()
    at.text_area(key="figure-column_labels").set_value("one\ntwo").run()
    at.slider(key="figure-threshold").set_value(0.3).run()
    at.selectbox(key="figure-venue").set_value("Free").run()
    again = refreshed(at)
    assert drawn(again) == drawn(at)
    assert drawn(again).preset == "heatmaps"
    assert again.selectbox(key="figure-venue").value == "Free"
    again.selectbox(key="figure-preset").set_value("parts").run()
    assert assert_sound(again).session_state["figure-settings"].layout.captions == "(a)"
    assert drawn(again).layout.column_labels == ()
    again.selectbox(key="figure-preset").set_value("heatmaps").run()
    assert drawn(assert_sound(again)).layout.column_labels == ("one", "two")


KEPT = {
    "preset": "heatmaps", "look": {}, "layout": {}, "given": [], "lists": {}, "free": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {}, {"preset": "pie"}, {"look": {"threshold": 7}}, {"layout": {"dpi": 10**9}},
        {"layout": {"own_font": "/etc/passwd.ttf"}}, {"look": {"fixed_range": [2, 1]}},
        {"given": ["x"] * 101}, {"lists": {"parts": [["a"]]}}, {"free": "yes"}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_of_what_the_browser_has_kept_only_settings_are_taken(change, monkeypatch):
    kept = {"browser-choices": {"figure": json.dumps(KEPT | change)}}
    monkeypatch.setattr(st, "session_state", kept)
    assert figure_settings.current([bird()]).preset == ("parts" if change else "heatmaps")


def test_settings_begin_with_what_suits_the_first_pin():
    clip = kick_example.clip()
    kick = bird(medium=Medium("example:kick", clip.sha256, (0, 4)))
    assert figure_settings.suited([kick]) == "frames"
    assert figure_settings.suited([bird(), kick]) == "parts"
    assert figure_settings.suited([bird(at=None)]) == "gates"


def test_every_setting_of_a_recipe_has_a_widget():
    there = {option.field for options in (FIRST, *GROUPS.values()) for option in options}
    known = {one.name for one in (*fields(Look), *fields(Layout))}
    assert known - there == {"width_mm", "fixed_range", "own_font"}  # by hand; a file's path
    assert there <= known
