"""What the browser keeps for the next session: the pins as a recipe, choices of pages that have too
many for an address, and the secret by which the server finds this browser's uploads; its tab keeps
Explore's view.

A session ends with a refresh of the page, or with the server. The texts lie in the browser's own
storage; they are read as any recipe or address is, and no picture is in them.
"""

import json

import streamlit as st

from errors import AttentionVizError
from ui import state
from ui.components.mount import event, mounted
from ui.session import kept_view, missing
from ui.session import pins as session_pins
from ui.session.media import shelf
from ui.session.pins import Pin
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe, Reference

KEY = "keeper"
LARGEST = 2 * 2**20
"""Letters that are kept; a browser has room for five million."""
_MOST_PAGES = 16


def keep() -> None:
    """Let the browser tell once what it has kept, and then keep the pins of this session."""
    data = {
        "ask": not state.BROWSER_HEARD.get(),
        "session": shelf.secret(),
        "text": text(),
        "view": kept_view.text(),
    }
    st.html("<style>.st-key-keeper-place { position: absolute; }</style>")
    # First on the page: pins change in callbacks only, and what a page draws may take its time.
    with st.container(key="keeper-place"):
        mounted("keeper", "keeper")(key=KEY, data=data, on_found_change=_found)


def text() -> str:
    """Return what the browser is to keep: the secret, choices, and what was pinned."""
    references = tuple(pin.reference for pin in session_pins.pins())
    waiting = missing.pending()
    if not references and waiting is not None and waiting.done is restored:
        references = waiting.references
    kept = {"secret": shelf.secret()}
    if choices := state.BROWSER_CHOICES.get():
        kept["choices"] = choices
    if references:
        kept["pins"] = recipe_json.dumps(Recipe("parts", references))
    found = json.dumps(kept)
    return found if len(found) <= LARGEST else json.dumps({"secret": shelf.secret()})


def _found() -> None:
    value = event(KEY, "found")
    if isinstance(value, dict) and not state.BROWSER_HEARD.get():
        state.BROWSER_HEARD.set(True)
        restore(value.get("text"), value.get("view"))


def restore(kept: object, view: object = None) -> None:
    """Bring back what a browser and its tab have kept; a text that this program did not write is
    passed over."""
    if not isinstance(kept, str) or len(kept) > LARGEST:
        return
    try:
        found = json.loads(kept or "{}")
        shelf.recognise(found.get("secret"))
        _choices(found.get("choices"))
        references = _references(found.get("pins"))
        kept_view.restore(view)
    except (ValueError, RecursionError, AttributeError, AttentionVizError):
        return
    if references and not session_pins.pins() and missing.pending() is None:
        missing.begin(missing.Opened(references, restored))


def _choices(kept: object) -> None:
    """Take texts of pages, which read them with care; what was chosen meanwhile stays."""
    if isinstance(kept, dict) and len(kept) <= _MOST_PAGES:
        texts = {page: text for page, text in kept.items() if isinstance(text, str)}
        state.BROWSER_CHOICES.set({**texts, **state.BROWSER_CHOICES.get()})


def _references(pins: object) -> tuple[Reference, ...]:
    return recipe_json.loads(pins, "The browser's pins").references if isinstance(pins, str) else ()


def restored(pins: tuple[Pin, ...]) -> None:
    """Put kept pins before those that were made since."""
    try:
        session_pins.put((*pins, *session_pins.pins()))
    except AttentionVizError:
        return
    state.PINS_BEFORE.pop()


def forget() -> None:
    """Remove all pins, what the server keeps for this browser, and what the browser keeps."""
    session_pins.clear()
    state.PINS_BEFORE.pop()
    missing.cancel()
    shelf.forget()
    kept_view.forget()
    state.BROWSER.pop()
    for key in (state.BROWSER_CHOICES, state.FIGURE_SETTINGS, state.FIGURE_FREE_WIDTH):
        key.pop()
    state.BROWSER_HEARD.set(True)  # what it still has is not asked for any more


def words() -> None:
    """Say what is kept, where and how long, and offer to forget it."""
    with st.popover("What is kept", icon=":material/history:", type="tertiary"):
        st.write(
            "Pins survive a refresh and a restart: this browser keeps their places, networks and "
            "labels, the view of Explore, and the settings of the figure; no pictures. The server "
            f"keeps uploads of this browser in memory, for {shelf.kept_for()} after its last page "
            "was closed, so that a refresh finds them again; after a restart it asks for the "
            "files. Nothing leaves this server and this browser."
        )
        st.button("Forget everything", key="forget", on_click=forget)
