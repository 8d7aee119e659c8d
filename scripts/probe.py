"""A linear probe on the bird teacher: what it knows of the species to be learnt, as soft labels."""

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from scripts.bird_data import Birds, CropSettings, random_crops
from scripts.teacher import Teacher

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
