"""One line for what the program refuses; anything else is a bug and crashes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from errors import AttentionVizError

_MARKS = re.compile(r"[\\`*{}\[\]#!|<>~$:^]")
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|<>~$:&^=-])")


def plain(text: str) -> str:
    """Return ``text`` so that Streamlit's markdown shows it letter for letter, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def label(text: str) -> str:
    """Return ``text`` for the label of a widget: without marks that markdown reads, and without the
    backslashes of ``plain``, which screen readers would say."""
    return " ".join(_MARKS.sub(" ", text).split())


@contextmanager
def guarded() -> Iterator[None]:
    """Show an AttentionVizError of the ``with`` body as one error line and go on behind it."""
    try:
        yield
    except AttentionVizError as problem:
        st.error(plain(str(problem)))
