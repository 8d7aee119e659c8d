"""Train the bundled networks: the plain trunk, then an NL or a CGNL block added to it.

    python -m scripts.train_bundled trunk --birds DIR --annotations DIR --photos DIR --teachers
    DIR --out runs python -m scripts.train_bundled nl   ... --trunk runs/trunk.pt
    python -m scripts.train_bundled cgnl ... --trunk runs/trunk.pt

A run writes OUT/NAME.pt every few minutes and goes on from it when it is started again. It uses a
GPU when there is one.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.backbones.resnet import AttentionResNet
from models.checkpoints import own
from models.specs import CGNLSpec, ModelSpec, NonLocalSpec, Preprocessing
from scripts.bird_data import Birds, CropSettings, load_birds, load_photos, random_crops
from scripts.block_start import start_block
from scripts.distillation import Distillation, Student

STORED_SIDE = 192
BIRDS_PER_BATCH, PHOTOS_PER_BATCH = 40, 8
SAVE_EVERY_S = 120

BLOCKS = {
    "trunk": (None, "none"),
    "nl": (NonLocalSpec(function="embedded_gaussian", scale=True, bias=True), "1"),
    "cgnl": (CGNLSpec(kernel="dot_product", groups=8), "1"),
}


@dataclass(frozen=True)
class Recipe:
    """Every knob of a run. Sizes are (share of the run, crop side) steps."""

    stage: str
    crops: int
    rate: float
    projection_rate: float = 0.03
    weight_decay: float = 0.05
    warm_up: float = 0.05
    clip: float = 5.0
    erase: float = 0.0
    sides: tuple[tuple[float, int], ...] = ((1.0, 128),)
    seed: int = 0
    deviation: float = 4.0
    freeze: bool = False
    compile: bool = False


def parameter_groups(student: Student, recipe: Recipe) -> list[dict]:
    """Theta and phi slow and undecayed, norms and biases undecayed, the rest as the recipe says."""
    slow, plain, decayed = [], [], []
    for name, value in student.named_parameters():
        if ".projection.theta." in name or ".projection.phi." in name:
            slow.append(value)
        elif value.ndim == 1:
            plain.append(value)
        else:
            decayed.append(value)
    return [
        {"params": decayed, "scale": 1.0, "weight_decay": recipe.weight_decay},
        {"params": plain, "scale": 1.0, "weight_decay": 0.0},
        {"params": slow, "scale": recipe.projection_rate, "weight_decay": 0.0},
    ]


def rate_at(share: float, recipe: Recipe) -> float:
    """Return the rate after ``share`` in [0, 1] of the run: linear warm-up, cosine."""
    if share < recipe.warm_up:
        return recipe.rate * share / recipe.warm_up
    done = (share - recipe.warm_up) / (1 - recipe.warm_up)
    return recipe.rate * 0.5 * (1 + torch.cos(torch.tensor(done * torch.pi)).item())


def side_at(share: float, recipe: Recipe) -> int:
    """Return the crop side in force after ``share`` of the run."""
    return next(side for end, side in recipe.sides if share < end or end == recipe.sides[-1][0])


class Run:
    """A resumable training run: student, optimiser, random state, crops seen."""

    def __init__(self, recipe: Recipe, student: Student, path: Path, device: torch.device) -> None:
        self.recipe, self.student, self.path, self.device = recipe, student, path, device
        self.model = torch.compile(student, dynamic=False) if recipe.compile else student
        self.optimiser = torch.optim.AdamW(parameter_groups(student, recipe))
        self.draw = torch.Generator().manual_seed(recipe.seed)
        self.seen = 0

    def resume(self) -> None:
        """Go on from the file of an interrupted run, when there is one."""
        if self.path.exists():
            state = torch.load(self.path, map_location=self.device, weights_only=True)
            self.student.load_state_dict(state["student"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.draw.set_state(state["draw"].cpu())
            self.seen = state["seen"]
            print(f"going on from {self.path} at {self.seen} crops", flush=True)

    def save(self) -> None:
        """Write the run's state; an interruption leaves the old file."""
        state = {
            "student": self.student.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "draw": self.draw.get_state(),
            "seen": self.seen,
            "recipe": json.dumps(asdict(self.recipe)),
        }
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.path)

    def step(self, birds: Birds, photos: Tensor, distil: Distillation) -> dict:
        """Draw one batch, take one step, return the parts of the loss."""
        share = self.seen / self.recipe.crops
        settings = CropSettings(side_at(share, self.recipe), erase=self.recipe.erase)
        chosen = torch.randint(len(birds.images), (BIRDS_PER_BATCH,), generator=self.draw)
        others = torch.randint(len(photos), (PHOTOS_PER_BATCH,), generator=self.draw)
        batch = torch.cat([birds.images[chosen], photos[others]])
        crops = random_crops(batch, settings, self.draw).to(self.device)
        crops = crops.contiguous(memory_format=torch.channels_last)
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(share, self.recipe) * group["scale"]
        self.optimiser.zero_grad(set_to_none=True)
        loss, parts = distil(self.model, crops, birds.labels[chosen].to(self.device))
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.seen += len(batch)
        return parts


def below_block(network: AttentionResNet) -> list[nn.Module]:
    """Return the modules that feed the first attention block: the stem and every unit before it."""
    place = network.places[0]
    stages = [network.layer1, network.layer2, network.layer3, network.layer4][: place.stage - 1]
    return [network.conv1, network.bn1, *stages[:-1], *stages[-1][: place.unit + 1]]


def set_training(student: Student, freeze: bool) -> None:
    """Put the student in training mode; ``freeze`` keeps what feeds the block as it is."""
    student.train()
    if freeze:
        for module in below_block(student.network):
            module.eval().requires_grad_(False)


def train(run: Run, birds: Birds, photos: Tensor, distil: Distillation) -> None:
    """Run to the end, saving and printing progress and the time left."""
    set_training(run.student, run.recipe.freeze)
    began, began_at, saved, mean = time.monotonic(), run.seen, time.monotonic(), {}
    while run.seen < run.recipe.crops:
        parts = run.step(birds, photos, distil)
        mean = {k: 0.98 * mean.get(k, v) + 0.02 * v for k, v in parts.items()}
        if run.seen // 2400 != (run.seen - BIRDS_PER_BATCH - PHOTOS_PER_BATCH) // 2400:
            pace = (run.seen - began_at) / (time.monotonic() - began)
            left = (run.recipe.crops - run.seen) / pace / 60
            figures = " ".join(f"{k} {v:.3f}" for k, v in mean.items())
            print(
                f"{run.seen}/{run.recipe.crops} {pace:.0f}/s left {left:.0f} min | {figures}",
                flush=True,
            )
        if time.monotonic() - saved > SAVE_EVERY_S:
            run.save()
            saved = time.monotonic()
    run.save()


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


def start_from(network: AttentionResNet, path: Path) -> None:
    """Fill the network from a weight file of the same stage; the loss's heads start fresh."""
    state = own.load(path).network.state_dict()
    tensors = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    own.fill(network, tensors, path.name)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=sorted(BLOCKS))
    for name in ("birds", "annotations", "photos", "teachers"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"folder of the {name}")
    parser.add_argument("--trunk", type=Path, help="finished trunk run that a block is added to")
    parser.add_argument("--start", type=Path, help="weight file of this stage to train on from")
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
    )
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.out.mkdir(parents=True, exist_ok=True)
    birds = load_birds(args.birds, args.annotations, STORED_SIDE, train=True)
    photos = load_photos(args.photos, STORED_SIDE)
    print(f"{len(birds.images)} bird crops, {len(photos)} photos on {device}", flush=True)
    student = student_for(args.stage, len(birds.names), sides[-1][1]).to(device)
    student = student.to(memory_format=torch.channels_last)
    run = Run(recipe, student, args.out / f"{args.name or args.stage}.pt", device)
    if args.start and not run.path.exists():
        start_from(student.network, args.start)
    elif args.stage != "trunk" and not run.path.exists():
        trunk = torch.load(args.trunk, map_location=device, weights_only=True)["student"]
        missing, unexpected = student.load_state_dict(trunk, strict=False)
        if unexpected or any(not key.startswith("network.blocks.") for key in missing):
            raise SystemExit(
                f"{args.trunk} is not a trunk run of this shape: {missing} {unexpected}"
            )
        start_block(student.network, birds.images, recipe.deviation, args.seed)
    run.resume()
    train(run, birds, photos, Distillation(args.teachers))


if __name__ == "__main__":
    main()
