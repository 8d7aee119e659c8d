"""The table of map kinds that everything else reads, and what is looked up in it.

A new kind is a module with a ``MapKind`` and a row here; pages, command line, figures and the
picker then show it.
"""

from errors import OutsideError
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import Selection
from viz.attention.kinds.affinity import Affinity
from viz.attention.kinds.channels import ChannelProducts
from viz.attention.kinds.class_maps import ClassMaps
from viz.attention.kinds.context import ContextWeights
from viz.attention.kinds.features import FeatureSimilarity
from viz.attention.kinds.gates import Gates
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.tokens.class_row import ClassRow
from viz.attention.kinds.tokens.facets import KeySimilarity, QuerySimilarity
from viz.attention.kinds.tokens.heads import Heads
from viz.attention.kinds.tokens.rollout import Rollout

KINDS: dict[str, MapKind] = {
    kind.name: kind
    for kind in (
        Affinity(),
        ChannelProducts(),
        ContextWeights(),
        Heads(),
        FeatureSimilarity(),
        QuerySimilarity(),
        KeySimilarity(),
        Rollout(),
        ClassRow(),
        ClassMaps(),
        Gates(),
    )
}
"""Every kind by its name."""


def kind_of(block: BlockCapture) -> MapKind:
    """Return the kind of a captured block."""
    return KINDS[block.kind]


def offered(block: BlockCapture) -> tuple[MapKind, ...]:
    """Return the kinds that a block can be shown as: its own, then those derived from it."""
    own = kind_of(block)
    derived = (kind for kind in KINDS.values() if kind.derived and kind.can_derive(block))
    return (own, *(kind for kind in derived if kind is not own))


def derived_names() -> tuple[str, ...]:
    """Return the names of the kinds that are made from a block of another kind."""
    return tuple(kind.name for kind in KINDS.values() if kind.derived)


def as_kind(capture: Capture, block: BlockCapture, name: str | None) -> BlockCapture:
    """Return a block as the kind called ``name`` sees it; None: as its own kind.

    What is derived is kept with the capture. OutsideError for a kind that it cannot be shown as.
    """
    if name is None or name == block.kind:
        return block
    found = {kind.name: kind for kind in offered(block)}
    if name not in found:
        raise OutsideError(
            f"{name[:40]!r} is not a map of block {block.label}; use {', '.join(found)}."
        )
    return capture.memory.once((block.label, name), lambda: found[name].derive(capture, block))


def rankings() -> tuple[str, ...]:
    """Return the rankings of all kinds, each once."""
    return tuple(dict.fromkeys(one for kind in KINDS.values() for one in kind.rankings))


def selection(text: str, count: int | None = None) -> Selection:
    """Read "auto", "groups", "heads", the name of a ranking, or numbers like "0,3,17"."""
    found = Selection.parse(text, rankings())
    if count is None or found.listed or found.divisions:
        return found
    return found.counted(count)
