"""The figure as files: made when they are asked for; movies with progress and Cancel."""

import hashlib

import streamlit as st

from ui.figure.sources import SessionSources
from ui.guard import guarded
from viz.figure.api import Figure
from viz.figure.files import movie
from viz.figure.files.export import STILL
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe

_MOVIE = "figure-movie"


def offer(made: Recipe, found: SessionSources) -> None:
    """Draw the buttons that save the figure and its recipe, and for clips the movies."""
    figure = Figure(made, found)
    with st.container(horizontal=True):
        for kind, (title, mime) in STILL.items():
            st.download_button(
                f"Save the {title}", lambda kind=kind: figure.content(kind), f"figure.{kind}", mime,
                key=f"figure-save-{kind}", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
        st.download_button(
            "Recipe (.json)", recipe_json.dumps(made), "recipe.json", "application/json",
            key="figure-save-json", on_click="ignore",
            help="Everything that is needed to draw the figure again; PDF, SVG and PNG have it "
            "inside.",
        )  # fmt: skip
    if made.preset in movie.MOVING and any(one.medium.is_clip for one in made.references):
        _movies(figure)


def _movies(figure: Figure) -> None:
    """Draw the button that makes a movie, and the movie once it is made."""
    titles = {title: kind for kind, (title, _mime) in movie.KINDS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = next(iter(titles))
        title = st.segmented_control("Movie", list(titles), default=first, key="figure-movie-kind")
        title = title or first
        wanted = st.button(f"Make the {title}", key="figure-movie-make")
    kind = titles[title]
    mark = hashlib.sha256(f"{kind} {recipe_json.dumps(figure.recipe)}".encode()).hexdigest()
    if wanted:
        _make(figure, kind, mark)
    made = st.session_state.get(_MOVIE)
    if not made or made[0] != mark:
        return
    st.download_button(
        f"Save the {title} ({len(made[1]) / 2**20:.1f} MB)", made[1], f"figure.{kind}",
        movie.KINDS[kind][1], key="figure-save-movie", on_click="ignore",
    )  # fmt: skip
    if kind == "mp4":
        st.video(made[1], loop=True)
    else:
        st.image(made[1])


def _make(figure: Figure, kind: str, mark: str) -> None:
    """Make the movie; a press of Cancel reruns the page, which ends this run at the next frame."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "Drawing")
        st.button("Cancel", key="figure-movie-cancel")

    def progress(done: int, total: int) -> None:
        bar.progress(done / total, f"Frame {done} of {total}")

    with guarded():
        st.session_state[_MOVIE] = (mark, figure.content(kind, progress))
    place.empty()
