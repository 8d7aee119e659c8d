"""The Explore page without a browser: other kinds of maps than what a block computes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from errors import InputError
from models.specs.block import CGNLSpec
from tests.ui.figure.test_figure_page import drawn
from tests.ui.pages import app, assert_sound, formulas, opened, values_table
from tests.ui.toy_kind import NearnessMaps
from ui.components.picker import payload
from ui.explore.settings import map_choice
from ui.explore.settings.kinds import OWN
from ui.explore.sidebar import FINE
from ui.session import loaders
from viz.attention import pipeline, queries
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import KINDS, kind_of
from viz.attention.predictions import top_classes
from viz.examples import bird
from viz.figure.recipe.recipe import Recipe
from viz.figure.recipe.recipe_json import checked, dumps, loads
from viz.types import Cell

pytestmark = pytest.mark.slow

COSINE, GRAD_CAM = KINDS["features"].menu, KINDS["class maps"].menu
COUNTED = ",".join(map(str, range(25)))
ONE = {"net": "e2-cgnl", "beside": "none"}


@pytest.fixture
def panels(monkeypatch):
    """The headers of the panels that the last run sent to the picker."""
    kept, real = [], payload.pack

    def pack(*given):
        blob = real(*given)
        size = int.from_bytes(blob[:4], "little")
        kept[:] = json.loads(blob[4 : 4 + size])["panels"]
        return blob

    monkeypatch.setattr(payload, "pack", pack)
    return kept


@pytest.fixture(scope="module")
def captures():
    names = ("e2-nl", "e2-cgnl")
    return {name: pipeline.capture(pipeline.load(name), bird.clip(), "fit", FINE) for name in names}


@pytest.fixture(scope="module")
def answer():
    """The classes of e2-cgnl's answer, the most probable first: at the size of its training."""
    capture = pipeline.capture(pipeline.load("e2-cgnl"), bird.clip(), "fit", 224)
    return [index for index, _share in top_classes(capture, 12)]


def pinned_views(at):
    at.button(key="pin").click().run()
    return assert_sound(at).session_state["pins"][-1].reference.views


def words(at):
    return [m.value for m in at.markdown]


def test_the_kinds_of_each_network_are_chosen_and_cost_no_forward_pass(forwards, panels):
    at = opened()
    kinds = [at.selectbox(key=key) for key in ("kind", "kind2")]
    assert [list(kind.options) for kind in kinds] == [[OWN, COSINE, GRAD_CAM]] * 2
    before = len(forwards)
    at.selectbox(key="kind").set_value(COSINE).run()
    assert {s.key for s in at.selectbox} >= {"channels", "focus"}
    at.selectbox(key="kind2").set_value(GRAD_CAM).run()
    assert_sound(at)
    assert len(forwards) == before
    keys = {s.key for s in at.selectbox}
    assert {"classes", "class-focus"} <= keys
    assert not {"channels", "focus"} & keys
    assert [panel["title"] for panel in panels] == [
        "Cosine · e2-nl · unit14", "Grad-CAM · e2-cgnl · unit14",
    ]  # fmt: skip


def test_the_cosine_is_shown_with_its_numbers_formula_and_sentence(captures):
    at = assert_sound(opened(kind=COSINE, kind2=COSINE, at="3,6"))
    table = values_table(at)
    assert list(table["Map"]) == ["cosine", "cosine"]
    assert list(table["Meaning"]) == ["cosine, -1 to 1"] * 2
    assert list(table["Value"]) == ["1", "1"]
    assert [text.startswith("1 of ") for text in table["Rank"]] == [True, True]
    for row, capture in enumerate(captures.values()):
        block = queries.block_of(capture)
        x = block.block_input[0].flatten(1).double()
        position = Cell(0, 3, 6).position(block.query_grid)
        cosine = torch.nn.functional.cosine_similarity(x, x[:, position : position + 1], dim=0)
        assert float(table["Lowest"][row]) == pytest.approx(cosine.min().item(), abs=1e-5)
    assert len(formulas(at)) == 2
    assert r"\lVert x_i\rVert" in formulas(at)[0]
    assert sum("cosine of the features that enter unit14" in one for one in words(at)) == 2
    assert sum("Query dependence" in one for one in words(at)) == 2


def test_class_maps_have_no_reference_no_query_dependence_and_the_names_of_classes(
    panels, captures, answer
):
    at = assert_sound(opened(kind2=GRAD_CAM, at="3,6"))
    capture, best = captures["e2-cgnl"], answer[0]
    block = queries.block_of(capture, kind="class maps")
    values = kind_of(block).map(block, Cell(0, 3, 6), MapChoice("class", best)).values
    table = values_table(at)
    assert table["Map"][1] == capture.model.class_name(best)
    assert table["Meaning"][1] == "class evidence, 0 and above"
    assert float(table["Highest"][1].split(" at ")[0]) == pytest.approx(values.max(), rel=1e-3)
    row, col = np.unravel_index(values[0].argmax(), values[0].shape)
    assert table["Highest"][1].endswith(f" at {row}, {col}")
    assert list(table["Row, column"]) == ["3, 6", "no reference"]
    assert r"\operatorname{ReLU}" in formulas(at)[1]
    assert any("evidence for the class in what leaves unit14" in one for one in words(at))
    assert sum("Query dependence" in one for one in words(at)) == 1
    own, without = panels
    assert (own["referenced"], without["referenced"]) == (True, False)
    assert (without["arithmetic"], without["still"]) == ("static", False)
    assert without["names"] == [f"class {k}" for k in range(1, 6)]
    assert without["heading"] == "classes by probability at 224 px"


@pytest.mark.parametrize(("size", "says"), [("448", " at 224 px"), ("224", "")])
def test_the_classes_of_the_maps_rank_as_those_of_the_table(panels, size, says):
    at = assert_sound(opened(**ONE, kind=GRAD_CAM, size=size))
    listed = next(list(one.value["Class"]) for one in at.table if "Share" in one.value.columns)
    assert [one["label"] for one in panels[0]["options"]["maps"]] == listed
    assert values_table(at)["Map"][0] == listed[0]
    assert panels[0]["heading"] == f"classes by probability{says}"
    told = [
        one.value for one in at.caption if "the size that the network was trained at" in one.value
    ]
    assert len(told) == bool(says)
    assert panels[0]["prediction"].startswith(f"{listed[0]} ")


def test_moving_the_reference_leaves_class_maps_as_they_are():
    at = opened(**ONE, kind=GRAD_CAM, at="3,6")
    before = values_table(at)["Highest"][0]
    at.number_input(key="row").set_value(8).run()
    assert values_table(assert_sound(at))["Highest"][0] == before


def test_a_class_is_shown_large_counted_and_listed(panels, captures, answer):
    capture = captures["e2-cgnl"]
    at = opened(**ONE, kind=GRAD_CAM)
    at.selectbox(key="class-focus").set_value("class 3").run()
    assert values_table(assert_sound(at))["Map"][0] == capture.model.class_name(answer[2])
    at.slider(key="class-count").set_value(2).run()
    assert assert_sound(at).selectbox(key="class-focus").value == "class 1"
    assert panels[-1]["names"] == ["class 1", "class 2"]
    at.selectbox(key="classes").set_value("list").run()
    at.text_input(key="class-list").set_value("7,3").run()
    at.selectbox(key="class-focus").set_value("class 2").run()
    assert values_table(assert_sound(at))["Map"][0] == capture.model.class_name(3)
    assert panels[-1]["heading"] == "classes as listed"


@pytest.mark.parametrize(
    "text", ["77777", "wren", "", "-1", "1.5", "1,2,", "probability", "groups", COUNTED]
)
def test_a_list_of_classes_that_is_none_is_one_line(text):
    at = opened(**ONE, kind=GRAD_CAM, classes="list")
    at.text_input(key="class-list").set_value(text).run()
    assert_sound(at)
    assert len(at.error) == 1
    assert "\n" not in at.error[0].value
    assert "class" in at.error[0].value
    assert "standout" not in at.error[0].value


OF_HEADS = ("affinity-focus", "heads-focus", "class token-focus")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("channel 2", {"focus": "channel 2"}),
        ("group 0", {"focus": "group 0"}),
        ("class 3", {"class-focus": "class 3"}),
        ("head 1", dict.fromkeys(OF_HEADS, "head 1")),
        ("mean", dict.fromkeys(OF_HEADS, "mean")),
        ("<b>", {}),
        ("", {}),
    ],
)
def test_a_name_from_the_browser_goes_to_the_kind_it_is_of(monkeypatch, name, expected):
    session = {}
    monkeypatch.setattr("streamlit.session_state", session)
    map_choice.focus_on(name)
    assert session == expected


@pytest.mark.parametrize(
    "address",
    [
        {"kind": COSINE},
        {"kind": GRAD_CAM, "class-focus": "class 4"},
        {"kind": GRAD_CAM, "classes": "list", "class-list": "7,3", "class-focus": "class 2"},
        {"kind": COSINE, "kind2": GRAD_CAM, "beside": "e2-nl", "class-count": "2"},
        {"kind2": COSINE, "beside": "e2-nl", "focus": "group 3"},
        {"example": "kick", "net": "e2-nl", "size": "224", "kind": GRAD_CAM, "at": "2,3,4"},
        {"example": "kick", "net": "e2-nl", "size": "224", "kind": COSINE, "at": "2,3,4"},
    ],
    ids=lambda address: "&".join(f"{k}={v[:7]}" for k, v in address.items()),
)
def test_a_link_restores_a_kind_and_a_pin_keeps_it_for_the_figure(address):
    at = opened(**{**ONE, **address})
    table = values_table(assert_sound(at))
    views = pinned_views(at)
    named = {COSINE: "features", GRAD_CAM: "class maps", None: None}
    kinds = [address.get("kind"), address.get("kind2")][: len(views)]
    assert [view.kind for view in views] == [named[kind] for kind in kinds]
    focus = address.get("class-focus", "class 1")
    for view in views:
        if view.kind == "class maps":
            assert view.shown == MapChoice.parse(focus)
            count = int(address.get("class-count", 2 if "class-list" in address else 5))
            assert view.count == count
            asked = address.get("class-list", "probability")
            finer = "size" not in address and "class-list" not in address
            assert (len(view.maps.split(",")) == count) if finer else (view.maps == asked)
        elif view.kind == "features":
            assert (view.maps, view.count, view.shown) == ("auto", 5, None)
    [pin] = at.session_state["pins"]
    assert loads(dumps(checked(Recipe("parts", (pin.reference,))))).references == (pin.reference,)
    assert len(table) == len(views)
    at.switch_page("pages/figure.py").run()
    assert not assert_sound(at).error
    for preset in ("view", "parts", "frames"):
        at.selectbox(key="figure-preset").set_value(preset).run()
        assert not assert_sound(at).error
        assert drawn(at).references == (pin.reference,)


def test_a_pin_of_class_maps_is_changed_on_the_figure_page():
    at = opened(**ONE, kind=GRAD_CAM)
    [view] = pinned_views(at)
    at.switch_page("pages/figure.py").run()
    pin = at.session_state["pins"][0]
    shown = at.selectbox(key=f"figure-{pin.id}-shown-0")
    assert list(shown.options) == [f"class {k}" for k in range(1, 6)] + ["union"]
    shown.set_value("class 2").run()
    at.text_input(key=f"figure-{pin.id}-maps-0").set_value("7,3").run()
    [changed] = drawn(assert_sound(at)).references[0].views
    assert (changed.maps, changed.shown) == ("7,3", MapChoice("class", 2, by_rank=True))
    assert changed.kind == view.kind == "class maps"


def test_a_kind_that_only_its_module_knows_is_shown_pinned_and_drawn(monkeypatch, panels):
    monkeypatch.setitem(KINDS, "nearness", NearnessMaps())
    at = assert_sound(opened(kind=NearnessMaps.menu, at="3,6"))
    assert NearnessMaps.menu in at.selectbox(key="kind2").options
    table = values_table(at)
    assert (table["Map"][0], table["Network"][0]) == ("near", "Near · e2-nl · unit14")
    grid = panels[0]["grid"]
    far = max(
        (3 - y) ** 2 + (6 - x) ** 2 for y in (0, grid["rows"] - 1) for x in (0, grid["cols"] - 1)
    )
    assert (table["Highest"][0], table["Lowest"][0]) == ("0 at 3, 6", f"{-far:g}")
    assert r"\lVert j-i\rVert^2" in formulas(at)[0]
    assert any("squared and below zero" in one for one in words(at))
    assert (panels[0]["arithmetic"], panels[0]["options"]["label"]) == ("rows", "nearness")
    assert pinned_views(at)[0].kind == "nearness"
    at.switch_page("pages/figure.py").run()
    assert not assert_sound(at).error
    assert drawn(at).references[0].views[0].kind == "nearness"


def test_what_one_network_has_not_is_the_first_map_of_that_network(panels, tiny_model):
    wide, narrow = (tiny_model(CGNLSpec(groups=groups)) for groups in (8, 2))
    at = app()
    own = {name: (replace(one, id=name), "mine") for name, one in (("a", wide), ("b", narrow))}
    at.session_state["own_models"] = own
    at.query_params.update(net="a", beside="b", focus="group 5")
    assert_sound(at.run())
    assert [panel["shown"] for panel in panels] == ["group 5", "channel 1"]
    table = values_table(at)
    assert table["Map"][0] == "g5"
    assert table["Map"][1].startswith("c")
    assert [view.shown for view in pinned_views(at)] == [MapChoice("group", 5), None]
    at.selectbox(key="channels").set_value("one per group").run()
    at.selectbox(key="focus").set_value("channel 4").run()
    assert [panel["shown"] for panel in panels] == ["channel 4", "channel 1"]
    assert not assert_sound(at).error


def test_the_class_of_the_evidence_is_said_also_where_the_other_network_is_refused(
    panels, monkeypatch
):
    real = loaders.captured

    def captured(clip, name, *given):
        if name == "e2-nl":
            raise InputError("Not today.")
        return real(clip, name, *given)

    monkeypatch.setattr(loaders, "captured", captured)
    at = assert_sound(opened(channels="class evidence"))
    assert [error.value for error in at.error] == ["Not today."]
    chosen = at.selectbox(key="class-e2-cgnl")
    name = pipeline.load("e2-cgnl").class_name(int(chosen.value))
    assert [panel["heading"] for panel in panels] == [f"channels by class evidence for {name}"]
