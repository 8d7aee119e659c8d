"""Where a map comes from: the block itself, or a baseline that it has to beat."""

import hashlib
from collections.abc import Callable, Sequence
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
"""Values of one frame (R, h w) float32, a row a reference, and their grid."""
References = Sequence[Reference]


@dataclass(frozen=True)
class Source:
    """A row of SOURCES: what it is, and how it is made of a picture and R references, one or more.

    ``make`` gives None where the block has no such map. ``referenced`` is False where every
    reference has the same map, which is then made once; ``of_network`` where the network has no
    part in it.
    """

    words: str
    make: Callable[[Subject, References], Made | None]
    referenced: bool = True
    of_network: bool = True


def _one_frame(block: BlockCapture, values: Tensor) -> Made:
    """Return the first moment of maps (..., T, h, w), a still picture lies there: (..., h w)."""
    grid = block.key_grid._replace(frames=1)
    return values[..., 0, :, :].flatten(-2), grid


def _maps(subject: Subject, references: References) -> Made:
    """Return what the block shows at references, (R, K, h w): its row, its five best channels, its
    heads."""
    block, cells = subject.block, tuple(one.cell for one in references)
    found = subject.capture.memory.once(
        ("shown", block.label, cells), lambda: kind_of(block).stacked(block, cells, Selection())
    )
    return _one_frame(block, found)


def _own(subject: Subject, references: References) -> Made:
    values, grid = _maps(subject, references)
    return values.squeeze(1) if values.shape[1] == 1 else mean_of_scaled(values), grid


def _union(subject: Subject, references: References) -> Made | None:
    values, grid = _maps(subject, references)
    return None if values.shape[1] == 1 else (unit_range(values).amax(1), grid)


def seen_as(subject: Subject, kind: str) -> BlockCapture | None:
    """Return the block as another kind sees it; None where it cannot be shown so."""
    if kind not in {one.name for one in offered(subject.block)}:
        return None
    return as_kind(subject.capture, subject.block, kind)


def _derived(kind: str) -> Callable[[Subject, References], Made | None]:
    def make(subject: Subject, references: References) -> Made | None:
        block = seen_as(subject, kind)
        if block is None or (not kind_of(block).referenced and not subject.predicts):
            return None
        maps = [kind_of(block).map(block, one.cell).values for one in references]
        return _one_frame(block, torch.from_numpy(np.stack(maps)))

    return make


def _alike(make: Callable[[Subject, References], Made | None]) -> Callable[..., Made | None]:
    """Return what makes the one map of all references once."""

    def once(subject: Subject, references: References) -> Made | None:
        made = make(subject, references[:1])
        return made and (made[0].expand(len(references), -1), made[1])

    return once


def _chance(subject: Subject, references: References) -> Made:
    """Random values: the same for the same picture and reference, whatever the network."""
    grid = subject.block.key_grid._replace(frames=1)
    values = np.empty((len(references), grid.cells), np.float32)
    for row, reference in zip(values, references, strict=True):
        name = f"{subject.sample.name}\n{reference.name}".encode()
        seed = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
        np.random.default_rng(seed).random(dtype=np.float32, out=row)
    return torch.from_numpy(values), grid


def _blob(subject: Subject, _references: References) -> Made:
    grid = subject.block.key_grid._replace(frames=1)
    x = (torch.arange(grid.cols) + 0.5) / grid.cols - 0.5
    y = (torch.arange(grid.rows) + 0.5) / grid.rows - 0.5
    distance = y[:, None].square() + x[None].square()
    return torch.exp(-distance / (2 * BLOB_WIDTH**2)).reshape(1, -1), grid


SOURCES: dict[str, Source] = {
    "map": Source(
        "the block's own: its affinity row; or the mean of its five best channels, or of its "
        "heads, each over its highest absolute value", _own),
    "union": Source("the largest of the block's five best channels or of its heads, each scaled "
                    "to [0, 1]", _union),
    "cosine": Source("cosine of the block's input at the reference and everywhere",
                     _derived("features")),
    "grad-cam": Source("Grad-CAM of the predicted class at the block; without a reference",
                       _alike(_derived("class maps")), referenced=False),
    "blob": Source("a Gaussian in the middle of the input", _alike(_blob), referenced=False,
                   of_network=False),
    "chance": Source("random values, the same for every network", _chance, of_network=False),
}  # fmt: skip
BASELINES = ("chance", "blob", "cosine", "grad-cam")
