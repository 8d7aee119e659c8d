"""One published network: downloaded with progress, inspected, used."""

import time

import streamlit as st

from errors import MachineError
from models import checkpoints
from models.checkpoints import Inspection
from models.zoo import cache
from models.zoo.download import fetch
from models.zoo.published import PUBLISHED
from models.zoo.published_images import TORCHVISION
from models.zoo.published_row import Published
from ui import bound, state
from ui.guard import guarded, plain
from ui.models import inspection as model_inspection
from ui.server import settings
from ui.session import loaders

_REDRAWN_EVERY_S = 0.2
_NOT_HERE = (
    "This network is not on this server, and visitors do not download to it. Ask who runs it, or "
    "run the program on your own machine."
)
_ROWS = {row.id: row for row in PUBLISHED}


def choose() -> Published:
    """Let one published network be chosen."""
    name = bound.worded(
        "Published network", list(_ROWS), state.PUBLISHED_SHOWN,
        lambda name: f"{name}: {_ROWS[name].title}",
    )  # fmt: skip
    return _ROWS[name]


def show(row: Published) -> None:
    """Show a published network: download it, or what it is made of."""
    if row.caution:
        st.info(plain(row.caution))
    if not cache.is_cached(row):
        if not settings.current().visitors_change_cache:
            st.info(_NOT_HERE)
            return
        if st.button("Download", key="download", type="primary"):
            _download(row)
        if not cache.is_cached(row):
            st.caption(f"The file goes to {plain(str(cache.file_of(row)))}.")
            return
    with guarded():
        with st.container():
            found = _inspected(row.id, cache.file_of(row).stat().st_mtime_ns)
        model_inspection.inspection(found.spec, found.report)
        with st.container(horizontal=True):
            _use(row, found)
            if settings.current().visitors_change_cache:
                st.button("Remove from this machine", on_click=_remove, args=(row,), key="remove")
    if problem := state.PUBLISHED_PROBLEM.pop():
        st.error(problem)


def _use(row: Published, found: Inspection) -> None:
    if row in TORCHVISION:
        name = f"{row.id}-gaussian"
        entry = next(e for e in loaders.catalogue_entries() if e.id == name)
        model_inspection.use_in_explore(
            name, entry.spec, "use", "Use in Explore, with a Gaussian block"
        )
    else:
        model_inspection.use_in_explore(row.id, found.spec, "use")


def _download(row: Published) -> None:
    """Fetch a file; any click stops it at the next piece, and the part that is here stays."""
    bar = st.progress(0.0, text=f"Connecting for {plain(row.id)}")
    stop = st.empty()
    stop.button("Stop", key="stop", help="What has come is kept; Download goes on from there.")
    drawn = [0.0]

    def show_progress(so_far: int, total: int | None) -> None:
        if time.monotonic() - drawn[0] < _REDRAWN_EVERY_S:
            return
        drawn[0] = time.monotonic()
        whole = f" of {total / 1e6:.1f}" if total else ""
        bar.progress(min(1.0, so_far / total) if total else 0.0, f"{so_far / 1e6:.1f}{whole} MB")

    try:
        with guarded():
            fetch(row, show_progress)
            loaders.forget_entries()
    finally:
        bar.empty()
        stop.empty()


def _remove(row: Published) -> None:
    try:
        cache.remove(row)
    except MachineError as problem:
        state.PUBLISHED_PROBLEM.set(plain(str(problem)))
    loaders.forget_entries()


@st.cache_resource(max_entries=4, show_spinner="Verifying every key")
def _inspected(name: str, changed: int) -> Inspection:
    """Return the inspection of a file of the cache; ``changed`` tells one file from the next."""
    del changed
    row = _ROWS[name]
    found = checkpoints.inspect(fetch(row), publishers=lambda _sha256: row.told)
    cache.note_spec(row, found.spec)
    loaders.forget_entries()
    return found
