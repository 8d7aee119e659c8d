"""The sidebar's part that says how maps are shown: scale, threshold, colours, arrows."""

import streamlit as st

from ui import state
from ui.bound import any_number, checkbox, choice, leave_out, slider, worded
from viz.rendering import look as looks
from viz.rendering.colormaps import COLORMAPS
from viz.rendering.look import Cut, Look, Normalise

MOST_ARROWS = 20
NORMALISATIONS = {
    "min-max": "clip", "min-max of each frame": "frame", "fixed range": "fixed",
}  # fmt: skip
"""Word of the address -> field of the look."""
UNIT = (0.0, 1.0)
"""Where a fixed range begins and ends that says neither."""
_ENDS = (state.LOW, state.HIGH)
_PAPERS = {
    state.COLORMAP: "jet",
    state.THRESHOLD: 0.7,
    state.OPACITY: 0.5,
    state.SMOOTHING: "smooth",
    state.SCALE: "min-max",
    state.DISPLAY: "linear",
    state.CUT: "value",
}
"""The look of the papers' figures."""


def as_in_the_papers() -> None:
    """Set the look of the papers' figures."""
    for key, value in _PAPERS.items():
        key.set(value)


def choose() -> Look:
    """Draw how maps are shown; return it."""
    st.subheader("Display")
    st.button(
        "Papers' look", on_click=as_in_the_papers, icon=":material/menu_book:",
        help="Jet, threshold 0.7, opacity 0.5, linear: every cell counts, the reference's own too.",
    )  # fmt: skip
    cut, threshold, share = _cut()
    display = worded(
        "Scale", list(looks.DISPLAYS), state.DISPLAY, looks.DISPLAYS.get,
        help="A patch often attends most to itself, and the rest then looks empty. Without the "
        "reference's own cell the scale is that of the others. Logarithmic: for maps without "
        "negative values; others stay linear.",
    )  # fmt: skip
    normalise, limits = _range()
    colormap = choice("Colour map", list(COLORMAPS), state.COLORMAP)
    st.caption(COLORMAPS[colormap])
    opacity = slider("Heat opacity", *looks.bounds(Look, "heat_opacity"), 0.6, 0.05, state.OPACITY)
    smoothing = choice("Interpolation", looks.choices(Look, "interpolation"), state.SMOOTHING)
    arrows = checkbox(
        "Arrows to the 20 highest weights", state.ARROWS,
        help="As in the NL paper's figure of behaviour: from the reference, across frames.",
    )  # fmt: skip
    return Look(
        normalise, threshold, colormap, opacity, smoothing, limits, MOST_ARROWS * arrows,
        display, cut, share,
    )  # fmt: skip


def _cut() -> tuple[Cut, float, float]:
    """Draw what of a map is shown; return the cut, the threshold and the share."""
    cut = worded("Show", list(looks.CUTS), state.CUT, looks.CUTS.get)
    ends = looks.bounds(Look, "threshold")
    if cut == "value":
        threshold = slider(
            "Threshold", *ends, 0.7, 0.01, state.THRESHOLD,
            help="The mark on the colour bar can be dragged, too.",
        )  # fmt: skip
        return cut, threshold, 0.2
    words = "Share of the cells" if cut == "area" else "Share of the sum of the weights"
    share = slider(
        words, *looks.bounds(Look, "share"), 0.2, 0.01, state.SHARE,
        help="The highest cells. A map with negative values is cut at the threshold instead of by "
        "the sum of its weights.",
    )  # fmt: skip
    return cut, 0.7, share


def _range() -> tuple[Normalise, tuple[float, float]]:
    """Draw what the maps are scaled to; return it, and the ends of a fixed range."""
    scale = worded(
        "Scaled to", list(NORMALISATIONS), state.SCALE,
        lambda word: looks.SCALINGS[NORMALISATIONS[word]],
        help="What the ends of the colour bar are: of each map, of each frame of a clip, or the "
        "same for all.",
    )  # fmt: skip
    if scale != "fixed range":
        leave_out(*_ENDS)
        return NORMALISATIONS[scale], UNIT
    _fill()
    ends = []
    for column, title, key, otherwise in zip(
        st.columns(2), ("From", "To"), _ENDS, UNIT, strict=True
    ):
        shown = {"format": "%.4g", "step": 0.001, "placeholder": f"{otherwise:g}"}
        with column:
            given = any_number(title, key, **shown)
        ends.append(otherwise if given is None else given)
    if all(key.get() is None for key in _ENDS):
        return "clip", UNIT  # the ends of the map that is drawn now are filled in next
    low, high = ends
    if high <= low:
        st.error(
            f"The range {low:g} to {high:g} is empty; the second number must be larger. Maps are "
            "scaled to their own minimum and maximum until then."
        )
        return "clip", UNIT
    return "fixed", (low, high)


def _fill() -> None:
    """Fill in the ends of a fixed range that nobody has given, once a map tells them."""
    ends = prefilled()
    given = [key for key in _ENDS if key.get() is not None or key.name in st.query_params]
    if ends is not None and not given:
        for key, value in zip(_ENDS, ends, strict=True):
            key.set(value)


def forget_range() -> None:
    """Forget the ends of a fixed range, and of the map that would fill them in: those of another
    network are others."""
    for key in _ENDS:
        key.set(None)
    state.ENDS.pop()


def prefilled() -> tuple[float, float] | None:
    """Return lowest and highest value of the first network's map when it was last shown."""
    ends = state.ENDS.get()
    return ends if ends and ends[0] < ends[1] else None
