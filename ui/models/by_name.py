"""Networks of other libraries by name: searched, loaded, what attends in them, used."""

import streamlit as st

from models.loaded import LoadedModel
from models.zoo.wrapped.libraries import registry
from models.zoo.wrapped.words import account
from ui import state
from ui.guard import guarded, plain
from ui.models import inspection
from ui.session import loaders

_TABLE = {"hide_index": True, "width": "stretch"}


def show() -> None:
    """Let a network be searched and loaded; show what attends in it."""
    st.caption(
        "Any network with self-attention of timm, torchvision or, with transformers installed, the "
        "Hugging Face hub. Weights are downloaded on first use, into the library's own cache. "
        "Nothing of a repository is run, and only safetensors are read from the hub."
    )
    with st.expander("Good starting points"):
        points = registry.STARTING_POINTS.items()
        st.dataframe([{"Name": name, "What it is": what} for name, what in points], **_TABLE)
    words = st.text_input(
        "Search, or the whole name", key="library-search", max_chars=200,
        placeholder="dinov2 small, or hf:facebook/dinov2-small",
    )  # fmt: skip
    name = _chosen(words.strip())
    if name and st.button("Load", key="library-load"):
        with (
            st.container(),
            guarded(),
            st.spinner(f"Loading {plain(name)}: the first time, its weights come"),
        ):
            loaders.by_name(name)
            state.LIBRARY_NETWORK.set(name)
    if loaded := state.LIBRARY_NETWORK.get():
        with guarded():
            _shown(loaders.by_name(loaded))


def _chosen(words: str) -> str | None:
    """Return the name that is meant: as it is written, or one of those that hold the words."""
    if registry.is_library_name(words):
        return words
    found = registry.search(words) if words else list(registry.STARTING_POINTS)
    if not found:
        st.info(f"No network of timm or torchvision holds {plain(words)}; try fewer words.")
        return None
    return st.selectbox(f"{len(found)} networks", found, key="library-name")


def _shown(model: LoadedModel) -> None:
    st.markdown(f"**{plain(model.id)}**")
    st.code("\n".join(account(model)), language=None)
    if inspection.explore_button(model.spec, "use_library"):
        inspection.go_to(model.id, model.spec)
