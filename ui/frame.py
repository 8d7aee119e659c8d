"""The shared frame of all pages, also for those that are opened by their own address."""

import streamlit as st

_FRAMED, _WANTED = "framed", "wanted_page"


def require(page: str) -> None:
    """Go through app.py first where Streamlit runs ``page`` (its path) alone.

    It does so when a page's address is the first that a fresh server is asked for: until
    st.navigation has run once, it takes the files of pages/ for apps of their own.
    """
    if not st.session_state.get(_FRAMED):
        st.session_state[_WANTED] = page
        st.switch_page("app.py")


def entered() -> str | None:
    """Note that app.py runs; return the page that was asked for without it, once."""
    st.session_state[_FRAMED] = True
    return st.session_state.pop(_WANTED, None)
