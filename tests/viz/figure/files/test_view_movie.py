"""Movies of the preset view: frames of a clip with their maps, their sizes and words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.viz.figure.files.test_figure_movie import decoded
from tests.viz.figure.view.conftest import (
    COLS,
    NEAREST,
    ROWS,
    coloured,
    green,
    grey,
    moving,
    viewed,
)
from viz.figure.files import movie
from viz.rendering import movie_files
from viz.rendering.look import Look


def panels_of(pictures):
    """Return where the panels stand in the pictures of a grey clip, (rows, columns) each: every
    pixel of one is the clip's grey in some frame, and little else is."""
    ground = np.any([(picture == 100).all(-1) for picture in pictures], axis=0)
    down, across = (ground.sum(axis) > 30 for axis in (1, 0))
    rows = slice(np.flatnonzero(down)[0], np.flatnonzero(down)[-1] + 1)
    edges = np.flatnonzero(np.diff(np.r_[0, across.astype(int), 0]))
    return [(rows, slice(*pair)) for pair in edges.reshape(-1, 2) if np.ptp(pair) > 30]


def filmed(clip, *maps, look=NEAREST, frame=2, largest=480):
    """Return the view's movie, and each of its pictures as panels side by side."""
    made = viewed(clip, *maps, look=look, frame=frame, at=(5, 91))
    film = movie.movie(made.recipe, made.sources, largest)
    pictures = [film.picture(k).astype(int) for k in range(len(clip.frames))]
    boxes = panels_of(pictures)
    assert len(boxes) == len(maps)
    return film, [[picture[box] for box in boxes] for picture in pictures]


def test_a_moving_delta_lights_the_right_cell_of_the_right_frame_of_each_network():
    still = np.zeros((5, ROWS, COLS), np.float32)
    still[:, 1, 4] = 1
    _film, shown = filmed(grey(5), moving(), still)
    for t, panels in enumerate(shown):
        for panel, cell in zip(panels, ((t % ROWS, t % COLS), (1, 4)), strict=True):
            high, wide = panel.shape[0] / ROWS, panel.shape[1] / COLS
            for y in range(ROWS):
                for x in range(COLS):
                    inside = panel[
                        round(y * high) + 3 : round((y + 1) * high) - 3,
                        round(x * wide) + 3 : round((x + 1) * wide) - 3,
                    ]
                    if (y, x) == cell and (t, y, x) != (2, 2, 0):
                        assert coloured(inside).all(), (t, y, x)
                    elif (y, x) != (2, 0):  # the reference's box
                        assert not coloured(inside).any(), (t, y, x)


def test_only_the_frame_of_the_reference_has_a_green_box():
    film, shown = filmed(grey(5), moving(), moving(), frame=3)
    assert film.references == {3}
    found = [[bool(green(panel).any()) for panel in panels] for panels in shown]
    assert found == [[k == 3] * 2 for k in range(5)]


@pytest.mark.parametrize(
    ("height", "width", "networks"),
    [(53, 67, 1), (97, 151, 2), (97, 150, 1), (700, 1500, 2), (1500, 700, 1)],
)
@pytest.mark.parametrize("kind", list(movie.KINDS))
def test_sides_are_even_and_at_most_the_cap(height, width, networks, kind):
    made = viewed(grey(2, height, width), *[moving(2)] * networks)
    film = movie.movie(made.recipe, made.sources, movie_files.KINDS[kind].largest)
    high, wide = film.shape
    assert (high % 2, wide % 2) == (0, 0)
    assert max(high, wide) <= movie_files.KINDS[kind].largest


@pytest.mark.parametrize("kind", list(movie.KINDS))
def test_the_same_view_is_the_same_movie(kind):
    made = viewed(grey(3), moving(3), look=Look(arrows=3), frame=1)
    small = replace(made.recipe, layout=replace(made.recipe.layout, dpi=50))
    first, second = (movie.write(small, made.sources, kind) for _ in range(2))
    assert first == second
    assert len(decoded(first, kind)[0]) == 3
