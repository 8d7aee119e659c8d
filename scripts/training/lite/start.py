"""Write networks whose block is started from the trunk's features, and nothing else is changed.

    python -m scripts.training.lite.start e2-nl e2-cgnl --photos DIR --weights models/weights

The trunk's answers stay nearly as they are, and the block's maps are those of its start: principal
directions (NL) or part detectors (CGNL) of what ImageNet's trunk sees. A minute on one CPU core;
scripts.training.lite.train makes such a block matter.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.checkpoints import own
from models.checkpoints.trunks import LITE2
from models.class_names import class_names
from scripts.training.lite.cache_features import as_input, full_trunk, photo_views
from scripts.training.lite.recipes import NL, RECIPES
from scripts.training.lite.student import Features, start_blocks, student_for

VIEWS_BETWEEN, DEPTH, BATCH = 7, 14, 32
NL_GAIN, OTHER_GAIN = 0.05, 0.1
"""What a started block adds over its input's deviation: as much as leaves the trunk's answers."""


@torch.no_grad()
def photo_features(args: argparse.Namespace) -> Features:
    """Return what leaves unit 14 for every seventh training view of the photographs."""
    network = full_trunk()
    chosen = list(enumerate(photo_views(args, train=True)))[::VIEWS_BETWEEN]
    found = []
    for at in range(0, len(chosen), BATCH):
        pictures = [view.draw(np.random.default_rng(k)) for k, view in chosen[at : at + BATCH]]
        pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
        x = network.run_stem(as_input(pixels, network.spec))
        found.append(network.run_units(x, 1, 0, DEPTH).half().numpy())
    return Features(np.concatenate(found), torch.zeros(len(chosen), dtype=torch.long), DEPTH)


def write_started(name: str, features: Features, folder: Path) -> Path:
    """Start the blocks of one recipe and write its weight file; return where."""
    recipe = RECIPES[name]
    gain = NL_GAIN if recipe.block == NL else OTHER_GAIN
    network = student_for(recipe)
    start_blocks(network, features, replace(recipe, gain=gain))
    path = folder / f"{name}.safetensors"
    own.write(path, network, class_names("imagenet-1k"), recipe.title, trunk=LITE2)
    return path


def main() -> None:
    """Write each network named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = sorted(name for name, recipe in RECIPES.items() if recipe.data != "birds")
    parser.add_argument("names", nargs="+", choices=known)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the weight files")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    features = photo_features(args)
    for name in args.names:
        path = write_started(name, features, args.weights)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
