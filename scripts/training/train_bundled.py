"""Train the bundled networks: the plain trunk, then an NL or a CGNL block added to it.

    python -m scripts.training.train_bundled trunk \
        --birds DIR --annotations DIR --photos DIR --teachers DIR
    python -m scripts.training.train_bundled nl    ... --trunk runs/trunk.pt
    python -m scripts.training.train_bundled cgnl  ... --trunk runs/trunk.pt

and the clip networks, on clips that are rendered over photographs as they are needed:

    python -m scripts.training.train_bundled clips --photos DIR \
        --weights models/weights/r50n.safetensors
    python -m scripts.training.train_bundled clips-nl   --photos DIR --trunk runs/clips.pt
    python -m scripts.training.train_bundled clips-cgnl --photos DIR --trunk runs/clips.pt

A run writes OUT/NAME.pt every few minutes and goes on from it when it is started again. It uses a
GPU when there is one.
"""

import argparse
from pathlib import Path

import torch
from torch import nn

from models.backbones.resnet import AttentionResNet
from models.checkpoints import own
from models.checkpoints.fill import fill
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing
from scripts.training.bird_data import load_birds, load_photos
from scripts.training.block_init import start_block
from scripts.training.clip_training import (
    ClipLesson,
    ClipStudent,
    clip_spec,
    load_whole_photos,
    start_clip_block,
    start_from_birds,
)
from scripts.training.distillation import Distillation, Student, bird_distillation
from scripts.training.training_run import BirdLesson, Lesson, Recipe, Run, take_trunk, train
from scripts.training.weight_averaging import Meetings, join

STORED_SIDE = 192
PRINT_CLIPS_EVERY = 160

BLOCKS = {
    "trunk": (None, "none"),
    "nl": (
        NonLocalSpec(function="embedded_gaussian", scale=True, bias=True, expand_bias=True),
        "1",
    ),
    "cgnl": (CGNLSpec(kernel="dot_product", groups=8), "1"),
}
CLIP_STAGES = {"clips": "trunk", "clips-nl": "nl", "clips-cgnl": "cgnl"}
"""Stages of the clip networks, and the stage of the picture networks with the same block."""


def student_for(stage: str, classes: int, side: int) -> Student:
    """Return a fresh student of the bundled shape: ResNet-50, base width 32."""
    block, placement = BLOCKS[stage]
    spec = ModelSpec(
        depth=50,
        base_width=32,
        block=block,
        placement=placement,
        num_classes=classes,
        preprocessing=Preprocessing(size=side, resize=side),
    )
    return Student(spec)


def clip_student(stage: str, side: int) -> ClipStudent:
    """Return a fresh student of a clip network."""
    return ClipStudent(clip_spec(*BLOCKS[CLIP_STAGES[stage]], side))


def start_from(network: AttentionResNet, path: Path) -> None:
    """Fill the network from a weight file of the same stage; the loss's heads start fresh."""
    state = own.load(path).network.state_dict()
    tensors = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    fill(network, tensors, path.name)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=[*BLOCKS, *CLIP_STAGES])
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos")
    for name in ("birds", "annotations", "teachers"):
        parser.add_argument(f"--{name}", type=Path, help=f"folder of the {name} (not for clips)")
    parser.add_argument("--trunk", type=Path, help="finished trunk run that a block is added to")
    parser.add_argument("--weights", type=Path, help="weight file of this stage to train on from")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--name", help="name of the run; the stage when left out")
    parser.add_argument("--crops", type=int, default=171_648)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--projection-rate", type=float, default=0.03)
    parser.add_argument(
        "--deviation", type=float, default=4.0, help="logit deviation the NL block starts with"
    )
    parser.add_argument(
        "--erase", type=float, default=0.0, help="share of crops with an erased rectangle"
    )
    parser.add_argument(
        "--sides", default="1:128", help="END:SIDE,... crop sides by share of the run"
    )
    parser.add_argument("--freeze", action="store_true", help="keep what feeds the block as it is")
    parser.add_argument(
        "--compile", action="store_true", help="compile the student (slow to start)"
    )
    parser.add_argument(
        "--finish", action="store_true", help="birds only, taught by the bird teacher and its probe"
    )
    parser.add_argument("--least-area", type=float, default=0.25, help="smallest share of a crop")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Train one stage."""
    args = arguments()
    sides = tuple(
        (float(a), int(b)) for a, b in (step.split(":") for step in args.sides.split(","))
    )
    recipe = Recipe(
        args.stage,
        args.crops,
        args.rate,
        args.projection_rate,
        erase=args.erase,
        sides=sides,
        seed=args.seed,
        deviation=args.deviation,
        freeze=args.freeze,
        compile=args.compile,
        finish=args.finish,
        least_area=args.least_area,
    )
    rank, processes = join()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.out.mkdir(parents=True, exist_ok=True)
    prepare = clip_run if args.stage in CLIP_STAGES else bird_run
    run, lesson = prepare(args, recipe, device, rank)
    train(run, lesson, Meetings(processes))


def _opened(args: argparse.Namespace, recipe: Recipe, student: nn.Module, rank: int) -> Run:
    device = next(student.parameters()).device
    run = Run(recipe, student, args.out / f"{args.name or args.stage}.pt", device)
    run.leads = rank == 0
    return run


def bird_run(
    args: argparse.Namespace, recipe: Recipe, device: torch.device, rank: int
) -> tuple[Run, Lesson]:
    """Return the run of a picture network, started or resumed, and what it learns from."""
    if not (args.birds and args.annotations and args.teachers):
        raise SystemExit(f"stage {args.stage} needs --birds, --annotations and --teachers")
    side = recipe.sides[-1][1]
    birds = load_birds(args.birds, args.annotations, STORED_SIDE, train=True)
    photos = load_photos(args.photos, STORED_SIDE)
    print(f"{len(birds.images)} bird crops, {len(photos)} photos on {device}", flush=True)
    student = student_for(args.stage, len(birds.names), side).to(device)
    student = student.to(memory_format=torch.channels_last)
    run = _opened(args, recipe, student, rank)
    if args.weights and not run.path.exists():
        start_from(student.network, args.weights)
    elif args.stage != "trunk" and not run.path.exists():
        take_trunk(student, args.trunk, device)
        start_block(student.network, birds.images, recipe.deviation, args.seed)
    run.resume()
    run.draw.manual_seed(hash((args.seed, run.seen, rank)))
    if args.finish:
        distil = bird_distillation(args.teachers, args.out / "probe.pt", birds, side)
    else:
        distil = Distillation(args.teachers)
    return run, BirdLesson(birds, photos, distil)


def clip_run(
    args: argparse.Namespace, recipe: Recipe, device: torch.device, rank: int
) -> tuple[Run, Lesson]:
    """Return the run of a clip network, started or resumed, and what it learns from."""
    photos = load_whole_photos(args.photos, held_out=False)
    student = clip_student(args.stage, recipe.sides[-1][1]).to(device)
    student = student.to(memory_format=torch.channels_last)
    run = _opened(args, recipe, student, rank)
    run.print_every = PRINT_CLIPS_EVERY
    if not run.path.exists() and args.stage == "clips":
        start_from_birds(student, args.weights)
    elif not run.path.exists():
        take_trunk(student, args.trunk, device)
        start_clip_block(student, ClipLesson(photos, args.seed), recipe.deviation)
    run.resume()
    print(f"{len(photos)} photos to render over, on {device}", flush=True)
    return run, ClipLesson(photos, args.seed + 1 + run.seen * 16 + rank)


if __name__ == "__main__":
    main()
