"""A linear probe on the bird teacher: soft labels of the species to be learnt.

    python -m scripts.training.linear_probe runs/probe.pt \
        --birds DIR --annotations DIR --teachers DIR

prints how many of the test crops it names.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from scripts.training.bird_data import Birds, CropSettings, load_birds, random_crops
from scripts.training.teacher import Teacher

ROUNDS = 3
"""Random crops of every training image that the probe is fitted to."""
EPOCHS, BATCH, RATE, DECAY = 30, 120, 1e-3, 0.1


class Probe(NamedTuple):
    """Logits of the species: pooled (B, 1280) @ weight (1280, classes) + bias (classes,)."""

    weight: Tensor
    bias: Tensor

    def logits(self, pooled: Tensor) -> Tensor:
        """Return (B, classes)."""
        return pooled @ self.weight + self.bias


def _features(teacher: Teacher, birds: Birds, side: int, draw: torch.Generator) -> Tensor:
    settings = CropSettings(side)
    batches = birds.images.split(BATCH)
    return torch.cat([teacher(random_crops(batch, settings, draw)).pooled for batch in batches])


def fit(teacher: Teacher, birds: Birds, side: int, seed: int = 0) -> Probe:
    """Fit softmax regression to the teacher's pooled features of random training crops."""
    draw = torch.Generator().manual_seed(seed)
    pooled = torch.cat([_features(teacher, birds, side, draw) for _ in range(ROUNDS)])
    labels = birds.labels.repeat(ROUNDS)
    mean, deviation = pooled.mean(0), pooled.std(0) + 1e-4
    standard = (pooled - mean) / deviation
    weight = torch.zeros(standard.shape[1], len(birds.names), requires_grad=True)
    bias = torch.zeros(len(birds.names), requires_grad=True)
    optimiser = torch.optim.AdamW([weight, bias], RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels), generator=draw).split(BATCH):
            logits = F.dropout(standard[chosen], 0.3) @ weight + bias
            optimiser.zero_grad()
            F.cross_entropy(logits, labels[chosen], label_smoothing=0.1).backward()
            optimiser.step()
    # The standardisation folded in.
    folded = (weight / deviation[:, None]).detach()
    return Probe(folded, (bias - mean @ folded).detach())


def fitted(path: Path, teacher: Teacher, birds: Birds, side: int) -> Probe:
    """Return the probe kept at ``path``; fit and keep it when there is none."""
    if path.exists():
        return Probe(**torch.load(path, weights_only=True))
    probe = fit(teacher, birds, side)
    part = path.with_suffix(".part")
    torch.save(probe._asdict(), part)
    part.replace(path)
    return probe


def top_1(probe: Probe, teacher: Teacher, birds: Birds, side: int) -> float:
    """Return the share of whole crops, side x side pixels, that the probe names."""
    hits = 0
    for images, labels in zip(birds.images.split(BATCH), birds.labels.split(BATCH), strict=True):
        crops = F.interpolate(images.float() / 255, (side, side), mode="bilinear", antialias=True)
        hits += (probe.logits(teacher(crops).pooled).argmax(1) == labels).sum().item()
    return hits / len(birds.labels)


def main() -> None:
    """Print the accuracy of a probe, fitted first when there is none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("probe", type=Path)
    for name in ("birds", "annotations", "teachers"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"folder of the {name}")
    parser.add_argument("--side", type=int, default=128)
    args = parser.parse_args()
    teacher = Teacher(args.teachers / "mnv2_inatbird.npz")
    seen, unseen = (load_birds(args.birds, args.annotations, 192, train) for train in (True, False))
    probe = fitted(args.probe, teacher, seen, args.side)
    print(f"top-1 at {args.side} px {100 * top_1(probe, teacher, unseen, args.side):.1f} %")


if __name__ == "__main__":
    main()
