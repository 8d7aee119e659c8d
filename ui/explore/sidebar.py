"""The sidebar of Explore: what is looked at and how, as one value; the address bar keeps it."""

from dataclasses import dataclass, replace

import streamlit as st

from models.specs.network import NetworkSpec
from models.zoo.catalogue import Entry
from ui import state
from ui.bound import bound
from ui.explore import map_choice
from ui.explore import sampling as sampling_inputs
from ui.explore.map_choice import Listing
from ui.guard import plain
from ui.session import loaders, medium
from ui.session.defaults import CLIP_NETWORKS, PICTURE_NETWORKS
from viz.attention import queries
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import KINDS, derived_names
from viz.figure.recipe.recipe import Network, View
from viz.geometry import MODES, Mode
from viz.rendering import look as looks
from viz.rendering.colormaps import COLORMAPS
from viz.rendering.look import Look
from viz.types import Sampling

NONE = "none"
OWN = "what the block computes"
SIZES = (224, 320, 448)
MOST_ARROWS = 20
NORMALISATIONS = {
    "min-max": "clip", "min-max of each frame": "frame", "fixed range": "fixed",
}  # fmt: skip
_PAPERS = {
    state.COLORMAP: "jet",
    state.THRESHOLD: 0.7,
    state.OPACITY: 0.5,
    state.SMOOTHING: "smooth",
    state.SCALE: "min-max",
}
"""The look of the papers' figures."""


@dataclass(frozen=True)
class Settings:
    """Everything the sidebar says: a view a network, the look, which frames of a clip.

    ``by_class`` are the names of kinds whose maps are ranked by class evidence.
    """

    views: tuple[View, ...]
    by_class: frozenset[str]
    look: Look
    sampling: Sampling


def sidebar() -> Settings | None:
    """Draw the sidebar and return what it says; None when there is no network to look at."""
    with st.sidebar:
        medium.choose(_suit_networks, sampling_inputs.forget)
        chosen = _networks()
        if not chosen:
            return None
        specs = [entry.spec for entry, _view in chosen]
        sampling = sampling_inputs.sampling(medium.in_use(), specs[0])
        mode, size = _input(specs[0])
        views = [replace(view, mode=mode, size=size) for _entry, view in chosen]
        kinds = [kind_shown(view, entry.spec) for entry, view in chosen]
        listings = _listings(kinds, specs)
        look = _look()
    return Settings(
        tuple(
            replace(view, maps=one.maps, count=one.count, shown=one.shown)
            for view, one in zip(views, (listings[kind.name] for kind in kinds), strict=True)
        ),
        frozenset(name for name, one in listings.items() if one.by_class),
        look,
        sampling,
    )


def _listings(kinds: list[MapKind], specs: list[NetworkSpec]) -> dict[str, Listing]:
    """Draw one section for each kind that is shown; return what is listed of each, by its name."""
    return {
        name: map_choice.choose(
            KINDS[name],
            [spec for kind, spec in zip(kinds, specs, strict=True) if kind.name == name],
        )
        for name in dict.fromkeys(kind.name for kind in kinds)
    }


def kind_shown(view: View, spec: NetworkSpec) -> MapKind:
    """Return the kind of a view: its own, or that of the network's blocks."""
    return KINDS[view.kind] if view.kind else queries.own_kind(spec)


def defaults() -> tuple[str, str]:
    """Return the two networks that suit the medium in use."""
    return CLIP_NETWORKS if medium.in_use().is_clip else PICTURE_NETWORKS


def _suit_networks() -> None:
    """Change to the networks made for the medium, when it is no longer of the same kind."""
    known = {entry.id: entry for entry in loaders.catalogue_entries() if not entry.problem}
    for key, name in zip((state.NETWORK, state.BESIDE), defaults(), strict=True):
        others = {*PICTURE_NETWORKS, *CLIP_NETWORKS, None}
        if name in known and key.get() in others:
            key.set(name)
            state.SIZE.set(known[name].spec.preprocessing.size)


def _networks() -> tuple[tuple[Entry, View], ...]:
    st.subheader("Networks")
    known = {entry.id: entry for entry in loaders.catalogue_entries() if not entry.problem}
    for entry in loaders.catalogue_entries():
        if entry.problem:
            st.warning(plain(entry.problem))
    names = _in_order(list(known))
    if not names:
        st.error(
            "No usable network with an attention block is in models/weights; fetch them again."
        )
        return ()
    first = st.selectbox("Network", names, key=state.NETWORK.name, **bound())
    lead = _view(known[first], state.BLOCK, state.KIND)
    beside = st.selectbox(
        "Beside it", [NONE, *names], index=min(2, len(names)), key=state.BESIDE.name, **bound(),
        help="A second network with the same reference patch.",
    )  # fmt: skip
    if beside == NONE:
        return ((known[first], lead),)
    second = _view(known[beside], state.BLOCK_BESIDE, state.KIND_BESIDE)
    return (known[first], lead), (known[beside], second)


def _in_order(names: list[str]) -> list[str]:
    """Return names, those that suit the medium first."""
    first = defaults()
    return [n for n in first if n in names] + [n for n in names if n not in first]


def _view(entry: Entry, block_key: state.Key, kind_key: state.Key) -> View:
    """Draw which block and which kind of map is looked at; return the view."""
    labels = list(queries.block_labels(entry.spec))
    about = plain(f"{entry.title}; {entry.source}.")
    block = st.selectbox(
        f"Block of {entry.id}", labels, index=len(labels) - 1, key=block_key.name, **bound(),
        help=about,
    )  # fmt: skip
    suiting = (name for name in derived_names() if KINDS[name].suits(entry.spec))
    menu = {KINDS[name].menu: name for name in suiting}
    if kind_key.get() not in (None, OWN, *menu):
        kind_key.set(OWN)
    kind = st.selectbox(
        f"Map of {entry.id}", [OWN, *menu], key=kind_key.name, **bound(),
        help="What the block computes; the cosine of what enters it; or what else its kind offers: "
        "evidence for a class (Grad-CAM), rollout, the class token.",
    )  # fmt: skip
    return View(
        Network(entry.id, ""),
        block if block in labels else labels[-1],
        menu.get(kind),
    )


def _input(spec: NetworkSpec) -> tuple[Mode, int]:
    default = spec.preprocessing.size
    one_size = loaders.has_one_size(spec)
    finer = round(1.5 * default / spec.preprocessing.stride) * spec.preprocessing.stride
    sizes = [default] if one_size else sorted({*SIZES, default, finer})
    modes = ["center-crop"] if one_size else list(MODES)
    mode = st.selectbox(
        "Protocol", modes, key=state.MODE.name, **bound(),
        help="fit: the whole picture, aspect kept. center-crop: the papers' test protocol.",
    )  # fmt: skip
    size = st.selectbox(
        "Input size in pixels", sizes, index=sizes.index(default), key=state.SIZE.name, **bound(),
        help=f"Larger inputs give finer maps; {default} is what the network was trained for.",
    )  # fmt: skip
    return mode, size


def as_in_the_papers() -> None:
    """Set the look of the papers' figures."""
    for key, value in _PAPERS.items():
        key.set(value)


def _look() -> Look:
    st.subheader("Look")
    threshold = st.slider(
        "Threshold",
        *looks.bounds(Look, "threshold"),
        0.7,
        0.01,
        key=state.THRESHOLD.name,
        **bound(),
    )
    scale = st.selectbox(
        "Normalisation", list(NORMALISATIONS), key=state.SCALE.name, **bound(),
        help="min-max: each map from its lowest to its highest value, over all frames of a clip or "
        "in each frame. fixed range: all alike.",
    )  # fmt: skip
    limits = (0.0, 1.0)
    if scale == "fixed range":
        left, right = st.columns(2)
        low = left.number_input(
            "From", value=0.0, format="%.4g", step=0.001, key=state.LOW.name, **bound()
        )
        high = right.number_input(
            "To", value=1.0, format="%.4g", step=0.001, key=state.HIGH.name, **bound()
        )
        limits = (low, high) if high > low else (low, low + 1.0)
        if high <= low:
            st.error(f"The range {low:g} to {high:g} is empty; the second number must be larger.")
    colormap = st.selectbox("Colour map", list(COLORMAPS), key=state.COLORMAP.name, **bound())
    st.caption(COLORMAPS[colormap])
    opacity = st.slider(
        "Heat opacity",
        *looks.bounds(Look, "heat_opacity"),
        0.6,
        0.05,
        key=state.OPACITY.name,
        **bound(),
    )
    smoothing = st.selectbox(
        "Interpolation", looks.choices(Look, "interpolation"), key=state.SMOOTHING.name, **bound()
    )
    st.button(
        "As in the papers", on_click=as_in_the_papers, help="Jet, threshold 0.7, opacity 0.5."
    )
    arrows = st.checkbox(
        "Arrows to the 20 highest weights", key=state.ARROWS.name, **bound(),
        help="As in the NL paper's figure of behaviour: from the reference, across frames.",
    )  # fmt: skip
    return Look(
        NORMALISATIONS[scale], threshold, colormap, opacity, smoothing, limits, MOST_ARROWS * arrows
    )
