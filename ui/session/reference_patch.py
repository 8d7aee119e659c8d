"""The reference patch: where it is, how it follows grids and frames, and the address bar."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from models.blocks.layout import Grid
from ui.session.medium import key_of
from viz.examples import bird, kick
from viz.types import Capture, Cell, Clip


@dataclass(frozen=True)
class Reference:
    """The pinned patch: frame of the sampled clip, and the cell in the lead network's grid."""

    frame: int
    cell: Cell


def linked_cell(
    lead: Capture, grid: Grid, reference: Reference, other: Capture, other_grid: Grid
) -> Cell:
    """Return the cell of another network under the middle of the reference, in the same frame."""
    x, y = lead.geometry.cell_centre(reference.cell.y, reference.cell.x, grid)
    return nearest_cell(other, other_grid, reference.frame, x, y)


def nearest_cell(capture: Capture, grid: Grid, frame: int, x: float, y: float) -> Cell:
    """Return the cell under original pixel (x, y), or the closest one inside the view."""
    return Cell(capture.moment(frame, grid), *capture.geometry.nearest_cell(x, y, grid))


def _placed(capture: Capture, grid: Grid, frame: int, row: int, col: int) -> Reference | None:
    """Return the reference at a frame, row and column; None where there is no such cell."""
    if not (0 <= frame < capture.frames and 0 <= row < grid.rows and 0 <= col < grid.cols):
        return None
    return Reference(frame, Cell(capture.moment(frame, grid), row, col))


def _from_address(capture: Capture, grid: Grid) -> Reference | None:
    """Read ``at=row,col`` or ``at=frame,row,col``; anything else in the address is passed over."""
    parts = st.query_params.get("at", "").split(",")
    if len(parts) not in (2, 3) or not all(_is_number(part) for part in parts):
        return None
    *frame, row, col = map(int, parts)
    return _placed(capture, grid, frame[0] if frame else 0, row, col)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4


def _address(reference: Reference, frames: int) -> str:
    cell = reference.cell
    return f"{reference.frame},{cell.y},{cell.x}" if frames > 1 else f"{cell.y},{cell.x}"


def current(clip: Clip, capture: Capture, grid: Grid) -> Reference:
    """Return the pinned reference on this grid, and write it into the widgets and the address bar.

    It stays on the same spot of the picture, and near the same time, when grid or sampling change;
    a new medium starts at its middle (the examples at the bird's head, at the kicking foot).
    """
    state = st.session_state
    kept = state.get("reference")
    if kept is None or st.query_params.get("at", kept["address"]) != kept["address"]:
        # The first visit, or the browser's back and forward buttons.
        found = _from_address(capture, grid) or _start(clip, capture, grid)
    elif kept["clip"].sha256 == clip.sha256:
        found = _carried(kept, clip, capture, grid)
    else:
        found = _start(clip, capture, grid)
    address = _address(found, capture.frames)
    state["reference"] = {
        "clip": clip, "capture": capture, "grid": grid, "found": found, "address": address,
    }  # fmt: skip
    state["row"], state["col"] = found.cell.y, found.cell.x
    if capture.frames > 1:
        state["frame"] = found.frame
    if st.query_params.get("at") != address:
        st.query_params["at"] = address
    return found


def _carried(kept: dict[str, Any], clip: Clip, capture: Capture, grid: Grid) -> Reference:
    """Return the reference kept from another grid, or from other frames of the same footage."""
    found, lead = kept["found"], kept["capture"]
    frame = found.frame
    if key_of(kept["clip"]) != key_of(clip):
        then = kept["clip"].timestamps[frame]
        frame = min(range(len(clip.timestamps)), key=lambda k: abs(clip.timestamps[k] - then))
    elif kept["grid"] == grid and lead.geometry == capture.geometry:
        return found
    x, y = lead.geometry.cell_centre(found.cell.y, found.cell.x, kept["grid"])
    return Reference(frame, nearest_cell(capture, grid, frame, x, y))


def _start(clip: Clip, capture: Capture, grid: Grid) -> Reference:
    frame, spot = 0, (clip.width / 2, clip.height / 2)
    if clip.sha256 == bird.clip().sha256:
        spot = bird.HEAD
    elif clip.name == kick.NAME and clip.sha256 == kick.clip().sha256:
        numbers = clip.numbers or range(len(clip.frames))
        frame = min(range(len(numbers)), key=lambda k: abs(numbers[k] - kick.CONTACT))
        spot = kick.foot_at(numbers[frame])
    return Reference(frame, nearest_cell(capture, grid, frame, *spot))


def pin(frame: int, row: int, col: int) -> None:
    """Put the reference at a cell of the grid in use; a cell outside it is passed over."""
    kept = st.session_state.get("reference")
    if kept and (found := _placed(kept["capture"], kept["grid"], frame, row, col)):
        st.session_state["reference"] = {**kept, "found": found}


def pin_from_inputs() -> None:
    """Put the reference where the frame, row and column inputs say."""
    state = st.session_state
    pin(state.get("frame", 0), state["row"], state["col"])


def inputs(clip: Clip, grid: Grid) -> None:
    """Draw the frame (of a clip), row and column inputs of the reference."""
    frames = len(clip.frames)
    columns = st.columns(3 if frames > 1 else 2)
    if frames > 1:
        columns[0].number_input(
            "Frame", 0, frames - 1, key="frame", on_change=pin_from_inputs,
            help=f"Frame of the reference, 0 to {frames - 1} of those looked at.",
        )  # fmt: skip
    columns[-2].number_input(
        "Row", 0, grid.rows - 1, key="row", on_change=pin_from_inputs,
        help=f"Feature cell of the reference, 0 to {grid.rows - 1} from the top.",
    )  # fmt: skip
    columns[-1].number_input(
        "Column", 0, grid.cols - 1, key="col", on_change=pin_from_inputs,
        help=f"Feature cell of the reference, 0 to {grid.cols - 1} from the left.",
    )  # fmt: skip
