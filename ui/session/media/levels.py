"""Black and white of a medium of more than 8 bits: asked for beside what is assumed of it."""

import math

import streamlit as st

from errors import AttentionVizError
from ui import bound, state
from ui.guard import label
from ui.isolation import media as isolation
from ui.server.visitor import stop_if_ended
from ui.session.media import arrivals, medium
from ui.session.media.arrivals import Arrival
from viz.media.footage import Footage, Levels

_PLACE = "levels"
"""Of what is asked here, among the arrivals."""


def shown_from(found: Footage, levels: Levels | None) -> Footage:
    """Return footage with these values as black and white (None: as its reader finds them), read
    anew where they are others; MediaError where they do not apply."""
    if found.levels == levels:
        return found
    return isolation.with_levels(found, levels, stop_if_ended)


def as_linked(found: Footage, levels: Levels | None) -> Footage:
    """Return footage as the address wants it shown; as it is where that cannot be."""
    try:
        return shown_from(found, levels)
    except AttentionVizError as problem:
        bound.complain(str(problem))
        return found


def choose() -> None:
    """Draw which values are black and white in the medium in use, where it has more than 8 bits."""
    found = medium.in_use()
    if found.shown is None:
        return
    with st.container(key="levels"):
        left, right = st.columns(2)
        for column, key, words, value in (
            (left, state.BLACK, "Black is", found.shown[0]),
            (right, state.WHITE, "White is", found.shown[1]),
        ):
            state.show(key, value)
            column.number_input(words, key=key.name, format="%.6g", step=None, on_change=_note)
        if found.levels is not None:
            st.button(
                "As the file has it", key="levels-found", on_click=_ask, args=(None,),
                icon=":material/undo:",
            )  # fmt: skip


def _note() -> None:
    """Have the medium shown with the values of the two inputs."""
    _ask((float(state.BLACK.get()), float(state.WHITE.get())))


def _ask(levels: Levels | None) -> None:
    """Have the page's run read the medium in use anew."""
    found = medium.in_use()
    state.UPLOAD_PROBLEM.pop()

    def take() -> None:
        state.UPLOAD_PROBLEM.pop()
        if medium.in_use() is found:  # another one may have been dropped meanwhile
            state.FOOTAGE.set(shown_from(found, levels))

    arrivals.note(
        _PLACE,
        Arrival(
            f"Reading {label(found.name)}", (found.sha256, levels), take, state.UPLOAD_PROBLEM.set
        ),
    )


def words(levels: Levels) -> str:
    """Return levels as the address has them."""
    return ",".join(f"{value:.10g}" for value in levels)


def of_address() -> Levels | None:
    """Return the levels that the address names, at the session's beginning; None without any."""
    text = bound.taken("levels")
    if text is None:
        return None
    found = parsed(text)
    if found is None:
        bound.complain(
            f"levels={text[:60]} cannot be used; they are the values that are black and white, the "
            "second above the first, like levels=0,4095."
        )
    return found


def parsed(text: str) -> Levels | None:
    """Return what ``words`` made a text of; None for any other."""
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        return None
    return (low, high) if math.isfinite(low) and math.isfinite(high) and low < high else None
