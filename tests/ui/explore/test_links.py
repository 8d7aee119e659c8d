"""Addresses of the Explore page: what they hold, and what of them is not here."""

from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
import streamlit as st

from models.specs.block import CGNLSpec
from tests.conftest import make_tiny
from tests.ui.pages import assert_sound, opened, png
from ui import state
from ui.explore import linked_networks, scene
from ui.explore.sidebar import FINE
from ui.session import reference_patch
from viz.examples import bird, kick
from viz.figure.recipe.recipe import Medium, Network, Reference, View

pytestmark = pytest.mark.slow


def warned(at):
    return "\n".join(one.value.replace("\\", "") for one in at.warning)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ({"map": "pink"}, "map=pink is not known here; it can be inferno"),
        ({"threshold": "7"}, "threshold=7 is not known here; it can be 0 to 1"),
        ({"threshold": "nan"}, "threshold=nan"),
        ({"mode": "sideways"}, "mode=sideways is not known here; it can be fit, center-crop"),
        ({"display": "cubic", "cut": "x"}, "display=cubic"),
        ({"block1": "res9.9"}, "block1=res9.9"),
        ({"size": "225"}, "size=225"),
        ({"at": "99,99"}, "at=99,99 is no patch of unit14"),
        ({"channels": "beauty"}, "channels=beauty"),
        ({"colour": "red"}, "colour is no entry of an address"),
        ({"sha256": "abc"}, "sha256=abc is no hash"),
        ({"net": "own-net", "weights": "b" * 16}, "own-net (weights with sha256 bbbbbbbbbbbb)"),
        ({"weights": "c" * 16}, "e2-nl has other weights here"),
        ({"example": "dog"}, "example=dog is not known here; it can be bird, kick"),
        ({"arrows": "maybe"}, "arrows=maybe is not known here; it can be true or false"),
        ({"share": "x"}, "share=x belongs to a setting that this view does not have"),
        ({"device": "tpu"}, "device=tpu belongs to a setting"),
        ({"scale": "fixed range", "low": "x"}, "low=x is not known here; it can be any number"),
        (
            {"example": "kick", "sampling": "9 x 9"},
            "sampling=9 x 9 is not known here; it can be own",
        ),
        ({"example": "kick", "start": "900"}, "start=900 is not known here; it can be 0 to "),
        (
            {"example": "kick", "sampling": "custom", "frames": "999", "step": "q", "unit": "h"},
            "frames=999 is not known here; it can be 1 to 64.`\n- `step=q",
        ),
        ({"focus": "c9999"}, "c9999 is not a channel of unit14; it has channels 0 to 119"),
    ],
)
def test_what_of_an_address_is_not_here_is_named(address, says):
    at = assert_sound(opened(**address))
    assert says in warned(at)
    assert not at.error


def test_what_of_an_address_is_left_out_is_not_handed_on():
    at = assert_sound(opened(colour="red", share="0.3", example="dog"))
    assert not {"colour", "share", "example"} & set(at.query_params)


def test_a_long_list_of_what_is_not_here_says_how_many_more_there_are():
    at = assert_sound(opened(**{f"entry{k}": "x" for k in range(15)}))
    assert warned(at).endswith("- and 3 more")


def test_an_empty_range_is_said_and_scales_nothing():
    at = assert_sound(opened(scale="fixed range", low="5", high="2"))
    assert "The range 5 to 2 is empty" in at.error[0].value
    assert at.session_state["ends"][0] < 5


def test_an_address_that_can_be_had_says_nothing_and_keeps_its_own_words():
    given = {"mode": "center-crop", "display": "log", "cut": "area", "channels": "contrast",
             "scale": "fixed range"}  # fmt: skip
    at = assert_sound(opened(**given))
    assert not at.warning
    for name, value in given.items():
        assert at.query_params[name] in (value, [value])
        assert at.selectbox(key=name).value == value
    at.selectbox(key="mode").set_value("fit").run()
    assert "mode" not in at.query_params


def address_of(at):
    return {name: given for name, [given] in parse_qs(at.code[0].value[1:]).items()}


def ends_of(at):
    return [at.number_input(key=name).value for name in ("low", "high")]


def test_a_fixed_range_is_that_of_the_map_and_stands_in_the_address():
    at = opened()
    at.selectbox(key="scale").set_value("fixed range").run()
    filled = list(at.session_state["ends"])
    at.number_input(key="row").set_value(3).run()  # whose map has other ends
    assert list(assert_sound(at).session_state["ends"]) != filled
    assert ends_of(at) == filled
    assert ends_of(assert_sound(opened(**address_of(at)))) == filled


def test_a_fixed_range_is_filled_in_anew_for_another_network():
    at = opened()
    at.selectbox(key="scale").set_value("fixed range").run()
    before = ends_of(at)
    at.selectbox(key="net").set_value("e2-cgnl").run()
    assert ends_of(assert_sound(at)) == [None, None]  # scaled to the new map's own ends so far
    at.run()
    assert ends_of(assert_sound(at)) == list(at.session_state["ends"]) != before


def test_a_fixed_range_without_ends_takes_those_of_the_map():
    at = assert_sound(opened(scale="fixed range"))
    at.run()
    assert ends_of(at) == list(at.session_state["ends"])


def test_the_address_names_an_upload_by_its_hash_and_an_example_by_its_name():
    at = opened(beside="none")
    assert "sha256" not in at.query_params
    at.file_uploader[0].upload("mine.png", png(64, 48), "image/png").run()
    assert at.query_params["file"] in ("mine.png", ["mine.png"])
    assert "sha256" in at.query_params
    at.button(key="drop-upload").click().run()
    assert "sha256" not in at.query_params
    assert not assert_sound(at).warning


def test_an_address_of_another_file_asks_for_it_and_takes_the_example_instead():
    at = assert_sound(opened(file="gone.png", sha256="a" * 64, net="e2-cgnl"))
    assert "gone.png" in at.info[0].value.replace("\\", "")
    assert not at.table
    at.button(key="link-example").click().run()
    assert at.selectbox(key="net").value == "e2-cgnl"
    assert assert_sound(at).table


def test_the_link_is_the_address_of_what_is_shown():
    at = assert_sound(opened(size="224", colour="red"))
    assert "colour" not in address_of(at)
    before = address_of(at)["weights"]
    at.button(key="second-second-bird").click().run()
    assert address_of(assert_sound(at))["second"] == "second-bird"
    at.selectbox(key="beside").set_value("none").run()
    assert address_of(assert_sound(at))["weights"] == before.partition(",")[0]
    at.button(key="drop-second").click().run()
    assert "second" not in address_of(assert_sound(at))


def test_the_patch_of_a_link_is_not_put_on_another_picture():
    usual = assert_sound(opened(beside="none"))
    at = assert_sound(opened(file="gone.png", sha256="a" * 64, at="3,5", beside="none"))
    at.button(key="link-example").click().run()
    assert at.query_params["at"] == usual.query_params["at"]
    assert "sha256" not in assert_sound(at).query_params


def test_a_medium_of_which_nothing_can_be_shown_is_in_the_address(monkeypatch):
    at = assert_sound(opened(beside="none"))
    monkeypatch.setattr(scene, "scene", lambda _clip, _settings: None)
    at.file_uploader[0].upload("odd.png", png(64, 48), "image/png").run()
    assert assert_sound(at).query_params["file"] in ("odd.png", ["odd.png"])
    assert "at" not in at.query_params


def test_hashes_stand_at_their_networks_where_one_cannot_be_shown(monkeypatch):
    given = []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "query_params", QueryParams({"weights": "a" * 16 + "," + "c" * 16}))
    monkeypatch.setattr(reference_patch, "show_sources", lambda *told: given.append(told))
    model, clip = make_tiny(CGNLSpec(groups=8)), bird.clip()
    views = [View(Network(name, "")) for name in ("refused", model.id)]
    shot = SimpleNamespace(view=views[1], model=model)
    found = SimpleNamespace(shots=(shot,), clip=clip)
    linked_networks.show_sources(found, views)
    assert given == [(["", model.sha256], None)]
    [problem] = state.LINK_PROBLEMS.get()
    assert f"the address says ({'c' * 12})" in problem


class QueryParams(dict):
    to_dict = dict.copy

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        self.sent = dict(self)  # Streamlit sends the whole address then


def test_an_address_that_is_overtaken_is_sent_again(monkeypatch):
    """A bad file takes the good one away first: the example's address is under way meanwhile."""
    monkeypatch.setattr(st, "session_state", {})
    cell = SimpleNamespace(y=2, x=3)
    monkeypatch.setattr(reference_patch.queries, "nearest_cell", lambda *_where: cell)
    photo = Medium("photo.png", "a" * 64)

    def written(medium, **asked_with):
        params = QueryParams(asked_with)
        monkeypatch.setattr(st, "query_params", params)
        made = Reference(medium, (View(Network("n", "")),), (1.0, 1.0))
        reference_patch._write(made, SimpleNamespace(frames=1), None)
        return getattr(params, "sent", None)

    whole = {"at": "2,3", "file": "photo.png", "sha256": "a" * 64}
    assert written(photo) == whole
    assert written(photo, **whole) is None  # nothing has changed
    written(Medium("example:bird", "b" * 64), **whole)
    assert written(photo, **whole) == whole
    assert written(photo, **whole) is None


@pytest.mark.parametrize("made", [bird.clip, kick.clip])
def test_an_address_with_the_hash_of_an_example_shows_the_example(made):
    at = assert_sound(opened(file="x", sha256=made().sha256))
    assert not at.info
    assert at.session_state["reference"].medium.sha256 == made().sha256


def test_the_view_of_an_address_is_shown_once_its_network_is_here():
    model = make_tiny(CGNLSpec(groups=8))
    asked = {
        "net": "own-lab", "beside": "none", "block1": "res4.4", "channels": "contrast",
        "focus": "group 3", "mode": "center-crop", "weights": model.sha256[:16],
    }  # fmt: skip
    at = assert_sound(opened(**asked))
    assert warned(at).startswith("Not here: own-lab (weights with sha256")
    assert "no entry" not in warned(at)
    assert "belongs to" not in warned(at)
    at.switch_page("pages/models.py").run()
    at.session_state["own_models"] = {"renamed": (model, "opened there")}
    at.switch_page("pages/explore.py").run()
    assert not assert_sound(at).warning
    shown = {name: at.selectbox(key=name).value for name in asked if name != "weights"}
    del asked["weights"]
    assert shown == {**asked, "net": "renamed"}


def test_a_network_of_another_name_begins_with_its_own_size():
    at = opened(beside="none")
    at.selectbox(key="size").set_value(320).run()
    at.selectbox(key="net").set_value("e2-cgnl").run()
    assert assert_sound(at).selectbox(key="size").value == FINE
    at.selectbox(key="net").set_value("e2-clip-nl").run()
    assert assert_sound(at).selectbox(key="size").value == 224
