"""What is asked of a capture: which block, which cell, which maps. Nothing here runs a network."""

from collections.abc import Sequence

import numpy as np

from errors import InputError, OutsideError
from models.build import places_of, stage_ends
from models.specs.network import NetworkSpec
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.registry import KINDS, MapKind, as_kind, kind_of, selection
from viz.attention.kinds.tokens import colours
from viz.types import AttentionMap, Cell


def block_labels(spec: NetworkSpec) -> tuple[str, ...]:
    """Return the labels of the blocks that have attention maps, first to last; of a trunk without
    blocks, those of the ends of its stages, whose features are looked at."""
    found = places_of(spec) or stage_ends(spec)
    return tuple(place.label for place in found) if own_kind(spec) else ()


def own_kind(spec: NetworkSpec) -> MapKind | None:
    """Return the map kind of a network's blocks; None where they have no attention map."""
    return next((kind for kind in KINDS.values() if kind.belongs_to(spec)), None)


def block_of(capture: Capture, label: str | None = None, kind: str | None = None) -> BlockCapture:
    """Return the block called ``label`` (res4.4), or the last one when None, as ``kind`` sees it.

    ``kind`` is a name of ``viz.attention.kinds.KINDS``; None is the block's own.
    """
    attending = {k: b for k, b in capture.blocks.items() if kind_of(b).referenced}
    if not attending:
        raise InputError(
            "This network has no attention block, and no stages to look at; choose an NL or CGNL "
            "network, or a ResNet."
        )
    if label is None:
        label = list(attending)[-1]
    if label not in attending:
        raise OutsideError(
            f"{label[:40]!r} is not a block of this network; it has {', '.join(attending)}."
        )
    return as_kind(capture, attending[label], kind)


def cell_at(capture: Capture, block: BlockCapture, at: tuple[float, float], frame: int = 0) -> Cell:
    """Return the feature cell under pixel (x, y) of frame ``frame`` of the original clip."""
    if not 0 <= frame < capture.frames:
        raise OutsideError(
            f"{frame} is not a frame of the clip; it has frames 0 to {capture.frames - 1}. Choose "
            "one of them."
        )
    grid = block.query_grid
    return Cell(capture.moment(frame, grid), *capture.geometry.cell_at(*at, grid))


def nearest_cell(
    capture: Capture, block: BlockCapture, at: tuple[float, float], frame: int = 0
) -> Cell:
    """Return the feature cell under a pixel, or the closest one: a second network may see less."""
    grid = block.query_grid
    return Cell(capture.moment(frame, grid), *capture.geometry.nearest_cell(*at, grid))


def row(
    capture: Capture,
    at: tuple[float, float],
    frame: int = 0,
    block: str | None = None,
    kind: str | None = None,
) -> AttentionMap:
    """Return the one map of the patch under original pixel (x, y): values (T, h, w) float32.

    The affinity row of an NL block, or with ``kind="features"`` the cosine of any block's input.
    InputError where a reference has several maps (channels, groups, heads): use ``maps``.
    """
    found = block_of(capture, block, kind)
    if not kind_of(found).is_single(found):
        raise InputError(
            f"Block {found.label} ({kind_of(found).title}) has several maps for a reference; use "
            "maps."
        )
    return kind_of(found).map(found, cell_at(capture, found, at, frame))


def maps(
    capture: Capture,
    at: tuple[float, float],
    choose: str | Sequence[int] = "auto",
    frame: int = 0,
    block: str | None = None,
    kind: str | None = None,
) -> list[AttentionMap]:
    """Return the maps of the patch under original pixel (x, y): channels, groups, heads, classes.

    ``choose`` is "auto" (the five that rank highest), "groups", the name of a ranking, or numbers.
    InputError where a reference has one map only: use ``row``.
    """
    found = block_of(capture, block, kind)
    if kind_of(found).is_single(found):
        raise InputError(
            f"Block {found.label} ({kind_of(found).title}) has one map for a reference; use row."
        )
    text = choose if isinstance(choose, str) else ",".join(map(str, choose))
    return kind_of(found).maps(found, cell_at(capture, found, at, frame), selection(text))


def head_scores(
    capture: Capture, at: tuple[float, float], frame: int = 0, block: str | None = None
) -> list[dict[str, object]]:
    """Return what heads are ranked by at a pixel: entropy, distance, contrast, how far the
    reference stands out, weight without a cell; a row a head, empty for other blocks."""
    found = block_of(capture, block)
    return kind_of(found).scores(found, cell_at(capture, found, at, frame))


def feature_colours(capture: Capture, block: str | None = None) -> np.ndarray:
    """Return three principal components of what a block was given as RGB, (T, h, w, 3), 0 to 1."""
    return colours.feature_colours(block_of(capture, block))
