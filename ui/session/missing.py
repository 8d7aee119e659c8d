"""Files that an address, a recipe or kept pins need and that are not here: one place to drop them
all, told apart by their hash."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import streamlit as st

from errors import AttentionVizError, InputError, counted
from ui import state
from ui.guard import plain
from ui.isolation import media as isolation
from ui.session import pins as session_pins
from ui.session.media import arrivals, levels, linked, medium, second, shelf
from ui.session.pins import Pin
from viz.examples import bird, kick
from viz.figure.recipe.recipe import Medium, Reference
from viz.media.footage import Footage
from viz.types import Clip

SHORT = 12
"""Digits of a sha256 that are shown."""
_PLACE = "missing"
"""Of what is dropped here, among the arrivals."""
_LONGEST = 160
"""Letters of a path that are shown."""
_EXAMPLES = {
    "example:bird": bird.clip,
    "example:second-bird": bird.second,
    "example:kick": kick.clip,
}


@dataclass
class Opened:
    """References whose media are being gathered: what becomes of them, frames that were found, and
    footage that was given.

    ``done`` gets the pins of all references whose media are here, once every medium is, or when the
    user goes on without the others.
    """

    references: tuple[Reference, ...]
    done: Callable[[tuple[Pin, ...]], None]
    clips: dict[Medium, Clip] = field(default_factory=dict)
    given: list[Footage] = field(default_factory=list)


def begin(opened: Opened) -> None:
    """Open references: at once where all their media are here, else when the others are given."""
    state.OPENED.set(opened)
    state.MISSING_PROBLEMS.pop()
    _finish()


def pending() -> Opened | None:
    """Return the references that wait for media."""
    return state.OPENED.get()


def cancel() -> None:
    """Give up what waits for media."""
    arrivals.forget(_PLACE)
    state.OPENED.pop()
    state.MISSING_PROBLEMS.pop()
    state.MISSING_ROUND.set(state.MISSING_ROUND.get() + 1)


def _finish(leave_out: bool = False) -> None:
    """Make pins once every medium is here, or without those that are not."""
    opened = state.OPENED.get()
    found = {one: _found(one, opened) for one in _media(opened)}
    if not any(found.values()) or not (leave_out or all(found.values())):
        return
    cancel()
    made = (_pin(one, found) for one in opened.references)
    opened.done(tuple(pin for pin in made if pin is not None))


def _pin(reference: Reference, found: Mapping[Medium, Clip | None]) -> Pin | None:
    """Return a reference as a pin, with the sha256 of its media, which a recipe may leave empty;
    None where one of them is not here."""
    clip = found[reference.medium]
    if reference.second is None:
        return clip and session_pins.made(_hashed(reference, clip), clip)
    second = found[reference.second]
    if clip is None or second is None:
        return None
    there = replace(reference.second, sha256=second.sha256)
    return session_pins.made(replace(_hashed(reference, clip), second=there), clip, second)


def _hashed(reference: Reference, clip: Clip) -> Reference:
    return replace(reference, medium=replace(reference.medium, sha256=clip.sha256))


def _media(opened: Opened) -> tuple[Medium, ...]:
    pairs = ((one.medium, one.second) for one in opened.references)
    return tuple(dict.fromkeys(medium for pair in pairs for medium in pair if medium is not None))


def _found(wanted: Medium, opened: Opened) -> Clip | None:
    """Return the frames of a medium from what this session has; never from its path."""
    if wanted not in opened.clips:
        found = session_pins.clip_of(wanted) or _from_footage(wanted, opened)
        if found is None:
            return None
        opened.clips[wanted] = found
    return opened.clips[wanted]


def _from_footage(wanted: Medium, opened: Opened) -> Clip | None:
    for known in (*opened.given, medium.in_use(), *_examples(), *_shelved(wanted)):
        if _is(known, wanted):
            try:
                return _taken(known, wanted)
            except AttentionVizError as problem:
                _complain(str(problem))
    return None


def _shelved(wanted: Medium) -> list[Footage]:
    found = shelf.find(wanted.sha256) if wanted.sha256 else None
    return [found] if found else []


def _examples() -> tuple[Footage, ...]:
    return tuple(medium.example(name) for name in (*medium.EXAMPLES, *second.EXAMPLES))


def _is(known: Footage, wanted: Medium) -> bool:
    """Tell whether footage is the wanted medium: by its hash; an example by its name too; where a
    recipe gives no hash, by the file's name."""
    if wanted.path in _EXAMPLES:
        return known.sha256 == _EXAMPLES[wanted.path]().sha256
    if wanted.sha256:
        return known.sha256 == wanted.sha256
    return PurePath(known.name).name == PurePath(wanted.path).name


def _taken(known: Footage, wanted: Medium) -> Clip:
    if known.is_clip != wanted.is_clip:
        here, there = ("a clip", "a picture") if known.is_clip else ("a picture", "a clip")
        raise InputError(f"{wanted.path} is {here} here, and {there} in the recipe.")
    return levels.shown_from(known, wanted.levels).take(wanted.frames or (0,))


def lacking() -> list[Medium]:
    """Return the media that are not here: of the address, and of the references that wait."""
    opened = pending()
    wanted = [one for one in (linked.lacking(), second.lacking()) if one is not None]
    if opened is not None:
        wanted += [one for one in _media(opened) if _found(one, opened) is None]
    return list({(one.sha256 or one.path): one for one in wanted}.values())


def ask() -> None:
    """Name the missing media, and draw the one place to drop them, with what was wrong with what
    was dropped."""
    missing = lacking()
    if not missing:
        return
    lines = "\n".join(f"- {_line(one)}" for one in missing)
    st.info(
        f"Missing: {counted(len(missing), 'file')}. Drop "
        f"{'it' if len(missing) == 1 else 'them'} below: files are recognised by content, not by "
        f"name.\n{lines}"
    )
    key = f"missing-{state.MISSING_ROUND.get()}"
    st.file_uploader(
        "Missing files, all together; the frames of a clip too", key=key,
        accept_multiple_files=True, max_upload_size=medium.LARGEST_MB, on_change=_dropped,
        args=(key,),
    )  # fmt: skip
    for problem in state.MISSING_PROBLEMS.get():
        st.error(plain(problem))


def _line(wanted: Medium) -> str:
    name = wanted.path if len(wanted.path) <= _LONGEST else f"...{wanted.path[-_LONGEST:]}"
    frames = f", {counted(len(wanted.frames), 'frame')} of it" if wanted.is_clip else ""
    return f"**{plain(name)}**{frames} (sha256 {wanted.sha256[:SHORT] or 'unknown'})"


def _complain(text: str) -> None:
    known = state.MISSING_PROBLEMS.get()
    if text and text not in known:
        state.MISSING_PROBLEMS.set((*known, text))


def _dropped(key: str) -> None:
    state.MISSING_PROBLEMS.pop()
    arrivals.forget(_PLACE)
    if uploads := state.widget(key).get():
        arrivals.note(_PLACE, arrivals.uploaded(tuple(uploads), _take, _complain))


def _take(uploads: Sequence) -> None:
    state.MISSING_PROBLEMS.pop()
    give(medium.contents(uploads))


def give(files: Sequence[tuple[str, bytes]]) -> None:
    """Take files, each for the missing medium of its content; those that fit none are named.

    Pictures that fit none alone may together be the frames of a clip.
    """
    left = [(name, content) for name, content in files if not _fits([(name, content)])]
    if len(left) > 1 and _fits(left):
        left = []
    for name, content in left:
        _complain(_no_fit(name, content))
    if pending() is not None:
        _finish()


def _fits(files: Sequence[tuple[str, bytes]]) -> bool:
    """Take files as one medium, if it is one of those missing; tell whether it is."""
    try:
        found = medium.read(files)
    except AttentionVizError:
        return False
    opened, fits = pending(), linked.give(found) | second.give(found)
    if opened is not None and any(_is(found, one) for one in _media(opened)):
        opened.given.append(found)
        fits = True
    return fits


def _no_fit(name: str, content: bytes) -> str:
    try:
        sha256 = isolation.read(content, name).sha256
    except AttentionVizError as problem:
        return str(problem)
    wanted = ", ".join(one.sha256[:SHORT] or one.path[-_LONGEST:] for one in lacking())
    return (
        f"{name} is none of the missing files: it has sha256 {sha256[:SHORT]}, wanted are {wanted}."
        " Give the files that were used."
    )


def without() -> None:
    """Go on without what is missing."""
    _finish(leave_out=True)


def can_go_on() -> bool:
    """Tell whether some of the references that wait have their media here."""
    opened = pending()
    return opened is not None and any(_found(one, opened) for one in _media(opened))


def ways_on() -> None:
    """Offer to go on without what is missing."""
    with st.container(horizontal=True):
        if state.LINKED.get() is not None:
            st.button("Show the example instead", key="link-example", on_click=linked.show_example)
        if can_go_on():
            st.button("Open the other pins", key="missing-without", on_click=without)
        if pending() is not None:
            st.button("Leave these pins out", key="missing-cancel", on_click=cancel)
