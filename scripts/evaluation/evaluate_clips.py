"""Print top-1 of clip networks on held-out rendered clips, and how often the ball is highlighted.

    python -m scripts.evaluation.evaluate_clips c2dn-nl c2dn-cgnl --photos DIR

The clips are rendered over photographs that were not trained on. The ball's figure follows Fig. 1
of Yue et al. 2018: the reference is the kicking foot when it meets the ball, in clips of kicks;
counted is how often the ball's cell in the *other* frames is highlighted, against the share of all
cells there that are, which is what chance would hit.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.blocks.layout import Grid
from models.loaded import LoadedModel
from models.zoo import catalogue
from scripts.evaluation.part_coverage import (
    EQUAL_AREA,
    THRESHOLD,
    Tally,
    cosine,
    groups,
    nl_rows,
    top_cells,
    top_channels,
    unit_range,
)
from scripts.training.clip_data import LANDMARKS, NAMES, render, render_batch
from scripts.training.clip_training import load_whole_photos, normalised
from viz.attention import queries
from viz.attention.captures import BlockCapture
from viz.attention.forward import capture
from viz.attention.kinds.affinity import row_entropy
from viz.attention.kinds.channel_scores import contrast, response, standout
from viz.attention.kinds.registry import kind_of
from viz.geometry import fit
from viz.types import Cell, ModelInput

SEED, BATCH = 2026, 10
BALL, FOOT = LANDMARKS.index("ball"), LANDMARKS.index("near_foot")


def ball_shares(lit: Tensor, ball: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shares of the ball's positions (B,), and of cells, in lit (K, N) bool maps."""
    return lit[:, ball].float().mean(1), lit.float().mean(1)


def top_1(model: LoadedModel, photos: list[np.ndarray], side: int, count: int) -> Tensor:
    """Return (classes, classes): how many clips of each action (row) were taken for which."""
    draw = np.random.default_rng(SEED)
    table = torch.zeros(len(NAMES), len(NAMES), dtype=torch.long)
    for _ in range(count // BATCH):
        made = render_batch(draw, photos, BATCH, side)
        with torch.no_grad():
            guessed = model.network(normalised(made.frames, model.spec)).argmax(1)
        for label, guess in zip(made.labels.tolist(), guessed.tolist(), strict=True):
            table[label, guess] += 1
    return table


def _cell(landmark: np.ndarray, side: int, rows: int) -> tuple[int, int] | None:
    col, row = (int(v) for v in np.floor(landmark * rows / side))
    return (row, col) if 0 <= row < rows and 0 <= col < rows else None


def methods(block: BlockCapture, position: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield each method's maps of the reference, (K, N), min-max scaled over the clip."""
    if kind_of(block).is_single(block):
        yield "NL row", nl_rows(block, position)[0]
    else:
        for how in (standout, response, contrast):
            best = top_channels(block, position, how).amax(0)
            yield f"CGNL top 5 by {how.__name__}", unit_range(best)
        yield "CGNL groups", groups(block, position)[:, 0]
    yield "feature cosine", cosine(block, position)[0]


def other_frames(marks: np.ndarray, event: int, side: int, grid: Grid) -> tuple[Tensor, Tensor]:
    """Return which positions (N,) are in the frames beside the event's, and which of these, counted
    among them, are the ball's; none where it is out of the picture."""
    outside = torch.ones(grid.frames, grid.rows * grid.cols, dtype=torch.bool)
    outside[event] = False
    outside = outside.flatten()
    among = outside.cumsum(0) - 1
    ball = []
    for frame in range(len(marks)):
        cell = _cell(marks[frame, BALL], side, grid.rows)
        if frame != event and cell is not None:
            ball.append(Cell(frame, *cell).position(grid))
    return outside, among[torch.tensor(ball, dtype=torch.long)]


def ball_hits(
    model: LoadedModel, photos: list[np.ndarray], side: int, count: int
) -> dict[str, tuple[Tally, Tally]]:
    """Return, by method, the hits at the threshold and at the top 15 % of the other frames."""
    draw = np.random.default_rng(SEED + 1)
    totals: dict[str, tuple[Tally, Tally]] = {}
    entropies = []
    for _ in range(count):
        frames, marks, event = render(draw, photos, "kick", side)
        prepared = ModelInput(
            normalised(frames[None], model.spec), fit(side, side, side, 32), len(frames)
        )
        block = queries.block_of(capture(model, prepared))
        grid = block.query_grid
        foot = _cell(marks[event, FOOT], side, grid.rows)
        outside, ball = other_frames(marks, event, side, grid)
        if foot is None or not len(ball):
            continue
        if kind_of(block).is_single(block):
            entropies.append(row_entropy(block))
        for name, maps in methods(block, torch.tensor([Cell(event, *foot).position(grid)])):
            elsewhere = maps[:, outside]
            at_threshold, equal_area = totals.setdefault(name, (Tally(), Tally()))
            at_threshold.add(*ball_shares(elsewhere >= THRESHOLD, ball))
            equal_area.add(*ball_shares(top_cells(elsewhere), ball))
    if entropies:
        print(f"  median NL row entropy {np.median(entropies):.2f} of log N")
    return totals


def main() -> None:
    """Evaluate each network named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", help="catalogue ids or .safetensors paths")
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos")
    parser.add_argument("--size", type=int, help="side of the clips; the network's own if left out")
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--train", action="store_true", help="the training photos (for choosing)")
    args = parser.parse_args()
    photos = load_whole_photos(args.photos, held_out=not args.train)
    for name in args.models:
        model = catalogue.load(name)
        side = args.size or model.spec.preprocessing.size
        print(f"\n{model.id} at {side} px, {args.clips} clips over {len(photos)} photos")
        table = top_1(model, photos, side, args.clips)
        print(f"  top-1 {100 * table.trace() / table.sum():.1f} %", flush=True)
        for action, row in zip(NAMES, table, strict=True):
            print(f"    {action:12}" + "".join(f"{v:5}" for v in row.tolist()))
        for method, (at_threshold, equal_area) in ball_hits(
            model, photos, side, args.clips // 5
        ).items():
            print(f"  {method:26} at {THRESHOLD:g}    {at_threshold.line('ball')}")
            print(f"  {'':26} top {EQUAL_AREA:.0%}   {equal_area.line('ball')}", flush=True)


if __name__ == "__main__":
    main()
