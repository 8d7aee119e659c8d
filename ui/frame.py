"""The shared frame of all pages, also for those that are opened by their own address."""

from typing import NoReturn

import streamlit as st

from ui import state
from ui.server import settings

STYLE = """<style>
.stMainBlockContainer { padding-top: 3.5rem; }
[data-testid="stCaptionContainer"] { color: inherit !important; opacity: 0.78; }
[data-testid="stSliderThumbValue"], [data-testid="stSliderThumbValue"] * {
  color: inherit !important;
}
.stAppViewContainer, .stAppViewContainer > div, .stMain, .stMainBlockContainer,
.stMainBlockContainer > .stVerticalBlock, :has(> .st-key-head) { background-color: inherit; }
:has(> .st-key-head) {
  position: sticky; top: 0; z-index: 90; margin-top: -3.5rem; padding: 3rem 0 0.4rem;
}
button[data-selected="true"] p { color: light-dark(#262730, #fafafa); }
.stMain { scroll-padding-top: 7rem; }
[data-testid="stToastContainer"] { top: auto !important; bottom: 1rem !important; }
.katex { white-space: normal; }
@media (max-width: 900px) {
  .st-key-wide-figure { overflow-x: auto; }
  .st-key-wide-figure > *, .st-key-wide-figure img { min-width: 60rem; }
  :has(> .st-key-head) { padding-top: 3.9rem; }
  .st-key-head .stColumn:first-child { position: absolute; clip-path: inset(50%); }
  .st-key-head .stColumn .stHorizontalBlock {
    flex-wrap: wrap; justify-content: flex-start; gap: 0.4rem;
  }
}
</style>"""
"""What all pages share: words that can be read on both grounds, a head that stays in view."""


def style() -> None:
    """Put the style of all pages on the page."""
    st.html(STYLE)


def require(page: str) -> None:
    """Go through app.py first where Streamlit runs ``page`` (its path) alone.

    It does so when a page's address is the first that a fresh server is asked for: until
    st.navigation has run once, it takes the files of pages/ for apps of their own.
    """
    if not state.FRAMED.get():
        state.WANTED_PAGE.set(page)
        go_to("app.py")


def go_to(page: str) -> NoReturn:
    """Go to a page with the same entries in the address bar."""
    address = st.query_params
    st.switch_page(page, query_params={name: address.get_all(name) for name in address})


def entered() -> str | None:
    """Note that app.py runs; return the page that was asked for without it, once."""
    state.FRAMED.set(True)
    return state.WANTED_PAGE.pop()


def admitted() -> bool:
    """Tell whether the visitor may go on; where the server asks for a login, draw the button.

    Who may log in says Streamlit's own [auth] in .streamlit/secrets.toml.
    """
    if not settings.current().login or getattr(st.user, "is_logged_in", False):
        return True
    st.markdown("#### Nonlocal viz")
    if hasattr(st.user, "is_logged_in"):
        st.button("Log in", on_click=st.login, type="primary")
    else:
        st.error(
            "This server asks for a login, but its .streamlit/secrets.toml has no [auth]; whoever "
            "runs it has to add that (docs/server.md)."
        )
    return False
