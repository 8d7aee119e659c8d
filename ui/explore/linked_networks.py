"""Networks of an address that are not here: named, asked for, and chosen once they are."""

from collections.abc import Sequence

import streamlit as st

from models.loaded import LoadedModel
from ui import bound, state
from ui.guard import plain
from ui.session import own_networks


def settle(names: Sequence[str]) -> None:
    """Choose the networks of the address where they are here, by name or by the hash of their
    weights; the others are asked for by ``ask``."""
    if not state.LINKED_NETWORKS.is_set():
        state.LINKED_NETWORKS.set(_of_address(names))
    waiting = dict(state.LINKED_NETWORKS.get())
    for key, (name, sha256) in state.LINKED_NETWORKS.get().items():
        found = name if name in names else _by_hash(sha256)
        if found is not None:
            state.widget(key).set(found)
            del waiting[key]
    state.LINKED_NETWORKS.set(waiting)


def _of_address(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    hashes = bound.arrived().get("weights", "").split(",")
    given = {}
    for number, key in enumerate((state.NETWORK, state.BESIDE)):
        name = bound.taken(key.name)
        if name not in (None, "none", *names):
            given[key.name] = (name[:80], hashes[number] if number < len(hashes) else "")
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
            "the view then takes it, by its hash. Shown is another network."
        )
        st.page_link("pages/models.py", label="Open a checkpoint", icon=":material/deployed_code:")
        st.button("Dismiss", key="dismiss-networks", on_click=_dismiss)


def _dismiss() -> None:
    state.LINKED_NETWORKS.set({})


def compare(models: Sequence[LoadedModel]) -> None:
    """Say where a network of the name in the address has other weights than the address says."""
    address = bound.taken("weights")
    if not address or state.LINKED_NETWORKS.get():
        return
    for given, model in zip(address.split(","), models, strict=False):
        if len(given) >= 12 and not model.sha256.startswith(given):
            bound.complain(
                f"{model.id} has other weights here (sha256 {model.sha256[:12]}) than the address "
                f"says ({given[:12]}); its maps differ."
            )
