"""Explore with a second picture: brought in, refused, kept in the address, pinned, saved."""

import io

import numpy as np
import pytest
import torch

from tests.ui.explore.test_saved_view import COSINE, GRAD_CAM, assert_renders
from tests.ui.pages import assert_sound, opened, png, table, uploader, values_table
from tests.viz.drawn_clips import animation, frames
from ui.components.picker import payload
from ui.explore.settings.kinds import OWN
from ui.figure import recipe as figure_recipe
from ui.session import pins as session_pins
from viz.attention import pipeline
from viz.examples import bird
from viz.figure.recipe.recipe import Medium

pytestmark = pytest.mark.slow

ALONE = {"beside": "none", "size": "224"}


def second_of(at):
    state = at.session_state
    return state["second-picture"] if "second-picture" in state else None  # noqa: SIM401


def give(at, name, content, mime="image/png"):
    place = next(one for one in at.file_uploader if one.key.startswith("second-upload"))
    return assert_sound(place.upload(name, content, mime).run())


def test_two_birds_are_one_click_and_the_link_and_the_files_hold_both(offered, tmp_path, forwards):
    at = assert_sound(opened(size="224"))
    at.button(key="example-two").click().run()
    assert not assert_sound(at).error
    assert len(forwards) == 4
    listed = table(at, "Match")
    assert list(listed["Match"]) == [1, 2, 3, 4, 5] * 2
    assert set(listed["Meaning"]) == {"response, any sign", "cosine, -1 to 1"}
    assert at.query_params["second"] in ("second-bird", ["second-bird"])
    recipe, _ = assert_renders(offered, tmp_path)
    [reference] = recipe.references
    assert reference.second == Medium("example:second-bird", bird.second().sha256)
    at.button(key="drop-second").click().run()
    assert "second" not in assert_sound(at).query_params


def test_each_picture_has_an_answer_of_its_own(monkeypatch):
    told, words = [], payload.prediction_words
    monkeypatch.setattr(payload, "prediction_words", lambda one: told.append(one) or words(one))
    assert_sound(opened(beside="none", second="second-bird"))
    model = pipeline.load("e2-nl")
    for found, clip in zip(told[-2:], (bird.clip(), bird.second()), strict=True):
        wanted = pipeline.capture(model, clip, "fit", model.spec.preprocessing.size)
        assert torch.allclose(found.logits, wanted.logits)


def section(at):
    """The keys of the widgets that choose among CGNL's maps."""
    keys = {one.key for one in (*at.selectbox, *at.slider)}
    return keys & {"channels", "count", "focus", "class-e2-cgnl"}


def said_instead(at):
    return [one.value for one in at.sidebar.caption if one.value.startswith("Drawn instead")]


CHOSEN = {"channels": "contrast", "count": "3", "focus": "group 2"}


@pytest.mark.parametrize("linked", [False, True], ids=["by a click", "by a link"])
def test_what_is_drawn_in_place_of_channels_is_said_and_their_settings_come_back(linked):
    second = {"second": "second-bird"} if linked else {}
    at = assert_sound(opened(net="e2-cgnl", **ALONE, **CHOSEN, **second))
    if not linked:
        assert section(at) == CHOSEN.keys()
        assert not said_instead(at)
        at.button(key="example-two").click().run()
    assert not assert_sound(at).warning
    assert set(table(at, "Match")["Meaning"]) == {"cosine, -1 to 1"}
    assert not section(at)
    [said] = said_instead(at)
    assert COSINE in said
    assert "CGNL has no map from one picture into another" in said
    assert any(one.value.startswith(said) for one in at.main.caption)
    at.button(key="drop-second").click().run()
    assert section(assert_sound(at)) == CHOSEN.keys()
    assert not said_instead(at)
    assert at.slider(key="count").value == 3
    assert [at.selectbox(key=key).value for key in ("channels", "focus")] == ["contrast", "group 2"]
    assert list(values_table(at)["Map"]) == ["g2"]


def test_what_reaches_into_the_second_picture_is_drawn_as_it_is_chosen():
    at = assert_sound(opened(net="e2-nl", **ALONE, second="second-bird"))
    assert not said_instead(at)
    at = assert_sound(opened(net="e2-cgnl", **ALONE, second="second-bird", kind=GRAD_CAM))
    assert not said_instead(at)
    assert at.selectbox(key="class-focus").value == "class 1"


@pytest.mark.parametrize("size", ["224", "448"])
def test_class_maps_of_two_pictures_are_of_the_same_classes(offered, size):
    address = {"net": "e2-cgnl", "beside": "none", "size": size, "second": "second-bird"}
    at = assert_sound(opened(**address, kind=GRAD_CAM))
    listed = next(list(one.value["Class"]) for one in at.table if "Share" in one.value.columns)
    model = pipeline.load("e2-cgnl")
    maps = np.load(io.BytesIO(offered["npz"]()), allow_pickle=False)
    for labels in (maps["labels"], maps["labels_second"]):
        assert [model.class_name(int(one.split()[1])) for one in labels] == listed


def test_two_birds_can_be_clicked_until_just_they_are_in_use():
    at = opened(**ALONE)
    assert not at.button(key="example-two").disabled
    give(at, "grey.png", png(90, 60))
    assert not at.button(key="example-two").disabled
    uploader(at, "upload").upload("own.png", png(64, 48), "image/png").run()
    assert not assert_sound(at).button(key="example-two").disabled
    at.button(key="second-second-bird").click().run()
    assert not assert_sound(at).button(key="example-two").disabled
    at.button(key="example-two").click().run()
    assert assert_sound(at).button(key="example-two").disabled
    assert at.query_params["second"] in ("second-bird", ["second-bird"])
    assert "file" not in at.query_params
    assert len(table(at, "Match")) == 5


def test_a_link_opens_both():
    at = assert_sound(opened(**ALONE, second="second-bird"))
    assert not at.warning
    assert second_of(at).sha256 == bird.second().sha256
    assert len(table(at, "Match")) == 5


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ({"second": "unicorn"}, "second=unicorn is no second picture; it can be second-bird"),
        ({"second": "a.png", "second_sha256": "xyz"}, "second=a.png is no second picture"),
    ],
)
def test_what_of_an_address_is_no_second_picture_is_named(address, says):
    at = assert_sound(opened(**ALONE, **address))
    assert says in "\n".join(one.value.replace("\\", "") for one in at.warning)
    assert second_of(at) is None


def test_a_second_file_that_is_not_here_is_asked_for_and_the_first_picture_is_shown():
    at = assert_sound(opened(**ALONE, second="gone.png", second_sha256="a" * 64))
    assert "gone.png" in at.info[0].value.replace("\\", "")
    assert len(values_table(at))
    assert at.query_params["second_sha256"] in ("a" * 64, ["a" * 64])


def test_a_bad_second_file_that_is_removed_leaves_the_one_in_use_and_a_good_one_goes():
    at = opened(**ALONE)
    give(at, "grey.png", png(90, 60))
    give(at, "notes.png", b"no picture")
    for left in (True, False):
        place = next(one for one in at.file_uploader if one.key.startswith("second-upload"))
        assert_sound(place.set_value(None).run())
        assert (second_of(at) is not None) == left
        give(at, "grey.png", png(90, 60))


BAD = {
    "broken": ("broken.png", png(90, 60)[:70], "broken.png"),
    "empty": ("empty.png", b"", "empty.png"),
    "no picture": ("notes.png", b"not a picture at all", "notes.png"),
    "a clip": ("kick.gif", animation(frames(5, 40, 60)), "kick.gif is a clip; a second picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_second_file_is_one_line_and_what_was_there_stays(name):
    file, content, says = BAD[name]
    at = opened(**ALONE, second="second-bird")
    give(at, file, content)
    [problem] = [one.value.replace("\\", "") for one in at.error]
    assert says in problem
    assert "\n" not in problem
    assert second_of(at).sha256 == bird.second().sha256


@pytest.mark.parametrize("size", [(64, 48), (40, 310)])
def test_a_second_picture_of_another_size_is_taken(size):
    at = give(opened(**ALONE), "other.png", png(*size))
    assert not at.error
    assert (second_of(at).width, second_of(at).height) == size
    assert at.query_params["second"] in ("other.png", ["other.png"])
    assert "second_sha256" in at.query_params


def test_beside_a_clip_there_is_no_second_picture_until_a_picture_is_back():
    at = opened(size="224", second="second-bird")
    at.button(key="example-kick").click().run()
    assert not assert_sound(at).error
    assert any("A second picture is not shown beside a clip" in one.value for one in at.caption)
    assert not [one for one in at.dataframe if "Match" in one.value.columns]
    at.button(key="example-bird").click().run()
    assert [one for one in assert_sound(at).dataframe if "Match" in one.value.columns]


def test_a_transformer_compares_features_when_a_second_picture_comes():
    at = opened(net="timm:vit_tiny_patch16_224?pretrained=no", beside="none")
    at.button(key="second-second-bird").click().run()
    assert not assert_sound(at).error
    assert set(table(at, "Match")["Meaning"]) == {"cosine, -1 to 1"}
    at.selectbox(key="kind").set_value(OWN).run()
    assert set(table(assert_sound(at), "Match")["Meaning"]) == {"weights, sum 1"}


def test_a_transformer_goes_back_to_its_heads_when_the_second_picture_goes():
    at = opened(net="timm:vit_tiny_patch16_224?pretrained=no", beside="none")
    for _ in range(2):
        at.button(key="second-second-bird").click().run()
        assert assert_sound(at).selectbox(key="kind").value == COSINE
        at.button(key="drop-second").click().run()
        assert assert_sound(at).selectbox(key="kind").value == OWN
    at.selectbox(key="kind").set_value(COSINE).run()
    at.button(key="second-second-bird").click().run()
    at.button(key="drop-second").click().run()
    assert assert_sound(at).selectbox(key="kind").value == COSINE, "it was chosen"


def test_a_pin_holds_both_and_the_figure_page_draws_their_matches():
    at = opened(**ALONE, second="second-bird")
    at.button(key="pin").click().run()
    [pin] = at.session_state["pins"]
    assert pin.second.sha256 == pin.reference.second.sha256 == bird.second().sha256
    at.switch_page("pages/figure.py").run()
    assert not assert_sound(at).error
    preset = next(one for one in at.selectbox if "Matches" in one.options)
    preset.set_value("matches").run()
    assert not assert_sound(at).error


def test_the_preset_of_two_pictures_takes_the_pins_that_have_two():
    with_two = session_pins.Pin("p1", None, bird.clip(), bird.second())
    without = session_pins.Pin("p2", None, bird.clip())
    assert figure_recipe.shown((without, with_two), "matches") == (with_two,)
    assert figure_recipe.shown((without,), "matches") == (without,)
