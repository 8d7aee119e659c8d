"""The button that pins a view for the figures."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from errors import AttentionVizError
from models.loaded import LoadedModel
from ui import state
from ui.guard import plain
from ui.session import pins as session_pins
from ui.session.naming import medium_of, network_of
from viz.attention import pipeline
from viz.figure.recipe.recipe import Reference, View
from viz.types import Clip


def gate_reference(clip: Clip, model: LoadedModel, layer: str) -> Reference:
    """Return the Gates page's view of one layer; it has no reference patch."""
    mode, size = pipeline.effective(model.spec)
    return Reference(medium_of(clip), (View(network_of(model), layer, mode=mode, size=size),))


def undo_button() -> None:
    """Draw the button that takes back what was last done to the pins."""
    if session_pins.can_undo():
        st.button(
            "Undo", key="undo-pins", icon=":material/undo:", on_click=session_pins.undo,
            help="Takes back the last change of the pins: one pinned, removed, moved or edited.",
        )  # fmt: skip


def button(key: str, clip: Clip, view: Callable[[], Reference], second: Clip | None = None) -> None:
    """Draw the button that pins a view, and what the last press did.

    ``view`` is called when it is pressed, before the page is drawn again; ``second`` is the second
    picture that it shows.
    """
    st.button(
        "Pin for a figure", key=key, icon=":material/push_pin:", on_click=_pin,
        args=(clip, view, second),
        help="Keeps what you see, patch, maps and display, for the figures of the Figure page. "
        "Pins of several pictures, clips and networks go together.",
    )  # fmt: skip
    kind, text = state.PIN_MESSAGE.pop()
    if kind == "error":
        st.error(text)
    elif kind:
        st.toast(text, icon=":material/push_pin:")


def _pin(clip: Clip, view: Callable[[], Reference], second: Clip | None) -> None:
    state.PIN_MESSAGE.set(_pinned(clip, view, second))


def _pinned(
    clip: Clip, view: Callable[[], Reference], second: Clip | None = None
) -> tuple[str, str]:
    """Pin a view that is not pinned yet; return what is to be said of it: kind, text."""
    try:
        reference = view()
        for number, pin in enumerate(session_pins.pins(), 1):
            if _bare(pin.reference) == reference:
                return "known", f"This view is pinned already: it is pin {number}."
        session_pins.add(reference, clip, second)
    except AttentionVizError as problem:
        return "error", plain(str(problem))
    return "new", f"Pinned as pin {len(session_pins.pins())}. Pin more views, or make a figure."


def _bare(reference: Reference) -> Reference:
    """Return a reference as it was pinned, without what the Figure page adds."""
    views = tuple(replace(view, label="") for view in reference.views)
    return replace(reference, views=views, label="", parts=(), crop=None)
