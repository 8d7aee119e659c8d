"""The medium in use: an upload or an example, and the frames that are taken from it."""

from collections.abc import Callable, Sequence

import streamlit as st

from errors import AttentionVizError
from ui import state
from ui.guard import guarded, plain
from ui.isolation import media as isolation
from ui.server import settings
from ui.server.kept import Kept
from ui.server.visitor import stop_if_ended
from viz.examples import bird, kick
from viz.media import footage
from viz.media.footage import Footage
from viz.types import Clip, Sampling

EXAMPLES = ("bird", "kick")
LARGEST_MB = 256
_KEPT = 4


def in_use() -> Footage:
    """Return the upload, or the example until there is one."""
    return state.FOOTAGE.get() or _example(state.EXAMPLE.get())


@st.cache_resource(max_entries=len(EXAMPLES), show_spinner=False)
def _example(name: str) -> Footage:
    return footage.of(kick.clip() if name == "kick" else bird.clip())


def _kept() -> Kept[Clip]:
    most = settings.current().session_capture_mb * 2**20
    return state.CLIPS.once(lambda: Kept(lambda clip: clip.frames.nbytes, most, _KEPT))


def sampled(sampling: Sampling) -> Clip:
    """Return the frames of the medium in use that are looked at; a picture is one frame."""
    found = in_use()
    key = (found.sha256, sampling)
    if (clip := _kept().get(key)) is not None:
        return clip
    with st.spinner("Reading the frames"):
        return _kept().keep(key, found.sample(sampling))


def key_of(clip: Clip) -> str:
    """Return what tells a sampled clip from all others."""
    return "-".join([clip.sha256, *map(str, clip.numbers)])


def read(files: Sequence[tuple[str, bytes]], is_set: bool = False) -> Footage:
    """Read uploads, (name, bytes), in a child process: one file, or pictures of a clip.

    The work ends with the session. MediaError in one line for what cannot be read.
    """
    if is_set or len(files) > 1:
        return isolation.read_set(files, stop_if_ended)
    name, content = files[0]
    return isolation.read(content, name, stop_if_ended)


def take_upload() -> None:
    """Put a new upload in use; when it cannot be read, keep the previous one and say why."""
    upload = state.UPLOAD.get()
    _take(lambda: read([(upload.name, upload.getvalue())]) if upload else None)


def take_frames() -> None:
    """Put several pictures in use as the frames of a clip."""
    uploads = state.FRAMES_UPLOAD.get()
    files = [(upload.name, upload.getvalue()) for upload in uploads or ()]
    _take(lambda: read(files, is_set=True) if files else None)


def take_example() -> None:
    """Put the chosen example in use in place of an upload."""
    _take(lambda: None)
    state.FOOTAGE_BEFORE.pop()


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


def choose(on_kind: Callable[[], None], on_change: Callable[[], None]) -> None:
    """Draw the inputs of the medium.

    ``on_change`` runs when another one was taken, ``on_kind`` when it is a clip after a picture or
    a picture after a clip.
    """

    def after(take: Callable[[], None]) -> None:
        # What was in use in the run before: a selectbox has its new value in its callback.
        before = state.MEDIUM.get() or in_use()
        take()
        if in_use() is not before:
            on_change()
        if in_use().is_clip != before.is_clip:
            on_kind()

    st.subheader("Picture or clip")
    st.file_uploader(
        f"Picture, video, GIF or zip of frames, up to {LARGEST_MB} MB",
        key=state.UPLOAD.name,
        max_upload_size=LARGEST_MB,
        on_change=after,
        args=(take_upload,),
        help=footage.ACCEPTED,
    )
    with st.expander("Several pictures as the frames of a clip"):
        st.file_uploader(
            "Frames, in the order of their names", key=state.FRAMES_UPLOAD.name,
            accept_multiple_files=True, max_upload_size=64, on_change=after, args=(take_frames,),
        )  # fmt: skip
    if not state.FOOTAGE.get():
        st.selectbox(
            "Example", EXAMPLES, key=state.EXAMPLE.name, bind="query-params",
            on_change=after, args=(take_example,), help="A picture of a bird; a clip of a kick.",
        )  # fmt: skip
    state.MEDIUM.set(in_use())
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
