"""The medium in use: an upload or an example, and the frames that are taken from it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import streamlit as st

from errors import InputError, counted
from ui import bound, state
from ui.guard import guarded, plain
from ui.isolation import media as isolation
from ui.server import settings
from ui.server.kept import Kept
from ui.server.visitor import stop_if_ended
from ui.server.waiting import stoppable
from ui.session.media import arrivals, shelf
from viz.examples import bird, kick
from viz.media import footage
from viz.media.footage import Footage
from viz.types import Clip, Sampling

EXAMPLES = ("bird", "kick")
_DRAWN = {"bird": bird.clip, "second-bird": bird.second, "kick": kick.clip}
LARGEST_MB = 256
_KEPT = 4
_PLACE = "medium"
"""Of what is dropped here, among the arrivals."""


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
    key = (found.sha256, found.levels, sampling)
    if (clip := _kept().get(key)) is not None:
        return clip
    with stoppable("Reading the frames", ("frames", *key)):
        return _kept().keep(key, found.sample(sampling))


def key_of(clip: Clip) -> str:
    """Return what tells a sampled clip from all others."""
    levels = [f"levels {clip.levels}"] if clip.levels else []
    return "-".join([clip.sha256, *map(str, clip.numbers), *levels])


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


def _note_upload(name: str, changed: Callable[[Callable[[], None]], None]) -> None:
    """Have what was dropped read by the page's run; put the example in use where it was removed,
    and no other file takes its place.

    ``changed`` calls a function that may put another medium in use.
    """
    given = _uploader(name).get()
    uploads = tuple(given) if isinstance(given, list) else (given,) if given else ()
    state.UPLOAD_PROBLEM.pop()
    was_refused = state.UPLOAD_REFUSED.pop() == name
    if not uploads:
        arrivals.forget(_PLACE)
        if not was_refused and not arrivals.is_replaced():
            changed(_remove)
        return

    def take(held: Sequence) -> None:
        found = read(contents(held))
        changed(lambda: use(found))

    def refuse(problem: str) -> None:
        state.UPLOAD_PROBLEM.set(problem)
        state.UPLOAD_REFUSED.set(name)

    arrivals.note(_PLACE, arrivals.uploaded(uploads, take, refuse))


def _remove() -> None:
    """Take the upload away, and what has arrived and was not read yet."""
    arrivals.forget(_PLACE)
    state.UPLOAD_PROBLEM.pop()
    state.UPLOAD_REFUSED.pop()
    state.FOOTAGE.pop()


def take_example(name: str | None = None) -> None:
    """Put an example in use in place of an upload: the one chosen, or that of the name."""
    if name is not None:
        state.EXAMPLE.set(name)
    _remove()
    # An uploader of a new name is empty: the same file can be dropped again.
    state.UPLOAD_ROUND.set(state.UPLOAD_ROUND.get() + 1)


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
        state.MEDIUM.set(in_use())

    return after


def choose(on_kind: Callable[[], None], on_change: Callable[[], None]) -> AbstractContextManager:
    """Draw the inputs of the medium; return the place where it is told what is assumed of it.

    The callbacks are those of ``changing``.
    """
    changed = changing(lambda take: take(), on_kind, on_change)
    example_taken = changing(take_example, on_kind, on_change)
    st.subheader("Picture or clip")
    told = st.container()  # filled below: the example of the address is known once it is drawn
    st.file_uploader(
        f"Picture, video, GIF or zip of frames, up to {LARGEST_MB} MB",
        key=_uploader("upload").name,
        max_upload_size=LARGEST_MB,
        on_change=_note_upload,
        args=("upload", changed),
        help=footage.ACCEPTED,
    )
    with st.expander("Several pictures as the frames of a clip"):
        st.file_uploader(
            "Frames, in the order of their names", key=_uploader("frames_upload").name,
            accept_multiple_files=True, max_upload_size=64, on_change=_note_upload,
            args=("frames_upload", changed),
        )  # fmt: skip
    if state.FOOTAGE.get():
        st.button(
            "Back to the example", key="drop-upload", on_click=example_taken,
            icon=":material/undo:",
        )  # fmt: skip
    else:
        bound.choice(
            "Example", EXAMPLES, state.EXAMPLE, on_change=example_taken,
            help="A picture of a bird; a clip of a kick.",
        )  # fmt: skip
    state.MEDIUM.set(in_use())
    with told:
        st.caption(f"In use: {_described(in_use())}")
        if in_use().notes:
            st.caption(plain("; ".join(in_use().notes)))
    return told


def _described(found: Footage) -> str:
    size = f"{plain(found.name)}, {found.width} x {found.height} pixels"
    if not found.is_clip:
        return size
    return f"{size}, {counted(len(found.times), 'frame')}, {found.duration:.2f} s"


def guarded_sample(sampling: Sampling) -> Clip | None:
    """Return the sampled clip, or None after showing why it cannot be had."""
    with guarded():
        return sampled(sampling)
    return None
