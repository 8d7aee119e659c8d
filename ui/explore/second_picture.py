"""Words and numbers about a second picture: where the patch has its like."""

import streamlit as st

from ui.guard import plain
from viz.attention import matches
from viz.figure.resolve import Scene, Shot

LISTED = 5


def sentence(found: Scene) -> str:
    """Say in one sentence, for markdown, what the second picture shows."""
    shot, name = found.second.shots[0], plain(found.second.clip.name)
    if not shot.kind.referenced:
        return "**Two pictures: the network's evidence for a class in each.**"
    [(cell, value)] = matches.best(shot.shown, 1)
    return (
        f"**The green patch has its like in {name} at row {cell.y}, column {cell.x} "
        f"({value:.3g}).** Point at any patch of the first picture to see its best matches."
    )


def rows(found: Scene) -> list[dict[str, object]]:
    """Return the best matches of the pinned patch, a row each, best first."""
    referenced = (shot for shot in found.second.shots if shot.kind.referenced)
    return [row for shot in referenced for row in _rows(shot)]


def _rows(shot: Shot) -> list[dict[str, object]]:
    attention, grid = shot.shown, shot.block.key_grid
    made = []
    for number, (cell, value) in enumerate(matches.best(attention, LISTED), 1):
        x, y = shot.geometry.cell_centre(cell.y, cell.x, grid)
        made.append(
            {
                "Network": shot.title,
                "Map": shot.kind.caption(shot.capture, attention),
                "Match": number,
                "Row, column": f"{cell.y}, {cell.x}",
                "Pixel": f"{int(x)}, {int(y)}",
                "Value": f"{value:.6g}",
                "Meaning": attention.meaning,
            }
        )
    return made


def table(found: Scene) -> None:
    """Draw the best matches, where there is a second picture."""
    if found.second is None or not (listed := rows(found)):
        return
    st.caption(f"Best matches of the pinned patch in {plain(found.second.clip.name)}")
    st.dataframe(listed, hide_index=True, width="stretch")


def how(shot: Shot) -> str:
    """Return how the maps of a network over both pictures are made."""
    kind = shot.kind
    if not kind.referenced:
        return ""
    if kind.name in ("affinity", "heads"):
        return (
            "Two pictures: the block is given the keys of both, and the weights of both together "
            "sum to what those of one do. The layers before have seen each picture alone."
        )
    return "Two pictures: the vector at the patch is compared with those of both."
