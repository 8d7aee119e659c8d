"""The Gates page without a browser: a CGD network of the session, its charts, and none at all."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from models.build import build
from models.loaded import LoadedModel
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, Preprocessing
from tests.ui.pages import app
from ui.numbers.gates import gate_view
from ui.session import loaders
from viz.attention.kinds.gates import gate_layers
from viz.attention.pipeline import capture
from viz.examples import bird
from viz.figure.recipe.recipe import Medium


@pytest.fixture
def gated() -> LoadedModel:
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(size=32, resize=32, stride=4))
    network = build(spec)
    for gate in network.gated().values():
        for value in gate.parameters():
            value.data.normal_()
    return LoadedModel("own-wrn", spec, network, (), "1" * 64)


def opened(model: LoadedModel | None) -> AppTest:
    at = app()
    at.switch_page("pages/gates.py")
    if model is not None:
        at.session_state["own_models"] = {model.id: (model, "a network of mine")}
    return at.run()


def test_it_opens_with_the_bundled_network() -> None:
    at = opened(None)
    assert not at.exception
    assert at.selectbox(key="gated").value == "e2-birds-cgd"
    table = at.dataframe[0].value
    shown = table[table["Layer"] == at.selectbox(key="gate-layer").value]
    assert float(shown["Largest"].iloc[0]) > 1.1
    assert float(shown["Least"].iloc[0]) < 0.9


def test_without_a_gated_network_the_page_says_where_to_open_one(monkeypatch) -> None:
    monkeypatch.setattr(loaders, "gated_entries", list)
    at = opened(None)
    assert not at.exception
    assert "Models page" in at.info[0].value


def test_a_picture_that_was_in_use_and_is_gone_is_asked_for() -> None:
    at = app().switch_page("pages/gates.py")
    at.session_state["linked"] = Medium("gone.png", "a" * 64)  # as after a refresh
    at.run()
    assert not at.exception
    assert "gone.png" in at.info[0].value
    assert not at.selectbox
    at.button(key="link-example").click().run()
    assert not at.info
    assert any("bird.png; choose another" in one.value for one in at.caption)


def test_every_layer_is_listed_and_one_is_shown(gated: LoadedModel) -> None:
    at = opened(gated)
    assert not at.exception
    layers = list(gated.network.gated())
    assert list(at.selectbox(key="gate-layer").options) == layers
    assert list(at.dataframe[0].value["Layer"]) == layers
    default = at.selectbox(key="gate-layer").proto.default
    assert layers[default] == at.selectbox(key="gate-layer").value
    at.selectbox(key="gate-layer").select(layers[-1]).run()
    assert at.selectbox(key="gate-layer").proto.default == default  # what Back comes to
    assert not at.exception


def test_before_and_after_share_one_scale(gated: LoadedModel) -> None:
    clip = bird.clip()
    captured = capture(gated, clip)
    layer = gate_layers(captured)[0]
    shown = gate_view.pictures(layer, clip, captured)
    assert [picture.shape for picture in shown.values()] == [clip.frames[0].shape] * 2
    ratio = layer.mean_after / layer.mean_before
    assert not np.allclose(ratio, ratio.mean())
    assert not np.array_equal(*shown.values())


def test_a_large_photo_is_scaled_to_what_a_page_shows(gated: LoadedModel, monkeypatch) -> None:
    monkeypatch.setattr(gate_view, "LONGEST_PX", 120)
    clip = bird.clip()  # 640 x 480
    captured = capture(gated, clip)
    shown = gate_view.pictures(gate_layers(captured)[0], clip, captured)
    assert [picture.shape for picture in shown.values()] == [(90, 120, 3)] * 2


def test_the_overview_holds_the_extremes_of_every_layer(gated: LoadedModel) -> None:
    layers = gate_layers(capture(gated, bird.clip()))
    largest, mean, least = gate_view.overview(layers).data
    for k, layer in enumerate(layers):
        assert largest.y[k] == pytest.approx(layer.gate.max())
        assert mean.y[k] == pytest.approx(layer.gate.mean())
        assert least.y[k] == pytest.approx(layer.gate.min())


def test_bars_stand_on_one(gated: LoadedModel) -> None:
    layer = gate_layers(capture(gated, bird.clip()))[0]
    (bars,) = gate_view.bars(layer).data
    assert np.allclose(bars.base + np.asarray(bars.y), layer.gate)
