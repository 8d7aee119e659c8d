"""Explore's view, which the browser's tab keeps: it survives a refresh of every other page.

On Explore itself the address bar has it.
"""

import json

import streamlit as st

from ui import bound, state
from ui.session.media import linked

LARGEST = 8192
"""Letters of an address that are kept."""
_PAGE = "pages/explore.py"


def begin() -> None:
    """Begin Explore: with the view of before the refresh of another page, where the address bar has
    none of its own."""
    kept = state.VIEW_WAITING.pop()
    if not state.VIEW.is_set():
        note()  # until the view is there: what it names may be missing
    if kept and not st.query_params and state.REFERENCE.get() is None:
        bound.open_as_link(_PAGE, kept)


def note() -> None:
    """Note the address of the view."""
    state.VIEW.set(st.query_params.to_dict())


def text() -> str | None:
    """Return what the tab is to keep; None where this session has not drawn a view yet."""
    if not state.VIEW.is_set():
        return None
    found = json.dumps(state.VIEW.get())
    return found if len(found) <= LARGEST else ""


def restore(kept: object) -> None:
    """Take what a tab has kept, where the session began on another page than Explore: its medium is
    in use, or asked for, and Explore opens with its view. ValueError for what is no JSON."""
    if state.VIEW.is_set() or not isinstance(kept, str) or not 0 < len(kept) <= LARGEST:
        return
    found = json.loads(kept)
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        return
    state.VIEW.set(found)
    state.VIEW_WAITING.set(found)
    linked.want(found)
    linked.lacking()  # what is here is in use from now on


def forget() -> None:
    """Forget the view."""
    state.VIEW.pop()
    state.VIEW_WAITING.pop()
