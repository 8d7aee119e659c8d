"""COCO's run-length masks: as its own program reads them, and what is refused."""

import numpy as np
import pytest
from pycocotools import mask as coco

from errors import InputError
from viz.datasets import run_lengths


@pytest.mark.parametrize("size", [(5, 7), (61, 43), (1, 1)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_masks_are_those_of_cocos_own_program(size, share):
    inside = np.random.default_rng(3).random(size) < share
    packed = coco.encode(np.asfortranarray(inside.astype(np.uint8)))
    text = {"size": packed["size"], "counts": packed["counts"].decode()}
    high, wide, lengths = run_lengths.read(text, "one")
    np.testing.assert_array_equal(run_lengths.mask_of([(high, wide, lengths)], *size), inside)
    as_list = {"size": list(size), "counts": list(lengths)}
    assert run_lengths.read(as_list, "one") == (high, wide, lengths)


def test_several_masks_are_one_object():
    first, second = (3, 2, (0, 1, 5)), (3, 2, (5, 1))
    found = run_lengths.mask_of([first, second], 3, 2)
    assert found.tolist() == [[True, False], [False, False], [False, True]]


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ({}, "no run-length mask"),
        ({"size": [3, 2]}, "no run-length mask"),
        ({"size": [3, 2], "counts": [1, -1, 6]}, "no run-length mask"),
        ({"size": [3, 2], "counts": [1.5, 4.5]}, "no run-length mask"),
        ({"size": [3, 2], "counts": "~~~"}, "no run-length mask"),
        ({"size": [3, 2], "counts": "o" * 9}, "no run-length mask"),
        ({"size": [0, 2], "counts": []}, "no run-length mask"),
        ({"size": [10**6, 10**6], "counts": [10**12]}, "no run-length mask"),
        ({"size": [3, 2], "counts": [1, 2]}, "cover 3 pixels, not 6"),
    ],
)
def test_what_is_no_mask_is_one_line(mask, said, one_line):
    with pytest.raises(InputError) as problem:
        run_lengths.read(mask, "a.json, annotation 7")
    assert said in one_line(problem.value)
    assert "annotation 7" in str(problem.value)


def test_a_mask_of_another_picture_is_one_line(one_line):
    with pytest.raises(InputError) as problem:
        run_lengths.mask_of([(3, 2, (6,))], 4, 2)
    assert "is 2 x 3, its picture 2 x 4" in one_line(problem.value)
