"""Arrows of a figure: from which panel to which, and how many."""

import numpy as np
import pytest

from tests.viz.drawn_figures import HEIGHT, WIDTH, footage, photo, pinned, recipe_of, row_at
from tests.viz.figure.panels.conftest import rows_of
from tests.viz.figure.panels.test_match_panels import pair, two
from viz.figure.resolve import scene
from viz.rendering.look import Look
from viz.types import Cell


def brute_arrows(values, count):
    """Return (t, y, x) of the ``count`` highest values, one after the other."""
    rest, found = values.astype(np.float64).copy(), []
    for _ in range(count):
        place = np.unravel_index(rest.argmax(), rest.shape)
        found.append(tuple(int(v) for v in place))
        rest[place] = -np.inf
    return found


def test_arrows_go_to_the_twenty_highest_weights_in_the_columns_of_their_frames():
    sources = footage()
    look = Look(threshold=0.0, heat_opacity=0.0, arrows=20)
    recipe = recipe_of(
        "arrows", pinned("clip", ("nl",), frame=4, frames=7), look=look, input_panel=False
    )
    (row,) = rows_of(recipe, sources)
    values = row_at(sources.blocks["clip", "nl"], Cell(4, 2, 1))
    assert len(row.arrows) == 20
    for (start, end), (t, y, x) in zip(row.arrows, brute_arrows(values, 20), strict=True):
        assert start.column == 4
        assert (start.x, start.y) == pytest.approx((WIDTH / 2, HEIGHT / 2))
        assert end.column == t
        assert (end.x, end.y) == pytest.approx(((x + 0.5) / 3 * WIDTH, (y + 0.5) / 5 * HEIGHT))
    assert all(panel.content.shade is None for panel in row.panels)
    assert not row.has_heat


def test_arrows_of_pooled_time_end_in_a_frame_of_their_moment():
    sources = footage(7, 3)
    look = Look(arrows=20)
    recipe = recipe_of("arrows", pinned("clip", ("nl",), frames=7), look=look, input_panel=False)
    (row,) = rows_of(recipe, sources)
    values = row_at(sources.blocks["clip", "nl"], Cell(0, 2, 1))
    for (_, end), (t, _, _) in zip(row.arrows, brute_arrows(values, 20), strict=True):
        assert end.column * 3 // 7 == t


def test_arrows_to_frames_that_are_not_shown_are_left_out():
    sources = footage()
    look = Look(arrows=20)
    recipe = recipe_of(
        "arrows", pinned("clip", ("nl",), frames=7), look=look, input_panel=False, most_frames=3
    )
    (row,) = rows_of(recipe, sources)
    values = row_at(sources.blocks["clip", "nl"], Cell(0, 2, 1))
    wanted = [t for t, _, _ in brute_arrows(values, 20) if t in (0, 3, 6)]
    assert [end.column for _, end in row.arrows] == [wanted_t // 3 for wanted_t in wanted]


def test_arrows_in_a_still_picture_stay_in_the_panel_of_their_method():
    look = Look(arrows=7)
    (row,) = rows_of(recipe_of("arrows", pinned(), look=look), photo())
    assert [(start.column, end.column) for start, end in row.arrows] == [(1, 1)] * 7 + [(2, 2)] * 7


def test_arrows_of_two_pictures_lead_from_the_reference_into_both():
    look, asked = Look(heat_opacity=0.0, arrows=7), pair(("nl",))
    (row,) = rows_of(recipe_of("arrows", asked, look=look, input_panel=False), two())
    assert [(start.column, end.column) for start, end in row.arrows] == [(0, 0)] * 7 + [(0, 1)] * 7
    assert len({(start.x, start.y) for start, _end in row.arrows}) == 1
    found = scene(asked, two())
    for part, ends in ((found, row.arrows[:7]), (found.second, row.arrows[7:])):
        for (_start, end), (_t, y, x) in zip(
            ends, brute_arrows(part.shots[0].maps[0].values, 7), strict=True
        ):
            assert (end.x, end.y) == pytest.approx(((x + 0.5) / 7 * WIDTH, (y + 0.5) / 5 * HEIGHT))


def test_of_two_pictures_every_method_has_arrows_of_its_own():
    look = Look(heat_opacity=0.0, arrows=2)
    (row,) = rows_of(recipe_of("arrows", pair(("nl", "cgnl")), look=look), two())
    columns = [(start.column, end.column) for start, end in row.arrows]
    assert columns == [(1, 1), (1, 1), (1, 2), (1, 2), (3, 3), (3, 3), (3, 4), (3, 4)]


def test_a_view_has_no_arrow_from_one_canvas_to_another():
    (row,) = rows_of(recipe_of("view", pair(("nl",)), look=Look(arrows=2)), two())
    assert {(start.column, end.column) for start, end in row.arrows} == {(1, 1)}
