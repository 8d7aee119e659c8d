"""Pages: panels that never overlap, of whole pixels, as wide as asked, with their words around."""

import re
from dataclasses import replace
from itertools import pairwise
from string import ascii_lowercase

import numpy as np
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from errors import InputError
from tests.viz.drawn_figures import gate_layers, lit, picture, sheet_of, table
from viz.figure.page import colour_bars, typesetting
from viz.figure.page.grid import numbered
from viz.figure.page.layout import MOST_PIXELS, SMALLEST_MM, TALLEST_MM, plan
from viz.figure.panels import presets
from viz.figure.panels.gates import bars
from viz.figure.panels.panel_rows import Matrix, Panel, Row
from viz.figure.recipe.recipe import VENUES

HEAT = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)
WHOLE = 1e-6


def pixel(made):
    return 25.4 / made.layout.dpi


def check(made, found):
    """Hold what is true of every page."""
    step = pixel(made)
    for place in found.places:
        box = place.box
        assert box.left >= -WHOLE
        assert box.top >= -WHOLE
        assert box.right <= found.width + WHOLE
        assert box.bottom <= found.height + WHOLE
        for side in (box.left, box.top, box.right, box.bottom):
            assert side / step == pytest.approx(round(side / step), abs=1e-4)
    assert found.height / step == pytest.approx(round(found.height / step), abs=1e-4)
    for k, one in enumerate(found.places):
        for other in found.places[k + 1 :]:
            a, b = one.box, other.box
            apart = (
                a.right <= b.left + WHOLE
                or b.right <= a.left + WHOLE
                or a.bottom <= b.top + WHOLE
                or b.bottom <= a.top + WHOLE
            )
            assert apart, (one, other)


def fitting(made):
    """Return a page, or end the example where it is refused for a reason that holds."""
    try:
        return plan(made)
    except InputError as problem:
        said = str(problem)
        if narrow := re.search(r"leave ([0-9.]+) mm for each; at least 3 are needed", said):
            assert float(narrow[1]) <= SMALLEST_MM  # printed to a tenth
            # What it advises helps: there is room where nothing takes it away.
            layout = replace(made.layout, labels=False, bar="none", gap_mm=0.0, captions="none")
            rows = tuple(replace(row, label="") for row in made.rows)
            assert plan(replace(made, rows=rows, layout=layout)).places
        else:
            high = re.search(r"would be ([0-9]+) mm high; up to 2000 are drawn", said)
            assert high, said
            assert int(high[1]) >= TALLEST_MM
        return reject()


def extent(words, made):
    """Return left, top, right, bottom of a line of text in mm."""
    wide = typesetting.width_mm(words.text, made.layout.font, words.points)
    high = 0.75 * words.points * typesetting.MM_PER_POINT
    if words.upward:
        return words.x - high, words.y - wide / 2, words.x, words.y + wide / 2
    left = words.x - {"left": 0, "center": wide / 2, "right": wide}[words.align]
    return left, words.y - high, left + wide, words.y


SPANS = [(0.0, 1.0), (-0.00123, 0.0456), (None, None)]


@st.composite
def sheets(draw):
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    made = []
    for _ in range(rows):
        content = [
            Panel(
                picture(draw(st.sampled_from([0.3, 0.75, 1.0, 1.7])), HEAT),
                draw(st.sampled_from(["", "NL", "input"])),
                draw(st.sampled_from(["", "c17", "a longer label of many words"])),
                span=draw(st.sampled_from(SPANS)),
            )
            for _ in range(columns)
        ]
        for k in range(1, columns):
            if draw(st.integers(0, 9)) == 0:
                content[k] = None
        label = draw(st.sampled_from(["", "NL", "Compact generalized non-local network"]))
        high = draw(st.sampled_from([1.0, 0.00123]))
        one_map = draw(st.booleans())
        made.append(Row(label, tuple(content), (), 0.0, high, one_map=one_map))
    layout = {
        "width_mm": draw(st.sampled_from([*VENUES.values(), 100.3])),
        "dpi": draw(st.sampled_from([72, 150, 300, 301])),
        "gap_mm": draw(st.sampled_from([0.0, 0.1, 0.8, 3.0])),
        "font": draw(st.sampled_from(["sans", "serif", "times"])),
        "font_pt": draw(st.floats(5, 10)),
        "captions": draw(st.sampled_from(["none", "(a)", "A"])),
        "captions_of": draw(st.sampled_from(["panels", "rows", "columns"])),
        "bar": draw(st.sampled_from(["none", "shared", "row", "map"])),
        "columns": draw(st.integers(0, 4)),
        "transpose": draw(st.booleans()),
    }
    return sheet_of(made, **layout)


@settings(max_examples=60, deadline=None)
@given(sheets())
def test_panels_lie_inside_the_page_on_whole_pixels_and_never_overlap(made):
    found = fitting(made)
    check(made, found)
    assert {(p.row, p.column) for p in found.places} == {(r, k) for r, k, _ in made.panels}
    for place in found.places:
        box, aspect = place.box, place.panel.content.aspect
        assert box.bottom - box.top == pytest.approx(
            aspect * (box.right - box.left), abs=0.51 * pixel(made)
        )
        assert place.panel is made.rows[place.row].panels[place.column]


NARROW = sheet_of(
    [Row("Compact generalized non-local network", (Panel(picture(0.3, HEAT)),) * 6, (), 0.0, 1.0)],
    width_mm=82.55, gap_mm=3.0, font_pt=10.0, bar="row",
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(sheets())
@example(NARROW)
def test_words_and_bars_lie_inside_the_page_beside_the_panels(made):
    found = fitting(made)
    panels = [place.box for place in found.places]
    texts = [extent(words, made) for words in found.words if not words.upward]
    texts += [(b.box.left, b.box.top, b.box.right, b.box.bottom) for b in found.bars]
    for left, top, right, bottom in texts:
        assert left >= -0.5
        assert right <= found.width + 0.5
        assert top >= -0.1
        assert bottom <= found.height + 0.1
        for box in panels:
            outside = (
                right <= box.left + 0.3
                or left >= box.right - 0.3
                or bottom <= box.top + 0.1
                or top >= box.bottom - 0.1
            )
            assert outside
    for words in found.words:
        if words.upward:
            assert extent(words, made)[0] >= -0.2
            assert words.x <= min(box.left for box in panels)


@pytest.mark.parametrize("width", VENUES.values())
@pytest.mark.parametrize("columns", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("gap", [0.0, 0.8, 2.0])
def test_panels_are_alike_and_fill_the_width_with_equal_gaps(width, columns, gap):
    made = table(2, columns, width_mm=width, gap_mm=gap, labels=False, bar="none")
    found, step = plan(made), pixel(made)
    line = [place.box for place in found.places if place.row == 0]
    assert line[0].left == 0
    wide = [box.right - box.left for box in line]
    np.testing.assert_allclose(wide, wide[0])
    gaps = [after.left - before.right for before, after in pairwise(line)]
    np.testing.assert_allclose(gaps, gap, atol=step / 2 + WHOLE)
    np.testing.assert_allclose(gaps, gaps[:1] * len(gaps))
    # What is left over is less than a pixel a panel.
    assert 0 <= found.width - line[-1].right + WHOLE < columns * step + 2 * WHOLE
    below = next(p.box for p in found.places if (p.row, p.column) == (1, 0))
    assert below.top - line[0].bottom == pytest.approx(gap, abs=step)
    assert found.width == width


def captions_of(found):
    """Return what stands under each panel, as one text, in the figure's order."""
    under = {}
    for place in sorted(found.places, key=lambda p: (p.row, p.column)):
        middle = (place.box.left + place.box.right) / 2
        lines = [
            w
            for w in found.words
            if w.x == pytest.approx(middle) and place.box.bottom < w.y < place.box.bottom + 12
        ]
        under[place.row, place.column] = " ".join(w.text for w in sorted(lines, key=lambda w: w.y))
    return under


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


def texts(found, upward):
    return [words.text for words in found.words if words.upward == upward]


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


def test_a_transposed_figure_has_the_same_panels_the_other_way_round():
    made = table(2, 3)
    turned = replace(made, layout=replace(made.layout, transpose=True))
    found, other = plan(made), plan(turned)
    for place in found.places:
        same = other.place(place.row, place.column)
        assert same.panel is place.panel
    assert other.place(0, 1).box.left == other.place(0, 0).box.left
    assert other.place(1, 0).box.top == other.place(0, 0).box.top


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


def test_bars_are_wider_than_pictures_and_as_high_as_their_row():
    chart = Panel(bars(gate_layers()), "factor by layer")
    made = sheet_of([[Panel(picture(0.8)), chart, Panel(picture(0.8))]])
    found = plan(made)
    first, wide, last = (place.box for place in found.places)
    assert wide.right - wide.left == pytest.approx(2.2 * (first.right - first.left), rel=0.01)
    assert (wide.top, wide.bottom) == pytest.approx((last.top, last.bottom))
    alone = plan(sheet_of([[chart]]))
    check(made, found)
    assert alone.places[0].box.bottom > alone.places[0].box.top


def test_a_matrix_keeps_its_aspect():
    made = sheet_of([[Panel(Matrix(np.ones((70, 12), np.float32), (1, 1), (70, 12), (2, 2)))]])
    box = plan(made).places[0].box
    assert (box.bottom - box.top) / (box.right - box.left) == pytest.approx(70 / 12, rel=0.001)


def test_bars_say_what_their_ends_stand_for():
    panels = (Panel(picture(0.8, HEAT)),) * 2
    rows = [Row("", panels, (), 0.25, 1.5), Row("", panels, (), 0.25, 1.5)]
    (bar,) = plan(sheet_of(rows)).bars
    assert (bar.low, bar.high, bar.upward) == (0.25, 1.5, False)
    other = [rows[0], Row("", panels, (), 0.25, 9.0)]
    (bar,) = plan(sheet_of(other)).bars
    assert (bar.low, bar.high) == (None, None)
    first, second = plan(sheet_of(other, bar="row")).bars
    assert ((first.low, first.high), (second.low, second.high)) == ((0.25, 1.5), (0.25, 9.0))
    assert first.upward
    assert plan(sheet_of(rows, bar="none")).bars == ()
    plain = [Row("", (Panel(picture()),))]
    assert plan(sheet_of([*other, *plain], bar="row")).bars == (first, second)
    assert plan(sheet_of(plain)).bars == ()


def own_bars(found, place):
    """Return the bars under a panel, before anything else begins."""
    box = place.box
    return [
        bar for bar in found.bars
        if not bar.upward and box.left <= bar.box.left < bar.box.right <= box.right
        and box.bottom <= bar.box.top
        and not any(box.bottom < p.box.top < bar.box.top for p in found.places)
    ]  # fmt: skip


def maps_of(*spans, **how):
    """Return a row of maps with these ends, behind a picture without any."""
    panels = [Panel(picture(0.8, HEAT), span=span) for span in spans]
    return Row("", (Panel(picture(0.8), "input"), *panels), **how)


def test_every_map_of_a_still_picture_has_a_bar_of_its_own_under_it():
    made = sheet_of([maps_of((0.0, 1.0), (-2.5, 3e-5)), maps_of((None, None))], bar="map")
    found = plan(made)
    check(made, found)
    assert len(found.bars) == 3
    ends = {(0, 0): [], (0, 1): [(0.0, 1.0)], (0, 2): [(-2.5, 3e-5)], (1, 0): [],
            (1, 1): [(None, None)]}  # fmt: skip
    for at, expected in ends.items():
        bars_ = own_bars(found, found.place(*at))
        assert [(bar.low, bar.high) for bar in bars_] == expected, at
    below = min(found.place(1, k).box.top for k in (0, 1))
    small = typesetting.line_mm(0.85 * made.layout.font_pt)
    for bar in found.bars[:2]:
        # With room for its numbers before the next row begins.
        assert bar.box.bottom + small <= below


def test_the_map_of_a_clips_row_has_one_bar_beside_it():
    rows = [maps_of((0.0, 1.0), (0.0, 1.0), low=0.0, high=1.0, one_map=True),
            maps_of((0.25, 9.0), (0.25, 9.0), low=0.25, high=9.0, one_map=True)]  # fmt: skip
    found = plan(sheet_of(rows, bar="map"))
    assert [(bar.low, bar.high, bar.upward) for bar in found.bars] == [
        (0.0, 1.0, True), (0.25, 9.0, True)
    ]  # fmt: skip
    for number, bar in enumerate(found.bars):
        last = found.place(number, 2).box
        assert bar.box.left > last.right
        assert last.top < bar.box.top < bar.box.bottom < last.bottom


def test_a_row_without_heat_has_no_bar_of_its_own():
    plain = Row("", (Panel(picture()),) * 3, one_map=True)
    warm = maps_of((0.0, 1.0), (0.0, 1.0), low=0.0, high=1.0, one_map=True)
    (bar,) = plan(sheet_of([plain, warm], bar="map")).bars
    assert bar.upward
    assert plan(sheet_of([plain], bar="map")).bars == ()


def test_transposed_every_map_has_its_bar_under_it():
    warm = [maps_of((0.0, 1.0), (0.0, 1.0), low=0.0, high=1.0, one_map=True),
            maps_of((0.25, 9.0), (0.25, 9.0), low=0.25, high=9.0, one_map=True)]  # fmt: skip
    made = sheet_of(warm, bar="map", transpose=True)
    found = plan(made)
    check(made, found)
    assert not any(bar.upward for bar in found.bars)
    for row, ends in enumerate([(0.0, 1.0), (0.25, 9.0)]):
        assert own_bars(found, found.place(row, 0)) == []
        for column in (1, 2):
            (bar,) = own_bars(found, found.place(row, column))
            assert (bar.low, bar.high) == ends


@pytest.mark.parametrize("one_map", [False, True])
def test_folded_rows_keep_their_bars(one_map):
    spans = [(0.0, float(k)) for k in range(1, 7)]
    row = maps_of(*([(0.0, 1.0)] * 6 if one_map else spans), low=0.0, high=1.0, one_map=one_map)
    short = maps_of((0.0, 1.0), low=0.0, high=1.0, one_map=one_map)
    made = sheet_of([row, short], bar="map", columns=3)
    found = plan(made)
    check(made, found)
    if one_map:
        # Seven panels in lines of three, and two: a bar beside each line that there is.
        assert [(bar.upward, bar.high) for bar in found.bars] == [(True, 1.0)] * 4
        tops = sorted({place.box.top for place in found.places})
        assert [bar.box.top > top for bar, top in zip(found.bars, tops, strict=True)] == [True] * 4
        return
    assert len(found.bars) == 7
    for k, span in enumerate(spans):
        (bar,) = own_bars(found, found.place(0, k + 1))
        assert (bar.low, bar.high) == span


def test_what_the_colours_mean_is_said_once_under_bars_of_maps():
    made = lit(sheet_of([maps_of((0.0, 1.0), (2.0, 3.0))], bar="map", labels=False), threshold=0.4)
    found = plan(made)
    assert texts(found, upward=False) == [
        "each map from lowest to highest value; shown from 40 % up"
    ]
    (words,) = found.words
    assert words.y > max(bar.box.bottom for bar in found.bars)
    assert extent(words, made)[3] <= found.height


def test_the_words_beside_a_shared_bar_tell_scale_threshold_and_union():
    panels = (Panel(picture(0.8, HEAT)),)
    made = lit(sheet_of([Row("", panels)], note="a note", labels=False), threshold=0.65)
    said = " ".join(texts(plan(made), upward=False))
    assert said == "each map from lowest to highest value; shown from 65 % up; a note"
    fixed = lit(made, normalise="fixed", fixed_range=(0.0, 0.5), threshold=0.0)
    said = " ".join(texts(plan(replace(fixed, note="")), upward=False))
    assert said == "fixed range 0 to 0.5"


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


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (table(1, 60), f"at least {SMALLEST_MM:g} are needed"),
        (table(1, 3, gap_mm=50, width_mm=100), "for each; at least"),
        (table(1, 40, gap_mm=5), "leave 0.0 mm for each"),
        (table(30, 1, 3.0), f"mm high; up to {TALLEST_MM:.0f} are drawn"),
        (table(3, 1, 2.0, width_mm=300, dpi=1200), f"{MOST_PIXELS / 1e6:.0f} are drawn"),
        (table(1, 1, label="A bird \ue123"), "U+E123"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(made, told, one_line):
    with pytest.raises(InputError) as caught:
        plan(made)
    assert told in one_line(caught.value)


def test_the_longest_label_is_laid_out():
    made = table(2, 5, label="W" * 200)
    check(made, plan(made))


def test_the_presets_start_on_pages_of_a_venues_width():
    assert {row.layout.width_mm for row in presets.TABLE.values()} <= set(VENUES.values())


@pytest.mark.parametrize(
    ("low", "high", "cut", "texts"),
    [
        (0.000138, 0.24, 0.7, ("0.000138", "0.168", "0.24")),
        (-3.0, 5.0, 0.25, ("-3", "-1", "5")),
        (0.0, 1.0, 0.7, ("0", "0.7", "1")),
        (None, None, 0.7, ("lowest", "70 %", "highest")),
        (None, None, 0.125, ("lowest", "12.5 %", "highest")),
    ],
)
def test_the_cut_of_a_colour_bar_has_the_unit_of_its_ends(low, high, cut, texts):
    first, last = colour_bars.ends(low, high)
    assert (first, colour_bars.cut_text(low, high, cut), last) == texts
