"""Networks of other libraries by name: searched, looked into, downloaded, used."""

import time

import streamlit as st

from errors import MachineError, counted
from models.loaded import LoadedModel
from models.zoo.wrapped.libraries import fetch, registry
from models.zoo.wrapped.libraries.names import check_public, parse
from models.zoo.wrapped.libraries.starting_points import attends
from models.zoo.wrapped.words import account, summary
from ui import bound, state
from ui.guard import guarded, plain
from ui.models import inspection
from ui.server import settings
from ui.session import loaders

_TABLE = {"hide_index": True, "width": "stretch"}
_REDRAWN_EVERY_S = 0.2
_HEADS = (
    "mmsegmentation's NonLocal2d and DNL heads, and any module of yours, open from Python: "
    "`viz.wrap(model, preprocessing=...)`; a checkpoint with an NL block opens under *Your own*."
)


def show() -> None:
    """Let a network be searched and loaded; show what attends in it."""
    st.caption(
        "Any network with self-attention of timm, torchvision or, with transformers installed, the "
        "Hugging Face hub. Weights are downloaded on first use, into the library's own cache. "
        "Nothing of a repository is run, and only safetensors are read from the hub."
    )
    with st.expander("Good starting points", expanded=True):
        st.dataframe(starting_points(), **_TABLE)
        st.caption(_HEADS)
    words = bound.text(
        "Search, or the whole name", "", state.LIBRARY_SEARCH, max_chars=200,
        placeholder="dinov2 small, or hf:facebook/dinov2-small",
    )  # fmt: skip
    name = _chosen(words.strip())
    if name:
        with st.container(horizontal=True):
            look = st.button(
                "List its attention layers", key="library-look",
                help="Builds the network with random weights: nothing is downloaded.",
            )  # fmt: skip
            load = st.button("Load", key="library-load", type="primary")
        with st.container():
            if look:
                _look_into(name)
            if load:
                _load(name)
    if loaded := state.LIBRARY_NETWORK.get():
        with guarded():
            _shown(loaders.by_name(loaded, download=False))


def starting_points() -> list[dict[str, str]]:
    """Return the rows of the table of networks to begin with."""
    known = attends()
    return [
        {"Name": name, "What it is": what} | {k.capitalize(): v for k, v in known[name].items()}
        if name in known
        else {"Name": name, "What it is": what}
        for name, what in registry.STARTING_POINTS.items()
    ]


def _chosen(words: str) -> str | None:
    """Return the name that is meant: as it is written, or one of those that hold the words."""
    if registry.is_library_name(words):
        return words
    found = registry.search(words) if words else list(registry.STARTING_POINTS)
    if words and st.toggle("Search the Hugging Face hub, too", key="library-hub"):
        with guarded():
            found = [*found, *_on_hub(words)]
    if not found:
        st.info(f"No network of timm or torchvision holds {plain(words)}; try fewer words.")
        return None
    return bound.choice(counted(len(found), "network"), found, state.LIBRARY_NAME)


@st.cache_data(max_entries=64, ttl=600, show_spinner="Asking the hub")
def _on_hub(words: str) -> list[str]:
    return registry.search_hub(words)


@st.cache_data(max_entries=64, show_spinner=False)
def _attending(name: str) -> dict[str, str]:
    """Return what attends in a network, found with random weights."""
    return summary(registry.load(name).spec.layers)


def _look_into(name: str) -> None:
    """Say what attends in a network, without its weights."""
    bare = name.partition("?")[0]
    with guarded(), st.spinner(f"Building {plain(bare)} with random weights"):
        check_public(bare)
        st.dataframe([{"Name": bare} | _attending(f"{bare}?pretrained=no")], **_TABLE)


def _load(name: str) -> None:
    """Load a network; where its weights are not here, they are downloaded first."""
    with guarded():
        check_public(name)
        if parse(name).pretrained and settings.current().visitors_change_cache:
            _download_missing(name)
        with st.spinner(f"Loading {plain(name)}"):
            loaders.by_name(name, download=False)
        state.LIBRARY_NETWORK.set(name)


def _download_missing(name: str) -> None:
    """Download weights that are not on this machine; any click stops it."""
    try:
        loaders.by_name(name, download=False)
    except MachineError:  # not here; what is no network at all goes on to the user
        pass
    else:
        return
    place, stop = st.empty(), st.empty()
    stop.button("Stop", key="library-stop", help="Ends the download; what has come may be kept.")
    drawn = [0.0]

    def told(so_far: int) -> None:
        if time.monotonic() - drawn[0] >= _REDRAWN_EVERY_S:
            drawn[0] = time.monotonic()
            place.caption(f"Downloading {plain(name)}: {so_far / 1e6:.1f} MB have come")

    try:
        fetch.fetch(name, told)
    finally:
        place.empty()
        stop.empty()


def _shown(model: LoadedModel) -> None:
    st.markdown(f"**{plain(model.id)}**")
    st.code("\n".join(account(model)), language=None)
    if inspection.explore_button(model.spec, "use_library"):
        inspection.go_to(model.id, model.spec)
