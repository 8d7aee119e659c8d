"""What each preset needs of pins and networks, and which presets cannot be drawn for want of it.

Nothing here runs a network: references and specs say it, before anything is chosen.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from errors import AttentionVizError, InputError
from models.loaded import LoadedModel
from models.specs.detection import DetectorSpec
from viz.attention import queries
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import KINDS
from viz.figure.panels.presets import TABLE
from viz.figure.recipe.recipe import Reference, View
from viz.figure.resolve import Sources

Seen = list[tuple[View, LoadedModel]]
"""What the networks of one reference show, with the networks."""


class Need(NamedTuple):
    """What a preset needs and what can be done about it, in words, and what tells whether
    references or networks have it."""

    words: str
    advice: str
    has: Callable[[Sequence], bool]


def _kind(view: View, model: LoadedModel) -> MapKind | None:
    return KINDS.get(view.kind) or queries.own_kind(model.spec)


def _any_kind(fits: Callable[[View, LoadedModel, MapKind], bool]) -> Callable[[list[Seen]], bool]:
    """Return what tells whether the maps of any view are of a kind that fits."""

    def has(references: list[Seen]) -> bool:
        views = [one for seen in references for one in seen]
        kinds = [(view, model, _kind(view, model)) for view, model in views]
        return any(kind is not None and fits(view, model, kind) for view, model, kind in kinds)

    return has


def _gated(references: list[Seen]) -> bool:
    return all(model.network.gated() for seen in references for _view, model in seen)


def _with_blocks(references: list[Seen]) -> bool:
    return all(queries.block_labels(model.spec) for seen in references for _view, model in seen)


def _detected(references: list[Seen]) -> bool:
    return all(any(isinstance(one.spec, DetectorSpec) for _, one in seen) for seen in references)


OF_REFERENCES: dict[str, Need] = {
    "reference": Need(
        "a reference patch",
        "give its pixel (at, on the command line --at)",
        lambda found: all(one.at is not None or one.object is not None for one in found),
    ),
    "pair": Need(
        "a second picture",
        "give each input one (second, on the command line --second)",
        lambda found: all(one.second is not None for one in found),
    ),
}
"""By what the row of ``presets.TABLE`` says that it needs."""
OF_NETWORKS: dict[str, Need] = {
    "arrows": Need(
        "maps of a reference patch",
        "choose another map (kind) or network",
        _any_kind(lambda _view, _model, kind: kind.referenced),
    ),
    "groups": Need(
        "groups of a CGNL block, or heads",
        "choose a network with such a block",
        _any_kind(lambda view, model, kind: queries.divisions(model.spec, kind, view.block) > 0),
    ),
    "gates": Need("networks with gates: CGD, SE or CBAM", "choose such a network", _gated),
    "matrix": Need(
        "maps with an N x N matrix: NL, heads or cosines",
        "choose another map (kind) or network",
        _any_kind(lambda _view, _model, kind: kind.has_matrix),
    ),
    "objects": Need("a detector", "choose such a network", _detected),
}
"""By preset."""
BLOCKS = Need(
    "networks with attention blocks, or stages to look at",
    "choose an NL or CGNL network, or a ResNet",
    _with_blocks,
)
"""Of every preset but the gates."""


def _of_networks(preset: str) -> list[Need]:
    own = [OF_NETWORKS[preset]] if preset in OF_NETWORKS else []
    return own if TABLE[preset].needs == "gates" else [*own, BLOCKS]


def unmet(preset: str, references: Sequence[Reference], sources: Sources) -> Need | None:
    """Return what a preset needs and references or their networks do not have; None where nothing
    is known to be lacking. Of networks that are not here nothing is known."""
    of_references = OF_REFERENCES.get(TABLE[preset].needs)
    if of_references and not of_references.has(references):
        return of_references
    # Many pins show the same.
    every = {tuple((v.network, v.block, v.kind) for v in one.views): one for one in references}
    try:
        seen = [[(v, sources.model(v.network)) for v in one.views] for one in every.values()]
    except AttentionVizError:
        return None
    return next((need for need in _of_networks(preset) if not need.has(seen)), None)


def check(preset: str, references: Sequence[Reference], sources: Sources) -> None:
    """Refuse a preset where something that it needs is lacking, and say which could be drawn."""
    need = unmet(preset, references, sources)
    if need:
        others = [name for name in TABLE if unmet(name, references, sources) is None]
        instead = f", or take a preset that needs less: {', '.join(others)}" if others else ""
        raise InputError(f"The preset {preset} needs {need.words}; {need.advice}{instead}.")
