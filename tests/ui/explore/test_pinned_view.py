"""Views of Explore and Gates become references, and those give the same numbers again."""

from dataclasses import replace

import numpy as np
import pytest

from models.build import build
from models.loaded import LoadedModel
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, Preprocessing
from tests.conftest import TINY
from tests.ui.pages import app, assert_sound, opened, values_table
from ui.explore.sidebar import FINE
from viz.attention import pipeline
from viz.attention.choice import DEFAULT_COUNT, MapChoice
from viz.attention.kinds.gates import gate_layers
from viz.examples import bird, kick
from viz.figure import resolve
from viz.figure.recipe.recipe import Recipe
from viz.figure.recipe.recipe_json import checked, dumps, loads
from viz.media import footage
from viz.types import Clip

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bundled_once")]

KICK = {"example": "kick", "net": "e2-nl", "beside": "e2-cgnl", "size": "224"}
HINT = "No pins yet"


CAPTURES = {}
"""Network, medium, frames, framing and size -> what is captured of them, once for all tests."""


class Examples:
    """The sources of recipes of the drawn examples; ``own`` is a network besides the bundled."""

    def __init__(self, own=None):
        self.own = own

    def clip(self, medium):
        if medium.path == "example:bird":
            return bird.clip()
        whole, numbers = kick.clip(), medium.frames
        times = tuple(whole.timestamps[number] for number in numbers)
        return Clip(whole.frames[list(numbers)], times, whole.name, whole.sha256, numbers)

    def model(self, network):
        is_own = self.own is not None and network.id == self.own.id
        return self.own if is_own else pipeline.load(network.id)

    def capture(self, medium, view):
        asked = view.network.id, medium.path, medium.frames, view.mode, view.size
        if self.own is not None or asked not in CAPTURES:
            clip = self.clip(medium)
            CAPTURES[asked] = pipeline.capture(self.model(view.network), clip, view.mode, view.size)
        return CAPTURES[asked]


def pin(at, key="pin"):
    return assert_sound(at.button(key=key).click().run())


def references(at):
    return [one.reference for one in at.session_state["pins"]]


def assert_same_numbers(at, reference, own=None):
    """Check that a recipe with the reference gives what the table of values shows."""
    [again] = loads(dumps(checked(Recipe("parts", (reference,))))).references
    assert again == reference
    scene = resolve.scene(again, Examples(own))
    shown = values_table(at)
    for k, shot in enumerate(scene.shots):
        drawn = shot.shown
        assert shown["Map"][k] == shot.kind.caption(shot.capture, drawn)
        assert shown["Row, column"][k] == f"{shot.cell.y}, {shot.cell.x}"
        assert shown["Lowest"][k] == f"{drawn.values.min():.6g}"
        assert shown["Highest"][k].startswith(f"{drawn.values.max():.6g} at ")
    return scene


def test_a_pin_of_the_example_says_everything_that_is_shown():
    at = pin(opened(at="4,5", focus="group 3"))
    [reference] = references(at)
    assert reference.medium.path == "example:bird"
    assert reference.medium.sha256 == bird.clip().sha256
    assert reference.medium.frames == ()
    assert [view.network.id for view in reference.views] == ["e2-nl", "e2-cgnl"]
    assert [view.network.sha256 for view in reference.views] == [
        pipeline.load(name).sha256 for name in ("e2-nl", "e2-cgnl")
    ]
    assert {(view.mode, view.size) for view in reference.views} == {("fit", FINE)}
    assert [view.block for view in reference.views] == ["unit14", "unit14"]
    assert [view.kind for view in reference.views] == [None, None]
    assert [view.shown for view in reference.views] == [None, MapChoice("group", 3)]
    assert [(view.maps, view.count) for view in reference.views] == [
        ("auto", DEFAULT_COUNT), ("standout", DEFAULT_COUNT),
    ]  # fmt: skip
    assert {view.label for view in reference.views} == {""}


@pytest.mark.parametrize(
    "address",
    [
        {"at": "2,3"},
        {"focus": "group 5", "size": "320"},
        {"channels": "contrast", "count": "7", "focus": "channel 6"},
        {"channels": "one per group", "focus": "channel 2", "mode": "center-crop"},
        {"channels": "one per group", "count": "12", "focus": "channel 12"},
        {"channels": "list", "list": "17,3,40", "focus": "channel 3"},
        {"channels": "class evidence", "focus": "channel 2"},
        {"net": "e2-cgnl", "beside": "none", "channels": "response"},
        {**KICK, "at": "3,4,5"},
        {**KICK, "at": "6,2,8", "focus": "group 1"},
        {"example": "kick"},
    ],
    ids=lambda address: "&".join(f"{k}={v}" for k, v in address.items()),
)
def test_a_pin_gives_the_numbers_that_explore_shows(address):
    at = pin(opened(**address))
    [reference] = references(at)
    assert_same_numbers(at, reference)


def test_class_evidence_is_pinned_as_the_channels_that_were_shown():
    at = pin(opened(net="e2-cgnl", beside="none", channels="class evidence", count="4"))
    [view] = references(at)[0].views
    numbers = [int(number) for number in view.maps.split(",")]
    assert len(numbers) == 4 == view.count
    assert values_table(at)["Map"][0] == f"c{numbers[0]}"


def test_a_clip_is_pinned_with_the_frames_that_were_taken():
    at = pin(opened(**KICK, at="6,2,8"))
    [reference] = references(at)
    assert reference.medium.path == "example:kick"
    assert reference.frame == 6
    sampling = pipeline.sampling_for(pipeline.load("e2-nl").spec)
    assert reference.medium.frames == footage.of(kick.clip()).numbers(sampling)
    assert np.array_equal(
        at.session_state["pins"][0].clip.frames,
        footage.of(kick.clip()).sample(sampling).frames,
    )


def test_a_network_of_one_size_is_pinned_as_it_was_run(cgnl_model):
    spec = replace(cgnl_model.spec, preprocessing=replace(TINY, fixed=True))
    own = replace(cgnl_model, spec=spec)
    at = app()
    at.session_state["own_models"] = {own.id: (own, "a network of mine")}
    at.query_params.update(net=own.id, beside="none")
    pin(at.run())
    [view] = references(at)[0].views
    assert (view.network.id, view.mode, view.size) == ("tiny", "center-crop", TINY.size)
    assert_same_numbers(at, references(at)[0], own)


def test_the_sidebar_counts_pins_in_the_run_that_pins():
    at = opened()
    assert any(HINT in c.value for c in at.sidebar.caption)
    pin(at)
    assert not any(HINT in c.value for c in at.sidebar.caption)
    assert "Pins (1)" in [s.value for s in at.sidebar.subheader]
    assert "Pinned" in at.toast[0].value
    at.number_input(key="row").set_value(0).run()
    assert not at.toast
    pin(at)
    assert "Pins (2)" in [s.value for s in at.sidebar.subheader]


def test_the_same_view_is_pinned_once_and_again_in_another_look():
    at = pin(pin(opened()))
    assert len(references(at)) == 1
    assert "already" in at.toast[0].value
    at.slider(key="threshold").set_value(0.2).run()
    pin(at)
    assert [one.look.threshold for one in references(at)] == [0.7, 0.2]


def test_a_figure_shows_pins_as_they_were_seen_and_says_where_it_does_not():
    at = opened(beside="none", map="viridis")
    at.slider(key="threshold").set_value(0.2).run()
    pin(at)
    at.switch_page("pages/figure.py").run()
    assert_sound(at)
    look = at.session_state["figure-settings"].look
    assert (look.colormap, look.threshold) == ("viridis", 0.2)
    at.selectbox(key="figure-preset").set_value("heatmaps").run()
    assert any("threshold 0.20, not 0.00" in one.value for one in at.caption)
    said = next(one.value for one in at.caption if "was seen with" in one.value)
    assert "without the reference's own cell where it is far above the rest, not linear" in said
    at.button(key="figure-as-pinned").click().run()
    assert at.session_state["figure-settings"].look == look
    assert not any("was seen with" in one.value for one in at.caption)


def test_the_preset_of_what_explore_shows_keeps_how_it_was_shown():
    at = opened(beside="none", map="viridis")
    at.selectbox(key="display").select("log").run()
    pin(at)
    look = references(at)[0].look
    assert (look.display, look.colormap) == ("log", "viridis")
    at.switch_page("pages/figure.py").run()
    for preset, kept in {"heatmaps": False, "view": True, "strongest": False}.items():
        at.selectbox(key="figure-preset").set_value(preset).run()
        assert_sound(at)
        assert (at.session_state["figure-settings"].look == look) == kept
        said = any("scale of the values logarithmic, not linear" in c.value for c in at.caption)
        assert said != kept
        assert at.selectbox(key="figure-display").value == ("log" if kept else "linear")
    at.selectbox(key="figure-preset").set_value("view").run()
    at.slider(key="figure-threshold").set_value(0.2).run()
    at.button(key="figure-reset").click().run()
    assert at.session_state["figure-settings"].look == look


def test_what_was_done_to_the_pins_is_undone():
    at = pin(opened(beside="none"))
    assert len(references(at)) == 1
    at.button(key="undo-pins").click().run()
    assert at.session_state["pins"] == ()


def test_pins_survive_another_picture_and_another_page():
    at = pin(opened())
    at.selectbox(key="example").set_value("kick").run()
    at.switch_page("pages/gates.py").run()
    at.switch_page("pages/explore.py").run()
    assert_sound(at)
    assert "Pins (1)" in [s.value for s in at.sidebar.subheader]


def test_a_full_tray_is_one_line(monkeypatch):
    monkeypatch.setattr("ui.session.pins.MOST_BYTES", 1000)
    at = pin(opened())
    assert "MB" in at.error[0].value
    assert "pins" not in at.session_state


def test_a_layer_of_gates_is_pinned_without_a_patch():
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(size=32, resize=32, stride=4))
    model = LoadedModel("own-wrn", spec, build(spec), (), "1" * 64)
    at = app().switch_page("pages/gates.py")
    at.session_state["own_models"] = {model.id: (model, "a network of mine")}
    at.run()
    layer = list(model.network.gated())[-1]
    at.selectbox(key="gate-layer").select(layer).run()
    pin(at, "pin-gate")
    [reference] = references(at)
    assert reference.at is None
    [view] = reference.views
    assert (view.network.id, view.block, view.mode, view.size) == ("own-wrn", layer, "fit", 32)
    assert "Pins (1)" in [s.value for s in at.sidebar.subheader]
    checked(Recipe("gates", (reference,)))
    capture = pipeline.capture(model, bird.clip(), view.mode, view.size)
    found = next(one for one in gate_layers(capture) if one.name == view.block)
    row = at.dataframe[0].value.query("Layer == @layer").iloc[0]
    assert row["Largest"] == f"{found.gate.max():.4g}"
