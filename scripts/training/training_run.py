"""A resumable training run: recipe, optimiser, one step, and the loop around it."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.backbones.resnet import AttentionResNet
from scripts.training.bird_data import Birds, CropSettings, random_crops
from scripts.training.weight_averaging import Meetings

BATCH, PHOTOS_PER_BATCH = 48, 8
SAVE_EVERY_S = 120
PRINT_EVERY = 2400


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
    finish: bool = False
    least_area: float = 0.25


def parameter_groups(student: nn.Module, recipe: Recipe) -> list[dict]:
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
    share = min(share, 1.0)
    if share < recipe.warm_up:
        return recipe.rate * share / recipe.warm_up
    done = (share - recipe.warm_up) / (1 - recipe.warm_up)
    return recipe.rate * 0.5 * (1 + torch.cos(torch.tensor(done * torch.pi)).item())


def side_at(share: float, recipe: Recipe) -> int:
    """Return the crop side in force after ``share`` of the run."""
    return next((side for end, side in recipe.sides if share < end), recipe.sides[-1][1])


class Run:
    """A resumable training run: student, optimiser, random state, crops seen."""

    def __init__(
        self, recipe: Recipe, student: nn.Module, path: Path, device: torch.device
    ) -> None:
        self.recipe, self.student, self.path, self.device = recipe, student, path, device
        self.model = torch.compile(student, dynamic=False) if recipe.compile else student
        self.optimiser = torch.optim.AdamW(parameter_groups(student, recipe))
        self.draw = torch.Generator().manual_seed(recipe.seed)
        self.seen = 0
        self.leads = True
        self.print_every = PRINT_EVERY

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

    def step(self, lesson: "Lesson") -> dict:
        """Draw one batch, take one step, return the parts of the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.share, self.recipe) * group["scale"]
        self.optimiser.zero_grad(set_to_none=True)
        loss, parts, count = lesson(self)
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.seen += count * (dist.get_world_size() if dist.is_initialized() else 1)
        return parts

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        return self.seen / self.recipe.crops


Lesson = Callable[[Run], tuple[Tensor, dict, int]]
"""Draws a batch and returns the loss, its parts, and how many crops (or clips) it took."""


@dataclass(frozen=True, eq=False)
class BirdLesson:
    """Random crops of birds, with photographs between them until the finishing stage."""

    birds: Birds
    photos: Tensor
    distil: Callable

    def __call__(self, run: Run) -> tuple[Tensor, dict, int]:
        """Draw one batch and return its loss."""
        recipe = run.recipe
        settings = CropSettings(side_at(run.share, recipe), recipe.least_area, erase=recipe.erase)
        strangers = 0 if recipe.finish else PHOTOS_PER_BATCH
        chosen = torch.randint(len(self.birds.images), (BATCH - strangers,), generator=run.draw)
        others = torch.randint(len(self.photos), (strangers,), generator=run.draw)
        batch = torch.cat([self.birds.images[chosen], self.photos[others]])
        crops = random_crops(batch, settings, run.draw).to(run.device)
        crops = crops.contiguous(memory_format=torch.channels_last)
        labels = self.birds.labels[chosen].to(run.device)
        return *self.distil(run.model, crops, labels), len(batch)


def take_trunk(student: nn.Module, path: Path, device: torch.device) -> None:
    """Fill everything but the block from a finished trunk run; SystemExit when it is another."""
    trunk = torch.load(path, map_location=device, weights_only=True)["student"]
    missing, unexpected = student.load_state_dict(trunk, strict=False)
    if unexpected or any(not key.startswith("network.blocks.") for key in missing):
        raise SystemExit(f"{path} is not a trunk run of this shape: {missing} {unexpected}")


def below_block(network: AttentionResNet) -> list[nn.Module]:
    """Return the modules that feed the first attention block: the stem and every unit before it."""
    place = network.places[0]
    stages = [network.layer1, network.layer2, network.layer3, network.layer4][: place.stage - 1]
    return [network.conv1, network.bn1, *stages[:-1], *stages[-1][: place.unit + 1]]


def set_training(student: nn.Module, freeze: bool) -> None:
    """Put the student in training mode; ``freeze`` keeps what feeds the block as it is."""
    student.train()
    if freeze:
        for module in below_block(student.network):
            module.eval().requires_grad_(False)


def train(run: Run, lesson: Lesson, meetings: Meetings) -> None:
    """Run to the end, saving and printing progress and the time left."""
    set_training(run.student, run.recipe.freeze)
    began, began_at, saved, printed = time.monotonic(), run.seen, time.monotonic(), run.seen
    mean: dict[str, float] = {}
    met = True
    while not (met and run.seen >= run.recipe.crops):
        parts = run.step(lesson)
        met, run.seen = meetings.hold(run.student, run.seen)
        mean = {k: 0.98 * mean.get(k, v) + 0.02 * v for k, v in parts.items()}
        if run.seen - printed >= run.print_every:
            printed = run.seen
            pace = (run.seen - began_at) / (time.monotonic() - began)
            left = (run.recipe.crops - run.seen) / pace / 60
            figures = " ".join(f"{k} {v:.3f}" for k, v in mean.items())
            print(
                f"{run.seen}/{run.recipe.crops} {pace:.0f}/s left {left:.0f} min | {figures}",
                flush=True,
            )
        if met and run.leads and time.monotonic() - saved > SAVE_EVERY_S:
            run.save()
            saved = time.monotonic()
    if run.leads:
        run.save()
