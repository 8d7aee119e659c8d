"""Networks of an address that are not here: named, asked for, and once they are, its view shown."""

from collections.abc import Sequence

import streamlit as st

from models.loaded import LoadedModel
from ui import bound, state
from ui.guard import plain
from ui.session import own_networks, reference_patch
from ui.session.media import second
from viz.figure.recipe.recipe import View
from viz.figure.resolve import Scene

_VIEWS = (
    (state.NETWORK, state.BLOCK, state.KIND),
    (state.BESIDE, state.BLOCK_BESIDE, state.KIND_BESIDE),
)
"""Entries of the address that are of one network: its name first."""


def settle(names: Sequence[str]) -> None:
    """Show the address's view anew when a network that it names is here at last, by its name or by
    the hash of its weights; those that are not here are asked for by ``ask``."""
    if not state.LINKED_NETWORKS.is_set():
        state.LINKED_NETWORKS.set(_of_address(names))
    waiting = state.LINKED_NETWORKS.get().items()
    here = {key: name if name in names else _by_hash(sha256) for key, (name, sha256) in waiting}
    here = {key: name for key, name in here.items() if name is not None}
    if here:
        state.LINKED_NETWORKS.pop()
        bound.open_anew("pages/explore.py", **here)


def _of_address(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    hashes = bound.arrived().get("weights", "").split(",")
    given = {}
    for number, (key, *others) in enumerate(_VIEWS):
        name = bound.taken(key.name)
        if name not in (None, "none", *names):
            given[key.name] = (name[:80], hashes[number] if number < len(hashes) else "")
            for other in others:
                bound.taken(other.name)  # of a network that is not here
    return given


def _by_hash(sha256: str) -> str | None:
    """Return the session's own network whose weights have a hash that begins so."""
    if len(sha256) < 12:
        return None
    for entry in own_networks.entries():
        found = own_networks.get(entry.id)
        if found is not None and found.sha256.startswith(sha256):
            return entry.id
    return None


def ask() -> None:
    """Name the networks of the address that are not here, and lead to where they are opened."""
    waiting = state.LINKED_NETWORKS.get()
    if not waiting:
        return
    words = "; ".join(
        f"{plain(name)} (weights with sha256 {plain(sha256[:12]) or 'unknown'})"
        for name, sha256 in dict.fromkeys(waiting.values())
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"Not here: {words}. Open the checkpoint on the Models page, or get the network there: "
            "it is recognised by its hash, and then the view of the address is shown. Until then "
            "another network is shown."
        )
        st.page_link("pages/models.py", label="Open a checkpoint", icon=":material/deployed_code:")
        st.button("Dismiss", key="dismiss-networks", on_click=_dismiss)


def _dismiss() -> None:
    state.LINKED_NETWORKS.set({})


def show_sources(found: Scene, views: Sequence[View]) -> None:
    """Write the hashes of the networks' weights, in the order of the ``views`` that were asked for,
    and the second picture into the address bar; one that cannot be shown has no hash.

    A network of the name in the address that has other weights than the address says is named.
    """
    models: list[LoadedModel | None] = [shot.model for shot in found.shots]
    if len(models) < len(views):
        shown = {model.id: model for model in models}
        models = [shown.get(view.network.id) for view in views]
    _compare(models)
    hashes = [model.sha256 if model else "" for model in models]
    reference_patch.show_sources(hashes, second.in_use(found.clip))


def _compare(models: Sequence[LoadedModel | None]) -> None:
    address = bound.taken("weights")
    if not address or state.LINKED_NETWORKS.get():
        return
    for given, model in zip(address.split(","), models, strict=False):
        if model and len(given) >= 12 and not model.sha256.startswith(given):
            bound.complain(
                f"{model.id} has other weights here (sha256 {model.sha256[:12]}) than the address "
                f"says ({given[:12]}); its maps differ."
            )
