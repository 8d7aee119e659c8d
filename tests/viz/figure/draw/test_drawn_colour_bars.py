"""Colour bars of drawn figures: their colours, ends and cut, and numbers that do not collide."""

from itertools import pairwise

import matplotlib
import numpy as np
import pytest

from tests.viz.drawn_figures import lit, picture, sheet_of
from tests.viz.figure.draw.conftest import HEAT, box_of, corners, drawn, named, rectangle_of
from viz.figure.panels.panel_rows import Panel, Row
from viz.rendering import colormaps

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("bar", ["shared", "row"])
def test_a_colour_bar_tells_its_ends_and_the_cut(bar):
    panels = (Panel(picture(0.8, HEAT)),) * 3
    panel_rows = lit(sheet_of([Row("", panels, (), 0.0125, 3.5)], bar=bar), threshold=0.6)
    figure, found = drawn(panel_rows)
    drawings = named(figure, "bar-")
    assert set(drawings) == {"bar-0", "bar-0-0", "bar-0-1", "bar-0-0.6"}
    image = drawings["bar-0"]
    assert box_of(image) == pytest.approx(corners(found.bars[0].box))
    ramp = np.asarray(image.get_array())
    table_ = colormaps.colour_table(panel_rows.look.colormap)
    along = ramp[::-1, 0] if bar == "row" else ramp[0]
    np.testing.assert_array_equal(along, table_)
    texts = {g: t.get_text() for g, t in named(figure, "bar-0-").items()}
    assert texts == {"bar-0-0": "0.0125", "bar-0-1": "3.5", "bar-0-0.6": "2.1"}
    box = found.bars[0].box
    pale = next(a for a in figure.axes[0].get_children() if getattr(a, "get_alpha", None)
                and a.get_alpha() == 0.75)  # fmt: skip
    left, top, right, bottom = rectangle_of(pale)
    if bar == "row":
        assert top == pytest.approx(box.bottom - 0.6 * (box.bottom - box.top))
    else:
        assert right == pytest.approx(box.left + 0.6 * (box.right - box.left))
    assert (left, bottom) == pytest.approx((box.left, box.bottom))


def test_the_numbers_of_a_rows_bar_stay_on_the_page():
    panels = (Panel(picture(0.8, HEAT)),) * 3
    for font_pt in (5.0, 8.0, 12.0):
        panel_rows = sheet_of([Row("", panels, (), 0.0, 1.0)], bar="row", font_pt=font_pt)
        figure, found = drawn(lit(panel_rows, threshold=0.5))
        edge = figure.bbox.width
        assert len(named(figure, "bar-0-")) == 3
        for text in named(figure, "bar-0-").values():
            assert text.get_window_extent().x1 <= edge + 1
        assert found.bars[0].upward


def overlap(one, other):
    """Say whether two texts cover each other, boxes in pixels of the page."""
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return wide > 0.5 and high > 0.5


@pytest.mark.parametrize("width_mm", [60.0, 82.55, 183.0])
@pytest.mark.parametrize("across", [1, 3, 8])
@pytest.mark.parametrize("span", [(-0.00123, -1.23e-05), (None, None), (0.0, 1.0)])
@pytest.mark.parametrize("transpose", [False, True])
def test_numbers_of_neighbouring_bars_do_not_cover_each_other(width_mm, across, span, transpose):
    panels = (Panel(picture(0.4, HEAT), span=span),) * across
    row = Row("", panels, (), *span, one_map=transpose)
    how = {"width_mm": width_mm, "font_pt": 9.0, "transpose": transpose, "dpi": 150}
    panel_rows = sheet_of([row, row], bar="map", **how)
    figure, found = drawn(lit(panel_rows, threshold=0.5))
    assert len(found.bars) == 2 * across
    ticks = [text for gid, text in named(figure, "bar-").items() if gid.count("-") == 2]
    with matplotlib.rc_context({"text.hinting": "none"}):  # as it is saved
        boxes = [text.get_window_extent() for text in ticks]
        words = [text.get_window_extent() for text in named(figure, "words-").values()]
    assert len(boxes) >= 4 * across
    for k, one in enumerate(boxes):
        assert not any(overlap(one, other) for other in [*boxes[:k], *words]), ticks[k]


@pytest.mark.parametrize("aspect", [0.06, 0.3, 1.0])
def test_numbers_beside_a_low_row_do_not_cover_each_other(aspect):
    panels = (Panel(picture(aspect, HEAT)),) * 8
    rows = [Row("", panels, (), 0.0, 1.0, one_map=True)] * 3
    figure, found = drawn(lit(sheet_of(rows, bar="map", font_pt=9.0), threshold=0.5))
    assert len(found.bars) == 3
    ticks = [text for gid, text in named(figure, "bar-").items() if gid.count("-") == 2]
    assert len(ticks) >= 6
    # Digits stand on the line and have no tails.
    spans = sorted((t.get_position()[1] - 0.73 * t.get_fontsize() / 72 * 25.4,
                    t.get_position()[1]) for t in ticks)  # fmt: skip
    for (_, low), (high, _) in pairwise(spans):
        assert low < high
