"""The reference patch: where it is, how it follows grids, and its place in the address bar."""

import streamlit as st

from models.layout import Grid
from viz import example
from viz.geometry import Geometry
from viz.types import Cell, Clip


def linked_cell(
    geometry: Geometry, grid: Grid, cell: Cell, other: Geometry, other_grid: Grid
) -> Cell:
    """Return the cell of another network that lies under the middle of ``cell``."""
    x, y = geometry.cell_centre(cell.y, cell.x, grid)
    return nearest_cell(other, other_grid, x, y)


def nearest_cell(geometry: Geometry, grid: Grid, x: float, y: float) -> Cell:
    """Return the cell under original pixel (x, y), or the closest one inside the view."""
    seen = geometry.seen
    inside_x = min(max(x, seen.left), seen.right - 1e-6 * geometry.width)
    inside_y = min(max(y, seen.top), seen.bottom - 1e-6 * geometry.height)
    return Cell(0, *geometry.cell_at(inside_x, inside_y, grid))


def _from_address(grid: Grid) -> Cell | None:
    """Read ``at=row,col``; anything else in the address bar is passed over."""
    row, _, col = st.query_params.get("at", "").partition(",")
    if not (row.isascii() and row.isdecimal() and col.isascii() and col.isdecimal()):
        return None
    if len(row) > 4 or len(col) > 4 or int(row) >= grid.rows or int(col) >= grid.cols:
        return None
    return Cell(0, int(row), int(col))


def current(clip: Clip, geometry: Geometry, grid: Grid) -> Cell:
    """Return the pinned reference on this grid, and write it into the widgets and the address bar.

    It stays on the same spot of the picture when the grid changes; a new picture starts at its
    middle (the example at the bird's head).
    """
    state = st.session_state
    kept = state.get("reference")
    laid = (clip.sha256, geometry, grid)
    if kept is None or st.query_params.get("at", kept["address"]) != kept["address"]:
        # The first visit, or the browser's back and forward buttons.
        cell = _from_address(grid) or _start(clip, geometry, grid)
    elif kept["laid"] == laid:
        cell = kept["cell"]
    elif kept["laid"][0] == clip.sha256:
        cell = linked_cell(kept["laid"][1], kept["laid"][2], kept["cell"], geometry, grid)
    else:
        cell = _start(clip, geometry, grid)
    address = f"{cell.y},{cell.x}"
    state["reference"] = {"laid": laid, "cell": cell, "address": address}
    state["row"], state["col"] = cell.y, cell.x
    if st.query_params.get("at") != address:
        st.query_params["at"] = address
    return cell


def _start(clip: Clip, geometry: Geometry, grid: Grid) -> Cell:
    if clip.sha256 == example.clip().sha256:
        return nearest_cell(geometry, grid, *example.HEAD)
    return nearest_cell(geometry, grid, clip.width / 2, clip.height / 2)


def pin(row: int, col: int) -> None:
    """Put the reference at a cell of the grid in use; a cell outside it is passed over."""
    kept = st.session_state.get("reference")
    if kept is None:
        return
    _sha256, _geometry, grid = kept["laid"]
    if 0 <= row < grid.rows and 0 <= col < grid.cols:
        st.session_state["reference"] = {**kept, "cell": Cell(0, row, col)}


def pin_from_inputs() -> None:
    """Put the reference where the row and column inputs say."""
    pin(st.session_state["row"], st.session_state["col"])


def inputs(grid: Grid) -> None:
    """Draw the row and column inputs of the reference."""
    left, right = st.columns(2)
    left.number_input(
        "Row", 0, grid.rows - 1, key="row", on_change=pin_from_inputs,
        help=f"Feature cell of the reference, 0 to {grid.rows - 1} from the top.",
    )  # fmt: skip
    right.number_input(
        "Column", 0, grid.cols - 1, key="col", on_change=pin_from_inputs,
        help=f"Feature cell of the reference, 0 to {grid.cols - 1} from the left.",
    )  # fmt: skip
