"""Which maps are meant: what is written is read again, and what is wrong is said in one line."""

import re

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InputError
from tests.conftest import assert_one_line
from viz.attention.choice import (
    DEFAULT_COUNT,
    PARTS,
    PATTERN,
    SUMMARIES,
    MapChoice,
    Selection,
    ranked,
)

RANKINGS = ("standout", "contrast", "one per group")
RANKED = [word for word, part in PARTS.items() if part.ranked]
numbers = st.integers(0, 99_999)
choices = st.one_of(
    st.builds(MapChoice, st.sampled_from(list(PARTS)), numbers),
    st.builds(ranked, st.sampled_from(RANKED), st.integers(1, 99_999)),
    st.builds(MapChoice, st.sampled_from(SUMMARIES)),
)
selections = st.one_of(
    st.builds(Selection, st.sampled_from(("", *RANKINGS))),
    st.builds(
        Selection,
        listed=st.lists(st.integers(0, 10**8 - 1), min_size=1, max_size=11, unique=True).map(tuple),
    ),
    st.just(Selection(divisions=True)),
)
texts = st.one_of(
    st.text(max_size=12),
    st.from_regex(PATTERN),
    st.from_regex(r"[a-z]{1,7}( )?-?[0-9]{0,7}\s?"),
    st.sampled_from(["union\n", "channel 0", "group 0", "c\u0661", "channel \u0661", "C1", "c 1"]),
)

PRINTED = pytest.mark.parametrize(
    ("text", "choice", "tag"),
    [
        ("channel 1", MapChoice("channel", 1, by_rank=True), "c1"),
        ("channel 17", MapChoice("channel", 17, by_rank=True), "c17"),
        ("c17", MapChoice("channel", 17), "c17"),
        ("c0", MapChoice("channel", 0), "c0"),
        ("group 0", MapChoice("group", 0), "g0"),
        ("head 11", MapChoice("head", 11), "h11"),
        ("class 3", MapChoice("class", 3, by_rank=True), "k3"),
        ("k199", MapChoice("class", 199), "k199"),
        ("union", MapChoice("union"), "union"),
        ("mean", MapChoice("mean"), "mean"),
        ("maximum", MapChoice("maximum"), "maximum"),
    ],
)


@PRINTED
def test_a_choice_is_read_and_written_in_the_papers_words(text, choice, tag):
    assert MapChoice.parse(text) == choice
    assert str(choice) == text
    assert choice.tag == tag


@pytest.mark.parametrize(
    ("text", "written"),
    [("g3", "group 3"), ("h0", "head 0"), ("c007", "c7"), ("head 07", "head 7")],
)
def test_other_ways_to_write_a_choice_are_read_too(text, written):
    assert str(MapChoice.parse(text)) == written


@given(choice=choices)
def test_any_choice_that_is_written_is_read_as_itself(choice):
    assert MapChoice.parse(str(choice)) == choice
    assert re.fullmatch(PATTERN, str(choice))


@given(text=texts)
def test_the_pattern_accepts_exactly_what_is_read(text):
    # JSON Schema's patterns are searched for, and their $ is the end of the text.
    accepted = re.search(PATTERN.replace("$", r"\Z"), text) is not None
    if accepted:
        choice = MapChoice.parse(text)
        assert MapChoice.parse(str(choice)) == choice
        return
    with pytest.raises(InputError) as caught:
        MapChoice.parse(text)
    assert_one_line(caught.value)


@pytest.mark.parametrize("text", ["channel 1", "k3", "union"])
def test_the_pattern_is_one_that_json_schema_takes(text):
    schema = {"type": "string", "pattern": PATTERN}
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(text, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(f"{text}0000000x", schema)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "auto", "channel", "channel ", "channel 0", "channel 01", "channel -1", "union\n",
        "channel 1.5", "channel  1", "channel 123456", "Channel 1", " channel 1", "channel 1 ",
        "channel 1\n",
        "c", "c-1", "c1,2", "c123456", "x3", "17", "group", "group -1", "class 0", "head", "heads",
        "groups", "unions", "c\u0661", "channel \u00b2", "<b>\n\x00", "9" * 10_000, "c" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_choice_is_refused_with_what_can_be_written(text, one_line):
    with pytest.raises(InputError, match="is not a map; write channel 1") as caught:
        MapChoice.parse(text)
    line = one_line(caught.value)
    for accepted in ("c17", "group 0", "head 0", "class 1", *SUMMARIES):
        assert accepted in line


def test_ranks_count_from_one_and_are_not_numbers():
    assert ranked("channel", 3) == MapChoice("channel", 3, by_rank=True)
    assert ranked("channel", 3) != MapChoice("channel", 3)


@pytest.mark.parametrize("text", ["auto", "standout", "contrast", "one per group", "0,3,17", "5"])
def test_a_selection_is_written_as_it_was_read(text):
    assert str(Selection.parse(text, RANKINGS)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", Selection()),
        (" auto ", Selection()),
        ("contrast", Selection("contrast")),
        ("groups", Selection(divisions=True)),
        ("heads", Selection(divisions=True)),
        ("0,3,17", Selection(listed=(0, 3, 17))),
        (" 3 , 3,5 ", Selection(listed=(3, 5))),
        ("17,0", Selection(listed=(17, 0))),
        ("007", Selection(listed=(7,))),
    ],
)
def test_a_selection_is_read(text, expected):
    assert Selection.parse(text, RANKINGS) == expected


@given(selection=selections)
def test_any_selection_that_is_written_is_read_as_itself(selection):
    assert Selection.parse(str(selection), RANKINGS) == selection


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "all", "1:2", "-1", "4-1", "0-5000", "1-", "1.5", "1,,2", ",", "1,", "9" * 9,
        "9" * 10_000, "\u00b2",
        "<b>\n", "0x1", "standout,1", "response", "channel 1", "AUTO", "1\n2",
    ],
)  # fmt: skip
def test_what_is_no_selection_is_refused_with_what_can_be_asked(text, one_line):
    with pytest.raises(InputError, match="is not a choice of maps; use auto, groups") as caught:
        Selection.parse(text, RANKINGS)
    line = one_line(caught.value)
    assert all(ranking in line for ranking in RANKINGS)
    assert "0,3,17" in line


def test_the_most_maps_of_a_selection_are_those_listed_or_its_count():
    assert Selection().most == DEFAULT_COUNT == 5
    assert Selection("contrast", 11).most == 11
    assert Selection(listed=(3, 1, 4)).most == 3
    assert Selection("contrast").counted(7) == Selection("contrast", 7)


def test_tags_and_words_of_parts_are_told_apart():
    tags = [part.tag for part in PARTS.values()]
    assert len(set(tags)) == len(PARTS)
    assert all(len(tag) == 1 for tag in tags)
    assert not set(SUMMARIES) & set(PARTS)


@pytest.mark.parametrize(
    ("text", "listed"),
    [("0,3,17", (0, 3, 17)), ("1-4", (1, 2, 3, 4)), ("3;7", (3, 7)), ("5, 2-3;5", (5, 2, 3))],
)
def test_lists_take_commas_semicolons_and_ranges(text, listed):
    assert Selection.parse(text, ()).listed == listed


def test_rankings_are_known_by_the_names_of_pages_too():
    assert Selection.parse("distinctiveness", ("standout",)).ranking == "standout"
