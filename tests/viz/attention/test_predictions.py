"""What a network takes a picture for, and why it may be nothing."""

from dataclasses import replace

import pytest
import torch

from tests.conftest import make_tiny
from viz.attention.captures import Capture
from viz.attention.predictions import NO_CLASSIFIER, NOT_FINITE, prediction_words, top_classes


def captured(logits):
    model = replace(make_tiny(None), class_names=("gull", "tern"))
    return Capture({}, torch.tensor(logits), None, model=model)


def test_the_most_probable_classes_come_first_with_their_shares():
    found = captured([0.0, 2.0, 1.0])
    assert [index for index, _share in top_classes(found)] == [1, 2, 0]
    assert sum(share for _index, share in top_classes(found)) == pytest.approx(1)
    assert prediction_words(found) == "tern 0.67"


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
