"""Networks of libraries on the pages: searched, loaded, shown, linked to, and their heads."""

import pytest

from errors import MachineError
from models.zoo.wrapped.libraries import fetch, hf_networks
from tests.ui.pages import assert_sound, models_page, opened, table, values_table

pytestmark = pytest.mark.slow

VIT = "timm:vit_tiny_patch16_224?pretrained=no"


def test_names_are_searched_and_starting_points_are_listed():
    at = assert_sound(models_page())
    assert "timm:vit_small_patch14_dinov2.lvd142m" in list(table(at, "Name")["Name"])
    at.text_input(key="library-search").set_value("swin3d").run()
    assert "torchvision:swin3d_t" in at.selectbox(key="library-name").options
    at.text_input(key="library-search").set_value("no such network").run()
    assert any("try fewer words" in info.value for info in assert_sound(at).info)


def test_the_table_says_what_attends_in_the_starting_points():
    rows = table(assert_sound(models_page()), "Layers x heads")
    dino = rows[rows["Name"] == "timm:vit_small_patch16_224.dino"].iloc[0]
    assert (dino["Layers x heads"], dino["Grid"]) == ("12 x 6", "14 x 14")


def test_what_attends_is_shown_without_the_weights(monkeypatch):
    monkeypatch.setattr(fetch, "fetch", lambda *_given: pytest.fail("downloads"))
    at = models_page()
    at.text_input(key="library-search").set_value("timm:vit_tiny_patch16_224").run()
    at.button(key="library-look").click().run()
    assert any("12 x 3" in str(one.value.values) for one in assert_sound(at).dataframe)


def test_weights_that_are_not_here_are_downloaded_by_a_process_that_a_click_stops(monkeypatch):
    told, name = [], "timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k"

    def fetched(wanted, progress):
        told.append(wanted)
        progress(12_345_678)
        raise MachineError("The hub is asleep.")

    monkeypatch.setattr(fetch, "fetch", fetched)
    at = models_page()
    at.text_input(key="library-search").set_value(name).run()
    at.button(key="library-load").click().run()
    assert told == [name]
    assert [one.value for one in assert_sound(at).error] == ["The hub is asleep."]


def test_the_hub_that_is_not_reached_is_one_line_and_the_others_are_found(monkeypatch):
    monkeypatch.setattr(hf_networks, "reaches", lambda _host: False)
    at = models_page()
    at.text_input(key="library-search").set_value("swin3d").run()
    at.toggle(key="library-hub").set_value(True).run()
    assert "is not reached from here" in assert_sound(at).error[0].value
    assert "torchvision:swin3d_t" in at.selectbox(key="library-name").options


def test_a_network_is_loaded_taken_apart_and_used():
    at = models_page()
    at.text_input(key="library-search").set_value(VIT).run()
    at.button(key="library-load").click().run()
    shown = assert_sound(at).code[-1].value
    assert "12 x 3 heads, 14 x 14, 1 token without a place" in shown
    at.button(key="use_library").click().run()
    assert assert_sound(at).selectbox(key="net").value == VIT


@pytest.mark.parametrize("name", ["timm:resnet18?pretrained=no", "timm:nothing", "hf:/etc"])
def test_what_cannot_be_shown_is_one_line(name):
    at = models_page()
    at.text_input(key="library-search").set_value(name).run()
    at.button(key="library-load").click().run()
    assert len(assert_sound(at).error) == 1


def test_a_link_shows_its_network_again_with_layer_head_and_kind():
    at = opened(net=VIT, beside="none", block1="blocks.3.attn", **{"heads-focus": "head 2"})
    assert not assert_sound(at).error
    assert at.selectbox(key="block1").value == "blocks.3.attn"
    assert list(values_table(at)["Map"]) == ["h2"]
    assert {"entropy", "distance", "contrast", "stands out", "no cell"} <= set(
        table(at, "entropy").columns
    )
    assert any("of the weight goes to class and register" in c.value for c in at.caption)
    at.toggle(key=f"colours-0-{VIT}").set_value(True).run()
    assert len(assert_sound(at).get("image")) == 1
    at.selectbox(key="beside").set_value(VIT).run()
    assert not assert_sound(at).error
    at.selectbox(key="beside").set_value("none").run()
    at.selectbox(key="kind").set_value("what the class token looks at").run()
    assert list(values_table(assert_sound(at))["Row, column"]) == ["no reference"]


def test_a_link_downloads_nothing():
    at = opened(net="timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k")
    assert any("are not on this machine" in e.value for e in assert_sound(at).error)


def test_kinds_of_heads_are_offered_where_there_are_heads_only():
    at = assert_sound(opened(net=VIT, beside="r50n-nl"))
    of_heads, of_blocks = at.selectbox(key="kind").options, at.selectbox(key="kind2").options
    assert "attention rollout up to the layer" in of_heads
    assert "evidence for a class (Grad-CAM)" not in of_heads
    assert of_blocks == ["what the block computes", "cosine of its input",
                         "evidence for a class (Grad-CAM)"]  # fmt: skip
