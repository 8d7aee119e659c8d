"""Part coverage: how many of a bird's other parts a map highlights from one of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from models.blocks.layout import Grid
from models.loaded import LoadedModel
from viz.attention import preprocess, queries
from viz.attention.captures import BlockCapture
from viz.attention.forward import capture
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channel_scores import CGNLCapture, contrast, response, standout
from viz.attention.kinds.kind import top
from viz.attention.kinds.registry import kind_of
from viz.types import Cell, Clip

EQUAL_AREA = 0.15
THRESHOLD = 0.7
TOP_CHANNELS = 5

Scores = Tensor
"""(K, R, N): K maps for each of R references over N positions, each min-max scaled to [0, 1]."""


@dataclass
class Tally:
    """Running sums, over maps, of the share of targets highlighted and of the area highlighted."""

    covered: float = 0.0
    area: float = 0.0
    count: int = 0

    def add(self, covered: Tensor, area: Tensor) -> None:
        """Count maps by their shares of targets and of cells, tensors of one shape."""
        self.covered += covered.sum().item()
        self.area += area.sum().item()
        self.count += covered.numel()

    def line(self, what: str = "coverage") -> str:
        """Return coverage, area (which is what chance covers) and their ratio, the lift."""
        covered, area = self.covered / self.count, self.area / self.count
        return f"{what} {covered:.3f}  area = chance {area:.3f}  lift {self.lift:.2f}"

    @property
    def lift(self) -> float:
        """Coverage over chance."""
        return self.covered / max(self.area, 1e-9)


def other_parts(lit: Tensor, parts: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shares of the other parts, and of cells, in lit (..., R, N) bool maps: (..., R).

    ``parts`` (R,) are positions; reference r is part r.
    """
    others = 1 - torch.eye(len(parts))
    covered = (lit[..., parts].float() * others).sum(-1) / (len(parts) - 1)
    return covered, lit.float().mean(-1)


@dataclass
class Coverage:
    """Tallies of one method: at the threshold, and at exactly the top 15 % of cells."""

    threshold: Tally = field(default_factory=Tally)
    equal_area: Tally = field(default_factory=Tally)

    def add(self, scores: Scores, parts: Tensor) -> None:
        """Add the maps of one picture; several maps (channels) count as one, their union."""
        union = scores.amax(0)
        self.threshold.add(*other_parts(union >= THRESHOLD, parts))
        self.equal_area.add(*other_parts(top_cells(union), parts))

    def add_each(self, scores: Scores, parts: Tensor) -> None:
        """Add the maps of one picture one by one (groups)."""
        self.threshold.add(*other_parts(scores >= THRESHOLD, parts))
        self.equal_area.add(*other_parts(top_cells(scores), parts))


def top_cells(scores: Tensor) -> Tensor:
    """Return where exactly the top 15 % (rounded) of N cells are, ties by position: bool."""
    count = max(1, round(EQUAL_AREA * scores.shape[-1]))
    best = scores.argsort(dim=-1, descending=True, stable=True)[..., :count]
    return torch.zeros_like(scores, dtype=torch.bool).scatter(-1, best, True)


def unit_range(maps: Tensor) -> Tensor:
    """Min-max scale over the last axis; a flat map becomes 0."""
    low, high = maps.amin(-1, keepdim=True), maps.amax(-1, keepdim=True)
    return (maps - low) / (high - low).clamp_min(1e-30)


def nl_rows(block: NonLocalCapture, positions: Tensor) -> Scores:
    """Return the affinity rows of the references, (1, R, N)."""
    return unit_range(block.pairwise.matrix(block.queries[positions], block.keys)).unsqueeze(0)


def top_channels(
    block: CGNLCapture, positions: Tensor, scores: Callable[[CGNLCapture, int], Tensor]
) -> Scores:
    """Return the maps of each reference's five best channels, (5, R, N)."""
    maps = []
    for position in positions.tolist():
        best = top(scores(block, position), TOP_CHANNELS)
        maps.append(block.kernel.compare(block.theta[best, position, None], block.phi[best]))
    return unit_range(torch.stack(maps, dim=1))


def groups(block: CGNLCapture, positions: Tensor) -> Scores:
    """Return every group's map for each reference, (G, R, N)."""
    products = block.kernel.compare(block.theta[:, positions, None], block.phi[:, None])
    return unit_range(products.unflatten(0, (block.groups, -1)).sum(1))


def cosine(block: BlockCapture, positions: Tensor) -> Scores:
    """Return the cosine similarity of the block's input features, (1, R, N)."""
    features = F.normalize(block.block_input[0].flatten(1).float().cpu(), dim=0)
    return unit_range(features[:, positions].T @ features).unsqueeze(0)


def centred_blob(grid: Grid, references: int) -> Scores:
    """Return nearness to the middle of the grid, (1, R, N): a disc when thresholded."""
    y = (torch.arange(grid.rows) + 0.5) / grid.rows - 0.5
    x = (torch.arange(grid.cols) + 0.5) / grid.cols - 0.5
    near = -(y[:, None] ** 2 + x[None] ** 2).flatten()
    return unit_range(near.expand(1, references, -1))


def part_positions(parts: list[tuple[int, float, float]], grid: Grid) -> Tensor:
    """Return the position of each part's cell; u and v in [0, 1) of the crop."""
    return torch.tensor(
        [Cell(0, int(v * grid.rows), int(u * grid.cols)).position(grid) for _part, u, v in parts]
    )


def measure(
    model: LoadedModel, clips: list[Clip], parts: list[list[tuple[int, float, float]]], size: int
) -> dict[str, Coverage]:
    """Return the coverage of every method for the model's last block over pictures with parts."""
    totals: dict[str, Coverage] = {}

    def tally(name: str) -> Coverage:
        return totals.setdefault(name, Coverage())

    for clip, visible in zip(clips, parts, strict=True):
        if len(visible) < 2:
            continue
        prepared = preprocess.prepare(clip, model.spec.preprocessing, size=size)
        block = queries.block_of(capture(model, prepared))
        positions = part_positions(visible, block.query_grid)
        if kind_of(block).is_single(block):
            tally("NL row").add(nl_rows(block, positions), positions)
        else:
            for how in (standout, response, contrast):
                maps = top_channels(block, positions, how)
                tally(f"CGNL top {TOP_CHANNELS} by {how.__name__}").add(maps, positions)
            tally("CGNL groups").add_each(groups(block, positions), positions)
        tally("feature cosine").add(cosine(block, positions), positions)
        tally("centred blob").add(centred_blob(block.query_grid, len(positions)), positions)
    return totals
