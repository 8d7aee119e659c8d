"""The pins of the figure: their strip, and the details of the chosen one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from errors import AttentionVizError
from models.specs.block import CGNLSpec
from ui.components.pin_cards import pin_cards
from ui.figure import keypoints as figure_keypoints
from ui.figure.recipe import choose_pin, chosen_pin
from ui.figure.sources import SessionSources
from ui.guard import plain
from ui.session import pins as session_pins
from ui.session.pins import Pin
from viz.attention import pipeline
from viz.figure.recipe.recipe import LONGEST_LABEL, MOST_CHANNELS, View

STRIP = "figure-tray"
_PROBLEM = "figure-pin-problem"
_SIDES = ("Left", "Top", "Right", "Bottom")


def strip() -> None:
    """Draw the cards of all pins."""
    chosen = chosen_pin()
    pin_cards.strip(
        session_pins.pins(), STRIP, _on_order, _on_remove, _on_choose, chosen.id if chosen else None
    )


def _on_order() -> None:
    ids = pin_cards.ordered(STRIP)
    if ids is not None:
        known = {pin.id: pin for pin in session_pins.pins()}
        session_pins.put(known[id] for id in ids)


def _on_remove() -> None:
    id = pin_cards.removed(STRIP)
    if id is not None:
        session_pins.remove(id)


def _on_choose() -> None:
    id = pin_cards.chosen(STRIP)
    if id is not None:
        choose_pin(id)


def details(found: SessionSources) -> None:
    """Draw what can be set of the chosen pin."""
    pin = chosen_pin()
    if pin is None:
        return
    number = [one.id for one in session_pins.pins()].index(pin.id) + 1
    st.markdown(f"##### Pin {number}: {plain(pin_cards.title(pin))}")
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(problem)
    _field(
        pin, "label", pin.reference.label, lambda text: _update(pin, label=text), st.text_input,
        "Label of the pin's row", max_chars=LONGEST_LABEL,
    )  # fmt: skip
    for index, view in enumerate(pin.reference.views):
        _view(pin, index, view, found)
    _crop(pin)
    # The same title whatever is in it: an expander whose title changes closes.
    with st.expander("Ground-truth parts"):
        figure_keypoints.show(pin)


def _field(
    pin: Pin,
    name: str,
    value: object,
    on_value: Callable[[Any], None],
    draw: Callable[..., object],
    title: str,
    **options: object,
) -> None:
    """Draw an input of the pin that shows ``value`` and gives what is typed to ``on_value``."""
    key = f"figure-{pin.id}-{name}"
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    draw(title, key=key, on_change=lambda: on_value(st.session_state[key]), **options)


def _update(pin: Pin, **given: object) -> None:
    """Change fields of the pin's reference; what cannot be is said in one line."""
    try:
        session_pins.update(pin.id, replace(pin.reference, **given))
    except AttentionVizError as problem:
        st.session_state[_PROBLEM] = plain(str(problem))


def _update_view(pin: Pin, index: int, **given: object) -> None:
    views = list(pin.reference.views)
    views[index] = replace(views[index], **given)
    _update(pin, views=tuple(views))


def _view(pin: Pin, index: int, view: View, found: SessionSources) -> None:
    """Draw the inputs of what one network shows."""
    groups = _groups(view, found)
    columns = st.columns([3, 3, 1, 2] if groups else [3, 6], vertical_alignment="bottom")
    with columns[0]:
        _field(
            pin, f"network-{index}", view.label,
            lambda text: _update_view(pin, index, label=text), st.text_input,
            f"Name of {plain(view.network.id[:80])}, {plain(view.block or 'last block')}",
            max_chars=LONGEST_LABEL, placeholder="as the preset says",
        )  # fmt: skip
    if groups:
        _channels(pin, index, view, groups, columns[1:])


def _groups(view: View, found: SessionSources) -> int:
    """Return the number of groups of a CGNL network; 0 for any other, or one that is not here."""
    try:
        spec = found.model(view.network).spec
    except AttentionVizError:
        return 0  # the preview says so
    block = getattr(spec, "block", None)
    return block.groups if isinstance(block, CGNLSpec) else 0


def _channels(pin: Pin, index: int, view: View, groups: int, columns: list[Any]) -> None:
    """Draw which channels of a CGNL block are taken, and which map stands for them."""

    def on_channels(text: str) -> None:
        try:
            pipeline.channels_from(text)
        except AttentionVizError as problem:
            st.session_state[_PROBLEM] = plain(str(problem))
            return
        _update_view(pin, index, channels=text.strip())

    def on_count(count: int) -> None:
        kind, _, number = view.shown.partition(" ")
        beyond = kind == "channel" and int(number) > count
        shown = "channel 1" if beyond else view.shown
        _update_view(pin, index, count=count, shown=shown)

    with columns[0]:
        _field(
            pin, f"channels-{index}", view.channels, on_channels, st.text_input, "Channels",
            max_chars=400, help="auto, groups, the name of a ranking, or numbers like 0,3,17.",
        )  # fmt: skip
    with columns[1]:
        _field(
            pin, f"count-{index}", view.count, on_count, st.number_input, "How many",
            min_value=1, max_value=MOST_CHANNELS, step=1,
        )  # fmt: skip
    options = [f"channel {k + 1}" for k in range(view.count)]
    options += [f"group {k}" for k in range(groups)] + ["union"]
    if view.shown not in options:
        options.append(view.shown)
    with columns[2]:
        _field(
            pin, f"shown-{index}", view.shown,
            lambda shown: _update_view(pin, index, shown=shown), st.selectbox, "The one map",
            options=options, help="Where a preset has room for one; channels are counted by rank.",
        )  # fmt: skip


def _crop(pin: Pin) -> None:
    """Draw the pin's own crop, if it has one."""
    crop, clip = pin.reference.crop, pin.clip
    whole = (0.0, 0.0, float(clip.width), float(clip.height))
    _field(
        pin, "has-crop", crop is not None,
        lambda on: _update(pin, crop=whole if on else None), st.toggle, "A crop of its own",
    )  # fmt: skip
    if crop is None:
        return

    def on_side(side: int, value: float) -> None:
        _update(pin, crop=(*crop[:side], value, *crop[side + 1 :]))

    for side, (column, title) in enumerate(zip(st.columns(4), _SIDES, strict=True)):
        with column:
            _field(
                pin, f"crop-{side}", float(crop[side]),
                lambda value, side=side: on_side(side, value), st.number_input, title,
                step=1.0, format="%.0f", help=f"In pixels; {clip.width} x {clip.height} is all.",
            )  # fmt: skip
