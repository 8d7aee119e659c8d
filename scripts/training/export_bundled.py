"""Write a finished training run as a bundled weight file.

    python -m scripts.training.export_bundled runs/nl.pt \
        models/weights/r50n-nl.safetensors --birds DIR \
        --title TEXT
    python -m scripts.training.export_bundled runs/clips-nl.pt models/weights/c2dn-nl.safetensors \
        --title TEXT --size 112
"""

import argparse
import json
from pathlib import Path

import torch

from models.checkpoints import own
from scripts.training.bird_data import class_names
from scripts.training.clip_data import NAMES
from scripts.training.train_bundled import CLIP_STAGES, clip_student, student_for


def main() -> None:
    """Export one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--birds", type=Path, help="folder with classes.txt; not for clips")
    parser.add_argument("--title", required=True)
    parser.add_argument(
        "--size", type=int, default=224, help="input side the network is evaluated at"
    )
    parser.add_argument(
        "--soften", type=float, default=1.0, help="factor on theta of the NL block: flatter rows"
    )
    args = parser.parse_args()
    state = torch.load(args.run, map_location="cpu", weights_only=True)
    stage = json.loads(state["recipe"])["stage"]
    if stage in CLIP_STAGES:
        names, student = list(NAMES), clip_student(stage, args.size)
    else:
        names = class_names(args.birds)
        student = student_for(stage, len(names), args.size)
    student.load_state_dict(state["student"])
    for place in student.network.places if args.soften != 1 else ():
        for value in student.network.block_at(place).projection.theta.parameters():
            value.data *= args.soften
    own.write(args.out, student.network, names, args.title)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB after {state['seen']} crops")


if __name__ == "__main__":
    main()
