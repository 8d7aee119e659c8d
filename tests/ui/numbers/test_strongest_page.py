"""The page Strongest patches: the example at once, another channel, what is not there."""

import pytest

from models.specs.block import NonLocalSpec
from tests.conftest import make_tiny
from tests.ui.pages import app, assert_sound, table

pytestmark = pytest.mark.slow


def test_the_example_is_searched_at_once_and_a_channel_is_chosen_without_a_search():
    at = assert_sound(app().switch_page("pages/strongest.py").run())
    before = table(at, "Strength")
    assert len(before) == 6
    at.number_input(key="strongest-number").set_value(17).run()
    after = table(assert_sound(at), "Strength")
    assert list(after["Strength"]) == sorted(after["Strength"], reverse=True)
    assert not after.equals(before)
    assert len(at.get("download_button")) == 4


def test_a_network_is_searched_when_asked_and_what_it_lacks_is_one_line():
    at = app().switch_page("pages/strongest.py")
    model = make_tiny(NonLocalSpec())
    at.session_state["own_models"] = {model.id: (model, "tiny")}
    at.session_state["strongest-network"] = model.id
    at.run()
    assert "Search" in at.info[0].value
    next(one for one in at.button if one.label == "Search").click().run()
    assert len(table(assert_sound(at), "Strength")) == 6
    at.segmented_control(key="strongest-part").set_value("head").run()
    next(one for one in at.button if one.label == "Search").click().run()
    assert "use row" in assert_sound(at).error[0].value
