"""Figure: what was pinned, as the figures of the papers."""

import streamlit as st

from errors import AttentionVizError
from ui import frame
from ui.figure import (
    open_recipe,
    pinned_look,
    preview,
    saves,
)
from ui.figure import (
    pins as figure_pins,
)
from ui.figure import (
    recipe as figure_recipe,
)
from ui.figure import (
    settings as figure_settings,
)
from ui.figure import (
    sidebar as figure_sidebar,
)
from ui.figure import (
    sources as figure_sources,
)
from ui.figure.sources import SessionSources
from ui.guard import guarded, plain
from ui.session import pins as session_pins
from ui.session.media import arrivals
from ui.session.pin_button import undo_button
from viz.examples import bird
from viz.figure.recipe.recipe import Reference


def start() -> None:
    """Say how to pin, and offer the example and a figure that was saved."""
    figure_settings.forget_unless_given()
    st.write(
        "Nothing is pinned yet: on Explore, **Pin for a figure** above the maps collects views."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Start with the example", key="figure-example", type="primary", on_click=_example)
        st.page_link("pages/explore.py", label="Go to Explore", icon=":material/visibility:")
        undo_button()
    open_recipe.uploader()


def _example() -> None:
    with guarded():
        session_pins.add(figure_recipe.example_reference(), bird.clip())


def missing_networks(references: tuple[Reference, ...], found: SessionSources) -> None:
    """Name the networks that are not here, and lead to where they are opened."""
    problems = []
    for network in figure_sources.networks_of(references):
        try:
            found.model(network)
        except AttentionVizError as problem:
            problems.append(plain(str(problem)))
    for problem in problems:
        st.warning(problem)
    if problems:
        st.page_link("pages/models.py", label="Open a checkpoint", icon=":material/deployed_code:")


def figure() -> None:
    """Draw the figure of what is pinned, and everything that changes it.

    What comes and goes has places of its own, so that nothing below moves.
    """
    pins = session_pins.pins()
    references = [pin.reference for pin in pins]
    figure_settings.current(references)
    above = st.container()
    if not figure_settings.follow([pin.id for pin in pins], references):
        above.info(MOVED)
    chosen = figure_settings.current(references)
    figure_pins.strip()
    found = figure_sources.sources()
    shown = figure_recipe.shown(pins, chosen.preset)
    with st.container():
        for sentence in figure_recipe.left_out(pins, chosen.preset):
            st.caption(sentence)
        missing_networks(tuple(pin.reference for pin in shown), found)
        pinned_look.tell(chosen, [pin.reference for pin in shown])
    with st.container():
        made = preview.show(shown, chosen, found)
    with st.container():
        if made is not None:
            saves.offer(made)
    # Behind the drawing, which is what is waited for.
    figure_sidebar.sidebar(chosen, pins, found)
    with st.container():
        figure_pins.details(found)
    with st.expander("Open a recipe or a figure"):
        open_recipe.uploader()


MOVED = (
    "The recipe's labels of rows were for the old rows of the figure, and were taken away; give "
    "the pins labels of their own."
)


def main() -> None:
    """Draw the page."""
    st.markdown("#### Figure: what was pinned, as in the papers")
    with st.container():
        arrivals.settle()
    with st.container():
        open_recipe.pending()
    if session_pins.pins():
        figure()
    else:
        start()


frame.require("pages/figure.py")
main()
