"""Explore with a network of people's actions, and with one of global context blocks."""

import pytest
import torch

from models.build import build
from models.class_names import class_names
from models.loaded import LoadedModel
from models.specs.block import GlobalContextSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing
from tests.ui.pages import app, assert_sound
from ui.explore.people import WHOLE

pytestmark = pytest.mark.slow


def shown(spec: ModelSpec, names: tuple[str, ...] = (), choices: dict | None = None):
    """Return Explore with a network of such a spec alone."""
    torch.manual_seed(83)
    model = LoadedModel("own-net", spec, build(spec), names, "3" * 64)
    at = app()
    at.session_state["own_models"] = {model.id: (model, "a network of mine")}
    at.session_state["browser-choices"] = choices or {}
    at.query_params["net"], at.query_params["beside"] = model.id, "none"
    return at.run()


def of_people(at):
    """Return the table of actions."""
    return next(d.value for d in at.dataframe if "Person" in d.value.columns)


def test_boxes_of_people_give_each_its_actions_and_none_the_whole_picture():
    prep = Preprocessing(64, 64, stride=16)
    at = shown(
        ModelSpec(14, 8, NonLocalSpec(), "1", 81, preprocessing=prep, last_stride=1, head="people"),
        class_names("ava-81"),
    )
    assert_sound(at)
    assert not at.error
    assert any(one.value == WHOLE for one in at.caption)
    assert set(of_people(at)["Box"]) == {"0,0 to 640,480"}
    at.text_area(key="people-boxes").set_value("20,30,200,300\n300,10,600,400").run()
    assert_sound(at)
    assert not any(one.value == WHOLE for one in at.caption)
    table = of_people(at)
    assert list(table["Person"]) == [0, 0, 0, 1, 1, 1]
    assert set(table["Box"]) == {"20,30 to 200,300", "300,10 to 600,400"}
    kept = at.session_state["browser-choices"]
    again = assert_sound(shown(at.session_state["own_models"]["own-net"][0].spec, choices=kept))
    assert set(of_people(again)["Box"]) == set(table["Box"])  # after a refresh
    other = {"people": f"{'0' * 64}\n1,2,3,4"}
    of_another_clip = shown(at.session_state["own_models"]["own-net"][0].spec, choices=other)
    assert of_another_clip.text_area(key="people-boxes").value == ""
    at.text_area(key="people-boxes").set_value("20,30,200").run()
    assert [one.value for one in at.error][0].startswith("the text above, line 1")


def test_a_global_context_block_is_said_to_have_one_map():
    at = shown(ModelSpec(14, 8, GlobalContextSpec(4), ("res3.1", "res4.0"), 7))
    assert_sound(at)
    assert not at.error
    assert any("every position is given the same mean" in one.value for one in at.markdown)
    assert any("adds one vector of length" in one.value for one in at.caption)
    assert not any("Query dependence" in one.value for one in at.markdown)
    assert not [one for one in at.text_area if one.key == "people-boxes"]
