"""The figure as files: made when they are asked for."""

from functools import partial

import streamlit as st

from ui.server import waiting
from ui.session import movies
from viz.figure.api import Figure
from viz.figure.files.export import STILL
from viz.figure.recipe import recipe_json


def offer(figure: Figure) -> None:
    """Draw the buttons that save the figure and its recipe, and for clips the movies."""
    with st.container(horizontal=True):
        for kind, (title, mime) in STILL.items():
            st.download_button(
                f"Save the {title}", waiting.saved(partial(figure.content, kind)),
                f"figure.{kind}", mime, key=f"figure-save-{kind}", on_click="ignore",
                icon=":material/download:",
            )  # fmt: skip
        st.download_button(
            "Recipe (.json)", recipe_json.dumps(figure.recipe), "recipe.json", "application/json",
            key="figure-save-json", on_click="ignore",
            help="Everything that is needed to draw the figure again; all files but movies have it "
            "inside.",
        )  # fmt: skip
    if movies.can_move(figure):
        movies.maker(figure, "figure")
