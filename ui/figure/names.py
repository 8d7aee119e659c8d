"""The names of the networks in the figure: asked for once, whatever number of pins shows them."""

import streamlit as st

from errors import AttentionVizError
from ui import state
from ui.guard import label, plain
from ui.session import pins as session_pins
from ui.session.pins import Seen
from viz.attention.kinds.registry import KINDS
from viz.figure.recipe.recipe import LONGEST_LABEL

_ACROSS = 3


def title(seen: Seen) -> str:
    """Return what a network shows, in words: its id, the block, a map that is not the block's."""
    network, block, kind = seen
    words = [network.id[:80], block or "last block"]
    words += [KINDS[kind].title if kind in KINDS else kind] if kind else []
    return label(", ".join(words))


def inputs() -> None:
    """Draw an input for the name of everything that pins show."""
    st.markdown("##### Names of the networks")
    st.caption("A name holds for all pins that show the same, also for those that you add later.")
    found = session_pins.names()
    for row in range(0, len(found), _ACROSS):
        columns = st.columns(_ACROSS, vertical_alignment="bottom")
        for place, (seen, given) in enumerate([*found.items()][row : row + _ACROSS]):
            with columns[place]:
                _input(row + place, seen, given)


def _input(number: int, seen: Seen, given: tuple[str, ...]) -> None:
    key = state.widget(f"figure-name-{number}")
    several = [name or "none" for name in given] if len(given) > 1 else []
    state.show(key, "" if several else given[0])
    placeholder = f"differs by pin: {', '.join(several)}" if several else "as the preset says"
    st.text_input(
        f"Name of {title(seen)}", key=key.name, max_chars=LONGEST_LABEL, placeholder=placeholder,
        on_change=lambda: _rename(seen, key.get()),
    )  # fmt: skip


def _rename(seen: Seen, name: str) -> None:
    try:
        session_pins.rename(seen, name)
    except AttentionVizError as problem:
        state.FIGURE_PIN_PROBLEM.set(plain(str(problem)))
