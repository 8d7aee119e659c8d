"""Which frames of a clip are looked at: frames x step as networks are published, and where."""

from dataclasses import replace
from functools import partial

import streamlit as st

from models.specs.network import NetworkSpec
from ui import bound, state
from viz.attention import pipeline
from viz.media.footage import Footage
from viz.types import Sampling

OWN, CUSTOM = "own", "custom"
PRESETS = {"8 x 8": (8, 8), "16 x 4": (16, 4), "32 x 2": (32, 2), "4 x 16": (4, 16)}
MOST_FRAMES = 64


def sampling(found: Footage, spec: NetworkSpec) -> Sampling:
    """Draw the inputs of the sampling of a clip and return it; a picture has none to draw."""
    own = pipeline.sampling_for(spec)
    if not found.is_clip:
        return own
    st.subheader("Clip")
    how = bound.choice(
        "Frames x step", [OWN, *PRESETS, CUSTOM], state.SAMPLING,
        help=f"How many frames the network sees, and how far apart they are in the clip. Its own: "
        f"{own.frames} x {own.step:g}.",
    )  # fmt: skip
    chosen = _custom(own) if how == CUSTOM else Sampling(*PRESETS.get(how, (own.frames, own.step)))
    return _placed(found, chosen)


def _custom(own: Sampling) -> Sampling:
    left, middle, right = st.columns([2, 2, 3])
    with left:
        frames = bound.number("Frames", 1, MOST_FRAMES, own.frames, state.SAMPLED_FRAMES)
    with middle:
        step = bound.number("Step", 0.01, 1000.0, float(own.step), state.STEP, format="%g")
    with right:
        unit = bound.choice("Step in", ["frames", "seconds"], state.STEP_UNIT)
    return Sampling(frames, step, None, unit)


def forget() -> None:
    """Put the clip into the middle again: another medium is in use."""
    state.START_MOVED.set(False)


def _moved() -> None:
    state.START_MOVED.set(True)


def _placed(found: Footage, chosen: Sampling) -> Sampling:
    """Let the clip be dragged along the footage, where there is room; its middle until then."""
    seconds = chosen.unit == "seconds"
    end = found.times[-1] if seconds else len(found.times) - 1
    last = end - (chosen.frames - 1) * chosen.step
    steps = int(last * 100) if seconds else int(last)
    if steps < 1:
        st.caption(
            "The clip is not longer than the frames asked for: they are spread over all of it."
        )
        return chosen
    unit = 0.01 if seconds else 1
    middle = steps // 2 * unit
    kept = _kept(steps * unit)
    # Set anew in every run: a slider whose end has changed forgets its value.
    state.START.set(middle if kept is None else type(middle)(kept))
    start = st.slider(
        "First frame" if not seconds else "First second",
        unit * 0, steps * unit, step=unit, key=state.START.name, on_change=_moved, **bound.KEPT,
        help="Drag the frames along the clip; the middle at first.",
    )  # fmt: skip
    if start == middle:
        st.query_params.pop(state.START.name, None)
        return chosen
    st.query_params[state.START.name] = f"{start:g}"
    return replace(chosen, start=start)


def _kept(last: float) -> float | None:
    """Return where the clip was dragged to, or what the address bar says at the first visit."""
    if state.START_MOVED.get():
        start = state.START.get()
        return start if start is not None and start <= last else None
    if state.START_MOVED.is_set():
        return None
    state.START_MOVED.set(False)
    text = st.query_params.get(state.START.name, "")
    bound.check(state.START, partial(bound.within, 0, last), f"it can be 0 to {last:g}")
    if not bound.within(0, last, text):
        return None
    state.START_MOVED.set(True)
    return float(text)
