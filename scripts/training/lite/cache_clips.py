"""Render training clips, run the frozen trunk over them once, keep what leaves unit 14.

    python -m scripts.training.lite.cache_clips --photos DIR --out DIR

Photographs in motion and rendered people with a ball, in turn, each with references and where they
are in every frame. An interrupted run goes on where it stopped.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from models.backbones.efficientnet_lite import EfficientNetLite
from scripts.training.clip_data import FRAMES, LANDMARKS, NAMES, render
from scripts.training.lite.cache_features import (
    HELD_OUT_EVERY,
    SIDE,
    as_input,
    full_trunk,
    load_photo,
)
from scripts.training.lite.moving_photos import HIDDEN, Moving, moving_photo

DEPTH, GRID, REFERENCES = 14, SIDE // 16, 24
BALL, FOOT = LANDMARKS.index("ball"), LANDMARKS.index("near_foot")
SAVE_EVERY = 20


def rendered(draw: np.random.Generator, photos: list[np.ndarray]) -> Moving:
    """Render one action; references are landmarks, and in a kick the foot that meets the ball,
    whose matches are the ball's."""
    action = NAMES[int(draw.integers(len(NAMES)))] if draw.random() < 0.6 else "kick"
    frames, marks, event = render(draw, photos, action, SIDE)
    cells = np.floor(marks * GRID / SIDE).astype(int)
    inside = ((cells >= 0) & (cells < GRID)).all(-1)
    flat = np.where(inside, cells[..., 1] * GRID + cells[..., 0], HIDDEN)
    pairs = [(t, a, a) for t in range(FRAMES) for a in range(len(LANDMARKS)) if inside[t, a]]
    draw.shuffle(pairs)
    if action == "kick" and inside[event, FOOT]:
        pairs = [(event, FOOT, BALL)] * 4 + [p for p in pairs if p[:2] != (event, FOOT)]
    pairs = (pairs * REFERENCES)[:REFERENCES] if pairs else [(0, BALL, BALL)] * REFERENCES
    references = np.array([t * GRID * GRID + max(0, flat[t, a]) for t, a, _b in pairs])
    return Moving(frames, references, np.stack([flat[:, b] for _t, _a, b in pairs]))


def filmed(draw: np.random.Generator, photos: list[np.ndarray]) -> Moving:
    """Film one photograph with a piece of another before it."""
    one, other = (photos[k] for k in draw.integers(0, len(photos), 2))
    return moving_photo(draw, one, other, SIDE, GRID, REFERENCES)


@torch.no_grad()
def features_of(network: EfficientNetLite, clip: np.ndarray) -> np.ndarray:
    """Return what leaves DEPTH, (T, C, h, w) float16."""
    pixels = torch.from_numpy(clip).permute(0, 3, 1, 2).float() / 255
    x = network.run_stem(as_input(pixels, network.spec))
    return network.run_units(x, 1, 0, DEPTH).half().numpy()


def cache(name: str, photos: list[np.ndarray], count: int, folder: Path) -> None:
    """Write features, references and matches of ``count`` clips."""
    network = full_trunk()
    note = folder / f"{name}.json"
    done = json.loads(note.read_text())["done"] if note.exists() else 0
    shapes = {
        f"unit{DEPTH}": (np.float16, (count, FRAMES, 120, GRID, GRID)),
        "references": (np.int64, (count, REFERENCES)),
        "matches": (np.int64, (count, REFERENCES, FRAMES)),
    }
    features, references, matches = (
        np.lib.format.open_memmap(folder / f"{name}.{part}.npy", "r+" if done else "w+", *kind)
        for part, kind in shapes.items()
    )
    for index in range(done, count):
        draw = np.random.default_rng((index, count))
        made = (filmed, rendered)[index % 2](draw, photos)
        features[index] = features_of(network, made.frames)
        references[index], matches[index] = made.references, made.matches
        if (index + 1) % SAVE_EVERY == 0 or index + 1 == count:
            for array in (features, references, matches):
                array.flush()
            note.write_text(json.dumps({"done": index + 1, "labels": []}))
            print(f"{name} {index + 1}/{count}", flush=True)


def main() -> None:
    """Cache the training clips and a few held-out ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=700)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    for train, count in ((True, args.clips), (False, args.clips // 10)):
        photos = [
            load_photo(path)
            for index, path in enumerate(sorted(args.photos.glob("*.jpg")))
            if (index % HELD_OUT_EVERY != 0) == train
        ]
        cache(f"clips-{'train' if train else 'test'}", photos, count, args.out)


if __name__ == "__main__":
    main()
