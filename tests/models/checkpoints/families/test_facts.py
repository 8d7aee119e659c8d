"""What is known of a file: answers before metadata before file name before code before asking."""

import pytest

from errors import CheckpointError
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import function_ask, scale_ask
from models.report import Fact, UndecidedError

ASK = Ask(
    "colour",
    "Which colour?",
    ("red", "green", "blue"),
    metadata=((r"is_green=True", "green"), (r"colour: (\w+)", "")),
    file_name=((r"red", "red"),),
    code="blue",
)


def known(name="net.pth", metadata=None, answers=None):
    return Facts(name, metadata or {}, answers or {})


@pytest.mark.parametrize(
    ("answers", "metadata", "name", "value", "source"),
    [
        ({"colour": "green"}, "colour: red", "red.pth", "green", "your answer"),
        ({}, "colour: green", "red.pth", "green", "metadata"),
        ({}, "colour: red is_green=True", "x.pth", "green", "metadata"),
        ({}, "", "Some-RED.pth", "red", "file name"),
        ({}, "", "x.pth", "blue", "the family's code"),
        ({"other": "green"}, "", "x.pth", "blue", "the family's code"),
    ],
)
def test_the_first_that_tells_is_believed(answers, metadata, name, value, source):
    file = known(name, {"cfg": metadata}, answers)
    assert file.settle(ASK) == value
    assert file.finish() == (Fact("colour", value, source),)


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


@pytest.mark.parametrize(
    ("answers", "metadata", "name", "value"),
    [
        ({"frames": "12"}, "clip_len=16", "i3d_32x2.pth", 12),
        ({}, "clip_len=16", "i3d_32x2.pth", 16),
        ({}, "", "i3d_32x2.pth", 32),
        ({}, "", "i3d.pth", 8),
    ],
)
def test_numbers_are_found_in_the_same_order(answers, metadata, name, value):
    file = known(name, {"cfg": metadata}, answers)
    assert file.number("frames", r"clip_len=(\d+)", r"_(\d+)x\d", 8) == value


@pytest.mark.parametrize("answer", ["many", "-3", "1.5", ""])
def test_a_number_that_is_none_is_refused(answer, one_line):
    with pytest.raises(CheckpointError, match="whole number") as caught:
        known(answers={"frames": answer}).number("frames", "", "", 8)
    one_line(caught.value)


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


def test_a_name_without_a_function_tells_none():
    file = known("i3d_nl_r50_kinetics400.pth")
    file.settle(function_ask())
    with pytest.raises(UndecidedError):
        file.finish()
