"""Components of ours that run in the browser: how they are made of files, and what they report."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def script(names: Sequence[str]) -> str:
    """Return the parts of a component's one script, joined in their order."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


@cache
def mounted(name: str, style: str, scripts: tuple[str, ...]) -> Callable[..., Any]:
    """Return what puts a components-v2 component on the page: a ``name`` div, a style, scripts."""
    return st.components.v2.component(
        f"nonlocal_viz_{name}",
        html=f'<div class="{name}"></div>',
        css=(_FOLDER / style).read_text(encoding="utf-8"),
        js=script(scripts),
    )


def event(key: str, name: str) -> object:
    """Return what a component has just reported under ``name``; whatever it is, check it."""
    state = st.session_state.get(key)
    return state.get(name) if hasattr(state, "get") else None
