"""What is asked of a capture: which block, which cell, which maps. Nothing here runs a network."""

from collections.abc import Sequence

import numpy as np

from errors import InputError, OutsideError
from models.build import places_of, stage_ends
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice
from viz.attention.detection import head_regions, object_rows, objects
from viz.attention.detection.objects import FoundObject
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


def divisions(spec: NetworkSpec | WrappedSpec, kind: MapKind, label: str | None = None) -> int:
    """Return how many groups or heads the maps of a kind have in a block (None: the last one), as
    the spec says, without a forward pass; 0 for none."""
    if not kind.division:
        return 0
    if isinstance(spec, WrappedSpec):
        heads = {layer.label: layer.heads for layer in spec.layers}
        count = heads.get(label or next(reversed(heads), ""), 0)
        return count if count > 1 else 0
    return getattr(getattr(spec, "block", None), f"{kind.division}s", 0)


def block_of(
    capture: Capture,
    label: str | None = None,
    kind: str | None = None,
    region: int | None = None,
    frame: int = 0,
) -> BlockCapture:
    """Return the block called ``label`` (res4.4), or the last one when None, as ``kind`` sees it.

    ``kind`` is a name of ``viz.attention.kinds.KINDS``; None is the block's own. Of a block in a
    detector's head it is what it saw of object ``region`` of a frame; None is the best object.
    """
    attending = {k: b for k, b in capture.blocks.items() if kind_of(b).has_labels}
    if not attending:
        raise InputError(
            "This network has no attention block, and no stages to look at; choose an NL or CGNL "
            "network, or a ResNet."
        )
    if label is None:
        label = list(attending)[-1]
    if label not in attending:
        if capture.model is not None and label in block_labels(capture.model.spec):
            raise head_regions.nothing_found(label)
        raise OutsideError(
            f"{label[:40]!r} is not a block of this network; it has {', '.join(attending)}."
        )
    found = attending[label]
    if head_regions.is_of_head(found):
        found = head_regions.region(capture, found, region or 0, frame)
    return as_kind(capture, found, kind)


def block_at(
    capture: Capture,
    label: str | None,
    kind: str | None,
    at: tuple[float, float],
    frame: int = 0,
) -> BlockCapture:
    """Return a block as ``block_of`` does; a head's block as it saw the object at a pixel."""
    return block_of(capture, label, kind, objects.number_at(capture, at, frame), frame)


def cell_at(capture: Capture, block: BlockCapture, at: tuple[float, float], frame: int = 0) -> Cell:
    """Return the feature cell under pixel (x, y) of frame ``frame`` of the original clip."""
    if not 0 <= frame < capture.frames:
        raise OutsideError(
            f"{frame} is not a frame of the clip; it has frames 0 to {capture.frames - 1}. Choose "
            "one of them."
        )
    grid = block.query_grid
    return Cell(capture.moment(frame, grid), *capture.geometry_of(block).cell_at(*at, grid))


def nearest_cell(
    capture: Capture, block: BlockCapture, at: tuple[float, float], frame: int = 0
) -> Cell:
    """Return the feature cell under a pixel, or the closest one: a second network may see less."""
    grid = block.query_grid
    return Cell(capture.moment(frame, grid), *capture.geometry_of(block).nearest_cell(*at, grid))


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
    found = block_at(capture, block, kind, at, frame)
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
    found = block_at(capture, block, kind, at, frame)
    if kind_of(found).is_single(found):
        raise InputError(
            f"Block {found.label} ({kind_of(found).title}) has one map for a reference; use row."
        )
    text = choose if isinstance(choose, str) else ",".join(map(str, choose))
    return kind_of(found).maps(found, cell_at(capture, found, at, frame), selection(text))


def found_objects(
    capture: Capture,
    frame: int = 0,
    score: float = objects.SHOWN_SCORE,
    name: str | None = None,
) -> tuple[FoundObject, ...]:
    """Return what a detector found in a frame that scores at least ``score``, best first; of one
    class where ``name`` gives it. InputError where the network is a classifier."""
    return objects.found(capture, frame, score, name)


def mean_row(
    capture: Capture,
    number: int,
    frame: int = 0,
    block: str | None = None,
    kind: str | None = None,
    choose: str | None = None,
) -> AttentionMap:
    """Return the mean of the maps of all patches of object ``number``, best score first from 0:
    values (T, h, w) float32.

    Of an NL block the mean row; where a reference has several maps, ``choose`` says which ("channel
    1", "c17", "group 0"; None: the first), as it is for the object's middle. InputError where the
    network is a classifier, OutsideError where there is no such object.
    """
    one = objects.chosen(capture, number, frame)
    found = block_of(capture, block, kind, number, frame)
    at = objects.reference_of(capture, one)
    wanted = None if choose is None else MapChoice.parse(choose)
    cell = nearest_cell(capture, found, at, frame)
    choice = kind_of(found).resolved(found, cell, selection("auto"), wanted)
    return object_rows.mean_map(capture, found, one, choice, frame)


def head_scores(
    capture: Capture, at: tuple[float, float], frame: int = 0, block: str | None = None
) -> list[dict[str, object]]:
    """Return what heads are ranked by at a pixel: entropy, distance, contrast, how far the
    reference stands out, weight without a cell; a row a head, empty for other blocks."""
    found = block_at(capture, block, None, at, frame)
    return kind_of(found).scores(found, cell_at(capture, found, at, frame))


def feature_colours(capture: Capture, block: str | None = None) -> np.ndarray:
    """Return three principal components of what a block was given as RGB, (T, h, w, 3), 0 to 1."""
    return colours.feature_colours(block_of(capture, block))
