"""The live preview: the drawing of the files, at a resolution for screens."""

from dataclasses import dataclass

import streamlit as st

from ui.figure.sources import SessionSources
from ui.guard import guarded
from viz.figure.draw import drawing
from viz.figure.files import export
from viz.figure.page import layout as page_layout
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.panels import presets
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe

WIDE, MOST_PIXELS = 1000, 1_600_000
"""Pixels of a preview: across, and in all."""
_KEY = "figure-preview"


@dataclass(frozen=True, eq=False)
class Preview:
    """A drawn figure: the recipe's text, a PNG, and the size of the page in mm."""

    text: str
    png: bytes
    width: float
    height: float


def drawn(made: Recipe, found: SessionSources) -> Preview:
    """Return the preview of a recipe; the same one again while nothing has changed."""
    text = recipe_json.dumps(made)
    held = last()
    if held is not None and held.text == text:
        return held
    sheet = presets.sheet(made, found)
    plan = page_layout.plan(sheet)
    dpi = _dpi(plan.width / MM_PER_INCH, plan.height / MM_PER_INCH)
    content = export.write(drawing.draw(sheet, plan, dpi), "png", dpi, None)
    held = Preview(text, content, plan.width, plan.height)
    st.session_state[_KEY] = held
    return held


def last() -> Preview | None:
    """Return what was drawn last in this session."""
    return st.session_state.get(_KEY)


def _dpi(width: float, height: float) -> int:
    """Return the pixels an inch of a preview of so many inches."""
    return max(1, int(min(WIDE / width, (MOST_PIXELS / (width * height)) ** 0.5)))


def show(made: Recipe, found: SessionSources) -> bool:
    """Draw the preview; return whether it is of this recipe.

    Where it cannot be drawn one line says why, and what was drawn before stays.
    """
    fresh = None
    with guarded():
        fresh = drawn(made, found)
    held = fresh or last()
    if held is not None:
        # Rounded corners, as pictures have on pages, would cut letters off.
        st.html("<style>.st-key-figure-page img { border-radius: 0; }</style>")
        with st.container(key="figure-page"):
            st.image(held.png, width="stretch", alt="Preview of the figure")
        st.caption(_told(held, made) if fresh else "Above is the figure as it was before.")
    return fresh is not None


def _told(held: Preview, made: Recipe) -> str:
    dpi = made.layout.dpi
    across, down = (round(side / MM_PER_INCH * dpi) for side in (held.width, held.height))
    return (
        f"{held.width:.1f} x {held.height:.1f} mm; as PNG {across} x {down} pixels at {dpi} dpi. "
        "The same drawing as the files."
    )
