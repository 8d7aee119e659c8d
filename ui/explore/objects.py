"""What a detector found, on the Explore page: boxes for the canvas, and one as the reference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from ui import state
from ui.guard import plain
from viz.attention import objects
from viz.attention.objects import FoundObject
from viz.figure.resolve import Scene, Shot
from viz.rendering.marks import PARTS

MOST_BOXES = 300
ALL = "all classes"
TABLE = {"hide_index": True, "width": "stretch"}


def boxes(found: Scene) -> dict[int, list[dict[str, object]]]:
    """Return the boxes that the canvas draws over each shot, in pixels of the picture."""
    return {
        number: [
            _box(one, frame)
            for frame in range(len(found.clip.frames))
            for one in _listed(shot, frame)[:MOST_BOXES]
        ]
        for number, shot in enumerate(found.shots)
        if objects.is_detector(shot.capture)
    }


def _listed(shot: Shot, frame: int) -> tuple[FoundObject, ...]:
    name = state.OBJECT_CLASS.get()
    return objects.found(
        shot.capture, frame, state.OBJECT_SCORE.get(), None if name in (None, ALL) else name
    )


def _box(one: FoundObject, frame: int) -> Mapping[str, object]:
    box = one.box
    return {
        "frame": frame, "left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom,
        "text": one.words, "colour": PARTS[one.number % len(PARTS)],
    }  # fmt: skip


def chooser(found: Scene) -> None:
    """Draw what the first detector found in the reference's frame, and let one be the reference."""
    shot = next((one for one in found.shots if objects.is_detector(one.capture)), None)
    if shot is None:
        return
    frame = found.reference.frame
    everything = objects.found(shot.capture, frame, 0.0)
    left, middle, right = st.columns([2, 2, 3])
    left.slider(
        "Lowest score", 0.0, 1.0, objects.SHOWN_SCORE, 0.05, key=state.OBJECT_SCORE.name,
        help="Objects that score less are not shown.",
    )  # fmt: skip
    middle.selectbox("Class", _classes(everything), key=state.OBJECT_CLASS.name)
    listed = _listed(shot, frame)
    if not listed:
        best = f" The best one scores {everything[0].score:.2f}." if everything else ""
        st.info(f"No object of {state.OBJECT_SCORE.get():.2f} or more was found.{best}")
        return
    words = {one.number: plain(one.words) for one in listed}
    right.selectbox(
        "Object as reference", [None, *words], key=state.OBJECT.name,
        format_func=lambda number: "the patch that is pinned" if number is None else words[number],
        on_change=_pin, args=(shot, frame),
        help="Its middle becomes the reference patch.",
    )  # fmt: skip
    with st.expander(f"{len(listed)} objects"):
        st.dataframe([_row(one) for one in listed[:MOST_BOXES]], **TABLE)


def _classes(listed: Sequence[FoundObject]) -> list[str]:
    return [ALL, *sorted({one.name for one in listed})]


def _pin(shot: Shot, frame: int) -> None:
    """Put the reference into the middle of the chosen object."""
    kept, number = state.REFERENCE.get(), state.OBJECT.get()
    if kept is not None and number is not None:
        one = objects.chosen(shot.capture, number, frame)
        state.REFERENCE.set(replace(kept, at=objects.reference_of(shot.capture, one), frame=frame))


def _row(one: FoundObject) -> dict[str, object]:
    box = one.box
    return {
        "Object": one.number,
        "Class": one.name,
        "Score": round(one.score, 3),
        "Box": f"{box.left:.0f}, {box.top:.0f} to {box.right:.0f}, {box.bottom:.0f}",
    }
