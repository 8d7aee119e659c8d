"""What a detector found, on the Explore page: drawn over the picture, listed, and as references."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from errors import counted
from ui import state
from ui.bound import choice, slider, worded
from ui.components.picker.found_objects import Drawn, FoundOnPanels, Over
from ui.guard import plain
from ui.session import reference_patch
from viz.attention.detection import object_rows, objects
from viz.attention.detection.objects import FoundObject
from viz.figure.recipe.recipe import Reference
from viz.figure.resolve import Scene, Shot
from viz.rendering.marks import PARTS

MOST_BOXES, MOST_MEANS = 300, 100
ALL, PATCH = "all classes", "the patch that is pinned"
TABLE = {"hide_index": True, "width": "stretch"}
POINTER = {
    "patch": "the patch under it",
    "middle": "the middle of the object under it",
    "mean": "all patches of the object under it",
}
"""What the pointer takes as the reference, for the address and in words."""
MASKS = {"translucent": "translucent", "outline": "outlined", "none": "not drawn"}


def lead(found: Scene) -> Shot | None:
    """Return the first shot whose network finds objects; the reference counts its objects."""
    return next((one for one in found.shots if objects.is_detector(one.capture)), None)


def drawn(found: Scene) -> FoundOnPanels:
    """Return what the canvas draws over each shot, and what the pointer takes."""
    first = lead(found)
    if first is None:
        return FoundOnPanels()
    of_panels = {
        number: tuple(
            _drawn(one, frame)
            for frame in range(len(found.clip.frames))
            for one in _listed(shot, frame)[:MOST_BOXES]
        )
        for number, shot in enumerate(found.shots)
        if objects.is_detector(shot.capture)
    }
    pointer = state.OBJECT_POINTER.get()
    over = {n: _over(found, first, shot, pointer) for n, shot in enumerate(found.shots)}
    masks = state.OBJECT_MASKS.get()
    return FoundOnPanels(of_panels, found.shots.index(first), pointer, masks, over)


def _listed(shot: Shot, frame: int) -> tuple[FoundObject, ...]:
    name = state.OBJECT_CLASS.get()
    return objects.found(
        shot.capture, frame, state.OBJECT_SCORE.get(), None if name in (None, ALL) else name
    )


def _drawn(one: FoundObject, frame: int) -> Drawn:
    colour = PARTS[one.number % len(PARTS)]
    return Drawn(one.number, frame, one.box, one.words, colour, objects.outline(one), one.keypoints)


def _over(found: Scene, first: Shot, shot: Shot, pointer: str) -> tuple[Over, ...]:
    """Return the means that a panel may show: over all that are listed where the pointer takes
    them, and over the pinned one."""
    if not shot.kind.referenced:
        return ()
    reference = found.reference
    pinned = reference.object if reference.mean else None
    frames = range(len(found.clip.frames)) if pointer == "mean" else ()
    wanted = {
        frame: {one.number: one for one in _listed(first, frame)[:MOST_MEANS]} for frame in frames
    }
    if pinned is not None:
        one = objects.chosen(first.capture, pinned, reference.frame)
        wanted.setdefault(reference.frame, {})[pinned] = one
    if shot.block.geometry is not None:  # a head's block saw one object
        wanted = {reference.frame: _only(wanted.get(reference.frame, {}), reference.object)}
    return tuple(one for frame, some in wanted.items() if some for one in _means(shot, some, frame))


def _only(some: Mapping[int, FoundObject], number: int | None) -> dict[int, FoundObject]:
    return {number: some[number]} if number in some else {}


def _means(shot: Shot, some: Mapping[int, FoundObject], frame: int) -> list[Over]:
    capture, block, grid = shot.capture, shot.block, shot.block.query_grid
    listed = list(some.values())
    means: Sequence[np.ndarray | None] = [None] * len(listed)
    if shot.is_single and shot.kind.has_matrix:
        key = ("means", block.label, block.kind, frame, tuple(some))
        made = partial(object_rows.mean_rows, capture, block, listed, frame)
        means = list(capture.memory.once(key, made))
    return [
        Over(
            frame,
            one.number,
            one.words,
            [cell.position(grid) for cell in object_rows.cells(capture, block, one, frame)],
            mean,
        )
        for one, mean in zip(listed, means, strict=True)
    ]


def chooser(found: Scene) -> None:
    """Draw what the first detector found in the reference's frame, and how it is used."""
    shot = lead(found)
    if shot is None:
        return
    frame = found.reference.frame
    everything = objects.found(shot.capture, frame, 0.0)
    left, middle, right = st.columns(3)
    with left:
        slider(
            "Lowest score", 0.0, 1.0, objects.SHOWN_SCORE, 0.05, state.OBJECT_SCORE,
            help="Objects that score less are not shown.",
        )  # fmt: skip
    classes = _classes(everything)
    with middle:
        choice("Class", classes, state.OBJECT_CLASS)
    with right:
        worded("Masks", list(MASKS), state.OBJECT_MASKS, MASKS.get)
    listed = _listed(shot, frame)
    left, right = st.columns([1, 2])
    with left:
        worded(
            "The pointer takes", list(POINTER), state.OBJECT_POINTER, POINTER.get,
            help="Over an object: its patch, the object's middle, or the mean of the maps of all "
            "patches of its mask. A click pins it.",
        )  # fmt: skip
    with right:
        _reference(shot, found.reference, listed)
    if not listed:
        best = f" The best one scores {everything[0].score:.2f}." if everything else ""
        st.info(f"No object of {state.OBJECT_SCORE.get():.2f} or more was found.{best}")
        return
    with st.expander(counted(len(listed), "object")):
        st.dataframe([_row(one) for one in listed[:MOST_BOXES]], **TABLE)


def _reference(shot: Shot, reference: Reference, listed: Sequence[FoundObject]) -> None:
    """Draw which object is the reference, if one is."""
    number, frame = reference.object, reference.frame
    words = {one.number: plain(one.words) for one in listed}
    if number is not None and number not in words:
        words[number] = plain(objects.chosen(shot.capture, number, frame).words)
    state.OBJECT.set(number)
    st.selectbox(
        "Object as reference", [None, *words], key=state.OBJECT.name,
        format_func=lambda number: PATCH if number is None else words[number],
        on_change=_chosen, args=(shot, frame),
        placeholder=PATCH, help="Its middle, or the mean over it, becomes the reference.",
    )  # fmt: skip


def _classes(listed: Sequence[FoundObject]) -> list[str]:
    return [ALL, *sorted({one.name for one in listed})]


def _chosen(shot: Shot, frame: int) -> None:
    number = state.OBJECT.get()
    if number is None:
        reference_patch.forget_object()
    else:
        pin(shot, number, frame)


def pin(shot: Shot, number: int, frame: int) -> None:
    """Make an object the reference: its middle, or the mean over it where the pointer takes that.

    One that is not there is passed over.
    """
    found = objects.found(shot.capture, frame, 0.0)
    if 0 <= number < len(found):
        at = objects.reference_of(shot.capture, found[number])
        mean = state.OBJECT_POINTER.get() == "mean"
        reference_patch.pin_object(at, frame, number, mean=mean)


def _row(one: FoundObject) -> dict[str, object]:
    box = one.box
    return {
        "Object": one.number,
        "Class": one.name,
        "Score": round(one.score, 3),
        "Box": f"{box.left:.0f}, {box.top:.0f} to {box.right:.0f}, {box.bottom:.0f}",
    }
