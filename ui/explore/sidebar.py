"""The sidebar of Explore: what is looked at and how, as one value; the address bar keeps it."""

from dataclasses import dataclass, replace

import streamlit as st

from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from models.zoo.catalogue import Entry
from ui import state
from ui.bound import choice, worded
from ui.components.pin_cards import pin_cards as thumbs
from ui.explore import linked_networks, second_picture
from ui.explore.settings import display, kinds, map_choice
from ui.explore.settings import sampling as sampling_inputs
from ui.explore.settings.map_choice import Listing
from ui.guard import plain
from ui.session import loaders
from ui.session.defaults import CLIP_NETWORKS, PICTURE_NETWORKS
from ui.session.media import levels, medium, second
from viz.attention import pipeline, queries
from viz.attention.choice import Selection
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import KINDS, derived_names, selection
from viz.figure.recipe.recipe import Network, View
from viz.geometry import MODES, Mode
from viz.rendering.look import Look
from viz.types import Sampling

NONE = "none"
FRAMING = {"fit": "whole picture", "center-crop": "centre crop"}
SIZES, LARGEST_SIZE = (224, 320, 448), pipeline.SIZES[1]
FINE = SIZES[-1]
"""Input side that pictures begin with: the finest grid of which the maps follow the pointer."""
RESOLUTIONS = [75, 150, 300, 600]


@dataclass(frozen=True)
class Settings:
    """Everything the sidebar says: a view a network, the look, which frames of a clip.

    ``by_class`` are the names of kinds whose maps are ranked by class evidence; ``dpi`` is the
    resolution of the PNG.
    """

    views: tuple[View, ...]
    by_class: frozenset[str]
    look: Look
    sampling: Sampling
    dpi: int = 300

    def selection_of(self, shown: View) -> Selection | None:
        """Return which maps were asked for, of a view as it is shown; None for one that is no view
        of these."""
        asked = (shown.network.id, shown.block, shown.kind)
        same = (v for v in self.views if (v.network.id, v.block, v.kind) == asked)
        return next((selection(view.maps, view.count) for view in same), None)


def sidebar() -> Settings | None:
    """Draw the sidebar and return what it says; None when there is no network to look at."""
    with st.sidebar:
        with medium.choose(_suit_networks, sampling_inputs.forget):
            levels.choose()
        second_picture.choose(kinds.suit, thumbs.example)
        kinds.go_back()
        chosen = _networks()
        if not chosen:
            return None
        specs = [entry.spec for entry, _view in chosen]
        sampling = sampling_inputs.sampling(medium.in_use(), specs[0])
        mode, size = _input(specs[0])
        views = [replace(view, mode=mode, size=size) for _entry, view in chosen]
        asked = [kinds.chosen(view, entry.spec) for entry, view in chosen]
        drawn = [kinds.drawn(kind) for kind in asked]
        for (entry, _view), kind in zip(chosen, asked, strict=True):
            if kind not in drawn:
                map_choice.put_off(kind, entry.id)
        listings = _listings(drawn, specs)
        look = display.choose()
        dpi = choice(
            "PNG resolution in dpi", RESOLUTIONS, state.DPI, index=RESOLUTIONS.index(300),
            help="The picture is 183 mm wide: 2161 pixels at 300 dpi.",
        )  # fmt: skip
    return Settings(
        tuple(
            replace(view, maps=one.maps, count=one.count, shown=one.shown)
            for view, one in zip(views, (listings[kind.name] for kind in drawn), strict=True)
        ),
        frozenset(name for name, one in listings.items() if one.by_class),
        look,
        sampling,
        dpi,
    )


def examples() -> None:
    """Draw the examples as small pictures that are clicked."""
    taken = medium.changing(medium.take_example, _suit_networks, sampling_inputs.forget)
    with st.container(horizontal=True, horizontal_alignment="right", key="examples"):
        for name in medium.EXAMPLES:
            st.button(
                f"![]({thumbs.example(name)}) {name}", key=f"example-{name}", on_click=taken,
                args=(name,), type="tertiary", disabled=medium.in_use() is medium.example(name),
            )  # fmt: skip
        st.button(
            f"![two birds]({thumbs.example(second.EXAMPLES[0])}) two birds",
            key="example-two", on_click=_two_birds, type="tertiary",
            disabled=_are_two_birds(),
            help="Shows which patches of a second picture match a patch of the first.",
        )  # fmt: skip


def _are_two_birds() -> bool:
    """Tell whether the two example pictures are in use, and no others."""
    other = state.SECOND.get()
    return (
        medium.in_use().sha256 == medium.example(medium.EXAMPLES[0]).sha256
        and other is not None
        and other.sha256 == medium.example(second.EXAMPLES[0]).sha256
    )


def _two_birds() -> None:
    """Put two example pictures in use."""
    if medium.in_use().sha256 != medium.example(medium.EXAMPLES[0]).sha256:
        medium.changing(medium.take_example, _suit_networks, sampling_inputs.forget)(
            medium.EXAMPLES[0]
        )
    second.take_example(second.EXAMPLES[0], kinds.suit)


def _listings(drawn: list[MapKind], specs: list[NetworkSpec]) -> dict[str, Listing]:
    """Draw one section for each kind that is shown; return what is listed of each, by its name."""
    return {
        name: map_choice.choose(
            KINDS[name],
            [spec for kind, spec in zip(drawn, specs, strict=True) if kind.name == name],
        )
        for name in dict.fromkeys(kind.name for kind in drawn)
    }


def first_size(spec: NetworkSpec | WrappedSpec, is_clip: bool) -> int:
    """Return the input size that a network begins with: its own for clips, for networks that know
    one size, and for those of other libraries; else the finest of those offered."""
    prep = spec.preprocessing
    if is_clip or prep.frames > 1 or prep.fixed or isinstance(spec, WrappedSpec):
        return prep.size
    return max(prep.size, FINE)


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
            state.SIZE.set(first_size(known[name].spec, medium.in_use().is_clip))


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
    linked_networks.settle(names)
    first = choice("Network", names, state.NETWORK, on_change=_other_network)
    lead = _view(known[first], state.BLOCK, state.KIND)
    beside = choice(
        "Compare with", [NONE, *names], state.BESIDE, index=min(2, len(names)),
        help="A second network with the same reference patch.",
    )  # fmt: skip
    if beside == NONE:
        return ((known[first], lead),)
    second = _view(known[beside], state.BLOCK_BESIDE, state.KIND_BESIDE)
    return (known[first], lead), (known[beside], second)


def _other_network() -> None:
    """Begin with the size and the frames that the chosen network was made for."""
    known = {entry.id: entry for entry in loaders.catalogue_entries() if not entry.problem}
    if entry := known.get(state.NETWORK.get() or ""):
        state.SIZE.set(first_size(entry.spec, medium.in_use().is_clip))
        display.forget_range()
    sampling_inputs.forget()


def _in_order(names: list[str]) -> list[str]:
    """Return names, those that suit the medium first."""
    first = defaults()
    return [n for n in first if n in names] + [n for n in names if n not in first]


def _view(entry: Entry, block_key: state.Key, kind_key: state.Key) -> View:
    """Draw which block and which kind of map is looked at; return the view."""
    labels = list(queries.block_labels(entry.spec))
    about = plain(f"{entry.title}; {entry.source}.")
    block = choice(f"Block of {entry.id}", labels, block_key, index=len(labels) - 1, help=about)
    suiting = (name for name in derived_names() if KINDS[name].suits(entry.spec))
    menu = {KINDS[name].menu: name for name in suiting}
    if kind_key.get() not in (None, kinds.OWN, *menu):
        kind_key.set(kinds.OWN)
    kind = choice(
        f"Map of {entry.id}", [kinds.OWN, *menu], kind_key,
        help="What the block computes; the cosine of its input; or another map that the network "
        "has: evidence for a class (Grad-CAM), rollout, the class token.",
    )  # fmt: skip
    view = View(Network(entry.id, ""), block if block in labels else labels[-1], menu.get(kind))
    asked = kinds.chosen(view, entry.spec)
    if kinds.drawn(asked) is not asked:
        st.caption(second_picture.instead(asked))
    return view


def _input(spec: NetworkSpec) -> tuple[Mode, int]:
    default = spec.preprocessing.size
    one_size = loaders.has_one_size(spec)
    finer = round(1.5 * default / spec.preprocessing.stride) * spec.preprocessing.stride
    sizes = [default] if one_size else sorted({*SIZES, default, min(finer, LARGEST_SIZE)})
    modes = ["center-crop"] if one_size else list(MODES)
    mode = worded(
        "Framing", modes, state.MODE, FRAMING.get,
        help="Whole picture: the aspect is kept. Centre crop: the papers' test protocol; what is "
        "cut off is dimmed.",
    )  # fmt: skip
    size = choice(
        "Input size in pixels", sizes, state.SIZE,
        index=sizes.index(first_size(spec, medium.in_use().is_clip)),
        help=f"Larger inputs give finer maps; {default} is what the network was trained for.",
    )  # fmt: skip
    return mode, size
