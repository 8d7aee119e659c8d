"""The sidebar of the Figure page: the widgets of the settings that the preset has a use for."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from ui import state
from ui.figure import recipe as figure_recipe
from ui.figure import settings as figure_settings
from ui.figure.options import FIRST, GROUPS, HEAT, Draw, Option, within
from ui.figure.settings import Chosen
from ui.figure.sources import SessionSources
from ui.session import pins as session_pins
from ui.session.pin_button import undo_button
from ui.session.pins import Pin
from viz.figure.panels.presets import TABLE
from viz.figure.recipe.recipe import PRESETS, VENUES, Reference

FREE = "Free"


def sidebar(chosen: Chosen, pins: tuple[Pin, ...], found: SessionSources) -> None:
    """Draw the settings."""
    references = [pin.reference for pin in pins]
    with st.sidebar:
        st.subheader("Figure")
        lacking = {name: figure_recipe.lacking(pins, name, found) for name in PRESETS}
        _draw("figure-preset", chosen.preset, _chosen_preset, partial(
            st.selectbox, "Preset", PRESETS, format_func=partial(_listed, lacking),
            help="\n".join(f"- **{row.title}**: {row.help}" for row in TABLE.values()),
        ))  # fmt: skip
        st.caption(TABLE[chosen.preset].help)
        if why := _why(lacking):
            st.caption(f"Not with these pins: {why}.")
        _width(chosen)
        _options(FIRST, chosen, references)
        for title, options in GROUPS.items():
            if any(_applies(option, chosen, references) for option in options):
                with st.expander(title):
                    _options(options, chosen, references)
                    if title == "Maps" and chosen.preset in HEAT:
                        _range(chosen)
        st.button("Back to the preset's defaults", on_click=_reset, key="figure-reset")
        with st.container(horizontal=True):
            st.button("Remove all pins", on_click=session_pins.clear, key="figure-clear")
            undo_button()


def _listed(lacking: Mapping[str, str], name: str) -> str:
    """Return what a preset is called in the list, which no entry can be made grey in."""
    return f"{TABLE[name].title} (not with these pins)" if lacking[name] else TABLE[name].title


def _why(lacking: Mapping[str, str]) -> str:
    """Return the presets that the pins are not enough for, together where they need the same."""
    by_need: dict[str, list[str]] = {}
    for name, words in lacking.items():
        by_need.setdefault(words, []).append(TABLE[name].title)
    by_need.pop("", None)
    return "; ".join(f"{', '.join(names)} (needs {one})" for one, names in by_need.items())


def _options(options: Sequence[Option], chosen: Chosen, references: Sequence[Reference]) -> None:
    for option in options:
        if _applies(option, chosen, references):
            draw = partial(option.draw, option.title, help=option.help)
            value = option.shown(chosen.value(option.field))
            _draw(_key(option.field), value, partial(_changed, option), draw)


def _applies(option: Option, chosen: Chosen, references: Sequence[Reference]) -> bool:
    return chosen.preset in option.presets and option.applies(chosen, references)


def _draw(key: str, value: object, on_change: Callable[[], None], draw: Draw) -> None:
    """Draw a widget that shows ``value``."""
    state.show(state.widget(key), value)
    draw(key=key, on_change=on_change)


def _key(name: str) -> str:
    return f"figure-{name}"


def _changed(option: Option) -> None:
    value = option.read(state.widget(_key(option.field)).get())
    figure_settings.put(figure_settings.current(_pinned()).changed(option.field, value))


def _chosen_preset() -> None:
    references, preset = _pinned(), state.widget("figure-preset").get()
    figure_settings.put(figure_settings.current(references).with_preset(preset, references))


def _reset() -> None:
    references = _pinned()
    preset = figure_settings.current(references).preset
    figure_settings.forget()
    figure_settings.put(figure_settings.current().with_preset(preset, references))


def _pinned() -> tuple[Reference, ...]:
    return tuple(pin.reference for pin in session_pins.pins())


def _width(chosen: Chosen) -> None:
    """Draw the width: of a venue, or in mm."""
    width = chosen.layout.width_mm
    venue = next((name for name, mm in VENUES.items() if mm == width), FREE)
    venue = FREE if figure_settings.is_free() else venue
    _draw("figure-venue", venue, _chosen_venue, partial(st.selectbox, "Width", [*VENUES, FREE]))
    if venue == FREE:
        draw = partial(st.number_input, "Width in mm", **within("width_mm", 1.0))
        _draw(_key("width_mm"), float(width), partial(_changed, _WIDTH), draw)


_WIDTH = Option("width_mm", "Width in mm", st.number_input)


def _chosen_venue() -> None:
    venue = state.widget("figure-venue").get()
    figure_settings.set_free(venue == FREE)
    if venue != FREE:
        chosen = figure_settings.current(_pinned())
        figure_settings.put(chosen.changed("width_mm", VENUES[venue]))


def _range(chosen: Chosen) -> None:
    """Draw the two ends of a fixed range."""
    if chosen.look.normalise != "fixed":
        return
    for title, key, value in zip(
        ("From", "To"), ("figure-low", "figure-high"), chosen.look.fixed_range, strict=True
    ):
        draw = partial(st.number_input, title, format="%.4g", step=0.001)
        _draw(key, float(value), _changed_range, draw)


def _changed_range() -> None:
    limits = state.widget("figure-low").get(), state.widget("figure-high").get()
    chosen = figure_settings.current(_pinned())
    figure_settings.put(chosen.changed("fixed_range", limits))
