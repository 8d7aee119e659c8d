"""The sidebar of Explore: what is looked at and how, as one value; the address bar keeps it."""

from dataclasses import dataclass

import streamlit as st

from errors import InputError
from models.specs.block import CGNLSpec
from models.specs.network import NetworkSpec
from models.zoo.catalogue import Entry
from ui.bound import bound
from ui.explore import sampling as sampling_inputs
from ui.guard import guarded, plain
from ui.session import loaders, medium
from ui.session.defaults import CLIP_NETWORKS, PICTURE_NETWORKS
from viz.attention import pipeline
from viz.attention.pipeline import Channels
from viz.geometry import Mode
from viz.rendering.overlay import COLORMAPS
from viz.types import Look, Sampling

NONE = "none"
RANKINGS = ("standout", "response", "contrast", "one per group", "class evidence", "list")
SIZES = (224, 320, 448)
ARROWS = 20
NORMALISATIONS = {
    "min-max": "clip", "min-max of each frame": "frame", "fixed range": "fixed",
}  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """One network and the block that is looked at."""

    name: str
    title: str
    spec: NetworkSpec
    block: str


@dataclass(frozen=True)
class Settings:
    """Everything the sidebar says."""

    networks: tuple[Chosen, ...]
    mode: Mode
    size: int
    channels: Channels
    class_evidence: bool
    focus: str
    look: Look
    sampling: Sampling


def sidebar() -> Settings | None:
    """Draw the sidebar and return what it says; None when there is no network to look at."""
    with st.sidebar:
        medium.choose(_suit_networks, sampling_inputs.forget)
        networks = _networks()
        if not networks:
            return None
        sampling = sampling_inputs.sampling(medium.in_use(), networks[0].spec)
        mode, size = _input(networks[0].spec)
        channels, evidence, focus = _channels(networks)
        look = _look()
        return Settings(networks, mode, size, channels, evidence, focus, look, sampling)


def defaults() -> tuple[str, str]:
    """Return the two networks that suit the medium in use."""
    return CLIP_NETWORKS if medium.in_use().is_clip else PICTURE_NETWORKS


def _suit_networks() -> None:
    """Change to the networks made for the medium, when it is no longer of the same kind."""
    known = {entry.id: entry for entry in loaders.catalogue_entries() if not entry.problem}
    for key, name in zip(("net", "beside"), defaults(), strict=True):
        others = {*PICTURE_NETWORKS, *CLIP_NETWORKS, None}
        if name in known and st.session_state.get(key) in others:
            st.session_state[key] = name
            st.session_state["size"] = known[name].spec.preprocessing.size


def _networks() -> tuple[Chosen, ...]:
    st.subheader("Networks")
    known = {entry.id: entry for entry in loaders.catalogue_entries() if not entry.problem}
    for entry in loaders.catalogue_entries():
        if entry.problem:
            st.warning(plain(entry.problem))
    first_shown = defaults()
    names = sorted(
        known,
        key=lambda n: (
            n not in first_shown, first_shown.index(n) if n in first_shown else 0
        ),
    )  # fmt: skip
    if not names:
        st.error(
            "No usable network with an attention block is in models/weights; fetch them again."
        )
        return ()
    first = st.selectbox("Network", names, key="net", **bound())
    others = [NONE, *names]
    beside = st.selectbox(
        "Beside it", others, index=min(2, len(names)), key="beside", **bound(),
        help="A second network with the same reference patch.",
    )  # fmt: skip
    picked = [first] + ([beside] if beside != NONE else [])
    return tuple(_with_block(known[name], k) for k, name in enumerate(picked))


def _with_block(entry: Entry, index: int) -> Chosen:
    labels = list(pipeline.block_labels(entry.spec))
    block = st.selectbox(
        f"Block of {entry.id}", labels, index=len(labels) - 1,
        key=f"block{index + 1}", **bound(), help=plain(f"{entry.title}; {entry.source}."),
    )  # fmt: skip
    return Chosen(entry.id, entry.title, entry.spec, block if block in labels else labels[-1])


def _input(spec: NetworkSpec) -> tuple[Mode, int]:
    default = spec.preprocessing.size
    one_size = loaders.has_one_size(spec)
    finer = round(1.5 * default / spec.preprocessing.stride) * spec.preprocessing.stride
    sizes = [default] if one_size else sorted({*SIZES, default, finer})
    modes = ["center-crop"] if one_size else ["fit", "center-crop"]
    mode = st.selectbox(
        "Protocol", modes, key="mode", **bound(),
        help="fit: the whole picture, aspect kept. center-crop: the papers' test protocol.",
    )  # fmt: skip
    size = st.selectbox(
        "Input size in pixels", sizes, index=sizes.index(default), key="size", **bound(),
        help=f"Larger inputs give finer maps; {default} is what the network was trained for.",
    )  # fmt: skip
    return mode, size


def _channels(networks: tuple[Chosen, ...]) -> tuple[Channels, bool, str]:
    groups = [
        chosen.spec.block.groups for chosen in networks if isinstance(chosen.spec.block, CGNLSpec)
    ]
    if not groups:
        return Channels(), False, ""
    st.subheader("CGNL maps")
    how = st.selectbox("Channels by", RANKINGS, key="channels", **bound(), help=_RANKING_HELP)
    channels = Channels()
    if how == "list":
        text = st.text_input("Channel numbers", "0,1,2,3,4", key="list", max_chars=200, **bound())
        with guarded():
            channels = _listed(text)
    else:
        count = st.slider("How many", 1, 12, pipeline.DEFAULT_CHANNELS, key="count", **bound())
        channels = Channels("standout" if how == "class evidence" else how, count)
    shown = len(channels.listed) or channels.count
    options = [f"channel {k + 1}" for k in range(shown)] + [
        f"group {k}" for k in range(max(groups))
    ]
    if st.session_state.get("focus") not in (None, *options):
        st.session_state["focus"] = options[0]
    focus = st.selectbox(
        "Shown large", options, key="focus", **bound(),
        help="Channels are counted by rank; a click on a small map chooses it, too.",
    )  # fmt: skip
    return channels, how == "class evidence", focus if focus in options else options[0]


_RANKING_HELP = (
    "standout: how far the reference stands out in a channel, times the channel's contrast. "
    "response: size of the block's response there. contrast: range of the map. "
    "one per group: each group's best by standout. class evidence: gradient times response for a "
    "class, one backward pass. list: the numbers you give."
)


def _listed(text: str) -> Channels:
    asked = pipeline.channels_from(text)
    if not asked.listed or len(asked.listed) > 24:
        raise InputError(f"Channels {text[:80]!r} came; give 1 to 24 numbers like 0,3,17.")
    return asked


def as_in_the_papers() -> None:
    """Set the look of the papers' figures."""
    st.session_state.update(
        map="jet", threshold=0.7, opacity=0.5, smoothing="smooth", scale="min-max"
    )


def _look() -> Look:
    st.subheader("Look")
    threshold = st.slider("Threshold", 0.0, 1.0, 0.7, 0.01, key="threshold", **bound())
    scale = st.selectbox(
        "Normalisation", list(NORMALISATIONS), key="scale", **bound(),
        help="min-max: each map from its lowest to its highest value, over all frames of a clip or "
        "in each frame. fixed range: all alike.",
    )  # fmt: skip
    limits = (0.0, 1.0)
    if scale == "fixed range":
        left, right = st.columns(2)
        low = left.number_input("From", value=0.0, format="%.4g", step=0.001, key="low", **bound())
        high = right.number_input("To", value=1.0, format="%.4g", step=0.001, key="high", **bound())
        limits = (low, high) if high > low else (low, low + 1.0)
        if high <= low:
            st.error(f"The range {low:g} to {high:g} came; the second number must be larger.")
    colormap = st.selectbox("Colour map", list(COLORMAPS), key="map", **bound())
    st.caption(COLORMAPS[colormap])
    opacity = st.slider("Heat opacity", 0.0, 1.0, 0.6, 0.05, key="opacity", **bound())
    smoothing = st.selectbox("Interpolation", ["smooth", "nearest"], key="smoothing", **bound())
    st.button(
        "As in the papers", on_click=as_in_the_papers, help="Jet, threshold 0.7, opacity 0.5."
    )
    arrows = st.checkbox(
        "Arrows to the 20 highest weights", key="arrows", **bound(),
        help="As in the NL paper's figure of behaviour: from the reference, across frames.",
    )  # fmt: skip
    return Look(
        NORMALISATIONS[scale], threshold, colormap, opacity, smoothing, limits, ARROWS * arrows
    )
