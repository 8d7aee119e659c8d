"""What a training run on the trunk sees: cached features, and the trunk's own answers to them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.backbones.efficientnet_lite import EfficientNetLite
from scripts.training.lite.cache_features import FRAMED_VIEWS, TIGHT_VIEWS, full_trunk
from scripts.training.lite.recipes import LiteRecipe
from scripts.training.lite.student import Features, at_block, deepen

TEST_BATCH = 64
SETS = {"birds": ("birds",), "imagenet": ("photos", "birds"), "clips": ("clips",)}
"""What a network is trained on -> the cached sets that it sees."""
PHOTO_SHARE = 0.6
"""Of an ImageNet network's views; the rest are birds."""

UNFRAMED = (1 + TIGHT_VIEWS) / (1 + TIGHT_VIEWS + FRAMED_VIEWS)
"""The first share of the birds' views: plain and tight ones."""
BIRDS_BETWEEN = 8
"""An ImageNet network sees every eighth view of the birds: the trunk answers each one first."""


def pooled_of(
    network: EfficientNetLite, x: Tensor, depth: int, frames: int = 1, block: bool = True
) -> Tensor:
    """Return the pooled feature (B, 1280) of what leaves unit ``depth``, (B*T, C, h, w).

    ``block`` False leaves out the block that stands right there.
    """
    if block:
        x = at_block(network, x, depth, frames)
    last = network.run_units(x, frames, depth + 1, len(network.units) - 1)
    return network.pooled(last, frames)


class Batch(NamedTuple):
    """Features (B*T, C, h, w), labels, the trunk's pooled features, and what points to follow."""

    x: Tensor
    labels: Tensor
    pooled: Tensor | None
    references: Tensor | None
    matches: Tensor | None


class Views:
    """What a run draws from: sets of cached features, and the trunk's answers where they count."""

    def __init__(self, recipe: LiteRecipe, folder: Path, network: EfficientNetLite) -> None:
        names = SETS[recipe.data]

        def opened(name: str) -> Features:
            features = deepen(network, folder, name, recipe.frozen)
            if recipe.data == "birds" or not name.startswith("birds"):
                return features
            return features._replace(
                values=features.values[::BIRDS_BETWEEN], labels=features.labels[::BIRDS_BETWEEN]
            )

        self.train = [opened(f"{name}-train") for name in names]
        self.test = {name: opened(f"{name}-test") for name in names}
        trunk = full_trunk()
        distils = recipe.data != "birds"
        self.answers = [
            _kept(trunk, f, folder / f"{name}-train.answers.npy")
            for name, f in zip(names, self.train, strict=True)
            if distils
        ]
        self.expected = {name: f.labels for name, f in self.test.items()}
        if distils:
            self.expected = {
                name: trunk.fc(_pooled(trunk, f)).argmax(1) for name, f in self.test.items()
            }
        self.fc = trunk.fc

    def draw(self, count: int, draw: torch.Generator, framed: bool = True) -> Batch:
        """Return random views; ``framed`` False leaves out birds that are set into scenes."""
        at = 0
        if len(self.train) > 1:
            at = int(torch.rand(1, generator=draw) > PHOTO_SHARE)
        features = self.train[at]
        known = len(features.values) if framed else round(len(features.values) * UNFRAMED)
        chosen = torch.randint(known, (count,), generator=draw).sort().values
        pooled = self.answers[at][chosen] if self.answers else None
        followed = (None if part is None else part[chosen] for part in features[3:])
        labels = features.labels[chosen] if len(features.labels) else features.labels
        return Batch(features.batch(chosen.numpy()), labels, pooled, *followed)


def _kept(trunk: EfficientNetLite, features: Features, path: Path) -> Tensor:
    """Return the trunk's pooled features of all views, from a file or into one."""
    if not path.exists():
        part = path.with_suffix(".part.npy")
        np.save(part, _pooled(trunk, features).half().numpy())
        part.replace(path)
    kept = torch.from_numpy(np.load(path)).float()
    if len(kept) != len(features.values):
        raise SystemExit(f"{path.name} holds the answers to other views; delete it.")
    return kept


@torch.no_grad()
def _pooled(trunk: EfficientNetLite, features: Features) -> Tensor:
    parts = range(0, len(features.values), TEST_BATCH)
    return torch.cat(
        [
            pooled_of(
                trunk, features.batch(slice(at, at + TEST_BATCH)), features.depth, features.frames
            )
            for at in parts
        ]
    )
