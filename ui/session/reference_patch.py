"""The reference patch: follows media and grids, and stands in the address bar."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from models.blocks.layout import Grid
from ui import state
from ui.bound import complain
from ui.session.media import levels, second
from ui.session.naming import file_of, medium_of
from viz.attention import queries
from viz.attention.captures import BlockCapture, Capture
from viz.examples import bird, kick
from viz.figure.recipe.recipe import Medium, Reference, View
from viz.geometry import Geometry
from viz.media.footage import Footage
from viz.types import Clip

OBJECT, _MEAN = "object", ",mean"
"""The address's entry of an object that is the reference, and its end where it is a mean."""
_MOST_REMEMBERED = 16
"""Media whose last reference is remembered."""
SHOWN = 16
"""Digits of a network's sha256 in the address."""

Spot = tuple[int, tuple[float, float]]
"""A frame of the sampled clip, and a pixel of the original."""


def current(
    clip: Clip,
    capture: Capture,
    block: BlockCapture,
    views: Sequence[View],
    number: int | None = None,
) -> Reference:
    """Return the reference of this clip, and write it into the widgets and the address bar.

    ``capture`` and ``block`` are the first network's, whose cells the address counts. The patch
    stays on its spot of the picture, and near the same time, when grid or sampling change, and when
    the medium is in use again; a new one starts at its middle (the examples at a leaf, at the
    kicking foot). ``number`` is the object that is the reference, as ``object_of`` has it, where
    the detector found it.
    """
    medium, kept, mean = medium_of(clip), _kept(clip), False
    if _asked_by_address(medium):
        frame, at = _from_address(capture, block) or _start(clip)
        mean = object_of_address()[1]
    elif kept is not None:
        frame, at = _carried(kept, clip)
        mean = kept.mean
    else:
        frame, at = _start(clip)
    found = Reference(
        medium, tuple(views), at, frame, object=number, mean=mean and number is not None
    )
    state.REFERENCE.set(found)
    _remember(found)
    _write(found, capture, block)
    return found


def _kept(clip: Clip) -> Reference | None:
    """Return the reference of this footage: the one in use, or that of when it was in use last."""
    now = state.REFERENCE.get()
    if now is not None and now.medium.sha256 == clip.sha256:
        return now
    return state.REFERENCES.once(dict).get(clip.sha256)


def _remember(found: Reference) -> None:
    known = state.REFERENCES.once(dict)
    known.pop(found.medium.sha256, None)
    known[found.medium.sha256] = found
    while len(known) > _MOST_REMEMBERED:
        del known[next(iter(known))]


def object_of(clip: Clip) -> tuple[int | None, int]:
    """Return the number of the object that is the reference of this clip, None for a patch, and
    its frame."""
    if _asked_by_address(medium_of(clip)):
        return object_of_address()[0], 0
    kept = _kept(clip)
    if kept is None:
        return None, 0
    here = kept.medium.frames == clip.numbers
    return (kept.object if here else None), kept.frame


def _asked_by_address(medium: Medium) -> bool:
    """Tell whether the patch is that of the address: at the first visit, or after the browser's
    back and forward buttons. One of another medium is none of this one."""
    if state.REFERENCE.get() is not None:
        return moved_by_address(medium)
    words = _medium_words(medium)
    return st.query_params.get("sha256") in (words["sha256"], medium.sha256)


def moved_by_address(medium: Medium) -> bool:
    """Tell whether the browser's back and forward buttons moved the patch in this medium.

    A browser that has not heard yet of another medium still sends the place in the one before.
    """
    if st.query_params.get("sha256") != _medium_words(medium)["sha256"]:
        return False
    return st.query_params.get("at", state.ADDRESS.get()) != state.ADDRESS.get()


def object_of_address() -> tuple[int | None, bool]:
    """Read ``object=2``, or ``object=2,mean``; anything else is no object."""
    text = st.query_params.get(OBJECT, "")
    number = text.removesuffix(_MEAN)
    return (int(number), text != number) if _is_number(number) else (None, False)


def _write(found: Reference, capture: Capture, block: BlockCapture) -> None:
    """Show the cell of the first network in the widgets and in the address bar."""
    cell = queries.nearest_cell(capture, block, found.at, found.frame)
    state.ROW.set(cell.y)
    state.COL.set(cell.x)
    address = f"{cell.y},{cell.x}"
    if capture.frames > 1:
        state.FRAME.set(found.frame)
        address = f"{found.frame},{address}"
    state.ADDRESS.set(address)
    words = _medium_words(found.medium)
    overtaken = _is_overtaken(words["sha256"])
    number = None if found.object is None else f"{found.object}{_MEAN if found.mean else ''}"
    _show({"at": address, OBJECT: number, **words})
    if overtaken:
        st.query_params["at"] = address  # whatever is set, the whole address goes to the browser


def _is_overtaken(sha256: str | None) -> bool:
    """Tell whether the browser is about to show another medium in its address bar than it says.

    A file that replaces another takes it away first: the example's address is under way while the
    browser asks with that of the file, which is in use again where the new one is refused.
    """
    known, before = state.ADDRESS_MEDIUM.is_set(), state.ADDRESS_MEDIUM.get()
    state.ADDRESS_MEDIUM.set(sha256)
    return known and before != sha256 and st.query_params.get("sha256") == sha256


def _medium_words(medium: Medium) -> dict[str, str | None]:
    """Return the address's entries of a medium: name, sha256 and levels of a file, and no example
    beside it, which the browser's back button may bring; none of them of an example, whose own
    entry is that of its input."""
    if medium.path.startswith("example:"):
        return {"file": None, "sha256": None, "levels": None}
    asked = levels.words(medium.levels) if medium.levels else None
    file = {"file": medium.path[:200], "sha256": medium.sha256, "levels": asked}
    return {**file, state.EXAMPLE.name: None}


def show_medium(found: Footage) -> None:
    """Write a medium of which nothing can be shown into the address bar, and take the patch of the
    one before away."""
    words = _medium_words(file_of(found))
    if st.query_params.get("sha256") != words["sha256"]:
        _show({"at": None, OBJECT: None, **words})


def _show(entries: Mapping[str, str | None]) -> None:
    """Write entries into the address bar, where they differ; None takes one away."""
    for name, value in entries.items():
        if value is None:
            with suppress(st.errors.StreamlitAPIException):
                st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def show_sources(hashes: Sequence[str], other: Clip | None) -> None:
    """Write the hashes of the networks' weights, and the second picture, into the address bar."""
    _show({"weights": ",".join(one[:SHOWN] for one in hashes), **second.address(other)})


def _from_address(capture: Capture, block: BlockCapture) -> Spot | None:
    """Read ``at=row,col`` or ``at=frame,row,col``; anything else in the address is named."""
    grid, text = block.query_grid, st.query_params.get("at", "")
    parts, found = text.split(","), None
    if len(parts) in (2, 3) and all(_is_number(part) for part in parts):
        *frame, row, col = map(int, parts)
        place = (frame[0] if frame else 0, row, col)
        found = _placed(capture.geometry_of(block), grid, capture.frames, place)
    if text and found is None:
        ends = f"{grid.rows - 1},{grid.cols - 1}"
        complain(f"at={text[:40]} is no patch of {block.label}; it can be 0,0 to {ends}.")
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4


def _placed(
    geometry: Geometry, grid: Grid, frames: int, place: tuple[int, int, int]
) -> Spot | None:
    """Return the middle of a cell (frame, row, column); None where there is no such cell."""
    frame, row, col = place
    if not (0 <= frame < frames and 0 <= row < grid.rows and 0 <= col < grid.cols):
        return None
    return frame, geometry.cell_centre(row, col, grid)


def _carried(kept: Reference, clip: Clip) -> Spot:
    """Return the same spot in other frames of the same footage: those nearest in it."""
    numbers, frame = clip.numbers or (0,), kept.frame
    if kept.medium.frames != clip.numbers:
        then = kept.medium.frames[frame] if kept.medium.frames else 0
        frame = min(range(len(numbers)), key=lambda k: abs(numbers[k] - then))
    return frame, kept.at


def _start(clip: Clip) -> Spot:
    frame, spot = 0, (clip.width / 2, clip.height / 2)
    if clip.sha256 == bird.clip().sha256:
        spot = bird.LEAF
    elif clip.name == kick.NAME and clip.sha256 == kick.clip().sha256:
        numbers = clip.numbers or range(len(clip.frames))
        frame = min(range(len(numbers)), key=lambda k: abs(numbers[k] - kick.CONTACT))
        spot = kick.foot_at(numbers[frame])
    return frame, tuple(map(float, spot))


def pin(capture: Capture, block: BlockCapture, place: tuple[int, int, int]) -> None:
    """Put the reference at a cell (frame, row, column) of a block; one outside is passed over."""
    kept = state.REFERENCE.get()
    spot = _placed(capture.geometry_of(block), block.query_grid, capture.frames, place)
    if kept is not None and spot is not None:
        frame, at = spot
        # The patch of an object in whose box a head's block attends stays that object's.
        number = kept.object if block.geometry is not None and frame == kept.frame else None
        state.REFERENCE.set(replace(kept, at=at, frame=frame, object=number, mean=False))


def pin_object(at: tuple[float, float], frame: int, number: int, mean: bool) -> None:
    """Make an object of a detector the reference: its middle ``at``, or the mean over it."""
    kept = state.REFERENCE.get()
    if kept is not None:
        state.REFERENCE.set(replace(kept, at=at, frame=frame, object=number, mean=mean))


def forget_object() -> None:
    """Let the patch in the middle of the object be the reference, and no longer the object."""
    kept = state.REFERENCE.get()
    if kept is not None:
        state.REFERENCE.set(replace(kept, object=None, mean=False))


def inputs(capture: Capture, block: BlockCapture) -> None:
    """Draw the frame (of a clip), row and column inputs of the reference."""
    frames, grid = capture.frames, block.query_grid
    columns = st.columns(3 if frames > 1 else 2)

    def on_change() -> None:
        pin(capture, block, (state.FRAME.get(), state.ROW.get(), state.COL.get()))

    if frames > 1:
        columns[0].number_input(
            "Frame", 0, frames - 1, key=state.FRAME.name, on_change=on_change,
            help=f"Frame of the reference, 0 to {frames - 1} of those looked at.",
        )  # fmt: skip
    columns[-2].number_input(
        "Row", 0, grid.rows - 1, key=state.ROW.name, on_change=on_change,
        help=f"Feature cell of the reference, 0 to {grid.rows - 1} from the top.",
    )  # fmt: skip
    columns[-1].number_input(
        "Column", 0, grid.cols - 1, key=state.COL.name, on_change=on_change,
        help=f"Feature cell of the reference, 0 to {grid.cols - 1} from the left.",
    )  # fmt: skip
