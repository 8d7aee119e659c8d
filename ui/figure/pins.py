"""The pins of the figure: their strip, and the details of the chosen one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from errors import AttentionVizError, plural
from ui import state
from ui.components.pin_cards import pin_cards
from ui.figure import keypoints as figure_keypoints
from ui.figure import names as figure_names
from ui.figure.recipe import choose_pin, chosen_pin
from ui.figure.sources import SessionSources
from ui.guard import plain
from ui.session import pins as session_pins
from ui.session.pins import Pin, seen_in
from viz.attention import queries
from viz.attention.choice import MapChoice
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import KINDS, selection
from viz.figure.recipe.recipe import LONGEST_LABEL, View
from viz.figure.resolve import UNION
from viz.rendering.look import bounds

STRIP = "figure-pins"
_SIDES = ("Left", "Top", "Right", "Bottom")


def strip() -> None:
    """Draw the cards of all pins."""
    chosen = chosen_pin()
    pin_cards.strip(
        session_pins.pins(), STRIP, _on_order, _on_remove, _on_choose, chosen.id if chosen else None
    )


def _on_order() -> None:
    pin_cards.put_in_order(STRIP)


def _on_remove() -> None:
    id = pin_cards.removed(STRIP)
    if id is not None:
        session_pins.remove(id)


def _on_choose() -> None:
    id = pin_cards.chosen(STRIP)
    if id is not None:
        choose_pin(id)


def details(found: SessionSources) -> None:
    """Draw the names that pins share, and what can be set of the chosen one."""
    pin = chosen_pin()
    if pin is None:
        return
    figure_names.inputs()
    number = [one.id for one in session_pins.pins()].index(pin.id) + 1
    st.markdown(f"##### Pin {number}: {plain(pin_cards.title(pin))}")
    if problem := state.FIGURE_PIN_PROBLEM.pop():
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
    key = state.widget(f"figure-{pin.id}-{name}")
    state.show(key, value)
    draw(title, key=key.name, on_change=lambda: on_value(key.get()), **options)


def _update(pin: Pin, **given: object) -> None:
    """Change fields of the pin's reference; what cannot be is said in one line."""
    try:
        session_pins.update(pin.id, replace(pin.reference, **given))
    except AttentionVizError as problem:
        state.FIGURE_PIN_PROBLEM.set(plain(str(problem)))


def _update_view(pin: Pin, index: int, **given: object) -> None:
    views = list(pin.reference.views)
    views[index] = replace(views[index], **given)
    _update(pin, views=tuple(views))


def _view(pin: Pin, index: int, view: View, found: SessionSources) -> None:
    """Draw the inputs of what one network shows, where a reference has several maps."""
    kind, divisions = _kind(view, found)
    if kind is not None and kind.part:
        _maps(pin, index, view, kind, divisions)


def _kind(view: View, found: SessionSources) -> tuple[MapKind | None, int]:
    """Return the map kind of a view and its number of groups; None for a network that is not here
    or has none."""
    try:
        spec = found.model(view.network).spec
    except AttentionVizError:
        return None, 0  # the preview says so
    kind = KINDS.get(view.kind) or queries.own_kind(spec)
    return kind, queries.divisions(spec, kind, view.block) if kind else 0


def _maps(pin: Pin, index: int, view: View, kind: MapKind, divisions: int) -> None:
    """Draw which maps of a block are taken, and which one stands for them."""
    columns = st.columns([4, 1, 2], vertical_alignment="bottom")

    def on_maps(text: str) -> None:
        try:
            selection(text)
        except AttentionVizError as problem:
            state.FIGURE_PIN_PROBLEM.set(plain(str(problem)))
            return
        names = {words: name for name, words in kind.ranking_words.items()}
        _update_view(pin, index, maps=names.get(text.strip(), text.strip()))

    def on_count(count: int) -> None:
        shown = view.shown
        beyond = shown is not None and shown.by_rank and shown.number > count
        _update_view(pin, index, count=count, shown=None if beyond else shown)

    grouped = f"{plural(kind.division)}, " if divisions else ""
    told = kind.ranking_words.get(view.maps, view.maps)
    with columns[0]:
        _field(
            pin, f"maps-{index}", told, on_maps, st.text_input,
            f"{plural(kind.part).capitalize()} of {figure_names.title(seen_in(view))}",
            max_chars=400, help=f"auto, {grouped}the name of a ranking, or numbers like 0,3,17.",
        )  # fmt: skip
    low, high = bounds(View, "count")
    with columns[1]:
        _field(
            pin, f"count-{index}", view.count, on_count, st.number_input, "How many",
            min_value=low, max_value=high, step=1,
        )  # fmt: skip
    options = [MapChoice(kind.part, k + 1, by_rank=True) for k in range(view.count)]
    options += [MapChoice(kind.division, k) for k in range(divisions)] + [UNION]
    shown = view.shown or options[0]
    if shown not in options:
        options.append(shown)
    with columns[2]:
        _field(
            pin, f"shown-{index}", str(shown),
            lambda text: _update_view(pin, index, shown=MapChoice.parse(text)), st.selectbox,
            "The one map", options=[str(one) for one in options],
            help=f"Where a preset has room for one; {plural(kind.part)} are counted by rank.",
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
