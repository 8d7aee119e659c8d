"""What a network takes a picture for, and why it may be nothing."""

from dataclasses import replace

import pytest
import torch

from tests.conftest import make_tiny
from viz.attention.captures import Capture
from viz.attention.kinds.registry import KINDS, selection
from viz.attention.predictions import (
    NO_CLASSIFIER,
    NOT_FINITE,
    answer_size,
    by_answer,
    prediction_words,
    size_words,
    top_classes,
)


def captured(logits):
    model = replace(make_tiny(None), class_names=("gull", "tern"))
    return Capture({}, torch.tensor(logits), None, model=model)


def test_the_most_probable_classes_come_first_with_their_shares():
    found = captured([0.0, 2.0, 1.0])
    assert [index for index, _share in top_classes(found)] == [1, 2, 0]
    assert sum(share for _index, share in top_classes(found)) == pytest.approx(1)
    assert prediction_words(found) == "tern 0.67"


def test_the_answer_of_finer_maps_is_that_at_the_size_of_the_training():
    found = captured([0.0, 2.0, 1.0])
    own = found.model.spec.preprocessing.size
    assert [answer_size(found, size) for size in (None, own - 1, own, own + 1)] == [
        None, None, None, own,
    ]  # fmt: skip
    assert size_words(found, own + 16) == f" at {own} px · maps at {own + 16} px"
    assert size_words(found, own - 16) == f" · at {own - 16} px, trained at {own}"
    assert size_words(found, own) == size_words(found, None) == ""
    nothing = captured([])
    assert answer_size(nothing, own + 1) is None
    assert size_words(nothing, own + 16) == ""


def test_classes_by_probability_are_those_of_an_answer_by_number():
    found, kind = captured([0.0, 2.0, 1.0]), KINDS["class maps"]
    for text in ("auto", "probability"):
        assert str(by_answer(kind, selection(text, 2), found)) == "1,2"
    assert str(by_answer(kind, selection("0,2"), found)) == "0,2"
    assert str(by_answer(kind, selection("auto"), captured([torch.nan]))) == "auto"
    channels = KINDS["channels"]
    assert by_answer(channels, selection("auto"), found) == selection("auto")


@pytest.mark.parametrize(
    ("logits", "words"),
    [
        ([], NO_CLASSIFIER),
        ([torch.nan, torch.nan], NOT_FINITE),
        ([0.0, torch.nan], NOT_FINITE),
        ([0.0, torch.inf], NOT_FINITE),
    ],
)
def test_what_is_no_number_is_no_prediction(logits, words):
    assert prediction_words(captured(logits)) == words
    assert top_classes(captured(logits)) == []
