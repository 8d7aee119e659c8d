"""The live preview: the drawing of the files, at a resolution for screens."""

from dataclasses import dataclass

import streamlit as st

from ui import state
from ui.guard import guarded
from ui.server import waiting
from viz.figure.api import Figure
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe

WIDE, MOST_PIXELS = 1000, 1_600_000
"""Pixels of a preview: across, and in all."""


@dataclass(frozen=True, eq=False)
class Preview:
    """A drawn figure: the recipe's text, a PNG, and the size of the page in mm."""

    text: str
    png: bytes
    width: float
    height: float


def drawn(figure: Figure) -> Preview:
    """Return the preview of a figure; the same one again while its recipe has not changed."""
    text = recipe_json.dumps(figure.recipe)
    held = last()
    if held is not None and held.text == text:
        return held
    plan = figure.plan()  # networks run in turns of their own
    with waiting.turn():
        content = figure.preview(_dpi(plan.width / MM_PER_INCH, plan.height / MM_PER_INCH))
    held = Preview(text, content, plan.width, plan.height)
    state.FIGURE_PREVIEW.set(held)
    return held


def last() -> Preview | None:
    """Return what was drawn last in this session."""
    return state.FIGURE_PREVIEW.get()


def _dpi(width: float, height: float) -> int:
    """Return the pixels an inch of a preview of so many inches."""
    return max(1, int(min(WIDE / width, (MOST_PIXELS / (width * height)) ** 0.5)))


def show(figure: Figure) -> bool:
    """Draw the preview; return whether it is of this recipe.

    Where it cannot be drawn one line says why, and no other figure stands under it.
    """
    held = None
    with guarded():
        held = drawn(figure)
    if held is not None:
        # Rounded corners, as pictures have on pages, would cut letters off.
        st.html("<style>.st-key-figure-page img { border-radius: 0; }</style>")
        with st.container(key="figure-page"):
            st.image(held.png, width="stretch", alt="Preview of the figure")
        st.caption(_size_words(held, figure.recipe))
    return held is not None


def _size_words(held: Preview, made: Recipe) -> str:
    dpi = made.layout.dpi
    across, down = (round(side / MM_PER_INCH * dpi) for side in (held.width, held.height))
    return (
        f"{held.width:.1f} x {held.height:.1f} mm; as PNG {across} x {down} pixels at {dpi} dpi. "
        "The same drawing as the files."
    )
