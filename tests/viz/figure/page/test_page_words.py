"""Words of a page: captions, heads, labels of rows and panels, legends."""

from dataclasses import replace
from string import ascii_lowercase

import pytest

from tests.viz.drawn_figures import picture, sheet_of, table
from tests.viz.figure.page.conftest import HEAT, WHOLE, captions_of, check, extent, texts
from viz.figure.page.grid import numbered
from viz.figure.page.layout import plan
from viz.figure.panels.panel_rows import Panel, Row


def test_captions_of_panels_run_in_reading_order():
    made = table(4, 7, captions="(a)", labels=False, gap_mm=2)
    found = captions_of(plan(made))
    letters = [*ascii_lowercase, "aa", "ab"]
    assert list(found.values()) == [f"({letter})" for letter in letters]
    turned = captions_of(plan(table(2, 3, captions="(a)", labels=False, transpose=True)))
    # On the page the columns are lines.
    assert turned == {
        (0, 0): "(a)", (1, 0): "(b)", (0, 1): "(c)", (1, 1): "(d)", (0, 2): "(e)", (1, 2): "(f)",
    }  # fmt: skip


def test_captions_stand_before_the_panels_labels():
    found = captions_of(plan(table(1, 2, label="c17", captions="A")))
    assert list(found.values()) == ["A c17", "B c17"]


@pytest.mark.parametrize(
    ("style", "names"),
    [
        ("(a)", ["(a)", "(z)", "(aa)", "(az)", "(ba)", "(zz)", "(aaa)"]),
        ("A", ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]),
        ("(1)", ["(1)", "(26)", "(27)", "(52)", "(53)", "(702)", "(703)"]),
    ],
)
def test_captions_count_on_after_z(style, names):
    assert [numbered(k, style) for k in (0, 25, 26, 51, 52, 701, 702)] == names


def test_captions_of_rows_and_columns_stand_before_their_names():
    made = table(2, 3, 1.0, head="frame", captions="(a)", captions_of="rows")
    found = plan(made)
    assert texts(found, upward=True) == ["(a) row 0", "(b) row 1"]
    assert texts(found, upward=False) == ["frame 0", "frame 1", "frame 2"]
    made = table(2, 3, 1.0, head="frame", captions="A", captions_of="columns", labels=False)
    found = plan(made)
    assert texts(found, upward=True) == []
    assert texts(found, upward=False) == ["A", "B", "C"]
    turned = plan(replace(made, layout=replace(made.layout, transpose=True, labels=True)))
    assert texts(turned, upward=True) == ["frame 0", "frame 1", "frame 2"]
    assert texts(turned, upward=False) == ["A row 0", "B row 1"]


def test_neighbours_with_one_head_share_it():
    heads = ["input", "NL", "CGNL", "CGNL", "CGNL", "parts"]
    found = plan(sheet_of([[Panel(picture(), head) for head in heads]]))
    assert texts(found, upward=False) == ["input", "NL", "CGNL", "parts"]
    boxes = [place.box for place in found.places]
    shared = next(words for words in found.words if words.text == "CGNL")
    assert shared.x == pytest.approx((boxes[2].left + boxes[4].right) / 2)


ROWS_THAT_DISAGREE = [
    [Panel(picture(), "input"), Panel(picture(), "NL", "x")],
    [Panel(picture(), "input")],
    [Panel(picture(), "0.1 s"), Panel(picture(), "0.2 s"), Panel(picture(), "0.3 s")],
]


def test_heads_stand_over_every_run_of_rows_that_agree_on_them():
    found = plan(sheet_of(ROWS_THAT_DISAGREE))
    heads = {words.text: words.y for words in found.words}
    tops = [found.place(row, 0).box for row in range(3)]
    assert heads["input"] == heads["NL"] < tops[0].top
    assert tops[1].bottom < heads["0.1 s"] == heads["0.3 s"] < tops[2].top
    assert sum(words.text == "input" for words in found.words) == 1


def test_captions_of_columns_are_over_columns_that_are_there():
    found = plan(sheet_of(ROWS_THAT_DISAGREE, captions="(a)", captions_of="columns"))
    assert [words.text for words in found.words if "s" in words.text] == [
        "(a) 0.1 s", "(b) 0.2 s", "(c) 0.3 s"
    ]  # fmt: skip
    assert "(c)" not in [words.text for words in found.words]


def test_heads_of_a_transposed_figure_stand_under_panels_where_rows_disagree():
    found = captions_of(plan(sheet_of(ROWS_THAT_DISAGREE, transpose=True)))
    assert {"input", "NL, x", "0.2 s"} <= set(found.values())


def test_given_labels_replace_the_presets_own():
    made = table(1, 2, 1.0, head="frame", column_labels=("before",))
    assert texts(plan(made), upward=False) == ["before", "frame 1"]


def test_a_folded_row_keeps_every_panel_and_its_own_words():
    made = table(1, 7, head="frame", columns=3, column_labels=("x", "", "", "", "y"))
    found = plan(made)
    assert len(found.places) == 7
    lines = sorted({round(place.box.top, 6) for place in found.places})
    assert [sum(abs(p.box.top - top) < 1e-3 for p in found.places) for top in lines] == [3, 3, 1]
    assert list(captions_of(found).values()) == [
        "x", "frame 1", "frame 2", "frame 3", "y", "frame 5", "frame 6"
    ]  # fmt: skip
    assert texts(found, upward=True) == ["row 0"]


def test_labels_wrap_inside_their_panel():
    label = "an uncommonly long label of a panel that is narrow, incomprehensibilities included"
    made = table(2, 6, label=label, width_mm=82.55)
    found = plan(made)
    place = found.place(0, 2)
    lines = [
        words
        for words in found.words
        if place.box.left < words.x < place.box.right and words.y > place.box.bottom
    ]
    assert len(lines) > 5
    for words in lines:
        left, _, right, _ = extent(words, made)
        assert place.box.left - WHOLE <= left
        assert right <= place.box.right + WHOLE
    check(made, found)


@pytest.mark.parametrize("gap", [0.0, 5.0, 10.0])
def test_long_row_labels_stay_clear_of_the_panels(gap):
    label = "the compact generalized non-local network with eight groups"
    panels = tuple(Panel(picture(0.6, HEAT)) for _ in range(6))
    made = sheet_of([Row(label, panels, (), 0.0, 1.0)] * 2, gap_mm=gap, bar="row")
    found = plan(made)
    first = min(place.box.left for place in found.places)
    upward = [words for words in found.words if words.upward]
    assert len(upward) > 4
    assert max(words.x for words in upward) < first
    check(made, found)


def test_the_legend_numbers_every_part_within_the_page():
    names = tuple(f"part number {k}" for k in range(30))
    made = sheet_of([[Panel(picture())]], legend=names, bar="none", width_mm=82.55)
    found = plan(made)
    assert [number for _, _, number in found.dots] == list(range(30))
    assert [words.text for words in found.words] == list(names)
    for (x, y, _), words in zip(found.dots, found.words, strict=True):
        left, top, right, bottom = extent(words, made)
        assert x < left
        assert right <= found.width
        assert top - 1 < y < bottom + 1
        assert bottom <= found.height


def test_a_long_name_in_the_legend_stays_within_the_page():
    made = sheet_of([[Panel(picture())]], legend=("beak", "left wing " * 20), width_mm=82.55)
    found = plan(made)
    for words in found.words:
        assert extent(words, made)[2] <= found.width
        assert extent(words, made)[3] <= found.height
    assert " ".join(words.text for words in found.words).split() == [
        "beak", *["left", "wing"] * 20
    ]  # fmt: skip
