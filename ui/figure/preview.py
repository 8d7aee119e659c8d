"""The live preview: the drawing of the files, at a resolution for screens, also while a slider is
dragged."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from ui import state
from ui.components.live.live import live, moved
from ui.figure import recipe as figure_recipe
from ui.figure.settings import Chosen
from ui.figure.sources import SessionSources
from ui.guard import guarded
from ui.server import waiting
from ui.server.sending import order, pictures
from ui.session.pins import Pin
from viz.figure.api import Figure
from viz.figure.draw.moving import Drafts
from viz.figure.page.plan import too_tall
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
    dpi = _dpi(plan.width / MM_PER_INCH, plan.height / MM_PER_INCH)
    with waiting.turn():
        content = figure.preview(dpi, state.FIGURE_DRAFTS.once(Drafts))
    held = Preview(text, content, plan.width, plan.height)
    state.FIGURE_PREVIEW.set(held)
    return held


def last() -> Preview | None:
    """Return what was drawn last in this session."""
    return state.FIGURE_PREVIEW.get()


def _dpi(width: float, height: float) -> int:
    """Return the pixels an inch of a preview of so many inches."""
    return max(1, int(min(WIDE / width, (MOST_PIXELS / (width * height)) ** 0.5)))


def show(pins: Sequence[Pin], chosen: Chosen, found: SessionSources) -> Figure | None:
    """Draw the preview; return the figure, None where it cannot be drawn.

    Where it cannot be drawn one line says why, and no other figure stands under it.
    """
    state.FIGURE_LIVE.pop()
    with guarded():
        made = Figure(figure_recipe.made(pins, chosen), found)
        _fragment(pins, chosen, found)
        held = last()
        return made if held is not None and held.text == recipe_json.dumps(made.recipe) else None
    return None


@st.fragment
def _fragment(pins: Sequence[Pin], chosen: Chosen, found: SessionSources) -> None:
    """Draw the preview alone: nothing else of the page runs while a slider is dragged."""
    for field, value in state.FIGURE_LIVE.get().items():
        chosen = chosen.changed(field, value)
    before = last()
    with guarded():
        figure = Figure(figure_recipe.made(pins, chosen), found)
        held = drawn(figure)
        with st.container(key="figure-page"):
            pictures.show(held.png, "Preview of the figure", width="stretch")
        if last() is not before and not state.FIGURE_LIVE.get():
            order.let_through()
        st.caption(_size_words(held, figure.recipe))
    # Rounded corners, as pictures have on pages, would cut letters off.
    st.html(STYLE)
    with st.container(key="figure-live"):
        live(list(_SLIDERS), _LIVE, time.monotonic_ns() % 10**9, _on_move)


_LIVE = "figure-live-sliders"
_SLIDERS = {f"figure-{field}": field for field in ("threshold", "share", "heat_opacity")}
"""Key of a slider of the sidebar -> its field of the look."""
STYLE = """<style>
.st-key-figure-page img { border-radius: 0; }
.st-key-figure-live { position: absolute; }
</style>"""


def _on_move() -> None:
    found = moved(_LIVE, list(_SLIDERS))
    if found is not None:
        name, value = found
        state.FIGURE_LIVE.set({_SLIDERS[name]: value})


def _size_words(held: Preview, made: Recipe) -> str:
    dpi = made.layout.dpi
    across, down = (round(side / MM_PER_INCH * dpi) for side in (held.width, held.height))
    return (
        f"{held.width:.1f} x {held.height:.1f} mm; as PNG {across} x {down} pixels at {dpi} dpi. "
        f"The same drawing as the files. {too_tall(held.height)}".strip()
    )
