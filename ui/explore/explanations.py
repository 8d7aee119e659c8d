"""How to read a map: sentences beside the formula and words of its kind."""

import numpy as np
import streamlit as st

from errors import counted
from models.specs.wrapped import WrappedSpec
from ui import state
from ui.bound import KEPT
from ui.guard import guarded, plain
from ui.server.sending import pictures
from ui.session import loaders
from viz.attention.captures import BlockCapture
from viz.attention.kinds.tokens import colours
from viz.evaluation.report import definitions
from viz.figure.resolve import Scene, Shot, own_cell

SCORES = (
    "Heads at this reference. entropy: 0 for all weight on one token, 1 for the same weight on "
    "all; distance: mean distance in cells to what it attends to; contrast: highest over mean "
    "weight; stands out: how far the row is from the mean of all references, 0 to 1; no cell: the "
    "share of the weight on class token, registers and padding. A click on a column sorts."
)
"""What the columns of the table of heads are."""


def dependence_sentence(number: float) -> str:
    """Say what the query-dependence number means."""
    return f"Query dependence {number:.2f} (0: same map for every reference; 1: unrelated maps)."


def held_still(block: BlockCapture) -> str:
    """Say what a clip network is shown of a still picture."""
    return (
        "A clip network: it sees this picture held still. The first of "
        f"{counted(block.key_grid.frames, 'moment')} of its feature clip is shown, scaled over "
        "all of them."
    )


def feature_colours(shot: Shot, number: int) -> None:
    """Offer the features of a layer as colours, for networks of other libraries: no reference;
    ``number`` as for ``statistics``."""
    if not isinstance(shot.model.spec, WrappedSpec):
        return
    key = state.widget(f"colours-{number}-{shot.model.id}", "bool", False)
    if not st.toggle("Features as colours", key=key.name, help=COLOURS, **KEPT):
        return
    block = shot.capture.blocks[shot.block.label]
    with guarded():
        made = shot.capture.memory.once(
            ("colours", block.label), lambda: colours.feature_colours(block)
        )
        t = min(shot.cell.t, len(made) - 1)
        words = f"What enters {block.label}"
        pictures.show(made[t], f"{words}, as colours", caption=words, width=COLOURS_PX)


COLOURS = "The first three principal components of what enters the layer, as red, green and blue."
COLOURS_PX = 320


def strong_sentence(found: Scene) -> str:
    """Say in one sentence, for markdown, what the map of the first network shows."""
    shot = found.shots[0]
    if not shot.kind.referenced:
        return f"**{shot.kind.without_reference}** It is the same wherever the pointer is."
    values, own = shot.shown.values, own_cell(shot.cell, shot.block)
    others = np.where(np.isfinite(values), values, -np.inf)
    y, x = own[1:]
    others[own[0], max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = -np.inf
    t, row, col = np.unravel_index(int(others.argmax()), values.shape)
    moments = f" of moment {t}" if len(values) > 1 else ""
    away = _distance(max(abs(int(row) - own[1]), abs(int(col) - own[2])), abs(int(t) - own[0]))
    return (
        f"**{_subject(shot)} most to row {row}, column "
        f"{col}{moments}, {away} away** (a 3 x 3 convolution reaches 1 cell). Point at any patch "
        "to see what it attends to."
    )


def _distance(cells: int, moments: int) -> str:
    """Return "5 cells", "1 moment", "5 cells and 2 moments"; what is 0 is left out."""
    parts = ((cells, "cell"), (moments, "moment"))
    return " and ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in parts if n)


def _subject(shot: Shot) -> str:
    """Say what it is that attends: the patch, or the object that the maps are means over."""
    if shot.over is None:
        return "Beyond its neighbours, the pinned patch attends"
    return f"Beyond its middle, object {plain(shot.over.words)} attends"


def statistics(shot: Shot, number: int) -> None:
    """Show what the maps of a block are like: sharp or even, near or far, all alike or not;
    ``number`` tells the networks of a page apart, which may be the same one twice."""
    title = "Statistics of its maps over all references"
    box = st.expander(title, key=f"statistics-{number}-{shot.model.id}", on_change="rerun")
    if not box.open:  # most never open it: what is in it would be computed, sent and drawn
        return
    with box:
        values = loaders.statistics(shot.capture, shot.block)
        listed = [{"What": name, "Value": f"{value:.4g}"} for name, value in values.items()]
        st.table(listed, hide_index=True)
        st.caption(
            "Over up to 64 evenly spaced references; Evaluate measures them over many pictures. "
            + " ".join(f"{name.capitalize()}: {definitions.of(name)}" for name in values)
        )
