"""Which kind of map each network is shown as: the one that is chosen, or with a second picture one
that reaches from the first into it."""

from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from ui import state
from ui.session import loaders
from ui.session.media import medium
from viz.attention import queries
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import KINDS
from viz.attention.matches import FEATURES
from viz.figure.recipe.recipe import View

OWN = "what the block computes"


def chosen(view: View, spec: NetworkSpec) -> MapKind:
    """Return the kind of a view: its own, or that of the network's blocks."""
    return KINDS[view.kind] if view.kind else queries.own_kind(spec)


def drawn(kind: MapKind) -> MapKind:
    """Return the kind that is drawn where a kind is chosen: with a second picture another, where
    its maps do not reach from one picture into the other."""
    return kind if kind.reaches or not _two() else KINDS[FEATURES]


def _two() -> bool:
    """Tell whether two pictures are shown."""
    return state.SECOND.get() is not None and not medium.in_use().is_clip


def suit() -> None:
    """Compare features where two pictures are looked at with a network of a library: a head of one
    picture was not made to look for something in another."""
    known = {entry.id: entry.spec for entry in loaders.catalogue_entries() if not entry.problem}
    for key, kind in ((state.NETWORK, state.KIND), (state.BESIDE, state.KIND_BESIDE)):
        if isinstance(known.get(key.get()), WrappedSpec) and kind.get() in (None, OWN):
            kind.set(KINDS[FEATURES].menu)
            state.KINDS_SUITED.set((*state.KINDS_SUITED.get(), kind.name))


def go_back() -> None:
    """Go back to what was chosen before a second picture came, once it is gone; a choice that was
    made meanwhile stays."""
    if state.SECOND.get() is None:
        suited = state.KINDS_SUITED.pop()
        for kind in (state.KIND, state.KIND_BESIDE):
            if kind.name in suited and kind.get() == KINDS[FEATURES].menu:
                kind.set(OWN)
