"""Opening a recipe or a figure: its references as pins, its settings, its missing media."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from errors import AttentionVizError, InputError
from ui import state
from ui.figure import settings as figure_settings
from ui.figure.sources import SHORT
from ui.guard import plain
from ui.session import medium
from ui.session import pins as session_pins
from viz.examples import bird, kick
from viz.figure.files import embedded_recipe
from viz.figure.recipe.recipe import Medium, Recipe, Reference
from viz.media import footage
from viz.media.footage import Footage
from viz.types import Clip

LARGEST_MB = embedded_recipe.LARGEST_BYTES // 2**20
_LEVELS = (
    "The recipe's picture was shown with levels of its own, which the app does not take yet; draw "
    "it with python -m viz render."
)
_LONGEST = 160
"""Letters of a path that are shown."""


@dataclass
class Opened:
    """A recipe whose media are being gathered: frames that were found, footage that was given, and
    what was wrong with what was given."""

    recipe: Recipe
    clips: dict[Medium, Clip] = field(default_factory=dict)
    given: list[Footage] = field(default_factory=list)
    problems: dict[Medium, str] = field(default_factory=dict)


def uploader() -> None:
    """Draw the place to drop a recipe or a figure, and why the last one was not opened."""
    st.file_uploader(
        "Open a recipe or a figure (JSON, PDF, SVG, EPS, PNG, TIFF)", key=_upload_key(),
        max_upload_size=LARGEST_MB, on_change=_take,
        help="Its pins and settings take the place of those that are here.",
    )  # fmt: skip
    if problem := state.FIGURE_OPEN_PROBLEM.get():
        st.error(problem)


def _upload_key() -> str:
    return f"figure-file-{state.FIGURE_ROUND.get()}"


def _take() -> None:
    upload = state.widget(_upload_key()).get()
    state.FIGURE_OPEN_PROBLEM.pop()
    if upload is None:
        return
    try:
        begin(embedded_recipe.read(upload.getvalue(), upload.name))
    except AttentionVizError as problem:
        state.FIGURE_OPEN_PROBLEM.set(plain(str(problem)))


def begin(recipe: Recipe) -> None:
    """Open a recipe: at once where all its media are here, else when the missing ones are given.

    InputError for one with a font of its own: no file that a recipe names is opened.
    """
    if recipe.layout.own_font:
        raise InputError(
            f"The recipe has a font of its own, {recipe.layout.own_font[-40:]}, which the app does "
            "not take; draw it with python -m viz render, or take own_font out of its layout."
        )
    state.FIGURE_OPENED.set(Opened(recipe))
    _finish()


def _finish(leave_out: bool = False) -> None:
    """Put everything in its place once every medium is here, or without those that are not."""
    opened = state.FIGURE_OPENED.get()
    found = {one: _found(one, opened) for one in _media(opened.recipe)}
    if not any(found.values()) or not (leave_out or all(found.values())):
        return
    pairs = [(one, found[one.medium]) for one in opened.recipe.references]
    _close()
    try:
        session_pins.put(
            session_pins.made(_hashed(one, clip), clip) for one, clip in pairs if clip is not None
        )
    except AttentionVizError as problem:
        state.FIGURE_OPEN_PROBLEM.set(plain(str(problem)))
        return
    figure_settings.take(opened.recipe)


def _hashed(reference: Reference, clip: Clip) -> Reference:
    """Return the reference with its medium's sha256, which a recipe may leave empty."""
    return replace(reference, medium=replace(reference.medium, sha256=clip.sha256))


def _close() -> None:
    state.FIGURE_OPENED.pop()
    # The same file can then be dropped again.
    state.FIGURE_ROUND.set(state.FIGURE_ROUND.get() + 1)


def _found(wanted: Medium, opened: Opened) -> Clip | None:
    """Return the frames of a medium from what this session has; never from its path."""
    if wanted.levels is not None:
        opened.problems[wanted] = _LEVELS
        return None
    if wanted not in opened.clips:
        found = session_pins.clip_of(wanted) or _from_footage(wanted, opened)
        if found is None:
            return None
        opened.clips[wanted] = found
    return opened.clips[wanted]


def _from_footage(wanted: Medium, opened: Opened) -> Clip | None:
    for known in (*opened.given, medium.in_use(), *_examples()):
        if known.sha256 == wanted.sha256:
            try:
                return _taken(known, wanted)
            except AttentionVizError as problem:
                opened.problems[wanted] = str(problem)
    return None


def _examples() -> tuple[Footage, ...]:
    return footage.of(bird.clip()), footage.of(kick.clip())


def _taken(known: Footage, wanted: Medium) -> Clip:
    if wanted.levels is not None:
        raise InputError(_LEVELS)
    if known.is_clip != wanted.is_clip:
        here, there = ("a clip", "a picture") if known.is_clip else ("a picture", "a clip")
        raise InputError(f"{wanted.path} is {here} here, and {there} in the recipe.")
    return known.take(wanted.frames or (0,))


def pending() -> bool:
    """Draw what an opened recipe still lacks; return whether there is such a recipe."""
    opened = state.FIGURE_OPENED.get()
    if opened is None:
        return False
    missing = [one for one in _media(opened.recipe) if _found(one, opened) is None]
    st.info(
        f"The recipe needs {len(missing)} of its {len(_media(opened.recipe))} pictures and clips. "
        "Files are recognised by their sha256, whatever they are called."
    )
    for number, one in enumerate(missing):
        _asked(number, one, opened)
    with st.container(horizontal=True):
        if len(missing) < len(_media(opened.recipe)):
            st.button("Open it without them", key="figure-without", on_click=_without)
        st.button("Do not open it", key="figure-cancel", on_click=_close)
    return True


def _media(recipe: Recipe) -> tuple[Medium, ...]:
    return tuple(dict.fromkeys(reference.medium for reference in recipe.references))


def _asked(number: int, wanted: Medium, opened: Opened) -> None:
    """Name one missing medium, and take it."""
    frames = f", {len(wanted.frames)} frames of it" if wanted.is_clip else ""
    name = wanted.path if len(wanted.path) <= _LONGEST else f"...{wanted.path[-_LONGEST:]}"
    st.markdown(
        f"**{plain(name)}**{frames} is missing (sha256 {wanted.sha256[:SHORT] or 'unknown'})"
    )
    key = f"figure-give-{state.FIGURE_ROUND.get()}-{_media(opened.recipe).index(wanted)}"
    st.file_uploader(
        f"Missing file {number + 1}; several pictures are the frames of a clip",
        key=key, accept_multiple_files=True, max_upload_size=medium.LARGEST_MB,
        on_change=_given, args=(key, wanted),
    )  # fmt: skip
    if problem := opened.problems.get(wanted):
        st.error(plain(problem))


def _given(key: str, wanted: Medium) -> None:
    opened, uploads = state.FIGURE_OPENED.get(), state.widget(key).get()
    if opened is None or not uploads:
        return
    opened.problems.pop(wanted, None)
    try:
        found = _read([(one.name, one.getvalue()) for one in uploads], wanted)
        opened.clips[wanted] = _taken(found, wanted)
    except AttentionVizError as problem:
        opened.problems[wanted] = str(problem)
        return
    opened.given.append(found)
    _finish()


def _read(files: Sequence[tuple[str, bytes]], wanted: Medium) -> Footage:
    found = medium.read(files)
    if wanted.sha256 not in ("", found.sha256):
        raise InputError(
            f"{found.name} is another file: it has sha256 {found.sha256[:SHORT]}, the recipe's "
            f"{wanted.path} had {wanted.sha256[:SHORT]}. Give the file that was used."
        )
    return found


def _without() -> None:
    _finish(leave_out=True)
