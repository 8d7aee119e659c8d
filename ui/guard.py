"""One line for what the program refuses, and for what was stopped; anything else is a bug and
crashes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from errors import AttentionVizError, StoppedError

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
    """Show an AttentionVizError of the ``with`` body as one line and go on behind it."""
    try:
        yield
    except AttentionVizError as problem:
        say(problem)


def say(problem: AttentionVizError) -> None:
    """Show why something was not done: as an error, or as a note where its user stopped it."""
    show = st.info if isinstance(problem, StoppedError) else st.error
    show(plain(str(problem)))
