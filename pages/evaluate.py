"""Evaluate: how well maps cover what matters, as numbers with their uncertainty."""

import streamlit as st

from ui import bound, frame, state
from ui.components.pin_cards import pin_cards
from ui.guard import guarded
from ui.numbers.data import choose
from ui.numbers.data.choose import Chosen
from ui.numbers.data.results import Words
from ui.numbers.evaluate import evaluated, results, settings
from ui.numbers.evaluate.evaluated import Evaluated
from ui.numbers.evaluate.settings import Wanted

WORDS = Words(
    "**Evaluate**",
    "The results below are those of these pictures and settings; nothing was measured anew.",
    "These are the earlier results; **Evaluate** measures what is chosen now.",
    "**Evaluate** measures what is chosen on the left.",
    "These are the earlier results, of other pictures or settings.",
)


def main() -> None:
    """Draw the page."""
    pin_cards.sidebar()
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown("#### Evaluate: do the highlighted patches cover what matters?")
    told = st.container()
    with st.container():
        chosen, wanted = _asked()
        pressed = right.button(
            "Evaluate", type="primary", icon=":material/play_arrow:", width="stretch",
            disabled=chosen is None or wanted is None,
        )  # fmt: skip
        made = _made(chosen, wanted, pressed)
    if made is not None:
        with st.container():
            results.show(made)
    bound.finish(later=[state.EVALUATE_SHOWN])
    with told:
        bound.problems()


def _asked() -> tuple[Chosen | None, Wanted | None]:
    chosen = wanted = None
    with st.sidebar:
        st.subheader("Data set")
        with guarded():
            chosen = choose.choose()
        st.subheader("What is measured")
    with guarded():  # said on the page: what is emptied may be far above the end of the sidebar
        wanted = settings.choose()
    return chosen, wanted


def _made(chosen: Chosen | None, wanted: Wanted | None, pressed: bool) -> Evaluated | None:
    """Return what is shown: what is chosen if it was measured, else what was before.

    The example is measured at once.
    """
    if chosen is None or wanted is None:
        return evaluated.RESULTS.before(WORDS)
    return evaluated.RESULTS.shown(
        lambda: evaluated.mark_of(chosen, wanted),
        lambda shared: evaluated.run(chosen, wanted, shared),
        pressed,
        chosen.title == choose.EXAMPLE and wanted == settings.usual(),
        WORDS,
    )


frame.require("pages/evaluate.py")
main()
