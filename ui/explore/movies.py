"""Movies of the view: made on request, with progress; pressing Cancel, or anything else, stops."""

import hashlib

import streamlit as st

from ui.guard import guarded
from ui.session.medium import key_of
from viz.rendering import movie_files
from viz.rendering.save import View
from viz.types import Clip, Look

KINDS = {"MP4": ("mp4", "video/mp4"), "GIF": ("gif", "image/gif"), "WebP": ("webp", "image/webp")}


def maker(clip: Clip, views: list[View], look: Look) -> None:
    """Draw the button that makes a movie of the pinned view, and the movie once it is made."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control("Movie", list(KINDS), default="MP4", key="movie-kind") or "MP4"
        wanted = st.button(f"Make the {name}", key="movie-make")
    kind, mime = KINDS[name]
    view = _fingerprint(clip, views, look, kind)
    if wanted:
        _make(clip, views, look, kind, view)
    made = st.session_state.get("movie")
    if not made or made[0] != view:
        return
    st.download_button(
        f"Save the {name} ({len(made[1]) / 2**20:.1f} MB)", made[1], f"view.{kind}", mime,
        key="save-movie", on_click="ignore",
    )  # fmt: skip
    if kind == "mp4":
        st.video(made[1], loop=True)
    else:
        st.image(made[1])


def _make(clip: Clip, views: list[View], look: Look, kind: str, view: str) -> None:
    """Make the movie; a press of Cancel reruns the page, which ends this run at the next frame."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, f"Frame 0 of {len(clip.frames)}")
        st.button("Cancel", key="movie-cancel")

    def progress(done: int, total: int) -> None:
        bar.progress(done / total, f"Frame {done} of {total}")

    with guarded():
        st.session_state["movie"] = (view, movie_files.write(clip, views, look, kind, progress))
    place.empty()


def _fingerprint(clip: Clip, views: list[View], look: Look, kind: str) -> str:
    """Return what tells this movie from others."""
    parts = [key_of(clip), repr(look), kind]
    parts += [f"{v.title} {v.choice} {v.model_sha256} {v.geometry} {v.frame}" for v in views]
    parts += [f"{v.shown.query} {v.shown.label}" for v in views]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
