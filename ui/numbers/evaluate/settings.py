"""What is measured: networks, measures, maps, the cut."""

from dataclasses import dataclass
from typing import Any, get_args

import streamlit as st

from errors import InputError
from ui import bound, state
from ui.session import loaders
from ui.session.defaults import PICTURE_NETWORKS
from viz.attention import queries
from viz.evaluation import measures
from viz.evaluation.evaluate import Asked, Parts
from viz.evaluation.measures import Cut
from viz.evaluation.sources import SOURCES

MOST_NETWORKS = 6
LAST = "the last one"


@dataclass(frozen=True)
class Wanted:
    """Networks by name, and what is measured of them."""

    networks: tuple[str, ...]
    asked: Asked


def choose() -> Wanted:
    """Draw the settings in the sidebar; InputError where they leave nothing to measure."""
    with st.sidebar:
        wanted, asked = _chosen()
    given = {"network": wanted, "measure": asked["measured"], "map": asked["maps"]}
    for what, names in given.items():
        if not names:
            raise InputError(f"No {what} is chosen; choose one or more.")
    return Wanted(wanted, Asked(**asked))


def _chosen() -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the networks, and by its name what is asked of them."""
    entries = {one.id: one for one in loaders.catalogue_entries() if one.spec is not None}
    networks = bound.several(
        "Networks", list(entries), state.EVALUATE_NETWORKS, max_selections=MOST_NETWORKS,
        default=[name for name in PICTURE_NETWORKS if name in entries],
        help="Those of Explore, and what you opened on Models. Two or more are compared in pairs.",
    )  # fmt: skip
    measured = bound.several(
        "Measures", measures.NAMES, state.EVALUATE_MEASURES, default=list(measures.DEFAULT),
        help="Deletion, insertion and ROAD run the network many times a picture.",
    )  # fmt: skip
    maps = bound.several(
        "Maps", list(SOURCES), state.EVALUATE_MAPS, default=list(SOURCES),
        help="; ".join(f"{name}: {source.words}" for name, source in SOURCES.items()),
    )  # fmt: skip
    labels = [queries.block_labels(entries[name].spec) for name in networks]
    shared = [label for label in labels[0] if all(label in one for one in labels)] if labels else []
    block = bound.choice("Block", [LAST, *shared], state.EVALUATE_BLOCK)
    threshold = bound.slider(
        "Threshold of part coverage", 0.05, 0.95, Cut().threshold, 0.05, state.EVALUATE_THRESHOLD
    )
    area = bound.slider(
        "Area at which maps are equal", 0.05, 0.5, Cut().area, 0.05, state.EVALUATE_AREA
    )
    parts = bound.pills(
        "Parts of NMI and ARI", get_args(Parts), state.EVALUATE_PARTS, "groups",
        help="What is taken as the parts of an object: groups or heads, or every channel.",
    )  # fmt: skip
    return tuple(networks), {
        "measured": tuple(name for name in measures.NAMES if name in measured),
        "maps": tuple(maps),
        "block": None if block in (LAST, None) else block,
        "threshold": threshold,
        "area": area,
        "parts": parts,
    }


def usual() -> Wanted:
    """Return what is measured before anything was changed."""
    return Wanted(PICTURE_NETWORKS, Asked())
