"""Sources of figures that tests build by hand: drawn clips, small captures, no network."""

from dataclasses import replace

import numpy as np
import torch

from models.blocks.kernels import kernel
from models.blocks.layout import Grid
from models.blocks.pairwise import pairwise
from models.detection.detector import Detections
from models.specs.block import CGNLSpec
from models.specs.placement import Place
from viz.attention.captures import Capture
from viz.attention.choice import MapChoice
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channel_scores import CGNLCapture
from viz.attention.kinds.gates import GateCapture
from viz.attention.kinds.registry import KINDS
from viz.figure.panels.panel_rows import Panel, PanelRows, Picture, Row, Shade
from viz.figure.recipe.recipe import Layout, Medium, Network, Recipe, Reference, View
from viz.geometry import Box, Geometry, fit
from viz.rendering.heat import Heat
from viz.rendering.look import Look
from viz.types import Cell, Clip

HEIGHT, WIDTH = 53, 67
STILL = Grid(1, 5, 7)
SEEN = fit(WIDTH, HEIGHT, 70, 1)
"""The whole picture is seen; an input of 70 x 55."""
CROPPED = Geometry(WIDTH, HEIGHT, 134, 106, 32, 18, 70, 70)
"""Seen: x 16 to 51, y 9 to 44 of the picture."""


def drawn(frames: int = 1, seed: int = 3) -> np.ndarray:
    """(T, 53, 67, 3) uint8, every frame another."""
    draw = np.random.default_rng(seed)
    smooth = np.linspace(40, 200, WIDTH)[None, None, :, None]
    return (smooth + draw.integers(0, 50, (frames, HEIGHT, WIDTH, 3))).astype(np.uint8)


def clip_of(frames: int = 1, rate: float = 10) -> Clip:
    return Clip(drawn(frames), tuple(k / rate for k in range(frames)), "drawn", "1" * 64)


def nl(queries=STILL, keys=None, seed=47, name="embedded_gaussian", groups=1):
    """Return an NL block, whose keys are of another grid where one is given."""
    torch.manual_seed(seed)
    keys, width = keys or queries, 1 if name == "concatenation" else 11
    return NonLocalCapture(
        Place(4, 4),
        torch.randn(queries.cells, width),
        torch.randn(keys.cells, width),
        pairwise(name, width, True),
        queries,
        keys,
        torch.randn(1, 13, *queries),
        groups,
    )


def answering(values: np.ndarray, queries: Grid | None = None) -> NonLocalCapture:
    """Return an NL block whose row is ``values`` (T, h, w), times a number, for every reference."""
    keys = Grid(*values.shape)
    queries = queries or keys
    given = torch.from_numpy(np.float32(values)).reshape(-1, 1)
    ones = torch.ones(queries.cells, 1)
    function = pairwise("dot_product", 1, False)
    entering = torch.ones(1, 1, *queries)
    return NonLocalCapture(Place(4, 4), ones, given, function, queries, keys, entering)


def cgnl(grid=STILL, groups=3, channels=33, seed=53):
    """Return a CGNL block of 33 channels in 3 groups."""
    torch.manual_seed(seed)
    spec = CGNLSpec(groups=groups)
    parts = [torch.randn(channels, grid.cells) for _ in range(3)]
    entering = torch.randn(1, 13, *grid)
    return CGNLCapture(Place(4, 4), *parts, kernel(spec), groups, grid, entering)


class Table:
    """Sources out of two tables: clips by a medium's path, and by (path, id of the network) what
    its forward pass left: one block, several, or the whole capture."""

    def __init__(self, clips, blocks, geometry=SEEN):
        self.clips, self.blocks, self.geometry = clips, blocks, geometry
        self.runs = []

    def clip(self, medium):
        return self.clips[medium.path]

    def model(self, network):
        return network.id

    def capture(self, medium, view):
        self.runs.append((medium.path, view.network.id))
        left = self.blocks[medium.path, view.network.id]
        if isinstance(left, Capture):
            return left
        blocks = left if isinstance(left, tuple) else (left,)
        where = self.geometry if isinstance(self.geometry, Geometry) else self.geometry[left]
        frames = len(self.clips[medium.path].frames)
        made = {block.label: block for block in blocks}
        return Capture(made, torch.zeros(2), where, frames, detections=(objects(),))


def objects() -> Detections:
    """Return three objects of an input of 70 x 55, the second the best, each with a mask."""
    masks = torch.zeros(3, 14, 14)
    masks[:, 3:11, 2:12] = 0.9
    boxes = torch.tensor([[5.0, 6, 29, 41], [31, 8, 66, 47], [50, 2, 69, 19]])
    return Detections(boxes, torch.tensor([0.7, 0.9, 0.2]), torch.tensor([2, 3, 2]), masks)


def view(network: str, shown: str | None = None, **how) -> View:
    """Return a view; the map it shows large is written as on the command line."""
    return View(Network(network, ""), shown=shown and MapChoice.parse(shown), **how)


def pinned(path="photo", networks=("nl", "cgnl"), at=(31.0, 23.0), frame=0, frames=0, **how):
    """Return a reference in a photo, or in a clip of so many ``frames``."""
    views = tuple(one if isinstance(one, View) else view(one) for one in networks)
    return Reference(Medium(path, "", tuple(range(frames))), views, at, frame, **how)


def recipe_of(preset: str, *references: Reference, look: Look | None = None, **layout) -> Recipe:
    return Recipe(preset, references, look or Look(), Layout(**layout))


def photo(**blocks) -> Table:
    """Return a photo that networks "nl" and "cgnl" have seen."""
    found = {"nl": nl(), "cgnl": cgnl()} | blocks
    return Table({"photo": clip_of()}, {("photo", name): made for name, made in found.items()})


def footage(frames=7, moments=None, **blocks) -> Table:
    """Return a clip that networks "nl" and "cgnl" have seen, which may pool time to ``moments``."""
    grid = Grid(moments or frames, 5, 3)
    found = {"nl": nl(grid), "cgnl": cgnl(grid)} | blocks
    clips = {"clip": clip_of(frames)}
    return Table(clips, {("clip", name): made for name, made in found.items()})


def row_at(block: NonLocalCapture, cell: Cell) -> np.ndarray:
    """Return the affinity row of a cell, (T, h, w), out of the whole matrix."""
    rows = block.pairwise.matrix(block.queries, block.keys)
    return rows[cell.position(block.query_grid)].reshape(block.key_grid).numpy()


def best(block: CGNLCapture, cell: Cell, count: int, ranking: str = "standout") -> list[int]:
    """Return the channels that rank first."""
    return KINDS["channels"].rank(block, cell, ranking)[:count]


def gate_layers(moments=1, seed=5) -> tuple[GateCapture, ...]:
    draw = np.random.default_rng(seed)
    return tuple(
        GateCapture(
            f"layer{k}.gate",
            draw.uniform(0.2 * k, 2, 11 + k).astype(np.float32),
            draw.uniform(0, 3, (moments, 5, 7)).astype(np.float32),
            draw.uniform(0, 2, (moments, 5, 7)).astype(np.float32),
        )
        for k in range(3)
    )


def heat_of(values: np.ndarray) -> Heat:
    """Return (h, w) or (T, h, w) values in [0, 1] as heat."""
    stacked = np.asarray(values, np.float32).reshape(-1, *np.shape(values)[-2:])
    return Heat(stacked, 0.0, 1.0, False)


def picture(aspect: float = 0.8, heat: np.ndarray | None = None, **marks) -> Picture:
    """Return a grey-blue picture 60 wide, seen as a whole."""
    high = round(60 * aspect)
    frame = np.full((high, 60, 3), (90, 120, 150), np.uint8)
    whole = Geometry(60, high, 60, high, 0, 0, 60, high)
    shade = None if heat is None else Shade(heat_of(heat), 0, whole)
    return Picture(frame, Box(0, 0, 60, high), shade, **marks)


def sheet_of(rows, look=None, legend=(), note="", **layout) -> PanelRows:
    """Return rows of panels with rows: each a Row, or the panels of one."""
    made = [row if isinstance(row, Row) else Row("", tuple(row)) for row in rows]
    return PanelRows(tuple(made), look or Look(), Layout(**layout), legend, note)


def table(rows: int, across: int, aspect: float = 0.8, label="", head="", **layout) -> PanelRows:
    """Return rows of panels with like pictures."""
    panels = tuple(Panel(picture(aspect), head and f"{head} {k}", label) for k in range(across))
    return sheet_of([Row(f"row {r}", panels) for r in range(rows)], **layout)


def lit(panel_rows: PanelRows, **look) -> PanelRows:
    """Return rows of panels with another look."""
    return replace(panel_rows, look=replace(panel_rows.look, **look))
