"""Annotations as columns: the same when they are put together again; what is no such thing, or too
much, is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InputError
from viz.datasets.annotations import columns as annotation_columns
from viz.datasets.annotations.columns import packed, unpacked
from viz.figure.recipe.recipe import Part
from viz.geometry import Box

pixel = st.floats(-1e6, 1e6)
words = st.text(st.characters(categories=("L", "N")), max_size=7)
FIELDS = {
    "class_name": words,
    "parts": st.lists(st.builds(Part, words, pixel, pixel)).map(tuple),
    "boxes": st.lists(st.builds(Box, pixel, pixel, pixel, pixel)).map(tuple),
    "polygons": st.lists(st.lists(st.tuples(pixel, pixel), min_size=3).map(tuple)).map(tuple),
    "runs": st.lists(st.sampled_from([(2, 3, (0, 5, 1)), (1, 1, (1,))])).map(tuple),
}
KNOWN = {
    "a.png": {"class_name": "jay", "parts": (Part("eye", 3, 5), Part("jay", 7, 11))},
    "b/c.png": {"boxes": (Box(2, 3, 5, 7),), "polygons": (((1, 2), (3, 5), (7, 11)),),
                "runs": ((2, 3, (0, 5, 1)),)},
}  # fmt: skip


@given(st.dictionaries(words, st.fixed_dictionaries({}, optional=FIELDS), max_size=5))
def test_what_is_packed_is_put_together_again(known):
    told = {name: {key: v for key, v in own.items() if v} for name, own in known.items()}
    assert unpacked(packed(known), 10**6) == told


def test_names_of_any_letters_are_one_text_each():
    found = unpacked(packed({"a\0\ud800": {"class_name": "b"}, "": {"class_name": "b"}}), 100)
    assert found == {"a??": {"class_name": "b"}, "": {"class_name": "b"}}


def counts(*changed):
    found = packed(KNOWN).counts.copy()
    for place, value in changed:
        found[place] = value
    return {"counts": found}


LIES = {
    "text that is not there": counts((0, 99)),
    "text before the first": counts((1, -1)),
    "more parts than counts": counts((2, 2**62)),
    "fewer than none": counts((2, -1)),
    "boxes that are not there": counts((3, 2**60)),
    "fewer boxes than none": counts((3, -1)),
    "masks without end": counts((5, 2**40)),
    "an outline of fewer corners than none": counts((-7, -1)),
    "pixels of nothing": {"pixels": np.ones(999)},
    "no number": {"pixels": np.full(14, np.nan)},
    "without an end": {"pixels": np.full(14, np.inf)},
    "cut": {"counts": packed(KNOWN).counts[:-1]},
    "no UTF-8": {"texts": b"\xff"},
    "too many texts": {"texts": b"\0" * 3000},
    "too many counts": {"counts": np.zeros(3000, np.int64)},
    "too many pixels": {"pixels": np.zeros(3000)},
    "a mask that is not covered": counts((-1, 2)),
    "a mask of no height": counts((-6, 0)),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_annotation_is_refused(lie):
    columns = packed(KNOWN)
    assert unpacked(columns, 100) == KNOWN
    with pytest.raises((ValueError, InputError)):
        unpacked(columns._replace(**LIES[lie]), 100)


def test_annotations_of_very_many_pictures_are_one_line(monkeypatch, one_line):
    columns = packed(KNOWN)
    monkeypatch.setattr(annotation_columns, "MOST_PICTURES", 1)
    with pytest.raises(InputError, match="of 2 pictures; .* up to 1 are taken") as caught:
        packed(KNOWN)
    one_line(caught.value)
    with pytest.raises(ValueError, match="more than is of its pictures"):
        unpacked(columns, 100)


def test_names_are_one_line_of_letters_whatever_is_sent():
    columns = packed({"a": {"parts": (Part("<b>\u202eb\x07", 3, 5),)}})
    assert unpacked(columns, 100)["a"]["parts"][0].name == "<b> b"
