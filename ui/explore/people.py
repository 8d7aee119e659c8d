"""Actions of people on Explore: where they are, and what a network of AVA says of each."""

import streamlit as st

from ui import state
from ui.bound import KEPT
from ui.explore.objects import TABLE
from ui.guard import guarded, label
from viz.attention.detection import people
from viz.attention.predictions import many_at_once
from viz.figure.resolve import Scene, Shot
from viz.geometry import Box

NAME = "the text above"
_LONGEST = people.MOST_BYTES // 4
_KEPT = "people"
"""Of these boxes, among the choices that the browser keeps."""
WHOLE = "No boxes yet: the whole picture counts as one person."


def chooser(found: Scene) -> None:
    """Take boxes of people and show the best actions of each, where a network tells actions."""
    shots = [shot for shot in found.shots if many_at_once(shot.capture)]
    if not shots:
        return
    sha256, _, kept = state.BROWSER_CHOICES.get().get(_KEPT, "").partition("\n")
    if kept and not state.PEOPLE_BOXES.get() and sha256 == found.clip.sha256:
        state.PEOPLE_BOXES.set(kept[:_LONGEST])
    st.text_area(
        "Boxes of people", key=state.PEOPLE_BOXES.name, placeholder="120,60,260,330",
        max_chars=_LONGEST, on_change=_keep, args=(found.clip.sha256,), **KEPT,
        help="A line x1,y1,x2,y2 in pixels of the picture for each person.",
    )  # fmt: skip
    text = (state.PEOPLE_BOXES.get() or "").strip()
    if not text:
        st.caption(WHOLE)
    with guarded():
        boxes = people.read_boxes(text.encode(), NAME) if text else ()
        for shot in shots:
            if len(shots) > 1:
                st.caption(label(shot.model.id))
            st.dataframe(rows(shot, boxes), **TABLE)


def _keep(sha256: str) -> None:
    """Have the browser keep what was written of this clip, for after a refresh."""
    text = f"{sha256}\n{state.PEOPLE_BOXES.get() or ''}"
    state.BROWSER_CHOICES.set({**state.BROWSER_CHOICES.get(), _KEPT: text})


def rows(shot: Shot, boxes: tuple[Box, ...]) -> list[dict[str, object]]:
    """Return the best actions of each person, a row an action."""
    return [
        {
            "Person": one.number,
            "Box": people.words(one.box),
            "Action": shot.model.class_name(action),
            "Score": round(score, 3),
        }
        for one in people.actions(shot.capture, boxes)
        for action, score in one.best(3)
    ]
