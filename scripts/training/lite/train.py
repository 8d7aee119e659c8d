"""Train one network on the EfficientNet-Lite2 trunk and write its weight file.

    python -m scripts.training.lite.train e2-birds-nl --features DIR --out DIR \
        --weights models/weights --birds DIR

Features come from scripts.training.lite.cache_features. An interrupted run goes on from its
checkpoint in --out; one thread is the default, so that it can run beside other work.
"""

import argparse
import json
import math
import time
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.backbones.efficientnet_lite import EfficientNetLite
from models.blocks.layout import unfold_time
from models.checkpoints import own
from models.checkpoints.trunks import LITE2
from models.class_names import class_names
from scripts.training import bird_data
from scripts.training.lite.recipes import RECIPES, LiteRecipe
from scripts.training.lite.student import (
    erase,
    follow_loss,
    set_training,
    soft_cross_entropy,
    start_blocks,
    student_for,
    trained_parameters,
)
from scripts.training.lite.views import TEST_BATCH, Views, pooled_of

SAVE_EVERY_S, TELL_EVERY = 120, 1500
POLISH = 0.3
"""Rates and effect of the last part of a run, over those before it."""
EMA = 0.995
"""What a step keeps of the averaged weights, which are the ones that are written."""
FEATURE_WEIGHT = 2.0
"""Of 1 - cosine between the pooled features of trunk and student, beside the answers."""


class Training:
    """A resumable run: student, the average of its weights, optimiser, views seen."""

    def __init__(self, recipe: LiteRecipe, views: Views, network: EfficientNetLite) -> None:
        self.recipe, self.views, self.network = recipe, views, network
        self.depth = views.train[0].depth
        self.optimiser = torch.optim.AdamW(trained_parameters(network, recipe))
        self.mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(EMA), use_buffers=True)
        self.draw = torch.Generator().manual_seed(recipe.seed)
        self.seen = 0

    def state(self) -> dict:
        """Return what a checkpoint holds."""
        return {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "draw": self.draw.get_state(),
            "seen": self.seen,
            "recipe": json.dumps(asdict(self.recipe)),
        }

    @property
    def polishing(self) -> bool:
        """Whether the main part of the run is over."""
        return self.seen >= self.recipe.views

    @property
    def total(self) -> int:
        """Views of the whole run."""
        return self.recipe.views + self.recipe.polish

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint; SystemExit when it is of another recipe."""
        state = torch.load(path, weights_only=True)
        began = json.loads(state["recipe"])
        if began | {"polish": 0} != _plain(self.recipe) | {"polish": 0}:
            raise SystemExit(f"{path} is of another recipe; give another --out or delete it.")
        self.network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.draw.set_state(state["draw"])
        self.seen = state["seen"]

    def step(self) -> dict[str, float]:
        """Draw one batch, take one step, return the parts of the loss."""
        share = self.seen / self.recipe.views
        factor = schedule(share, self.recipe.warm_up)
        if self.polishing:
            share = (self.seen - self.recipe.views) / max(1, self.recipe.polish)
            factor = POLISH * schedule(share, self.recipe.warm_up)
        for group in self.optimiser.param_groups:
            waits = group["waits"] and self.seen < self.recipe.block_first * self.recipe.views
            group["lr"] = 0.0 if waits else group["rate"] * factor
        self.optimiser.zero_grad(set_to_none=True)
        parts = self.losses()
        sum(parts.values()).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.mean.update_parameters(self.network)
        self.seen += self.recipe.batch
        return {name: value.item() for name, value in parts.items()}

    def losses(self) -> dict[str, Tensor]:
        """Return the weighted parts of the loss of one batch."""
        recipe, network, frames = self.recipe, self.network, self.recipe.frames
        batch = self.views.draw(recipe.batch, self.draw, framed=not self.polishing)
        x = erase(batch.x, 0.0 if self.polishing else recipe.erased, self.draw)
        found = pooled_of(network, x, self.depth, frames)
        logits = network.fc(network.dropout(found))
        if batch.pooled is None:
            wanted = F.one_hot(batch.labels, logits.shape[1]).float()
            target = wanted * (1 - recipe.smoothing) + recipe.smoothing / logits.shape[1]
            parts = {"label": soft_cross_entropy(logits, target)}
        else:
            wanted = self.views.fc(batch.pooled).softmax(1)
            distance = 1 - F.cosine_similarity(found, batch.pooled).mean()
            parts = {
                "answer": soft_cross_entropy(logits, wanted),
                "feature": FEATURE_WEIGHT * distance,
            }
        if recipe.effect:
            half = len(logits) // 2
            without = pooled_of(network, x[: half * frames], self.depth, frames, block=False)
            effect = soft_cross_entropy(logits[:half] - network.fc(without), wanted[:half])
            parts["effect"] = recipe.effect * (POLISH if self.polishing else 1) * effect
        if recipe.follow:
            block = network.block_at(network.places[0])
            clips = unfold_time(batch.x, frames)
            lost = follow_loss(block, clips, batch.references, batch.matches)
            parts["follow"] = recipe.follow * lost
        return parts


def _plain(recipe: LiteRecipe) -> dict:
    """Return the recipe as a checkpoint holds it."""
    return json.loads(json.dumps(asdict(recipe)))


def schedule(share: float, warm_up: float) -> float:
    """Return the factor of the rates after ``share`` in [0, 1]: linear warm-up, then a cosine."""
    if share < warm_up:
        return share / warm_up
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (share - warm_up) / (1 - warm_up))))


@torch.no_grad()
def accuracy(training: Training, name: str, block: bool = True) -> float:
    """Return the share of a held-out set that gets its expected class, 0 to 100."""
    network, features = training.network, training.views.test[name]
    network.eval()
    hits = 0
    for at in range(0, len(features.values), TEST_BATCH):
        part = slice(at, at + TEST_BATCH)
        x = features.batch(part)
        logits = network.fc(pooled_of(network, x, features.depth, features.frames, block))
        hits += (logits.argmax(1) == training.views.expected[name][part]).sum().item()
    return 100 * hits / len(features.values)


def tell(training: Training) -> str:
    """Return the held-out figures, with the block and without it."""
    lines = []
    for name in training.views.test:
        text = f"{name} {accuracy(training, name):.1f} %"
        if training.network.places and training.network.places[0].unit == training.depth:
            text += f" (without the first block {accuracy(training, name, block=False):.1f})"
        lines.append(text)
    return ", ".join(lines)


def train(training: Training, path: Path, tell_every: int = TELL_EVERY) -> None:
    """Run to the end, saving and printing progress."""
    saved, told, began, mean = time.monotonic(), training.seen, time.monotonic(), {}
    began_at = training.seen
    while training.seen < training.total:
        set_training(training.network)
        parts = training.step()
        mean = {k: 0.95 * mean.get(k, v) + 0.05 * v for k, v in parts.items()}
        if training.seen - told >= tell_every:
            told = training.seen
            pace = (training.seen - began_at) / (time.monotonic() - began)
            figures = " ".join(f"{k} {v:.3f}" for k, v in mean.items())
            print(f"{training.seen}/{training.total} {pace:.0f}/s | {figures}", flush=True)
        if time.monotonic() - saved > SAVE_EVERY_S:
            _save(training, path)
            saved = time.monotonic()
    _save(training, path)


def _save(training: Training, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(training.state(), part)
    part.replace(path)


def names_for(recipe: LiteRecipe, birds: Path | None) -> list[str]:
    """Return the class names that the weight file carries."""
    if recipe.data == "birds":
        if birds is None:
            raise SystemExit("A network of birds needs --birds, for the names of its classes.")
        return bird_data.class_names(birds)
    return list(class_names("imagenet-1k"))


def main() -> None:
    """Train, or go on with, one network; then write its weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--weights", type=Path, required=True, help="folder of the weight files")
    parser.add_argument("--birds", type=Path, help="folder with classes.txt")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = RECIPES[args.name]
    names = names_for(recipe, args.birds)
    args.out.mkdir(parents=True, exist_ok=True)
    network = student_for(recipe)
    training = Training(recipe, Views(recipe, args.features, network), network)
    path = args.out / f"{args.name}.pt"
    if path.exists():
        training.restore(path)
    elif network.places:
        start_blocks(network, training.views.train[0], recipe)
    print(f"{args.name} from {training.seen} views: {tell(training)}", flush=True)
    train(training, path)
    print(f"{args.name} after {training.seen} views: {tell(training)}", flush=True)
    network.load_state_dict(training.mean.module.state_dict())
    print(f"{args.name}, averaged weights: {tell(training)}", flush=True)
    target = args.weights / f"{args.name}.safetensors"
    own.write(target, network, names, recipe.title, trunk=LITE2)
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
