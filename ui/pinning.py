"""From what Explore and Gates show to pins: references that a recipe can hold."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from errors import AttentionVizError
from models.loaded import LoadedModel
from ui import tray
from ui.guard import plain
from ui.scene import Shown
from ui.settings import Settings
from viz import example, example_clip, pipeline, recipe, recipe_json
from viz.pipeline import Channels
from viz.recipe import Medium, Network, Reference, View
from viz.types import CGNLCapture, Clip

FIRST = "channel 1"
_TOLD = "pin-told"


def medium_of(clip: Clip) -> Medium:
    """Return the recipe's entry of a clip; the drawn examples are named ``example:``."""
    path = clip.name
    if clip.sha256 == example.clip().sha256:
        path = "example:bird"
    elif clip.name == example_clip.NAME and clip.sha256 == example_clip.clip().sha256:
        path = "example:kick"
    return Medium(path, clip.sha256, clip.numbers)


def reference_of(clip: Clip, settings: Settings, shown: Sequence[Shown]) -> Reference:
    """Return Explore's pinned patch with one view a network.

    Its pixel is the middle of the cell in the first network's grid.
    """
    lead = shown[0]
    at = lead.capture.geometry.cell_centre(lead.cell.y, lead.cell.x, lead.block.query_grid)
    views = tuple(_view(one, settings) for one in shown)
    return Reference(medium_of(clip), views, at, lead.frame)


def view_recipe(clip: Clip, settings: Settings, shown: Sequence[Shown]) -> bytes:
    """Return the recipe of a figure of Explore's view, with its look."""
    made = recipe.of_view(reference_of(clip, settings, shown), settings.look)
    return recipe_json.dumps(made).encode()


def gate_reference(clip: Clip, model: LoadedModel, layer: str) -> Reference:
    """Return the Gates page's view of one layer; it has no reference patch."""
    mode, size = pipeline.effective(model.spec)
    return Reference(medium_of(clip), (View(_network(model), layer, mode, size),))


def _view(shown: Shown, settings: Settings) -> View:
    mode, size = pipeline.effective(shown.model.spec, settings.mode, settings.size)
    view = View(_network(shown.model), shown.chosen.block, mode, size)
    if not isinstance(shown.block, CGNLCapture):
        return view
    wanted = shown.channels
    text = ",".join(map(str, wanted.listed)) or wanted.ranking
    return replace(
        view,
        channels=text,
        count=len(wanted.listed) or wanted.count,
        shown=_large(shown, shown.block, wanted, settings.focus),
    )


def _large(shown: Shown, block: CGNLCapture, wanted: Channels, focus: str) -> str:
    """Return the map that Explore shows large: the first where the one in focus is not there."""
    kind, _, number = focus.partition(" ")
    index = int(number) if number.isdecimal() else 0
    if kind == "group" and number:
        return focus if index < block.groups else FIRST
    there = len(pipeline.choose_channels(block, shown.cell, wanted))
    return focus if kind == "channel" and 1 <= index <= there else FIRST


def _network(model: LoadedModel) -> Network:
    return Network(model.id, model.sha256)


def button(key: str, clip: Clip, view: Callable[[], Reference]) -> None:
    """Draw the button that pins a view, what came of the last press, and the way to the figure.

    ``view`` is called when it is pressed, before the page is drawn again.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Pin for a figure", key=key, icon=":material/push_pin:", on_click=_pin,
            args=(clip, view), help="Keeps this view, without its look, for the figures of the "
            "Figure page. Pins of several pictures, clips and networks go together.",
        )  # fmt: skip
        if tray.pins():
            tray.page_link()
    kind, text = st.session_state.pop(_TOLD, ("", ""))
    if kind == "error":
        st.error(text)
    elif kind:
        st.toast(text, icon=":material/push_pin:")


def _pin(clip: Clip, view: Callable[[], Reference]) -> None:
    st.session_state[_TOLD] = _pinned(clip, view)


def _pinned(clip: Clip, view: Callable[[], Reference]) -> tuple[str, str]:
    """Pin a view that is not pinned yet; return what is to be said of it: kind, text."""
    try:
        reference = view()
        for number, pin in enumerate(tray.pins(), 1):
            if _bare(pin.reference) == reference:
                return "known", f"This view is pinned already: it is pin {number}."
        tray.add(reference, clip)
    except AttentionVizError as problem:
        return "error", plain(str(problem))
    return "new", f"Pinned as pin {len(tray.pins())}. Pin more views, or make a figure."


def _bare(reference: Reference) -> Reference:
    """Return a reference as it was pinned, without what the Figure page adds."""
    views = tuple(replace(view, label="") for view in reference.views)
    return replace(reference, views=views, label="", parts=(), crop=None)
