"""The colour bars of views: how many there are, and their ends."""

import numpy as np
import pytest

from tests.viz.drawn_figures import photo, pinned
from tests.viz.drawn_figures import view as seen_by
from tests.viz.figure.view.conftest import COLS, ROWS, grey, moving, viewed
from viz.figure import composition
from viz.figure.api import Figure
from viz.rendering.look import Look


def bars_of(made):
    return [(bar.upward, bar.low, bar.high) for bar in made.plan().bars]


def test_every_map_of_a_still_picture_has_a_bar_with_its_own_ends():
    first, second = moving(1), np.random.default_rng(5).random((1, ROWS, COLS)) + 2
    made = viewed(grey(1), first, second)
    shots = [panel.span for panel in made.panel_rows().rows[0].panels]
    assert bars_of(made) == [(False, *span) for span in shots]
    low, high = second.min(), second.max()
    assert shots[1][0] / shots[1][1] == pytest.approx(low / high, rel=1e-5)
    assert shots[0][0] == 0


def test_every_row_of_a_clip_has_one_bar_beside_each_of_its_lines():
    made = viewed(grey(11), moving(11), 3 * moving(11))
    (first, *rest), spans = bars_of(made), [(row.low, row.high) for row in made.panel_rows().rows]
    assert [first, *rest] == [(True, *spans[0])] * 2 + [(True, *spans[1])] * 2
    assert spans[1][1] == pytest.approx(3 * spans[0][1])


@pytest.mark.parametrize("frames", [1, 3])
def test_scaled_by_the_frame_a_clips_bar_has_no_numbers_and_a_pictures_has(frames):
    look = Look(normalise="frame")
    made = viewed(grey(frames), np.random.default_rng(5).random((frames, ROWS, COLS)), look=look)
    ((upward, low, high),) = bars_of(made)
    assert upward == (frames > 1)
    assert ((low, high) == (None, None)) == (frames > 1)


def test_the_union_of_maps_has_a_bar_from_0_to_1():
    views = (seen_by("cgnl", shown="union"), seen_by("cgnl"), seen_by("nl"))
    recipe = composition.view_recipe([pinned(networks=views)], Look())
    made = Figure(recipe, photo())
    (union, channel, row) = bars_of(made)
    assert union == (False, 0.0, 1.0)
    assert channel != union != row
    said = " ".join(words.text for words in made.plan().words)
    assert "CGNL: the largest of its channels at every cell" in said
