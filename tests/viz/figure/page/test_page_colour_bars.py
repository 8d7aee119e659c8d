"""Colour bars of a page: whose they are, where they stand, what their ends and words say."""

from dataclasses import replace

import pytest

from tests.viz.drawn_figures import lit, picture, sheet_of
from tests.viz.figure.page.conftest import HEAT, check, extent, texts
from viz.figure.page import colour_bars, typesetting
from viz.figure.page.layout import plan
from viz.figure.panels.panel_rows import Panel, Row


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
