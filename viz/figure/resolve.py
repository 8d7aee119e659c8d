"""What a recipe's references show: clips, captures and maps behind each view."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np

from errors import InputError, OutsideError
from models.loaded import LoadedModel
from viz.attention import pipeline
from viz.attention.channel_maps import group_map
from viz.attention.gates import GateLayer
from viz.attention.pipeline import Channels
from viz.figure.recipe.recipe import Medium, Network, Reference, View
from viz.geometry import Geometry
from viz.rendering import heat
from viz.types import (
    AttentionMap,
    BlockCapture,
    Capture,
    Cell,
    Clip,
    Look,
    NonLocalCapture,
)


class Sources(Protocol):
    """Where the clips and networks of a recipe come from: files, or the session of the app."""

    def clip(self, medium: Medium) -> Clip:
        """Return the frames of a medium; InputError where it is missing or has changed."""
        ...

    def model(self, network: Network) -> LoadedModel:
        """Return a network; InputError where it is missing or has changed."""
        ...

    def capture(self, medium: Medium, view: View) -> Capture:
        """Return what one forward pass left; the same medium and network never run twice."""
        ...

    def gates(self, medium: Medium, view: View) -> tuple[tuple[GateLayer, ...], Geometry]:
        """Return the gates of a network on a medium, and how it lay in the input."""
        ...


Maps = tuple[AttentionMap, ...]
_KEPT: WeakKeyDictionary[BlockCapture, dict[tuple[Cell, Channels], Maps]] = WeakKeyDictionary()
"""Maps that were asked for, as long as their capture lives: a slider that changes the look of a
figure asks for them again."""


def _maps(block: BlockCapture, cell: Cell, wanted: Channels) -> Maps:
    kept = _KEPT.setdefault(block, {})
    if (cell, wanted) not in kept:
        kept[cell, wanted] = tuple(pipeline.maps_at(block, cell, wanted))
    return kept[cell, wanted]


@dataclass(frozen=True, eq=False)
class Shot:
    """One view of a reference: the block and the cell that its maps are of."""

    view: View
    model: LoadedModel
    capture: Capture
    block: BlockCapture
    cell: Cell

    @property
    def is_nl(self) -> bool:
        """Whether the block has one map, the NL affinity row."""
        return isinstance(self.block, NonLocalCapture)

    @property
    def geometry(self) -> Geometry:
        """How the picture lies in the network's input."""
        return self.capture.geometry

    @property
    def title(self) -> str:
        """The view's label, or the kind of its block."""
        return self.view.label or ("NL" if self.is_nl else "CGNL")

    @cached_property
    def maps(self) -> tuple[AttentionMap, ...]:
        """The NL row, or the CGNL maps that the view asks for."""
        wanted = pipeline.channels_from(self.view.channels)
        if not (wanted.listed or wanted.groups):
            wanted = replace(wanted, count=self.view.count)
        return _maps(self.block, self.cell, wanted)

    @cached_property
    def groups(self) -> tuple[AttentionMap, ...]:
        """The maps of all groups of a CGNL block; the one map of an NL block."""
        return _maps(self.block, self.cell, Channels(groups=True))

    def pinned(self) -> AttentionMap | None:
        """Return the one map that the view says; None for the union of its maps."""
        if isinstance(self.block, NonLocalCapture):
            return self.maps[0]
        kind, _, number = self.view.shown.partition(" ")
        if kind == "union":
            return None
        if kind == "group":
            return group_map(self.block, self.cell, int(number))
        if int(number) > len(self.maps):
            raise OutsideError(
                f"Channel {number} by rank came; {len(self.maps)} maps are asked for. Raise count, "
                "or show an earlier one."
            )
        return self.maps[int(number) - 1]


@dataclass(frozen=True, eq=False)
class Scene:
    """A reference with its clip and the shots of its views."""

    reference: Reference
    clip: Clip
    shots: tuple[Shot, ...]

    @property
    def frame(self) -> np.ndarray:
        """The reference's frame, (H, W, 3) uint8."""
        return self.clip.frames[self.reference.frame]


def scene(reference: Reference, sources: Sources) -> Scene:
    """Return a reference with everything asked of it; the networks run once."""
    if reference.at is None:
        raise InputError(
            f"{reference.medium.path} has no reference patch; this preset needs one. Give the "
            "pixel x,y of the picture (at)."
        )
    clip = sources.clip(reference.medium)
    if reference.frame >= len(clip.frames):
        raise OutsideError(
            f"Frame {reference.frame} came; {reference.medium.path} has {len(clip.frames)}."
        )
    lead, *others = reference.views
    shots = [_shot(reference, lead, sources, pipeline.cell_at)]
    shots += [_shot(reference, view, sources, _nearest) for view in others]
    return Scene(reference, clip, tuple(shots))


def _nearest(capture: Capture, block: BlockCapture, at: tuple[float, float], frame: int) -> Cell:
    """Return the cell under a pixel, or the closest: a second network may see less."""
    grid = block.query_grid
    return Cell(capture.moment(frame, grid), *capture.geometry.nearest_cell(*at, grid))


def _shot(reference: Reference, view: View, sources: Sources, place: Callable[..., Cell]) -> Shot:
    capture = sources.capture(reference.medium, view)
    block = pipeline.block_of(capture, view.block)
    cell = place(capture, block, reference.at, reference.frame)
    return Shot(view, sources.model(view.network), capture, block, cell)


def union(maps: Iterable[AttentionMap], looks: Iterable[Look]) -> AttentionMap:
    """Return the largest value at every cell of maps that are scaled to [0, 1] first, (T, h, w).

    It shows in one picture what any of the channels answers to, as Fig. 1 of Yue et al. 2018 has
    one picture a method; the paper gives no formula for it.
    """
    maps = list(maps)
    scaled = [heat.normalise(m, look).values for m, look in zip(maps, looks, strict=True)]
    return AttentionMap(
        np.max(scaled, axis=0), maps[0].query, "largest of scaled maps", channel=maps[0].channel
    )
