"""What the Figure page can be set to: a table of fields of look and layout, and their widgets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import streamlit as st

from ui.figure.settings import Chosen
from viz.figure.files import movie
from viz.figure.recipe.recipe import LONGEST_LABEL, PRESETS, Captions, Font, Layout, Reference
from viz.rendering import look as looks
from viz.rendering.colormaps import COLORMAPS
from viz.rendering.look import Look, bounds

FRAMED = movie.MOVING
SCALED = ("parts", *FRAMED)
"""Presets whose maps can share a scale."""
HEAT = (*SCALED, "objects", "strongest")
"""Presets that show maps in the look."""
PAINTED = (*HEAT, "gates")

Draw = Callable[..., object]


@dataclass(frozen=True)
class Option:
    """A field and its widget: ``shown`` turns the field into the widget's value, ``read`` back.

    ``applies`` (settings, references) tells whether the preset has a use for it.
    """

    field: str
    title: str
    draw: Draw
    presets: Sequence[str] = PRESETS
    help: str | None = None
    shown: Callable[[Any], Any] = staticmethod(lambda value: value)
    read: Callable[[Any], Any] = staticmethod(lambda value: value)
    applies: Callable[[Chosen, Sequence[Reference]], bool] = staticmethod(lambda *_: True)


def _choice(words: Mapping[Any, str] | Sequence[str]) -> Draw:
    """Return what draws a selectbox of values; a mapping says them in words."""
    word = words.get if isinstance(words, Mapping) else str
    return partial(st.selectbox, options=list(words), format_func=word)


def within(name: str, step: float) -> dict[str, float]:
    """Return lowest and highest value of a field, as its type says, and a widget's step."""
    owner = Look if name in Look.__dataclass_fields__ else Layout
    low, high = bounds(owner, name)
    return {"min_value": low, "max_value": high, "step": step}


def _number(name: str, step: float) -> Draw:
    return partial(st.number_input, **within(name, step))


def _share(name: str) -> Draw:
    return partial(st.slider, **within(name, 0.01))


def _lines(labels: Sequence[str]) -> str:
    return "\n".join(labels)


def _labels(text: str) -> tuple[str, ...]:
    return tuple(line[:LONGEST_LABEL] for line in text.rstrip().splitlines())[:400]


def _has_clip(_chosen: Chosen, references: Sequence[Reference]) -> bool:
    return any(one.medium.is_clip for one in references)


_text = partial(st.text_area, height=90, max_chars=8000)

FIRST = (
    Option(
        "threshold", "Threshold", _share("threshold"), PAINTED,
        "Heat below it leaves the picture as it is.", float,
        applies=lambda chosen, _: chosen.look.cut == "value",
    ),
    Option(
        "share", "Share that is shown", _share("share"), PAINTED,
        "Of the cells (by area), or of the sum of the weights (by mass).", float,
        applies=lambda chosen, _: chosen.look.cut != "value",
    ),
    Option("colormap", "Colour map", _choice(COLORMAPS)),
    Option("captions", "Captions", _choice(get_args(Captions))),
    Option("labels", "Labels", st.toggle, help="Names over columns and beside rows."),
)  # fmt: skip

GROUPS: dict[str, tuple[Option, ...]] = {
    "Page": (
        Option("dpi", "Resolution in dpi", _number("dpi", 50), help="Of the PNG and the maps."),
        Option("gap_mm", "Gap between panels in mm", _number("gap_mm", 0.2), shown=float),
        Option(
            "font", "Font",
            _choice(dict(zip(get_args(Font), ("Sans", "Serif", "Times"), strict=True))),
        ),
        Option("font_pt", "Size of letters in points", _number("font_pt", 0.5), shown=float),
        Option("greyscale", "Readable in greyscale", st.toggle, help="For print without colour."),
    ),
    "Words": (
        Option(
            "captions_of", "Captions count",
            _choice({"panels": "panels", "rows": "rows", "columns": "columns"}),
            applies=lambda chosen, _: chosen.layout.captions != "none",
        ),
        Option(
            "row_labels", "Labels of rows of the recipe, a line each", _text, shown=_lines,
            read=_labels, help="Replaces the pins' own labels; leave it empty to use those.",
            applies=lambda chosen, _: bool(chosen.layout.row_labels),
        ),
        Option(
            "column_labels", "Labels of columns, a line each", _text, shown=_lines, read=_labels,
            help="Replaces the preset's own labels; leave it empty to use those.",
        ),
        Option(
            "mathtext", "Formulas in labels", st.toggle,
            help=r"What stands between dollar signs is a formula: $\alpha_1$ is \$\\alpha_1\$.",
        ),
        Option(
            "legend", "Legend of the parts", st.toggle, ("parts",),
            applies=lambda _, references: any(one.parts for one in references),
        ),
    ),
    "Panels": (
        Option(
            "most_frames", "Frames shown of a clip", _number("most_frames", 1), FRAMED,
            applies=_has_clip, help="Evenly spaced, the reference's frame among them.",
        ),
        Option(
            "columns", "Panels per row (0 = automatic)", _number("columns", 1),
            help="How many panels stand beside one another before the row goes on below; 0: all.",
        ),
        Option("transpose", "Rows as columns", st.toggle),
        Option("input_panel", "Panel with the input", st.toggle, (*SCALED, "gates", "objects")),
        Option(
            "crop", "Crop",
            _choice({"whole": "whole picture", "seen": "what the network sees",
                     "square": "square around the reference"}),
            (*PAINTED, "matches"),
        ),
    ),
    "Maps": (
        Option(
            "bar", "Colour bar",
            _choice({"shared": "one for the figure", "row": "one a row", "map": "one a map",
                     "none": "none"}),
        ),
        Option(
            "scale", "Scale of the maps",
            _choice({"map": "each map its own", "row": "one a row",
                     "figure": "one for the figure"}),
            SCALED, help="What the lowest and the highest value are taken over.",
        ),
        Option(
            "normalise", "Scaled to",
            _choice(looks.SCALINGS),
            HEAT,
        ),
        Option(
            "display", "Scale of the values", _choice(looks.DISPLAYS), HEAT,
            "What the reference's own cell does, and whether values or their logarithm are shown.",
        ),
        Option("cut", "Show", _choice(looks.CUTS), PAINTED),
        Option("heat_opacity", "Heat opacity", _share("heat_opacity"), PAINTED, shown=float),
        Option(
            "interpolation", "Interpolation",
            _choice({"smooth": "smooth", "nearest": "cells as they are"}), PAINTED,
        ),
        Option(
            "one_map", "One of several maps",
            _choice({"as pinned": "as pinned", "union": "their union",
                     "each": "each in a row"}),
            ("view", "frames", "heatmaps", "arrows"),
        ),
        Option(
            "regions", "White rectangles",
            _choice({"none": "none", "NL": "on NL maps", "all": "on all maps"}), HEAT,
            "Around what is at or above the threshold.",
        ),
        Option(
            "arrows", "Arrows to the highest weights, or lines", _number("arrows", 5),
            (*FRAMED, "matches"),
            "From the reference; the NL paper draws 20. Of two pictures, how many lines.",
        ),
        Option("log_scale", "Logarithmic scale", st.toggle, ("matrix",)),
    ),
}  # fmt: skip
"""Title of an expander -> what is in it."""


def titles() -> dict[str, str]:
    """Return the title of every option by its field."""
    options = (*FIRST, *(option for group in GROUPS.values() for option in group))
    return {option.field: option.title for option in options}
