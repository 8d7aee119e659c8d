"""Scenes that tests build by hand: drawn clips, small captures of every kind, no network."""

from dataclasses import replace

import numpy as np
import torch

from models.blocks import kernels, pairwise
from models.blocks.layout import Grid
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec
from models.specs.placement import Place
from viz import geometry
from viz.attention.captures import Capture
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channel_scores import CGNLCapture
from viz.attention.kinds.registry import as_kind
from viz.figure.recipe.recipe import Medium, Network, Reference, View
from viz.figure.resolve import Scene, Shot
from viz.types import Cell, Clip, moment

WIDTH = 7
TITLE, CLASS = "title <b>", "name <i>"


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def clip_of(count, height=90, width=120, times=None):
    """A square that moves over a gradient, other in every frame."""
    y, x = np.mgrid[0:height, 0:width]
    frames = np.stack([y + 80, x + 60, (x + y) // 2], -1)[None].repeat(count, 0).astype(np.uint8)
    for t in range(count):
        frames[t, 20:50, 8 * t : 8 * t + 30] = (200, 30 * t % 256, 40)
    times = times or tuple(0.25 * t for t in range(count))
    return Clip(frames, times, "drawn.mp4", f"{count:x}".rjust(64, "d"))


def nonlocal_block(name="dot_product", grid=None, keys=None, groups=1, heads=1, seed=0):
    """An NL block over 11 x 13 cells or those of ``grid``, keys of another grid where one is
    given."""
    grid = grid or Grid(1, 11, 13)
    keys = keys or grid
    width = 1 if name == "concatenation" else WIDTH
    return NonLocalCapture(
        Place(4, 4),
        noise(grid.cells, heads * width, seed=seed),
        noise(keys.cells, heads * width, seed=seed + 1),
        pairwise.pairwise(name, WIDTH, scaled=True),
        grid,
        keys,
        noise(1, 17, *grid, seed=seed + 2),
        groups,
        heads,
    )


def cgnl_block(kernel="dot_product", order=3, groups=5, grid=None):
    """A CGNL block of three channels a group."""
    grid = grid or Grid(1, 11, 13)
    theta, phi, g = (noise(groups * 3, grid.cells, seed=s) for s in (2, 3, 4))
    spec = CGNLSpec(kernel=kernel, order=order, groups=groups, gamma=0.3)
    made = kernels.kernel(spec)
    return CGNLCapture(Place(4, 4), theta, phi, g, made, groups, grid, noise(1, 17, *grid, seed=5))


def fitted(clip, size=128):
    """How a clip lies in the input of a network that sees all of it."""
    return geometry.fit(clip.width, clip.height, size, 32)


def shot_of(clip, block, frame=0, row=1, col=2, *, plan=None, model=None, **view):
    """A block as one network's view shows it, at a cell of its own grid."""
    spec = ModelSpec(
        block=NonLocalSpec() if isinstance(block, NonLocalCapture) else CGNLSpec(), placement="1"
    )
    # The network of each block is another: the browser keeps factors while it is the same.
    model = model or LoadedModel("net", spec, None, (CLASS,), f"{id(block):064x}")
    count = len(clip.frames)
    capture = Capture({block.label: block}, torch.zeros(1), plan or fitted(clip), count, model)
    made = as_kind(capture, block, view.get("kind"))
    cell = Cell(moment(frame, count, made.query_grid.frames), row, col)
    declared = View(Network(model.id, model.sha256), block.label, label=TITLE)
    return Shot(replace(declared, **view), model, capture, made, cell)


def scene_of(clip, *shots, frame=0):
    """The shots as one scene with its reference in a frame of the clip."""
    medium = Medium(clip.name, clip.sha256, clip.numbers)
    lead = shots[0]
    at = lead.geometry.cell_centre(lead.cell.y, lead.cell.x, lead.block.query_grid)
    return Scene(Reference(medium, tuple(s.view for s in shots), at, frame), clip, shots)


def drawn_scene(clip, block, frame=0, row=1, col=2, **view):
    """One block as the whole scene."""
    return scene_of(clip, shot_of(clip, block, frame, row, col, **view), frame=frame)
