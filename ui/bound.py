"""Widgets that the address bar keeps, and what an address says that cannot be had.

An address is read once, before the first widget of a session is drawn: Streamlit drops a value that
a widget cannot show, and the user would never learn that it was there.
"""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Literal, NoReturn

import streamlit as st

from ui import state

bound = partial(dict, bind="query-params")
"""Keyword arguments of a widget whose value stands in the address bar under its key."""

KEPT = {"persist_state": "session"}
"""Of a widget that stands in no address: its value is there again after another page."""

OTHERS = frozenset({"at", "object", "file", "sha256", "second", "second_sha256", "weights"})
"""Entries of the address that belong to no widget: the patch, an object of a detector, the medium,
a second picture, the networks' weights."""

_LONGEST, _MOST_LINES = 60, 12
_TRUTHS = ("true", "false")


def arrived() -> dict[str, str]:
    """Return what the address said when the session began and nobody has looked at yet."""
    state.LINK_WHOLE.once(st.query_params.to_dict)
    return state.LINK.once(st.query_params.to_dict)


def open_anew(page: str, **changed: str) -> NoReturn:
    """Go to a page as the address of the session's beginning shows it, but for what ``changed``:
    something that it names was missing and is here now, after another page."""
    open_as_link(page, {**state.LINK_WHOLE.get(), **changed})


def open_as_link(page: str, address: dict[str, str]) -> NoReturn:
    """Go to a page as a session does that begins with this address."""
    state.LINK.set(dict(address))
    state.LINK_WHOLE.set(address)
    state.LINK_PROBLEMS.pop()
    st.switch_page(page, query_params=address)


def taken(name: str) -> str | None:
    """Return one entry of that address, once; None where there is none."""
    return arrived().pop(name, None)


def complain(text: str) -> None:
    """Say on the page that something of the address cannot be had: one line of plain text."""
    known = state.LINK_PROBLEMS.get()
    if text not in known:
        state.LINK_PROBLEMS.set((*known, text))


def check(key: state.Key, fits: Callable[[str], bool], accepted: str) -> None:
    """Name the address's value of a widget that cannot show it; ``accepted`` says what it takes."""
    given = taken(key.name)
    if given is not None and not fits(given):
        complain(_unknown(key, given, accepted))


def _unknown(key: state.Key, given: str, accepted: str) -> str:
    return f"{key.name}={given[:_LONGEST]} is not known here; {accepted}."


def choice(title: str, options: Sequence, key: state.Key, **more: object) -> object:
    """Draw a selectbox whose value the address keeps; an option it has not is named."""
    words = [str(one) for one in options]
    check(key, words.__contains__, f"it can be {_listed(words)}")
    _settle(key, options, more)
    return st.selectbox(title, options, key=key.name, **bound(), **more)


def _settle(key: state.Key, options: Sequence, more: dict) -> None:
    """Put the default in place of a value that is no option any more: of another network, medium or
    data set. Left to Streamlit, it would stay in the address; were it only removed, the browser
    would go on showing it."""
    if key.is_set() and key.get() not in options:
        place = more.pop("index", 0)  # Streamlit warns of a default beside a value
        key.set(options[place] if options else None)


def worded(
    title: str, options: Sequence[str], key: state.Key, say: Callable[[str], str], **more: object
) -> str:
    """Draw a selectbox that says its options in other words than the address has for them.

    Streamlit would write the words into the address, and links would break with every change of
    them.
    """
    check(key, options.__contains__, f"it can be {_listed(options)}")
    _settle(key, options, more)
    given = _newly_given(key)
    if given in options:
        key.set(given)
    value = st.selectbox(title, options, key=key.name, format_func=say, **KEPT, **more)
    _write(key, None if value == options[0] else value)
    return value


def several(title: str, options: Sequence[str], key: state.Key, **more: object) -> list[str]:
    """Draw a multiselect whose values the address keeps; those it has not are named. An empty entry
    of the address is that of a list that was emptied."""
    if taken(key.name) is not None:
        for one in filter(None, st.query_params.get_all(key.name)):
            if one not in options:
                complain(_unknown(key, one, f"it can be {_listed(options)}"))
    chosen = key.get() or []
    kept = [one for one in chosen if one in options]
    if kept != chosen:
        default = more.pop("default", [])
        key.set(kept or default)
    return st.multiselect(title, options, key=key.name, **bound(), **more)


def pills(title: str, options: Sequence[str], key: state.Key, default: str, **more: object) -> str:
    """Draw a segmented control whose value the address keeps, with one option always chosen: else
    pressing it again would leave an empty entry. An option it has not is named."""
    check(key, options.__contains__, f"it can be {_listed(options)}")
    return st.segmented_control(
        title, options, key=key.name, default=default, required=True, **bound(), **more
    )


def slider(
    title: str, low: float, high: float, value: float, step: float, key: state.Key, **more: object
) -> float:
    """Draw a slider whose value the address keeps; a value outside of its ends is named."""
    check(key, partial(within, low, high), f"it can be {low:g} to {high:g}")
    return st.slider(title, low, high, value, step, key=key.name, **bound(), **more)


def number(
    title: str,
    low: float | None,
    high: float | None,
    value: float | Literal["min"] | None,
    key: state.Key,
    **more: object,
) -> float | None:
    """Draw a number input whose value the address keeps; what is none, or outside of the ends
    (None: there is none), is named."""
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    words = "any number" if low is None and high is None else f"{least:g} to {most:g}"
    check(key, partial(within, least, most), f"it can be {words}")
    return st.number_input(title, low, high, value, key=key.name, **bound(), **more)


def any_number(title: str, key: state.Key, **more: object) -> float | None:
    """Draw a number input without ends; what stands in it stands in the address, also where nobody
    typed it: Streamlit leaves out what a program filled in."""
    check(key, partial(within, -math.inf, math.inf), "it can be any number")
    given = _newly_given(key)
    if given is not None and within(-math.inf, math.inf, given):
        key.set(float(given))
    value = st.number_input(title, value=None, key=key.name, **KEPT, **more)
    _write(key, None if value is None else f"{value:.10g}")
    return value


def leave_out(*keys: state.Key) -> None:
    """Take the entries of inputs that are not drawn out of the address."""
    for key in keys:
        _write(key, None)


def _newly_given(key: state.Key) -> str | None:
    """Return an entry of the address that this session did not write: of a link, or after the
    browser's back and forward buttons."""
    given = st.query_params.get(key.name)
    return given if given != state.ADDRESS_WRITTEN.once(dict).get(key.name) else None


def _write(key: state.Key, entry: str | None) -> None:
    """Write an entry into the address, or take it out (None)."""
    written = state.ADDRESS_WRITTEN.once(dict)
    if entry is None:
        written.pop(key.name, None)
        st.query_params.pop(key.name, None)
        return
    written[key.name] = entry
    if st.query_params.get(key.name) != entry:
        st.query_params[key.name] = entry


def text(title: str, value: str, key: state.Key, **more: object) -> str:
    """Draw a text input that the address keeps; whoever reads it says what is wrong with it."""
    taken(key.name)
    return st.text_input(title, value, key=key.name, **bound(), **more)


def checkbox(title: str, key: state.Key, **more: object) -> bool:
    """Draw a checkbox that the address keeps; an entry that is neither true nor false is named."""
    check(key, lambda text: text.lower() in _TRUTHS, f"it can be {' or '.join(_TRUTHS)}")
    return st.checkbox(title, key=key.name, **bound(), **more)


def within(low: float, high: float, text: str) -> bool:
    """Tell whether a text is a number from ``low`` to ``high``."""
    try:
        return math.isfinite(float(text)) and low <= float(text) <= high
    except ValueError:
        return False


def _listed(words: Sequence[str]) -> str:
    few = ", ".join(words[:8])
    return f"{few}, ..." if len(words) > 8 else few


def finish(later: Collection[state.Key] = ()) -> None:
    """Name what is left of the address once a page was drawn, and take it away: entries that there
    are not, and those of widgets that this view has not.

    Widgets that are drawn ``later``, once something was asked for, keep theirs; so do all while a
    network that the address names is not here.
    """
    if state.LINKED_NETWORKS.get():
        return
    for key in later:
        arrived().pop(key.name, None)
    for name, value in arrived().items():
        if name in OTHERS:
            continue
        if name in state.KEYS:
            entry = f"{name}={value[:_LONGEST]}"
            complain(f"{entry} belongs to a setting that this view does not have; it was left out.")
        else:
            complain(f"{name[:_LONGEST]} is no entry of an address of this page; it was left out.")
        with suppress(st.errors.StreamlitAPIException):  # a widget of an earlier run still holds it
            st.query_params.pop(name, None)
    arrived().clear()


def problems() -> None:
    """Draw what of the address cannot be had, until it is dismissed."""
    lines = state.LINK_PROBLEMS.get()
    if not lines:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        listed = [f"- `{line.replace('`', chr(39))}`" for line in lines[:_MOST_LINES]]
        if len(lines) > _MOST_LINES:
            listed.append(f"- and {len(lines) - _MOST_LINES} more")
        st.warning("\n".join(["The address asks for what is not here:", *listed]))
        st.button("Dismiss", key="dismiss-link", on_click=state.LINK_PROBLEMS.pop)
