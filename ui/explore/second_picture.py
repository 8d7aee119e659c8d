"""A second picture: how it is brought in, and where in it the patch's best match is."""

from collections.abc import Callable

import streamlit as st

from ui import state
from ui.explore.settings import kinds
from ui.guard import plain
from ui.session.media import medium, second
from viz.attention import matches
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import KINDS
from viz.figure.resolve import Scene, Shot

LISTED = 5
_TITLES = {"second-bird": "another bird", "bird": "the drawn bird"}
HELP = (
    "Pick a patch in the first picture, and see at once which patches of the second match it best: "
    "by the block's weights over both pictures, or by how similar features are. Sizes may differ."
)


def choose(on_change: Callable[[], None], show: Callable[[str], str]) -> None:
    """Draw the inputs of the second picture; ``show`` gives an example's small picture as an
    address, ``on_change`` is called when there is one that was not before."""
    found = state.SECOND.get()
    if medium.in_use().is_clip:
        if found is not None:
            st.caption(
                "A second picture is not shown beside a clip; it is kept for the next picture."
            )
        return
    with st.expander("Second picture", expanded=found is not None):
        if found is None:
            st.caption(HELP)
        else:
            st.caption(f"In use: {plain(found.name)}, {found.width} x {found.height} pixels")
            st.button(
                "Remove the second picture", key="drop-second", icon=":material/close:",
                on_click=second.drop,
            )  # fmt: skip
        _offer(on_change, show)
        if problem := state.SECOND_PROBLEM.get():
            st.error(problem)


def _offer(on_change: Callable[[], None], show: Callable[[str], str]) -> None:
    """Draw the uploader and the examples."""
    key = f"second-upload-{state.SECOND_ROUND.get()}"
    st.file_uploader(
        f"A picture to compare with, up to {medium.LARGEST_MB} MB", key=key,
        max_upload_size=medium.LARGEST_MB, on_change=second.take_upload,
        args=(key, on_change),
    )  # fmt: skip
    here = state.SECOND.get()
    with st.container(horizontal=True, key="second-examples"):
        for name in second.EXAMPLES:
            st.button(
                f"![{name}]({show(name)}) {_TITLES[name]}", key=f"second-{name}", type="tertiary",
                on_click=second.take_example, args=(name, on_change),
                disabled=here is not None and here.sha256 == medium.example(name).sha256,
            )  # fmt: skip


def sentence(found: Scene) -> str:
    """Say in one sentence, for markdown, what the second picture shows."""
    shot, name = found.second.shots[0], plain(found.second.clip.name)
    if not shot.kind.referenced:
        return f"**Two pictures, a map in each.** {shot.kind.without_reference}"
    [(cell, value)] = matches.best(shot.shown, 1)
    return (
        f"**The pinned patch's best match in {name} is at row {cell.y}, column {cell.x} "
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
    """Return how the maps of a network over both pictures are made, and instead of what."""
    if not shot.kind.referenced:
        return ""
    chosen = kinds.chosen(shot.view, shot.model.spec)
    words = "" if chosen.name == shot.kind.name else f"{instead(chosen)} "
    return words + shot.kind.joined_words


def instead(chosen: MapKind) -> str:
    """Say what is drawn of two pictures in place of the map that was chosen, and why."""
    return (
        f"Drawn instead: {KINDS[matches.FEATURES].menu}. {chosen.title} has no map from one "
        "picture into another at this block; it comes back when the second picture is removed."
    )
