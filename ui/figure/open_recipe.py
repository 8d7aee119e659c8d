"""Opening a recipe or a figure: its references as pins, its settings, its missing media."""

from collections.abc import Sequence

import streamlit as st

from errors import AttentionVizError, InputError
from ui import state
from ui.figure import settings as figure_settings
from ui.guard import plain
from ui.isolation import texts
from ui.server.visitor import stop_if_ended
from ui.session import missing
from ui.session import pins as session_pins
from ui.session.media import medium
from ui.session.pins import Pin
from viz.figure.files import recipe_text
from viz.figure.recipe.recipe import Recipe

LARGEST_MB = recipe_text.LARGEST_BYTES // 2**20


def uploader() -> None:
    """Draw the place to drop a recipe or a figure, and why the last one was not opened."""
    st.file_uploader(
        "Open a recipe or a figure (JSON, PDF, SVG, EPS, PNG, TIFF)", key=_upload_key(),
        max_upload_size=LARGEST_MB, on_change=_take,
        help="Its pins and settings take the place of those that are here.",
    )  # fmt: skip
    if problem := state.FIGURE_OPEN_PROBLEM.get():
        st.error(problem)


def _upload_key() -> str:
    return f"figure-file-{state.FIGURE_ROUND.get()}"


def _take() -> None:
    upload = state.widget(_upload_key()).get()
    state.FIGURE_OPEN_PROBLEM.pop()
    if upload is None:
        return
    try:
        [(name, content)] = medium.contents([upload])
        begin(texts.recipe(content, name, stop_if_ended))
    except AttentionVizError as problem:
        state.FIGURE_OPEN_PROBLEM.set(plain(str(problem)))


def begin(recipe: Recipe) -> None:
    """Open a recipe: at once where all its media are here, else when the missing ones are given.

    InputError for one with a font of its own: no file that a recipe names is opened.
    """
    if recipe.layout.own_font:
        raise InputError(
            f"The recipe has a font of its own, {recipe.layout.own_font[-40:]}, which the app does "
            "not take; draw it with python -m viz render, or take own_font out of its layout."
        )

    def done(pins: Sequence[Pin]) -> None:
        _close()
        try:
            session_pins.put(pins)
        except AttentionVizError as problem:
            state.FIGURE_OPEN_PROBLEM.set(plain(str(problem)))
            return
        figure_settings.take(recipe)

    missing.begin(missing.Opened(recipe.references, done))


def _close() -> None:
    missing.cancel()
    # The same file can then be dropped again.
    state.FIGURE_ROUND.set(state.FIGURE_ROUND.get() + 1)


def pending() -> None:
    """Draw what an opened recipe, or pins that the browser has kept, still lack."""
    if missing.pending() is None:
        return
    missing.ask()
    with st.container(horizontal=True):
        if missing.can_go_on():
            st.button("Open without them", key="figure-without", on_click=missing.without)
        st.button("Do not open", key="figure-cancel", on_click=_close)
