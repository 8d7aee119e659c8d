"""A pin is what was seen: where a figure shows pins otherwise, it says so and offers their look."""

from collections.abc import Sequence
from dataclasses import fields

import streamlit as st

from errors import counted
from ui.figure import settings as figure_settings
from ui.figure.options import HEAT, titles
from ui.figure.settings import Chosen
from viz.figure.recipe.recipe import Reference
from viz.rendering import look as looks
from viz.rendering.look import Look


def differences(seen: Look, drawn: Look) -> list[str]:
    """Return the fields in which two looks differ, in words: "threshold 0.50, not 0.70"."""
    words = titles()
    changed = [
        (one.name, getattr(seen, one.name), getattr(drawn, one.name))
        for one in fields(Look)
        if getattr(seen, one.name) != getattr(drawn, one.name)
    ]
    return [
        f"{words.get(name, name.replace('_', ' ')).lower()} {_word(name, was)}, not "
        f"{_word(name, now)}"
        for name, was, now in changed
    ]


def _word(name: str, value: object) -> str:
    if name in looks.WORDS:
        return looks.WORDS[name][value]
    if isinstance(value, tuple):
        return " to ".join(f"{one:g}" for one in value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def tell(chosen: Chosen, references: Sequence[Reference]) -> None:
    """Say in which pins were seen otherwise than the figure shows them; one press goes back."""
    if chosen.preset not in HEAT:
        return
    seen = {one.look: k for k, one in reversed([*enumerate(references, 1)]) if one.look}
    other = {look: k for look, k in seen.items() if look != chosen.look}
    if not other:
        return
    look, number = min(other.items(), key=lambda pair: pair[1])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Pin {number} was seen with {'; '.join(differences(look, chosen.look))}."
            + (f" Pinned, too: {counted(len(other) - 1, 'more look')}." if len(other) > 1 else "")
        )
        st.button("Show as pinned", key="figure-as-pinned", on_click=_take, args=(look, references))


def _take(look: Look, references: Sequence[Reference]) -> None:
    figure_settings.put(figure_settings.current(references).with_look(look))
