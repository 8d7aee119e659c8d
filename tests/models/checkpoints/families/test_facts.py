"""Who is believed: answers, the publisher, the family's only code, metadata, whole words of a name;
where they differ, nobody."""

from dataclasses import replace

import pytest

from errors import CheckpointError
from models.checkpoints.families import mmaction
from models.checkpoints.families.clips import clip_length
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import function_ask, scale_ask
from models.report import Fact, UndecidedError

ASK = Ask(
    "colour",
    "Which colour?",
    ("red", "green", "blue"),
    metadata=((r"is_green=True", "green"), (r"colour: (\w+)", "")),
    file_name=(("red", "red"), ("green", "green")),
    implied=(("sky", "blue"),),
    default="blue",
)


def known(name="net.pth", metadata=None, answers=None, published=None):
    return Facts(name, metadata or {}, answers or {}, published or {})


@pytest.mark.parametrize(
    ("answers", "metadata", "name", "value", "source"),
    [
        ({"colour": "green"}, "colour: red", "red.pth", "green", "your answer"),
        ({}, "colour: green", "x.pth", "green", "metadata"),
        ({}, "colour: red", "red.pth", "red", "metadata"),
        ({}, "colour: green is_green=True", "x.pth", "green", "metadata"),
        ({}, "", "Some-RED.pth", "red", "file name"),
        ({}, "", "red_sky.pth", "red", "file name"),
        ({}, "", "sky.pth", "blue", "file name"),
        ({}, "", "reddish.pth", "blue", "the family's default"),
        ({}, "", "x.pth", "blue", "the family's default"),
        ({"other": "green"}, "", "x.pth", "blue", "the family's default"),
    ],
)
def test_the_first_that_tells_is_believed(answers, metadata, name, value, source):
    file = known(name, {"cfg": metadata}, answers)
    assert file.settle(ASK) == value
    assert file.finish() == (Fact("colour", value, source, ASK.choices),)


def test_a_publisher_knows_better_than_all_but_the_user():
    published = {"colour": "green"}
    file = known("red.pth", {"cfg": "colour: red"}, published=published)
    assert file.settle(ASK) == "green"
    assert file.finish()[0].source == "the published file"
    assert known(answers={"colour": "red"}, published=published).settle(ASK) == "red"


@pytest.mark.parametrize(
    ("only", "metadata", "name", "said"),
    [
        ("blue", "colour: green", "x.pth", "blue (the family's code), green (metadata)"),
        ("blue", "", "red.pth", "blue (the family's code), red (file name)"),
        (None, "colour: green", "red.pth", "green (metadata), red (file name)"),
        (None, "", "red-green.pth", "red (file name), green (file name)"),
        (None, "is_green=True colour: red", "x.pth", "green (metadata), red (metadata)"),
    ],
)
def test_sources_that_differ_are_a_question(only, metadata, name, said, one_line):
    file = known(name, {"cfg": metadata})
    file.settle(replace(ASK, only=only))
    with pytest.raises(UndecidedError) as caught:
        file.finish()
    assert f"Sources differ: {said}." in one_line(caught.value)
    answered = known(name, {"cfg": metadata}, {"colour": "red"})
    assert answered.settle(replace(ASK, only=only)) == "red"


def test_metadata_is_searched_in_all_its_entries():
    file = known(metadata={"meta.epoch": "3", "meta.cfg": "colour: green"})
    assert file.settle(ASK) == "green"


@pytest.mark.parametrize("answers", [{"colour": "pink"}, {"colour": ""}, {"colour": 3}])
def test_a_wrong_answer_is_refused_with_the_choices(answers, one_line):
    with pytest.raises(CheckpointError, match="red, green, blue") as caught:
        known(answers=answers).settle(ASK)
    assert "your answer" in one_line(caught.value)


def test_a_wrong_value_in_metadata_is_refused_too(one_line):
    with pytest.raises(CheckpointError, match="pink.*metadata") as caught:
        known(metadata={"cfg": "colour: pink"}).settle(ASK)
    one_line(caught.value)


def test_all_that_is_open_is_asked_at_once(one_line):
    file = known("mystery.pth")
    assert file.settle(function_ask()) == "embedded_gaussian"
    assert file.settle(scale_ask()) == "no"
    file.note("classes", 7)
    with pytest.raises(UndecidedError) as caught:
        file.finish()
    assert [q.name for q in caught.value.questions] == ["function", "scale"]
    assert caught.value.questions[1].choices == ("no", "yes")
    text = one_line(caught.value)
    assert "mystery.pth" in text
    assert "function = embedded_gaussian or dot_product" in text
    assert "scale = no or yes" in text


def test_what_weights_say_is_noted_as_such():
    file = known()
    file.note("classes", 400)
    assert file.finish() == (Fact("classes", "400", "weights"),)


FRAMES = Ask(
    "frames", "How many?", (), ((r"clip_len=(\d+)", ""),), ((r"(\d+)x\d", ""),), default="8"
)


@pytest.mark.parametrize(
    ("answers", "metadata", "name", "value"),
    [
        ({"frames": "12"}, "clip_len=16", "i3d_32x2.pth", 12),
        ({}, "clip_len=16", "i3d.pth", 16),
        ({}, "", "i3d_32x2.pth", 32),
        ({}, "", "i3d.pth", 8),
    ],
)
def test_numbers_are_found_in_the_same_order(answers, metadata, name, value):
    assert known(name, {"cfg": metadata}, answers).number(FRAMES) == value


@pytest.mark.parametrize("answer", ["many", "-3", "1.5", ""])
def test_a_number_that_is_none_is_refused(answer, one_line):
    with pytest.raises(CheckpointError, match="whole number") as caught:
        known(answers={"frames": answer}).number(FRAMES)
    one_line(caught.value)


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("c2d_nonlocal_8x8_IN_pretrain_400k.pkl", (8, 8)),
        ("i3d_nonlocal_128x1_I3D_pretrain_400k.pkl", (128, 1)),
        ("i3d_r50_8xb8-32x2x1-100e.pth", (32, 2)),
        ("kinetics_224x224_C2D_NLN_8x8_R50.pkl", (8, 8)),
        ("net_112x112.pth", (4, 16)),
        ("net_1x1x8.pth", (4, 16)),
    ],
)
def test_the_size_of_a_picture_is_no_clip(name, clip):
    assert tuple(clip_length(known(name), 4, 16).values()) == clip


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("i3d_nl_dot_product_r50.pth", "dot_product"),
        ("r50-nl-dot-product_8xb8.pth", "dot_product"),
        ("R50-NL-Embedded-Gaussian.pth", "embedded_gaussian"),
        ("i3d_nl_embedded_gaussian_r50.pth", "embedded_gaussian"),
    ],
)
def test_file_names_tell_the_function(name, function):
    assert known(name).settle(function_ask()) == function


CHANCE = ("i3d_nl_r50_kinetics400", "i3d_nl_r50_DoTA", "i3d_nl_r50_embeddings", "dots_per_inch")


@pytest.mark.parametrize("name", CHANCE)
def test_a_chance_word_in_a_name_tells_no_function(name):
    file = known(f"{name}.pth")
    file.settle(function_ask())
    with pytest.raises(UndecidedError):
        file.finish()


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("i3d_nl_embedded_gaussian_r50_multiscalecrop.pth", "no"),
        ("slowonly_r50_nl_embedded_gaussian.pth", "yes"),
        ("i3d_nl_embedded_gaussian_noscale.pth", "no"),
        ("tsm_nl_embedded_gaussian_no-scale.pth", "no"),
        ("tsm_nl_embedded_gaussian_scale.pth", "yes"),
    ],
)
def test_whole_words_tell_whether_products_are_scaled(name, scale):
    assert known(name).settle(mmaction._SCALE) == scale
