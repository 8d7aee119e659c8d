"""The medium in use: an upload or an example, and the frames that are taken from it."""

import re
from collections.abc import Callable, Sequence

import streamlit as st

from errors import AttentionVizError, InputError
from ui import bound, state
from ui.guard import guarded, plain
from ui.isolation import media as isolation
from ui.server import settings
from ui.server.kept import Kept
from ui.server.visitor import stop_if_ended
from ui.server.waiting import stoppable
from ui.session import shelf
from ui.session.naming import medium_of
from viz.examples import bird, kick
from viz.figure.recipe.recipe import Medium
from viz.media import footage
from viz.media.footage import Footage
from viz.types import Clip, Sampling

EXAMPLES = ("bird", "kick")
_DRAWN = {"bird": bird.clip, "second-bird": bird.second, "kick": kick.clip}
LARGEST_MB = 256
_KEPT = 4


def in_use() -> Footage:
    """Return the upload, or the example until there is one."""
    return state.FOOTAGE.get() or example(state.EXAMPLE.get())


@st.cache_resource(max_entries=len(_DRAWN), show_spinner=False)
def example(name: str) -> Footage:
    """Return a drawn example; the bird for a name that there is not."""
    return footage.of(_DRAWN.get(name, bird.clip)())


def is_example(sha256: str) -> bool:
    """Tell whether this is the file of an example."""
    return any(example(name).sha256 == sha256 for name in EXAMPLES)


def _kept() -> Kept[Clip]:
    most = settings.current().session_capture_mb * 2**20
    return state.CLIPS.once(lambda: Kept(lambda clip: clip.frames.nbytes, most, _KEPT))


def sampled(sampling: Sampling) -> Clip:
    """Return the frames of the medium in use that are looked at; a picture is one frame."""
    found = in_use()
    key = (found.sha256, sampling)
    if (clip := _kept().get(key)) is not None:
        return clip
    with stoppable("Reading the frames", ("frames", *key)):
        return _kept().keep(key, found.sample(sampling))


def key_of(clip: Clip) -> str:
    """Return what tells a sampled clip from all others."""
    return "-".join([clip.sha256, *map(str, clip.numbers)])


def contents(uploads: Sequence) -> list[tuple[str, bytes]]:
    """Return (name, bytes) of uploads; InputError where the server has lost one."""
    check_held(uploads)
    return [(one.name, one.getvalue()) for one in uploads]


def check_held(uploads: Sequence) -> None:
    """Refuse uploads that the server has lost: it was started anew while the page stayed open."""
    if not all(hasattr(one, "getvalue") for one in uploads):
        raise InputError(
            "The server was started anew and has lost this upload; remove it from the list and "
            "drop the file again."
        )


def read(files: Sequence[tuple[str, bytes]]) -> Footage:
    """Return one file, or several pictures as the frames of a clip, read in a child process that
    ends with the session, and keep it for a refresh."""
    (name, content), *more = files
    if more:
        found = isolation.read_set(files, stop_if_ended)
    else:
        found = isolation.read(content, name, stop_if_ended)
    shelf.keep(found, sum(len(content) for _name, content in files))
    return found


def use(found: Footage) -> None:
    """Put footage in use that was read elsewhere."""
    state.UPLOAD_PROBLEM.pop()
    state.FOOTAGE.set(found)


def _uploader(name: str) -> state.Key:
    return state.widget(f"{name}-{state.UPLOAD_ROUND.get()}")


def _take_upload(name: str) -> None:
    """Put what was dropped in use; when it cannot be read, keep what was and say why."""
    given = _uploader(name).get()
    uploads = given if isinstance(given, list) else [given] if given else []
    _take(lambda: read(contents(uploads)) if uploads else None)


def take_example(name: str | None = None) -> None:
    """Put an example in use in place of an upload: the one chosen, or that of the name."""
    if name is not None:
        state.EXAMPLE.set(name)
    _take(lambda: None)
    state.FOOTAGE_BEFORE.pop()
    # An uploader of a new name is empty: the same file can be dropped again.
    state.UPLOAD_ROUND.set(state.UPLOAD_ROUND.get() + 1)


def _take(read: Callable[[], Footage | None]) -> None:
    state.UPLOAD_PROBLEM.pop()
    try:
        found = read()
    except AttentionVizError as problem:
        state.UPLOAD_PROBLEM.set(plain(str(problem)))
        found = state.FOOTAGE.get() or state.FOOTAGE_BEFORE.get()
    if found is None and state.FOOTAGE.get():
        # A file that replaces another takes it away first, and may then turn out to be unreadable.
        state.FOOTAGE_BEFORE.set(state.FOOTAGE.get())
    state.FOOTAGE.set(found)


def changing(
    take: Callable[..., None], on_kind: Callable[[], None], on_change: Callable[[], None]
) -> Callable[..., None]:
    """Return ``take`` as a callback, after which ``on_change`` runs when another medium was taken,
    ``on_kind`` when it is a clip after a picture or a picture after a clip."""

    def after(*args: str) -> None:
        # What was in use in the run before: a selectbox has its new value in its callback.
        before = state.MEDIUM.get() or in_use()
        take(*args)
        if in_use() is not before:
            on_change()
        if in_use().is_clip != before.is_clip:
            on_kind()

    return after


def choose(on_kind: Callable[[], None], on_change: Callable[[], None]) -> None:
    """Draw the inputs of the medium; the callbacks are those of ``changing``."""
    upload = changing(_take_upload, on_kind, on_change)
    example_taken = changing(take_example, on_kind, on_change)
    st.subheader("Picture or clip")
    told = st.container()  # filled below: the example of the address is known once it is drawn
    st.file_uploader(
        f"Picture, video, GIF or zip of frames, up to {LARGEST_MB} MB",
        key=_uploader("upload").name,
        max_upload_size=LARGEST_MB,
        on_change=upload,
        args=("upload",),
        help=footage.ACCEPTED,
    )
    with st.expander("Several pictures as the frames of a clip"):
        st.file_uploader(
            "Frames, in the order of their names", key=_uploader("frames_upload").name,
            accept_multiple_files=True, max_upload_size=64, on_change=upload,
            args=("frames_upload",),
        )  # fmt: skip
    if state.FOOTAGE.get():
        st.button(
            "Back to the example", key="drop-upload", on_click=example_taken,
            icon=":material/undo:",
        )  # fmt: skip
    else:
        st.selectbox(
            "Example", EXAMPLES, key=state.EXAMPLE.name, bind="query-params",
            on_change=example_taken, help="A picture of a bird; a clip of a kick.",
        )  # fmt: skip
    state.MEDIUM.set(in_use())
    with told:
        st.caption(f"In use: {_described(in_use())}")
        if in_use().notes:
            st.caption(plain("; ".join(in_use().notes)))


def _described(found: Footage) -> str:
    size = f"{plain(found.name)}, {found.width} x {found.height} pixels"
    if not found.is_clip:
        return size
    return f"{size}, {len(found.times)} frames, {found.duration:.2f} s"


def guarded_sample(sampling: Sampling) -> Clip | None:
    """Return the sampled clip, or None after showing why it cannot be had."""
    with guarded():
        return sampled(sampling)
    return None


# The second picture: what the patch answers to in another picture, beside the first

SECOND_EXAMPLES = ("second-bird", "bird")
"""Examples that are offered as the second picture."""


def second_in_use(clip: Clip) -> Clip | None:
    """Return the second picture, or None: without one, and beside a clip."""
    found = state.SECOND.get()
    return found if len(clip.frames) == 1 else None


def _as_picture(found: Footage) -> Clip:
    """Return the one frame of a picture; InputError for a clip."""
    if found.is_clip:
        raise InputError(
            f"{found.name} is a clip; a second picture goes with one picture. Give a picture."
        )
    return found.take((0,))


def drop_second() -> None:
    """Go back to one picture."""
    state.SECOND.pop()
    state.SECOND_PROBLEM.pop()
    state.SECOND_LINKED.pop()
    state.SECOND_ROUND.set(state.SECOND_ROUND.get() + 1)


def take_second_example(name: str, on_change: Callable[[], None]) -> None:
    """Put a drawn example in use as the second picture."""
    state.SECOND_ROUND.set(state.SECOND_ROUND.get() + 1)
    _take_second(lambda: _as_picture(example(name)), on_change)


def take_second_upload(key: str, on_change: Callable[[], None]) -> None:
    """Put what was dropped in use as the second picture; nothing takes it away."""
    upload = state.widget(key).get()
    if upload is None:
        drop_second()
    else:
        _take_second(lambda: _as_picture(read(contents([upload]))), on_change)


def _take_second(read: Callable[[], Clip], on_change: Callable[[], None]) -> None:
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


def second_from_address() -> None:
    """Take the second picture that the address names, at the session's beginning."""
    name, sha256 = bound.taken("second"), bound.taken("second_sha256")
    if name in SECOND_EXAMPLES:
        state.SECOND.set(_as_picture(example(name)))
    elif sha256 is not None and re.fullmatch("[0-9a-f]{64}", sha256):
        state.SECOND_LINKED.set(Medium((name or "a file")[:200], sha256))
    elif name is not None:
        bound.complain(
            f"second={name[:60]} is no second picture; it can be {' or '.join(SECOND_EXAMPLES)}, "
            "or the name of a file with its second_sha256."
        )


def second_lacking() -> Medium | None:
    """Return the second picture of the address where it is not here."""
    linked = state.SECOND_LINKED.get()
    if linked is None:
        return None
    found = shelf.find(linked.sha256)
    return None if found is not None and give_second(found) else linked


def give_second(found: Footage) -> bool:
    """Take footage where it is the second picture of the address; tell whether it is."""
    linked = state.SECOND_LINKED.get()
    if linked is None or linked.sha256 != found.sha256 or found.is_clip:
        return False
    state.SECOND.set(_as_picture(found))
    state.SECOND_LINKED.pop()
    return True


def second_address(clip: Clip | None) -> dict[str, str | None]:
    """Return the address's entries of a second picture: name, and sha256 of a file."""
    if clip is None:
        linked = state.SECOND_LINKED.get()
        words = (linked.path, linked.sha256) if linked else (None, None)
        return dict(zip(("second", "second_sha256"), words, strict=True))
    name = medium_of(clip).path
    if name.startswith("example:"):
        return {"second": name.removeprefix("example:"), "second_sha256": None}
    return {"second": name[:200], "second_sha256": clip.sha256}
