"""Where a map comes from: the block itself, or a baseline that it has to beat."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.blocks.layout import Grid
from viz.attention.captures import BlockCapture
from viz.attention.choice import Selection
from viz.attention.kinds.registry import as_kind, kind_of, offered
from viz.evaluation.coverage import mean_of_scaled, unit_range
from viz.evaluation.subject import Reference, Subject

BLOB_WIDTH = 0.25
"""Standard deviation of the centred blob, over the sides of the input."""

Made = tuple[Tensor, Grid]
"""Values of one frame (h w,) float32 and their grid."""


@dataclass(frozen=True)
class Source:
    """A row of SOURCES: what it is, and how it is made of a picture and a reference.

    ``make`` gives None where the block has no such map. ``referenced`` is False where every
    reference has the same map, ``of_network`` where the network has no part in it.
    """

    words: str
    make: Callable[[Subject, Reference], Made | None]
    referenced: bool = True
    of_network: bool = True


def _one_frame(block: BlockCapture, values: Tensor) -> Made:
    """Return the first moment of a map (..., T, h, w): a still picture lies there."""
    grid = block.key_grid._replace(frames=1)
    return values.reshape(-1, *block.key_grid)[:, 0].flatten(1).squeeze(0), grid


def _maps(subject: Subject, reference: Reference) -> Tensor:
    """Return what the block shows at a reference: its row, its five best channels, its heads."""
    return kind_of(subject.block).stacked(subject.block, reference.cell, Selection())


def _own(subject: Subject, reference: Reference) -> Made:
    maps = _maps(subject, reference)
    if len(maps) == 1:
        return _one_frame(subject.block, maps)
    values, grid = _one_frame(subject.block, maps)
    return mean_of_scaled(values), grid


def _union(subject: Subject, reference: Reference) -> Made | None:
    maps = _maps(subject, reference)
    if len(maps) == 1:
        return None
    values, grid = _one_frame(subject.block, maps)
    return unit_range(values).amax(0), grid


def seen_as(subject: Subject, kind: str) -> BlockCapture | None:
    """Return the block as another kind sees it; None where it cannot be shown so."""
    if kind not in {one.name for one in offered(subject.block)}:
        return None
    return as_kind(subject.capture, subject.block, kind)


def _derived(kind: str) -> Callable[[Subject, Reference], Made | None]:
    def make(subject: Subject, reference: Reference) -> Made | None:
        block = seen_as(subject, kind)
        if block is None or (not kind_of(block).referenced and not subject.predicts):
            return None
        values = kind_of(block).map(block, reference.cell).values
        return _one_frame(block, torch.from_numpy(values))

    return make


def _chance(subject: Subject, reference: Reference) -> Made:
    """Random values: the same for the same picture and reference, whatever the network."""
    grid = subject.block.key_grid._replace(frames=1)
    name = f"{subject.sample.name}\n{reference.name}".encode()
    seed = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
    values = np.random.default_rng(seed).random(grid.cells, np.float32)
    return torch.from_numpy(values), grid


def _blob(subject: Subject, _reference: Reference) -> Made:
    grid = subject.block.key_grid._replace(frames=1)
    x = (torch.arange(grid.cols) + 0.5) / grid.cols - 0.5
    y = (torch.arange(grid.rows) + 0.5) / grid.rows - 0.5
    distance = y[:, None].square() + x[None].square()
    return torch.exp(-distance / (2 * BLOB_WIDTH**2)).flatten(), grid


SOURCES: dict[str, Source] = {
    "map": Source(
        "the block's own: its affinity row; or the mean of its five best channels, or of its "
        "heads, each over its highest absolute value", _own),
    "union": Source("the largest of the block's five best channels or of its heads, each scaled "
                    "to [0, 1]", _union),
    "cosine": Source("cosine of the block's input at the reference and everywhere",
                     _derived("features")),
    "grad-cam": Source("Grad-CAM of the predicted class at the block; without a reference",
                       _derived("class maps"), referenced=False),
    "blob": Source("a Gaussian in the middle of the input", _blob, referenced=False,
                   of_network=False),
    "chance": Source("random values, the same for every network", _chance, of_network=False),
}  # fmt: skip
BASELINES = ("chance", "blob", "cosine", "grad-cam")
