"""Print top-1, NL row entropy and part coverage of bundled networks on CUB crops.

python -m scripts.evaluation.evaluate_bundled r50n-nl r50n-cgnl --birds DIR --annotations DIR
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from models.loaded import LoadedModel
from models.zoo import catalogue
from scripts.evaluation.part_coverage import measure
from scripts.training.bird_data import Birds, load_birds, load_parts
from viz.attention import preprocess, queries
from viz.attention.forward import capture
from viz.attention.kinds import affinity
from viz.attention.kinds.registry import kind_of
from viz.types import Clip

BATCH = 32
ENTROPY_PICTURES = 100


def clips_of(birds: Birds) -> list[Clip]:
    """Return each crop as a one-frame clip."""
    return [
        Clip(np.asarray(image.permute(1, 2, 0))[None], (0.0,), "crop", "") for image in birds.images
    ]


@torch.no_grad()
def top_1(model: LoadedModel, birds: Birds, size: int) -> float:
    """Return the share of crops whose best class is right, whole crop at ``size`` px."""
    hits = 0
    clips = clips_of(birds)
    device = model.network.fc.weight.device
    for first in range(0, len(clips), BATCH):
        batch = [
            preprocess.prepare(clip, model.spec.preprocessing, size=size).tensor
            for clip in clips[first : first + BATCH]
        ]
        guessed = model.network(torch.cat(batch).to(device)).argmax(1).cpu()
        hits += (guessed == birds.labels[first : first + BATCH]).sum().item()
    return hits / len(clips)


def row_entropy(model: LoadedModel, birds: Birds, size: int) -> float | None:
    """Return the median over pictures of row entropy / log N; None without an NL block."""
    found = []
    step = max(1, len(birds.images) // ENTROPY_PICTURES)
    for clip in clips_of(birds)[::step]:
        prepared = preprocess.prepare(clip, model.spec.preprocessing, size=size)
        block = queries.block_of(capture(model, prepared))
        if not kind_of(block).is_single(block):
            return None
        found.append(affinity.row_entropy(block))
    return float(np.median(found))


def report(model: LoadedModel, birds: Birds, annotations: Path, size: int, every: int) -> None:
    """Print every figure of one network."""
    print(f"\n{model.id} at {size} px, {len(birds.images)} crops")
    print(f"  top-1 {100 * top_1(model, birds, size):.1f} %", flush=True)
    if not model.network.places:
        return
    entropy = row_entropy(model, birds, size)
    if entropy is not None:
        print(f"  median NL row entropy {entropy:.2f} of log N")
    clips, ids = clips_of(birds)[::every], birds.ids[::every]
    parts = load_parts(annotations, ids)
    totals = measure(model, clips, [parts[key] for key in ids], size)
    print(f"  part coverage over {len(clips)} crops")
    for name, coverage in totals.items():
        print(f"    {name:26} at 0.7    {coverage.threshold.line()}")
        print(f"    {'':26} top 15 %  {coverage.equal_area.line()}", flush=True)


def main() -> None:
    """Evaluate each network named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", help="catalogue ids or .safetensors paths")
    parser.add_argument("--birds", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument(
        "--size", type=int, help="input side in pixels; the network's own if left out"
    )
    parser.add_argument("--every", type=int, default=1, help="part coverage on every n-th crop")
    parser.add_argument("--train", action="store_true", help="the training crops (for choosing)")
    args = parser.parse_args()
    birds = load_birds(args.birds, args.annotations, 227, train=args.train)
    for name in args.models:
        model = catalogue.load(name)
        report(
            model, birds, args.annotations, args.size or model.spec.preprocessing.size, args.every
        )


if __name__ == "__main__":
    main()
