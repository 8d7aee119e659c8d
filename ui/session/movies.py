"""Movies of a figure: made on request, with progress; pressing Cancel, or anything else, stops."""

import hashlib

import streamlit as st

from ui import state
from ui.guard import guarded
from ui.server import waiting
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
    made = state.MOVIE.get()
    if not made or made[0] != mark:
        return
    st.download_button(
        f"Save the {title} ({len(made[1]) / 2**20:.1f} MB)", made[1], f"{file}.{kind}",
        movie.KINDS[kind][1], key=f"{name}-save-movie", on_click="ignore",
    )  # fmt: skip
    if kind == "mp4":
        st.video(made[1], loop=True)
    else:
        st.image(made[1], alt="The movie of the view")


def _make(figure: Figure, kind: str, mark: str, name: str) -> None:
    """Make the movie; a press of Cancel reruns the page, which ends this run at the next frame."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "Drawing")
        st.button("Cancel", key=f"{name}-movie-cancel")

    def progress(done: int, total: int) -> None:
        bar.progress(done / total, f"Frame {done} of {total}")
        waiting.pass_on()

    with guarded(), waiting.turn(LONG):
        state.MOVIE.set((mark, figure.content(kind, progress)))
    place.empty()
