"""The second picture: what the patch answers to in another picture, beside the first."""

import re
from collections.abc import Callable

import streamlit as st

from errors import AttentionVizError, InputError
from ui import bound, state
from ui.guard import plain
from ui.session import medium, shelf
from ui.session.naming import medium_of
from viz.figure.recipe.recipe import Medium
from viz.media.footage import Footage
from viz.types import Clip

EXAMPLES = ("second-bird", "bird")
_TITLES = {"second-bird": "another bird", "bird": "the drawn bird"}
HELP = (
    "Pick a patch in the first picture, and see at once where it has its like in the second: the "
    "block's weights over both pictures, or how alike features are. Sizes may differ."
)


def in_use(clip: Clip) -> Clip | None:
    """Return the second picture, or None: without one, and beside a clip."""
    found = state.SECOND.get()
    return found if len(clip.frames) == 1 else None


def choose(on_change: Callable[[], None], show: Callable[[str], str]) -> None:
    """Draw the inputs of the second picture; ``show`` gives an example's small picture as an
    address, ``on_change`` is called when there is one that was not before."""
    found = state.SECOND.get()
    if medium.in_use().is_clip:
        if found is not None:
            st.caption("A second picture goes with one picture; it is back when a picture is.")
        return
    with st.expander("Second picture", expanded=found is not None):
        if found is None:
            st.caption(HELP)
        else:
            st.caption(f"In use: {plain(found.name)}, {found.width} x {found.height} pixels")
            st.button(
                "Without the second picture", key="drop-second", icon=":material/close:",
                on_click=drop,
            )  # fmt: skip
        _offer(on_change, show)
        if problem := state.SECOND_PROBLEM.get():
            st.error(problem)


def _offer(on_change: Callable[[], None], show: Callable[[str], str]) -> None:
    """Draw the uploader and the examples."""
    key = f"second-upload-{state.SECOND_ROUND.get()}"
    st.file_uploader(
        f"A picture to compare with, up to {medium.LARGEST_MB} MB", key=key,
        max_upload_size=medium.LARGEST_MB, on_change=_upload, args=(key, on_change),
    )  # fmt: skip
    here = state.SECOND.get()
    with st.container(horizontal=True, key="second-examples"):
        for name in EXAMPLES:
            st.button(
                f"![{name}]({show(name)}) {_TITLES[name]}", key=f"second-{name}", type="tertiary",
                on_click=take_example, args=(name, on_change),
                disabled=here is not None and here.sha256 == medium.example(name).sha256,
            )  # fmt: skip


def _clip(name: str) -> Clip:
    return _picture(medium.example(name))


def _picture(found: Footage) -> Clip:
    """Return the one frame of a picture; InputError for a clip."""
    if found.is_clip:
        raise InputError(
            f"{found.name} is a clip; a second picture goes with one picture. Give a picture."
        )
    return found.take((0,))


def drop() -> None:
    """Go back to one picture."""
    state.SECOND.pop()
    state.SECOND_PROBLEM.pop()
    state.SECOND_LINKED.pop()
    state.SECOND_ROUND.set(state.SECOND_ROUND.get() + 1)


def take_example(name: str, on_change: Callable[[], None]) -> None:
    """Put a drawn example in use as the second picture."""
    state.SECOND_ROUND.set(state.SECOND_ROUND.get() + 1)
    _take(lambda: _clip(name), on_change)


def _upload(key: str, on_change: Callable[[], None]) -> None:
    upload = state.widget(key).get()
    if upload is None:
        drop()
    else:
        _take(lambda: _picture(medium.read(medium.contents([upload]))), on_change)


def _take(read: Callable[[], Clip], on_change: Callable[[], None]) -> None:
    """Put a picture in use; when it cannot be read, keep what was and say why."""
    before = state.SECOND.get()
    state.SECOND_PROBLEM.pop()
    try:
        state.SECOND.set(read())
        state.SECOND_LINKED.pop()
    except AttentionVizError as problem:
        state.SECOND_PROBLEM.set(plain(str(problem)))
        return
    if before is None:
        on_change()


def from_address() -> None:
    """Take the second picture that the address names, at the session's beginning."""
    name, sha256 = bound.taken("second"), bound.taken("second_sha256")
    if name in EXAMPLES:
        state.SECOND.set(_clip(name))
    elif sha256 is not None and re.fullmatch("[0-9a-f]{64}", sha256):
        state.SECOND_LINKED.set(Medium((name or "a file")[:200], sha256))
    elif name is not None:
        bound.complain(
            f"second={name[:60]} is no second picture; it can be {' or '.join(EXAMPLES)}, or the "
            "name of a file with its second_sha256."
        )


def lacking() -> Medium | None:
    """Return the second picture of the address where it is not here."""
    linked = state.SECOND_LINKED.get()
    if linked is None:
        return None
    found = shelf.find(linked.sha256)
    return None if found is not None and give(found) else linked


def give(found: Footage) -> bool:
    """Take footage where it is the second picture of the address; tell whether it is."""
    linked = state.SECOND_LINKED.get()
    if linked is None or linked.sha256 != found.sha256 or found.is_clip:
        return False
    state.SECOND.set(_picture(found))
    state.SECOND_LINKED.pop()
    return True


def address(clip: Clip | None) -> dict[str, str | None]:
    """Return the address's entries of a second picture: name, and sha256 of a file."""
    if clip is None:
        linked = state.SECOND_LINKED.get()
        words = (linked.path, linked.sha256) if linked else (None, None)
        return dict(zip(("second", "second_sha256"), words, strict=True))
    name = medium_of(clip).path
    if name.startswith("example:"):
        return {"second": name.removeprefix("example:"), "second_sha256": None}
    return {"second": name[:200], "second_sha256": clip.sha256}
