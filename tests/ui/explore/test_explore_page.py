"""The Explore page without a browser: what it shows, keeps and refuses, and what it costs."""

import io
import shutil

import numpy as np
import pytest

from models.zoo import catalogue
from tests.ui.pages import assert_sound, formulas, opened, values_table
from ui.explore.settings.kinds import OWN
from ui.explore.sidebar import FINE
from ui.session import loaders
from viz.attention import pipeline, queries
from viz.attention.kinds.registry import KINDS, kind_of
from viz.attention.predictions import top_classes
from viz.examples import bird
from viz.types import Cell

pytestmark = pytest.mark.slow

CLASS_MAPS = KINDS["class maps"].menu


def test_it_opens_with_the_example_both_networks_and_a_reference():
    at = opened()
    assert_sound(at)
    assert not at.error
    assert at.selectbox(key="net").value == "e2-nl"
    assert at.selectbox(key="beside").value == "e2-cgnl"
    assert [at.selectbox(key=key).value for key in ("kind", "kind2")] == [OWN, OWN]
    table = values_table(at)
    assert list(table["Map"])[0] == "NL"
    assert list(table["Map"])[1].startswith("c")
    assert list(table["Network"]) == ["NL · e2-nl · unit14", "CGNL · e2-cgnl · unit14"]
    assert list(table["Meaning"]) == ["response, any sign"] * 2
    assert sum("Query dependence" in m.value for m in at.markdown) == 2
    assert any("never its shape" in m.value for m in at.markdown)
    assert len(formulas(at)) == 2
    next(b for b in at.button if b.label == "Papers' look").click().run()
    assert assert_sound(at).selectbox(key="map").value == "jet"


def test_one_forward_pass_a_network_and_size_whatever_is_moved(forwards):
    at = opened()
    assert len(forwards) == 4, "maps at 448 px and answers at 224 px, of two networks"
    at.number_input(key="row").set_value(1).run()
    at.number_input(key="col").set_value(3).run()
    at.slider(key="threshold").set_value(0.4).run()
    at.selectbox(key="map").set_value("jet").run()
    at.selectbox(key="channels").set_value("one per group").run()
    at.selectbox(key="channels").set_value("class evidence").run()
    at.selectbox(key="focus").set_value("group 2").run()
    at.slider(key="opacity").set_value(0.9).run()
    assert_sound(at)
    assert len(forwards) == 4
    at.selectbox(key="size").set_value(320).run()
    assert len(forwards) == 6
    at.selectbox(key="size").set_value(FINE).run()
    assert len(forwards) == 6


def test_finer_maps_leave_the_answer_at_the_size_of_the_training():
    at = opened(beside="none")
    own = pipeline.capture(pipeline.load("e2-nl"), bird.clip(), "fit", 224)
    ((index, share),) = top_classes(own, 1)
    first = next(one.value for one in at.table if "Share" in one.value.columns).iloc[0]
    assert first["Class"] == own.model.class_name(index)
    assert first["Share"] == f"{share:.1%}"


def test_the_pinned_value_is_the_float32_value_of_the_pipeline():
    at = opened(at="4,5", beside="none")
    capture = pipeline.capture(pipeline.load("e2-nl"), bird.clip(), "fit", FINE)
    block = queries.block_of(capture)
    values = kind_of(block).map(block, Cell(0, 4, 5)).values
    shown = values_table(at)
    assert float(shown["Value"][0]) == pytest.approx(values[0, 4, 5], rel=1e-5)
    assert shown["Rank"][0] == f"{(values > values[0, 4, 5]).sum() + 1} of {values.size}"
    assert float(shown["Lowest"][0]) == pytest.approx(values.min(), rel=1e-5)


def test_number_inputs_move_the_reference_which_stays_on_its_spot_when_the_grid_changes():
    at = opened()
    at.number_input(key="row").set_value(0).run()
    at.number_input(key="col").set_value(0).run()
    assert at.query_params["at"] in ("0,0", ["0,0"])
    assert list(values_table(at)["Row, column"]) == ["0, 0", "0, 0"]
    at.number_input(key="row").set_value(4).run()
    at.number_input(key="col").set_value(5).run()
    at.selectbox(key="size").set_value(224).run()
    assert at.number_input(key="row").value == 2
    assert at.number_input(key="col").value in (2, 3)


def test_the_address_bar_restores_the_view():
    at = opened(
        net="e2-cgnl", beside="e2-nl", at="3,9", size="320", mode="center-crop",
        channels="contrast", focus="group 3", threshold="0.45", kind2="cosine of its input",
        map="viridis", opacity="0.3", smoothing="nearest", arrows="true",
    )  # fmt: skip
    assert_sound(at)
    wanted = {"net": "e2-cgnl", "beside": "e2-nl", "size": 320, "mode": "center-crop",
              "channels": "contrast", "focus": "group 3", "map": "viridis",
              "kind": OWN, "kind2": "cosine of its input", "smoothing": "nearest"}  # fmt: skip
    assert {key: at.selectbox(key=key).value for key in wanted} == wanted
    assert at.slider(key="threshold").value == 0.45
    assert at.slider(key="opacity").value == 0.3
    assert at.checkbox(key="arrows").value
    assert (at.number_input(key="row").value, at.number_input(key="col").value) == (3, 9)
    assert list(values_table(at)["Map"]) == ["g3", "cosine"]


@pytest.mark.parametrize(
    "address",
    [
        {"at": "999,999"},
        {"at": "-1,2"},
        {"at": "²,1"},
        {"at": "1"},
        {"at": "1,2,3"},
        {"at": "9" * 5000 + ",1"},
        {"net": "../../etc/passwd", "beside": "<script>"},
        {"size": "0", "mode": "sideways", "block1": "res9.9"},
        {"threshold": "7", "opacity": "nan", "map": "pink", "smoothing": "", "scale": "x"},
        {"channels": "best", "focus": "channel 99", "count": "-4"},
        {"channels": "list", "list": "9999999"},
        {"channels": "list", "list": "a,b"},
        {"channels": "list", "list": ""},
        {"scale": "fixed range", "low": "5", "high": "1"},
        {"scale": "fixed range", "low": "inf", "high": "nan"},
        {"row": "5", "col": "500"},
        {"kind": "affinity", "kind2": "<b>"},
        {"kind": CLASS_MAPS, "classes": "list", "class-list": "77777"},
        {"kind": CLASS_MAPS, "class-focus": "class 99", "class-count": "900"},
        {"kind": "gates", "kind2": "features"},
    ],
    ids=lambda address: "&".join(f"{k}={v[:12]}" for k, v in address.items()),
)
def test_a_bad_address_never_crashes_the_page(address):
    at = opened(**address)
    assert_sound(at)
    assert len(at.error) <= 2
    assert all("\n" not in e.value for e in at.error)


def test_statistics_are_computed_once_they_are_opened_of_one_network_beside_itself_too(monkeypatch):
    computed = []
    whole = loaders.statistics
    monkeypatch.setattr(loaders, "statistics", lambda *of: computed.append(of) or whole(*of))
    at = opened(net="e2-nl", beside="e2-nl")
    assert not assert_sound(at).error
    assert not computed
    tables = len(at.table)
    for number in (0, 1):
        at.session_state[f"statistics-{number}-e2-nl"] = True
        assert len(assert_sound(at.run()).table) == tables + number + 1


def test_listed_channels_are_shown_in_their_order():
    at = opened(net="e2-cgnl", beside="none", channels="list", list="17,3")
    assert list(values_table(at)["Map"]) == ["c17"]
    at.selectbox(key="focus").set_value("channel 2").run()
    assert list(values_table(at)["Map"]) == ["c3"]


def test_class_evidence_is_asked_for_one_class_at_a_time():
    at = opened(net="e2-cgnl", beside="none", channels="class evidence")
    assert_sound(at)
    chooser = at.selectbox(key="class-e2-cgnl")
    own = pipeline.capture(pipeline.load("e2-cgnl"), bird.clip(), "fit", 224)
    answer = [own.model.class_name(index) for index, _share in top_classes(own)]
    assert chooser.options == answer, "the classes that the page names as the answer"
    chooser.select_index(1).run()
    assert_sound(at)


def test_a_damaged_weight_file_is_one_line_and_the_rest_goes_on(
    tmp_path, monkeypatch, nothing_shared
):
    for name in ("e2-nl", "e2-cgnl"):
        shutil.copy(catalogue.WEIGHTS / f"{name}.safetensors", tmp_path)
    (tmp_path / "broken.safetensors").write_bytes(b"\x00" * 40)
    whole = (tmp_path / "e2-cgnl.safetensors").read_bytes()
    (tmp_path / "e2-cgnl.safetensors").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path)
    monkeypatch.setattr(catalogue.bundled, "__defaults__", (tmp_path,))
    at = opened()
    assert_sound(at)
    assert any("broken" in w.value for w in at.warning)
    assert at.selectbox(key="net").value == "e2-nl"
    assert len(values_table(at)) >= 1


def test_the_maps_are_saved_as_float32_with_every_group(offered):
    assert_sound(opened(channels="contrast", count="4", focus="group 1", at="2,8"))
    assert list(offered) == ["png", "npz", "json"]
    maps = np.load(io.BytesIO(offered["npz"]()), allow_pickle=False)
    assert maps["values_e2-nl"].dtype == np.float32
    assert maps["values_e2-nl"].shape[0] == 1
    assert maps["values_e2-cgnl"].shape[0] == 4 + 8
    assert list(maps["labels_e2-cgnl"][-8:]) == [f"g{k}" for k in range(8)]
    assert list(maps["cell_e2-nl"]) == [0, 2, 8]
    assert (str(maps["picture"]), str(maps["sha256"])) == ("example-bird.png", bird.clip().sha256)
    block = queries.block_of(pipeline.capture(pipeline.load("e2-nl"), bird.clip(), "fit", FINE))
    wanted = kind_of(block).map(block, Cell(0, 2, 8)).values
    np.testing.assert_allclose(maps["values_e2-nl"][0], wanted, rtol=1e-5)
