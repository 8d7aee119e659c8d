"""Movies of a figure: made on request, with progress; pressing Stop, or anything else, stops, and
the page says what came of it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from errors import StoppedError
from ui import state
from ui.guard import guarded, say
from ui.server import waiting
from ui.server.sending import pictures
from ui.server.turns import LONG
from viz.figure.api import Figure
from viz.figure.files import movie
from viz.figure.recipe import recipe_json


def can_move(figure: Figure) -> bool:
    """Tell whether a figure has clips that its preset shows frame by frame."""
    recipe = figure.recipe
    return recipe.preset in movie.MOVING and any(one.medium.is_clip for one in recipe.references)


def maker(figure: Figure, file: str, name: str = "figure") -> None:
    """Draw the button that makes a movie, and the movie once it is made.

    It is saved as ``file``; ``name`` tells its widgets from others.
    """
    titles = {title: kind for kind, (title, _mime) in movie.KINDS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = next(iter(titles))
        title = st.segmented_control("Movie", list(titles), default=first, key=f"{name}-movie-kind")
        title = title or first
        wanted = st.button(f"Make the {title}", key=f"{name}-movie-make")
    kind = titles[title]
    mark = hashlib.sha256(f"{kind} {recipe_json.dumps(figure.recipe)}".encode()).hexdigest()
    if wanted:
        _make(figure, kind, mark, name)
    made, ended = state.MOVIE.get(), state.MOVIE_ENDED.get()
    if ended and ended[0] == mark:
        say(_stopped(title, *ended[1:]))
    if not made or made[0] != mark:
        return
    st.download_button(
        f"Save the {title} ({len(made[1]) / 2**20:.1f} MB)", made[1], f"{file}.{kind}",
        movie.KINDS[kind][1], key=f"{name}-save-movie", on_click="ignore",
    )  # fmt: skip
    pictures.show_movie(made[1], kind, "The movie of the view")


def _stopped(title: str, done: int, total: int) -> StoppedError:
    """Return what is said of a movie that was stopped."""
    where = f"at frame {done} of {total}" if done else "before a frame was drawn"
    return StoppedError(
        f"Stopped {where}; nothing of the movie is kept. Make the {title} begins anew."
    )


@contextmanager
def _noted(mark: str) -> Iterator[None]:
    """Note that a movie is being made. The note stays where Streamlit ends the run, which is no
    Exception."""
    state.MOVIE_ENDED.set((mark, 0, 0))
    try:
        yield
    except Exception:
        state.MOVIE_ENDED.pop()
        raise
    state.MOVIE_ENDED.pop()


def _make(figure: Figure, kind: str, mark: str, name: str) -> None:
    """Make the movie; a press of Stop reruns the page, which ends this run at the next frame."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "Drawing")
        st.button("Stop", key=f"{name}-movie-stop", icon=":material/stop:")

    def progress(done: int, total: int) -> None:
        state.MOVIE_ENDED.set((mark, done, total))
        bar.progress(done / total, f"Frame {done} of {total}")
        waiting.pass_on()

    with guarded(), _noted(mark), waiting.turn(LONG):
        state.MOVIE.set((mark, figure.content(kind, progress)))
    place.empty()
