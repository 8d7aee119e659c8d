"""Drawing again what was drawn before: the same picture, whatever is taken over."""

from dataclasses import replace

import numpy as np
import pytest

from tests.viz.drawn_figures import drawn, picture, sheet_of
from viz.figure.draw import drawing, rasters
from viz.figure.draw.moving import Drafts, MovingPages
from viz.figure.files import export
from viz.figure.page.layout import plan
from viz.figure.panels.panel_rows import Panel, Point
from viz.geometry import Box

pytestmark = pytest.mark.slow

DPI = 97
HEAT = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)


def page(marked=None, **look):
    content = replace(picture(heat=HEAT), **(marked or {}))
    rows = sheet_of([[Panel(content), Panel(content)]])
    rows = replace(rows, look=replace(rows.look, **look))
    return rows, plan(rows)


def whole(found):
    return export.pixels(drawing.draw(*found, DPI), DPI)


@pytest.mark.parametrize(
    "changes",
    [
        [{"threshold": 0.3}, {"threshold": 0.4}, {"threshold": 0.9}],
        [{"heat_opacity": 0.2}, {"heat_opacity": 0.9, "threshold": 0.1}],
        [{"colormap": "viridis"}, {"colormap": "gray"}, {"colormap": "gray", "threshold": 0.2}],
    ],
    ids=["threshold", "opacity", "colours"],
)
def test_a_draft_is_the_whole_drawing_but_for_the_edges_of_panels(changes):
    drafts = Drafts()
    for look in ({}, *changes, {}):
        found = page(**look)
        draft, wanted = drafts.draw(found, DPI), whole(found)
        assert draft.shape == wanted.shape
        other = np.abs(draft.astype(int) - wanted).max(-1) > 40
        assert other.mean() < 0.03, look


@pytest.mark.parametrize(
    "marked",
    [
        {"reference": Box(8, 6, 24, 20), "regions": (Box(0, 0, 9, 9), Box(30, 20, 60, 41))},
        {"points": (Point(20, 20, 0), Point(44, 30, 1))},
    ],
    ids=["boxes", "dots"],
)
def test_what_is_taken_over_is_what_would_be_drawn_anew(marked):
    drafts, blank = Drafts(), page()
    pages = [page(marked, threshold=0.2), page(marked, threshold=0.5), blank, page(marked)]
    for found in (blank, *pages, *reversed(pages)):
        kept = drafts.draw(found, DPI)
        anew = MovingPages((found, blank), DPI).draw(found)
        np.testing.assert_array_equal(kept, anew)


def test_only_the_marks_of_the_last_page_are_kept():
    drafts, boxes = Drafts(), {"regions": tuple(Box(k, k, k + 9, k + 9) for k in range(20))}
    for found in (page(), page(boxes), page(boxes), page()):
        drafts.draw(found, DPI)
    least = len(drafts._moving._strokes._before)
    around = len(drafts._moving._canvas.axes.get_children())
    drafts.draw(page(boxes), DPI)
    assert len(drafts._moving._strokes._before) > least + 19
    drafts.draw(page(), DPI)
    assert len(drafts._moving._strokes._before) == least
    assert len(drafts._moving._canvas.axes.get_children()) == around


def test_a_page_that_failed_leaves_nothing_on_the_next(monkeypatch):
    marked = {"regions": (Box(0, 0, 9, 9),), "points": (Point(20, 20, 0),)}
    drafts, plain = Drafts(), page()
    drafts.draw(plain, DPI)
    wanted = drafts.draw(plain, DPI)
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "matches", lambda _canvas: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drafts.draw(page(marked), DPI)
    np.testing.assert_array_equal(drafts.draw(plain, DPI), wanted)


def test_a_picture_is_scaled_once_for_all_panels_and_pages_that_show_it(monkeypatch):
    made, scale = [], rasters.scaled
    monkeypatch.setattr(rasters, "scaled", lambda *how: made.append(how) or scale(*how))
    drafts, frame = Drafts(), drawn()[0]
    for threshold in (0.1, 0.2):  # what two pages have in common is known by the second
        drafts.draw(page({"frame": frame}, threshold=threshold), DPI)
    made.clear()
    for threshold in (0.3, 0.4):
        drafts.draw(page({"frame": frame}, threshold=threshold), DPI)
    assert not made
    drafts.draw(page({"frame": frame.copy()}), DPI)
    assert len(made) == 1
