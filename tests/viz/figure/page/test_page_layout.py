"""Pages: panels that never overlap, of whole pixels, as wide as asked, with their words around."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from errors import InputError
from tests.viz.drawn_figures import gate_layers, picture, sheet_of, table
from tests.viz.figure.page.conftest import HEAT, WHOLE, check, extent, pixel
from viz.figure.page.layout import MOST_PIXELS, SMALLEST_MM, TALLEST_MM, plan
from viz.figure.panels import presets
from viz.figure.panels.gates import bars
from viz.figure.panels.panel_rows import Matrix, Panel, Row
from viz.figure.recipe.recipe import VENUES


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


def test_a_transposed_figure_has_the_same_panels_the_other_way_round():
    made = table(2, 3)
    turned = replace(made, layout=replace(made.layout, transpose=True))
    found, other = plan(made), plan(turned)
    for place in found.places:
        same = other.place(place.row, place.column)
        assert same.panel is place.panel
    assert other.place(0, 1).box.left == other.place(0, 0).box.left
    assert other.place(1, 0).box.top == other.place(0, 0).box.top


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
