"""Print how often a clip network's map finds a point of a moving thing in the other frames.

    python -m scripts.evaluation.evaluate_clip_points e2-clip-nl --clips DIR --points FILE \
        --photos DIR

FILE lists clips and hand-made truth: [{"file", "start", "step", "tracks": {name: [[x, y] or null,
...]}}] with x and y in [0, 1] of the frame, one pair a sampled frame. A frame counts as found when
the highest cell of the map there lies within one cell of the truth. A slow point is found by
staying in place, so that is printed, too, and how often points are found that moved on.
"""

import argparse
import json
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from models.blocks.layout import Grid
from models.build import Network
from models.loaded import LoadedModel
from models.zoo import catalogue
from scripts.evaluation.bird_maps import map_of
from scripts.evaluation.taps import Tap, normalised, resized, tap, whole
from scripts.training.clip_data import LANDMARKS, render
from scripts.training.lite.cache_features import HELD_OUT_EVERY, load_photo
from viz.evaluation.coverage import top_cells

FRAMES = 8
BALL, FOOT = LANDMARKS.index("ball"), LANDMARKS.index("near_foot")
SEED = 2026

Track = list[tuple[float, float] | None]


def sampled(path: Path, start: int, step: int) -> Tensor:
    """Return FRAMES frames of a clip from ``start``, every ``step``-th: (T, H, W, 3) uint8."""
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    chosen = frames[min(start, max(0, len(frames) - FRAMES * step)) :: step][:FRAMES]
    return torch.from_numpy(np.stack(chosen))


def cell_of(point: tuple[float, float], grid: Grid) -> tuple[int, int]:
    """Return (row, column) of a point in [0, 1)."""
    return int(point[1] * grid.rows), int(point[0] * grid.cols)


def near(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether two cells are the same or neighbours, diagonals too."""
    return abs(one[0] - other[0]) <= 1 and abs(one[1] - other[1]) <= 1


def found_in_frames(
    values: Tensor, grid: Grid, track: Track, reference: int
) -> list[tuple[bool, bool]]:
    """Return, for each other frame in which the point is seen, whether the highest cell of
    ``values`` (N,) there lies within one cell of it, and whether it moved by more than one cell."""
    start = cell_of(track[reference], grid)
    by_frame = values.unflatten(0, tuple(grid))
    found = []
    for t, point in enumerate(track):
        if point is None or t == reference:
            continue
        truth = cell_of(point, grid)
        best = divmod(int(by_frame[t].argmax()), grid.cols)
        found.append((near(best, truth), not near(start, truth)))
    return found


def maps(found: Tap, position: int) -> dict[str, Tensor]:
    """Return the block's map of a reference, and the cosine of its input for comparison."""
    return {"map": map_of(found, position), "cosine of the input": found.cosine(position)}


def report_points(network: Network, clips: list[dict], folder: Path, size: int) -> dict:
    """Return {map: [(found, moved)]} over every seen point as reference, of every clip."""
    hits: dict[str, list[tuple[bool, bool]]] = {}
    for clip in clips:
        frames = sampled(folder / clip["file"], clip["start"], clip["step"])
        _logits, tapped = tap(network, whole(frames, network.spec.preprocessing, size))
        grid = tapped.grid
        for track in clip["tracks"].values():
            for t, point in enumerate(track):
                if point is None:
                    continue
                row, col = cell_of(point, grid)
                position = (t * grid.rows + row) * grid.cols + col
                for name, values in maps(tapped, position).items():
                    hits.setdefault(name, []).extend(found_in_frames(values, grid, track, t))
    return hits


def report_kicks(network: Network, photos: list[np.ndarray], count: int, side: int) -> dict:
    """Return {map: [share of the other frames in which the ball is in the top 15 %]}: rendered
    kicks, the reference on the foot that meets the ball."""
    draw = np.random.default_rng(SEED)
    shares: dict[str, list[float]] = {}
    for _ in range(count):
        frames, marks, event = render(draw, photos, "kick", side)
        pixels = resized(torch.from_numpy(frames), side, side)
        _logits, tapped = tap(network, normalised(pixels, network.spec.preprocessing))
        grid = tapped.grid
        cells = np.floor(marks * grid.rows / side).astype(int)
        inside = ((cells >= 0) & (cells < grid.rows)).all(-1)
        if not inside[event, FOOT]:
            continue
        position = (event * grid.rows + cells[event, FOOT, 1]) * grid.cols + cells[event, FOOT, 0]
        others = [t for t in range(len(frames)) if t != event]
        balls = [
            k * grid.rows * grid.cols + cells[t, BALL, 1] * grid.cols + cells[t, BALL, 0]
            for k, t in enumerate(others)
            if inside[t, BALL]
        ]
        for name, values in maps(tapped, int(position)).items():
            elsewhere = values.unflatten(0, tuple(grid))[others].flatten()
            lit = top_cells(elsewhere)[torch.tensor(balls, dtype=torch.long)]
            shares.setdefault(name, []).append(lit.float().mean().item())
    return shares


def report(model: LoadedModel, args: argparse.Namespace) -> None:
    """Print both figures of one network."""
    clips = json.loads(args.points.read_text())
    for size in args.sizes:
        for name, hits in report_points(model.network, clips, args.clips, size).items():
            found, moved = np.array(hits).T
            print(
                f"  {size} px, {name}: within one cell in {100 * found.mean():.1f} % of "
                f"{len(found)} frames (staying in place: {100 * (~moved).mean():.1f} %), in "
                f"{100 * found[moved].mean():.1f} % of the {moved.sum()} where the point moved on",
                flush=True,
            )
    photos = [load_photo(path) for path in sorted(args.photos.glob("*.jpg"))[::HELD_OUT_EVERY]]
    for name, shares in report_kicks(model.network, photos, args.kicks, 224).items():
        print(f"  rendered kicks, {name}: the ball in the top 15 % {np.nanmean(shares):.2f}")


def main() -> None:
    """Evaluate each network named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", help="catalogue ids or .safetensors paths")
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--points", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 448])
    parser.add_argument("--kicks", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for name in args.models:
        model = catalogue.load(name, "cpu")
        print(f"\n{model.id}")
        report(model, args)


if __name__ == "__main__":
    main()
