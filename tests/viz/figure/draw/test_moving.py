"""Drawing again what was drawn before: the same picture, whatever is taken over."""

from dataclasses import replace

import numpy as np
import pytest

from tests.viz.drawn_figures import picture, sheet_of
from viz.figure.draw import drawing
from viz.figure.draw.moving import Drafts
from viz.figure.files import export
from viz.figure.page.layout import plan
from viz.figure.panels.panel_rows import Panel

pytestmark = pytest.mark.slow

DPI = 97
HEAT = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)


def page(**look):
    content = picture(heat=HEAT)
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
