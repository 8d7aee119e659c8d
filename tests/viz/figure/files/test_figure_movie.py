"""Figures as movies: one picture a frame of the clips, of even size, at the clip's own times."""

import io
from dataclasses import replace

import av
import matplotlib
import numpy as np
import pytest
from PIL import Image

from errors import InputError
from tests.viz.drawn_figures import clip_of, footage, nl, photo, pinned, recipe_of
from tests.viz.figure.view.conftest import grey, moving, viewed
from viz.figure.draw import drawing
from viz.figure.files import export, movie
from viz.figure.files.movie import FigureMovie
from viz.figure.page import layout as page_layout
from viz.figure.page.plan import Plan
from viz.figure.panels.panel_rows import PanelRows
from viz.figure.recipe.recipe import Recipe
from viz.rendering import movie_files
from viz.rendering.look import Look
from viz.types import Clip

pytestmark = pytest.mark.slow

TIMES = (0.0, 0.1, 0.25, 0.3, 0.5, 0.6, 0.7)


def clip() -> Clip:
    return replace(clip_of(7), timestamps=TIMES)


def sources():
    made = footage()
    made.clips["clip"] = clip()
    return made


def figure(preset="frames", **layout) -> Recipe:
    how = {"width_mm": 60.0, "dpi": 60, "input_panel": False} | layout
    return recipe_of(preset, pinned("clip", frame=2, frames=7), look=Look(threshold=0.4), **how)


def decoded(content: bytes, kind: str) -> tuple[list[np.ndarray], list[float]]:
    """Return the pictures of a movie and the time in s at which each begins."""
    if kind == "mp4":
        with av.open(io.BytesIO(content)) as opened:
            frames = list(opened.decode(video=0))
        return [f.to_ndarray(format="rgb24") for f in frames], [float(f.time) for f in frames]
    pictures, starts = [], [0.0]
    with Image.open(io.BytesIO(content)) as opened:
        for k in range(opened.n_frames):
            opened.seek(k)
            pictures.append(np.asarray(opened.convert("RGB")))
            starts.append(starts[-1] + opened.info["duration"] / 1000)
    return pictures, starts[:-1]


@pytest.fixture
def planned(monkeypatch) -> list[tuple[PanelRows, Plan]]:
    """Every page that is laid out."""
    pages, real = [], page_layout.plan

    def plan(panel_rows):
        pages.append((panel_rows, real(panel_rows)))
        return pages[-1][1]

    monkeypatch.setattr(page_layout, "plan", plan)
    return pages


def page_of(film, index, planned) -> Plan:
    """Return the page of a movie's frame."""
    before = len(planned)
    film.picture(index)
    return planned[before:][0][1]


def still_of(film, page) -> np.ndarray:
    """Return a page as it is saved as a PNG of the movie's resolution."""
    drawn = drawing.draw(*page, film.dpi)
    with Image.open(io.BytesIO(export.write(drawn, "png", film.dpi, None))) as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.fixture(scope="module")
def movies() -> dict[str, bytes]:
    return {kind: movie.write(figure(), sources(), kind) for kind in movie.KINDS}


@pytest.mark.parametrize("kind", list(movie.KINDS))
def test_a_movie_has_a_picture_a_frame_at_the_clips_own_times(movies, kind):
    pictures, starts = decoded(movies[kind], kind)
    assert len(pictures) == 7
    np.testing.assert_allclose(starts, TIMES, atol=0.006)
    high, wide, _rgb = pictures[0].shape
    assert (high % 2, wide % 2) == (0, 0)
    assert abs(wide - 60 / 25.4 * 60) <= 2
    assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 60


@pytest.mark.parametrize("kind", list(movie.KINDS))
def test_the_same_recipe_gives_the_same_movie(movies, kind):
    assert movie.write(figure(), sources(), kind) == movies[kind]


def test_a_movie_shows_the_pictures_that_were_drawn(movies):
    film = movie.movie(figure(), sources(), 1280)
    for k, shown in enumerate(decoded(movies["webp"], "webp")[0]):
        away = [
            np.abs(film.picture(other).astype(int) - shown).mean() for other in range(len(TIMES))
        ]
        # WebP loses a little, and no other frame is as near.
        assert away[k] < 6
        assert min(away[:k] + away[k + 1 :], default=99) > 2 * away[k]


def test_methods_stand_side_by_side_with_the_time_under_them():
    film = movie.movie(figure(), sources(), 1280)
    assert film.references == {2}
    assert film.held == movie_files.held_times(TIMES)
    assert film.shape == film.picture(3).shape[:2]
    middles = [film.picture(k)[film.shape[0] // 4] for k in (0, 6)]
    assert (middles[0] != middles[1]).any()


@pytest.mark.parametrize(
    "how", [{}, {"bar": "row", "captions": "(a)"}, {"input_panel": True, "columns": 2}]
)
@pytest.mark.parametrize("preset", movie.MOVING)
def test_every_picture_has_one_size(preset, how, planned):
    film = movie.movie(figure(preset, **how), sources(), 1280)
    pages = [page_of(film, k, planned) for k in (0, 2, 6)]
    assert len({(page.width, page.height) for page in pages}) == 1
    dpi = film.dpi / 25.4
    assert film.shape == pytest.approx((pages[0].height * dpi, pages[0].width * dpi), abs=2)
    assert {film.picture(k).shape for k in (0, 2, 6)} == {(*film.shape, 3)}


LOOKS = {
    "smooth": ({"threshold": 0.4}, {}),
    "cells": ({"threshold": 0.3, "interpolation": "nearest"}, {"bar": "row", "regions": "all"}),
    "arrows": ({"arrows": 9, "heat_opacity": 0.0}, {"captions": "(a)"}),
    "greys": ({"threshold": 0.5, "arrows": 3}, {"greyscale": True, "regions": "all"}),
    "own bars": ({"threshold": 0.4, "normalise": "frame"}, {"bar": "map", "input_panel": True}),
}
"""What is tried -> look and layout."""


@pytest.mark.parametrize("what", LOOKS)
@pytest.mark.parametrize("preset", movie.MOVING)
def test_every_picture_is_the_still_page_of_its_frame(preset, what, planned):
    look, layout = LOOKS[what]
    asked = figure(preset, **layout)
    film = movie.movie(replace(asked, look=Look(**look)), sources(), 1280)
    for k in (0, 2, 6):
        before = len(planned)
        picture = film.picture(k)
        expected = still_of(film, planned[before])
        high, wide = expected.shape[:2]
        np.testing.assert_array_equal(picture[:high, :wide], expected)
        assert (picture[high:] == 255).all()
        assert (picture[:, wide:] == 255).all()


def test_a_users_matplotlibrc_does_not_change_the_movie(movies):
    own = {"text.hinting": "force_autohint", "text.antialiased": False, "path.snap": False}
    with matplotlib.rc_context(own):
        before = dict(matplotlib.rcParams)
        assert movie.write(figure(), sources(), "gif") == movies["gif"]
        assert dict(matplotlib.rcParams) == before


def test_long_clips_keep_their_size_whatever_their_frames_number(planned):
    many = 12
    made = footage(many)
    made.clips["clip"] = replace(clip_of(many), timestamps=tuple(k + 0.0 for k in range(many)))
    for width in np.arange(28, 38, 1.0):
        asked = recipe_of(
            "frames", pinned("clip", ("nl",), frames=many), width_mm=float(width), dpi=50,
            input_panel=False,
        )  # fmt: skip
        film = movie.movie(asked, made, 1280)
        pages = [page_of(film, k, planned) for k in (9, 10)]
        assert pages[0].height == pages[1].height, width
        assert film.picture(9).shape == film.picture(10).shape, width


def test_a_movie_is_no_wider_than_its_kind_allows():
    film = movie.movie(figure(width_mm=183.0, dpi=1200), sources(), 800)
    assert film.shape[1] <= 800
    assert film.dpi == int(800 * 25.4 / 183)


def test_progress_is_told_frame_by_frame_and_may_stop_the_work():
    told = []
    movie.write(figure(), sources(), "gif", lambda done, all_: told.append((done, all_)))
    assert told == [(k, 7) for k in range(1, 8)]

    class StopError(Exception):
        pass

    def stop(_done, _all):
        raise StopError

    with pytest.raises(StopError):
        movie.write(figure(), sources(), "mp4", stop)


def test_stills_stand_beside_clips():
    made, other = sources(), photo()
    made.clips |= other.clips
    made.blocks |= other.blocks
    asked = figure()
    asked = replace(asked, references=(pinned(), *asked.references))
    film = movie.movie(asked, made, 1280)
    assert len(film.held) == 7
    assert film.references == {0, 2}
    assert (film.picture(0) != film.picture(6)).any()


@pytest.mark.parametrize("preset", ["parts", "gates", "matrix"])
def test_presets_that_show_no_frames_make_no_movie(preset, one_line):
    with pytest.raises(
        InputError, match=f"A figure of the preset {preset} with 1 clip is no movie"
    ) as caught:
        movie.write(figure(preset), sources(), "gif")
    one_line(caught.value)


def test_stills_alone_make_no_movie(one_line):
    with pytest.raises(InputError, match="with 0 clips is no movie") as caught:
        movie.write(recipe_of("frames", pinned()), photo(), "mp4")
    one_line(caught.value)


def test_clips_of_different_numbers_of_frames_make_no_movie(one_line):
    made = sources()
    made.clips["other"] = clip_of(5)
    made.blocks["other", "nl"] = nl()
    asked = figure()
    asked = replace(asked, references=(*asked.references, pinned("other", ("nl",), frames=5)))
    with pytest.raises(InputError, match="Clips of 5 and 7 frames are no movie") as caught:
        movie.write(asked, made, "webp")
    one_line(caught.value)


def test_the_kinds_are_those_of_other_movies():
    assert list(movie.KINDS) == list(movie_files.KINDS)
    assert {mime for _, mime in movie.KINDS.values()} == {"video/mp4", "image/gif", "image/webp"}


def test_frames_of_a_movie_are_drawn_while_the_one_before_is_written(monkeypatch):
    drawn, told, real = [], [], FigureMovie.picture

    def counting(film, index):
        drawn.append(index)
        return real(film, index)

    monkeypatch.setattr(FigureMovie, "picture", counting)
    movie.write(
        figure(), sources(), "mp4", lambda done, _all: told.append((len(drawn) - done, done))
    )
    assert [done for _ahead, done in told] == list(range(1, 8))
    assert {ahead for ahead, _done in told} <= {0, 1}


def test_every_frame_of_the_view_says_its_number_and_time_and_its_maps_ends(planned):
    made = viewed(replace(grey(12), timestamps=tuple(k / 4 for k in range(12))), moving(12))
    row = made.panel_rows().rows[0]
    film = movie.movie(made.recipe, made.sources, 480)
    for k, said in ((0, "frame 00 of 12, 0.00 s"), (11, "frame 11 of 12, 2.75 s")):
        page = page_of(film, k, planned)
        assert said in [words.text for words in page.words]
        (bar,) = page.bars
        assert (bar.low, bar.high, bar.upward) == (row.low, row.high, False)
