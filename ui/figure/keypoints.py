"""Ground-truth parts of the pins: from files for all of them, or clicked on one."""

from dataclasses import replace

import streamlit as st

from errors import AttentionVizError, counted
from ui import state
from ui.components.keypoints import keypoints as clickable
from ui.guard import plain
from ui.isolation import texts
from ui.server.visitor import stop_if_ended
from ui.session import pins as session_pins
from ui.session.media import medium
from ui.session.pins import Pin
from viz.figure.keypoint_files import EVERY
from viz.figure.keypoints import Truth
from viz.figure.recipe.recipe import LONGEST_LABEL, MOST_PARTS, Part


def show(pin: Pin) -> None:
    """Draw the parts of a pin, and the ways to give them."""
    st.file_uploader(
        "Parts from a CSV or JSON file, or CUB's part_locs.txt, parts.txt and images.txt",
        key=state.FIGURE_KEYPOINTS.name, accept_multiple_files=True,
        max_upload_size=16, on_change=_take, args=(pin.id,),
        help="Points are matched to the pins by the names of their pictures; points without a "
        "picture's name go to the chosen pin.",
    )  # fmt: skip
    kind, text = state.FIGURE_KEYPOINTS_MESSAGE.get()
    if kind:
        (st.error if kind == "error" else st.caption)(text)
    _clicked(pin)


def _take(id: str) -> None:
    uploads = state.FIGURE_KEYPOINTS.get()
    state.FIGURE_KEYPOINTS_MESSAGE.pop()
    if not uploads:
        return
    try:
        found = texts.points(dict(medium.contents(uploads)), stop_if_ended)
        state.FIGURE_KEYPOINTS_MESSAGE.set(("caption", give(found, id)))
    except AttentionVizError as problem:
        state.FIGURE_KEYPOINTS_MESSAGE.set(("error", plain(str(problem))))


def give(found: Truth, id: str) -> str:
    """Give every pin the parts of its picture; return how many pins that were, for markdown.

    OutsideError where the points are of none of the pins.
    """
    if EVERY in found.parts:
        given = {pin.id: found.of(pin.clip.name) for pin in session_pins.pins() if pin.id == id}
    else:
        given, problem = {}, None
        for pin in session_pins.pins():
            try:
                given[pin.id] = found.of(pin.reference.medium.path)
            except AttentionVizError as refused:
                problem = refused
        if not given and problem is not None:
            raise problem
    session_pins.put(
        replace(pin, reference=replace(pin.reference, parts=given.get(pin.id, pin.reference.parts)))
        for pin in session_pins.pins()
    )
    count = sum(len(parts) for parts in given.values())
    return plain(
        f"{found.name}: {counted(count, 'part')} for {len(given)} of "
        f"{counted(len(session_pins.pins()), 'pin')}."
    )


def _clicked(pin: Pin) -> None:
    """Draw the pin's frame with its parts, on which more are clicked, and their table."""
    reference, key = pin.reference, f"figure-points-{pin.id}"
    st.text_input(
        "Name of the part that is clicked next",
        key=state.FIGURE_PART_NAME.name,
        max_chars=LONGEST_LABEL,
    )

    def on_add() -> None:
        where = clickable.added(key)
        if where is not None and len(reference.parts) < MOST_PARTS:
            name = state.FIGURE_PART_NAME.get() or f"part {len(reference.parts) + 1}"
            _set(pin, (*reference.parts, Part(name, *where)))
            state.FIGURE_PART_NAME.set("")

    def on_remove() -> None:
        index = clickable.taken(key)
        if index is not None:
            _set(pin, (*reference.parts[:index], *reference.parts[index + 1 :]))

    frame = pin.clip.frames[reference.frame]
    clickable.points(frame, reference.parts, key, on_add, on_remove, pin.clip.size)
    if reference.parts:
        _table(pin)
        st.button("Clear parts", key="figure-clear-parts", on_click=_set, args=(pin, ()))


def _table(pin: Pin) -> None:
    """Draw the parts as a table in which they are renamed and moved."""
    rows = [{"Part": one.name, "x": one.x, "y": one.y} for one in pin.reference.parts]
    key = f"figure-parts-{pin.id}-{hash(pin.reference.parts)}"
    st.data_editor(
        rows, key=key, hide_index=True, width="stretch", on_change=_edited, args=(pin, key),
        column_config={"Part": st.column_config.TextColumn(max_chars=LONGEST_LABEL)},
    )  # fmt: skip


def _edited(pin: Pin, key: str) -> None:
    changes = state.widget(key).get() or {}
    _set(pin, edited(pin.reference.parts, changes.get("edited_rows", {})))


def edited(parts: tuple[Part, ...], rows: dict[int, dict[str, object]]) -> tuple[Part, ...]:
    """Return the parts with what was typed into some cells of their table; empty cells stay."""
    new = list(parts)
    names = {"Part": "name", "x": "x", "y": "y"}
    for index, cells in rows.items():
        given = {names[title]: value for title, value in cells.items() if value is not None}
        given |= {axis: float(given[axis]) for axis in ("x", "y") if axis in given}
        new[int(index)] = replace(new[int(index)], **given)
    return tuple(new)


def _set(pin: Pin, parts: tuple[Part, ...]) -> None:
    state.FIGURE_KEYPOINTS_MESSAGE.pop()
    try:
        session_pins.update(pin.id, replace(pin.reference, parts=parts))
    except AttentionVizError as problem:
        state.FIGURE_KEYPOINTS_MESSAGE.set(("error", plain(str(problem))))
