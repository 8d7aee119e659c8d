"""The network that learns, from the features that the frozen part of its trunk leaves."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.efficientnet_lite import EfficientNetLite
from models.blocks.cgnl_block import CGNLBlock
from models.blocks.layout import fold_time, unfold_time
from models.blocks.nonlocal_block import NonLocalBlock
from models.build import build
from models.checkpoints.trunks import LITE2, trunk_tensors
from scripts.training.block_init import start_from
from scripts.training.lite.recipes import LAST_UNIT, LiteRecipe

STARTED_FROM, POSITIONS = 600, 40
FOLLOW_DEVIATION = 4.0
"""Standard deviation of theta . phi as logits of where a point went."""
BATCH = 64


class Features(NamedTuple):
    """Cached views: (N, C, h, w) float16 that leave unit ``depth``, or clips (N, T, C, h, w), and
    labels (N,). Of clips also ``references`` (N, R) and ``matches`` (N, R, T), as Moving has them.
    """

    values: np.ndarray
    labels: Tensor
    depth: int
    references: Tensor | None = None
    matches: Tensor | None = None

    @property
    def frames(self) -> int:
        """T; 1 for pictures."""
        return self.values.shape[1] if self.values.ndim == 5 else 1

    def batch(self, chosen: np.ndarray | slice) -> Tensor:
        """Return float32 features of some views, (B*T, C, h, w), channels innermost."""
        values = torch.from_numpy(np.array(self.values[chosen])).float()
        folded = values.flatten(0, 1) if values.ndim == 5 else values
        return folded.contiguous(memory_format=torch.channels_last)


def load_features(folder: Path, name: str, frozen: int) -> Features:
    """Open one cached set at the deepest cached unit that is still frozen; SystemExit when it is
    not complete."""
    depths = (int(path.stem.partition(".unit")[2]) for path in folder.glob(f"{name}.unit*.npy"))
    depth = max(depth for depth in depths if depth <= frozen)
    note = json.loads((folder / f"{name}.json").read_text())
    values = np.load(folder / f"{name}.unit{depth}.npy", mmap_mode="r")
    if note["done"] < len(values):
        raise SystemExit(f"{name} holds {note['done']} of {len(values)} views; finish caching it.")
    labels = torch.tensor(note["labels"])
    if values.ndim < 5:
        return Features(values, labels, depth)
    beside = (
        torch.from_numpy(np.load(folder / f"{name}.{part}.npy"))
        for part in ("references", "matches")
    )
    return Features(values, labels, depth, *beside)


def student_for(recipe: LiteRecipe) -> EfficientNetLite:
    """Return the recipe's network filled from the ImageNet trunk; blocks and gates are fresh."""
    torch.manual_seed(recipe.seed)
    network = build(recipe.spec)
    own = network.state_dict()
    tensors = trunk_tensors(LITE2)
    network.load_state_dict(
        {k: v for k, v in tensors.items() if own[k].shape == v.shape}, strict=False
    )
    if own["fc.weight"].shape != tensors["fc.weight"].shape:
        nn.init.normal_(network.fc.weight, std=0.01)
        nn.init.zeros_(network.fc.bias)
    return network.to(memory_format=torch.channels_last)


@torch.no_grad()
def deepen(network: EfficientNetLite, folder: Path, name: str, frozen: int) -> Features:
    """Return a cached set at unit ``frozen``: run the frozen units behind the cache, without their
    blocks, over all views, and keep that beside it."""
    features = load_features(folder, name, frozen)
    if frozen == features.depth or features.frames > 1:
        return features
    found = [
        _through(network, features.batch(slice(at, at + BATCH)), features.depth + 1, frozen)
        for at in range(0, len(features.values), BATCH)
    ]
    part = folder / f"{name}.part.npy"
    np.save(part, np.concatenate(found))
    part.replace(folder / f"{name}.unit{frozen}.npy")
    return load_features(folder, name, frozen)


def _through(network: EfficientNetLite, x: Tensor, first: int, last: int) -> np.ndarray:
    for index in range(first, last + 1):
        x = network.units[index](x, 1)
    return x.half().numpy()


def trained_parameters(network: EfficientNetLite, recipe: LiteRecipe) -> list[dict]:
    """Return optimiser groups by rate, and freeze everything else."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, value in network.named_parameters():
        rate = _rate(name, recipe)
        value.requires_grad_(rate > 0)
        if rate:
            still = value.ndim == 1 or rate == recipe.projection_rate
            groups.setdefault((rate, 0.0 if still else recipe.weight_decay), []).append(value)
    return [
        {
            "params": values,
            "rate": rate,
            "weight_decay": decay,
            "waits": rate == recipe.unit_rate,
        }
        for (rate, decay), values in groups.items()
    ]


def _rate(name: str, recipe: LiteRecipe) -> float:
    if ".projection.theta." in name or ".projection.phi." in name:
        return recipe.projection_rate
    if name.startswith("blocks.") and ".norm." in name:
        return recipe.norm_rate
    if name.startswith("blocks.") or ".attention." in name:
        return recipe.rate
    if name.startswith("fc."):
        return recipe.rate if recipe.data == "birds" else 0.0
    if name.startswith("units."):
        unit = int(name.split(".")[1])
        return recipe.unit_rate if recipe.frozen < unit <= recipe.trained else 0.0
    if name.startswith("head"):
        return recipe.unit_rate if recipe.trained == LAST_UNIT else 0.0
    return 0.0


def set_training(network: EfficientNetLite) -> None:
    """Put blocks and dropout in training mode; the trunk's batch-norm statistics stay."""
    network.eval()
    network.blocks.train()
    network.dropout.train()


@torch.no_grad()
def start_blocks(network: EfficientNetLite, features: Features, recipe: LiteRecipe) -> None:
    """Start theta and phi of every block from its input over random views."""
    draw = torch.Generator().manual_seed(recipe.seed)
    kept: dict[str, list[Tensor]] = {place.key: [] for place in network.places}

    def keeper(key: str):  # noqa: ANN202 (a forward pre-hook)
        def keep(_module: nn.Module, args: tuple[Tensor]) -> None:
            rows = args[0].flatten(2).transpose(1, 2)
            picks = torch.randint(rows.shape[1], (len(rows), POSITIONS), generator=draw)
            kept[key].append(rows.gather(1, picks[..., None].expand(-1, -1, rows.shape[2])))

        return keep

    hooks = [network.block_at(p).register_forward_pre_hook(keeper(p.key)) for p in network.places]
    chosen = torch.randperm(len(features.values), generator=draw)[:STARTED_FROM].sort().values
    try:
        for part in chosen.split(BATCH):
            through_blocks(network, features, part.numpy())
    finally:
        for hook in hooks:
            hook.remove()
    for place in network.places:
        found = torch.cat(kept[place.key]).flatten(0, 1)
        start_from(network.block_at(place), found, recipe.deviation, recipe.seed)
        wake(network.block_at(place), found, recipe.gain)
    settle(network, features)


@torch.no_grad()
def wake(block: NonLocalBlock | CGNLBlock, found: Tensor, gain: float) -> None:
    """Let a started block add ``gain`` times the deviation of its input (K, C) from the first step.

    An NL block starts as non-local means: g and W_z lead into theta's directions and back, so that
    what it adds is the features of similar positions. In a CGNL block g is phi, so that a group's
    scalar is positive, and W_z is what predicts its channels best from its thetas.
    """
    block.norm.weight.fill_(gain * found.std())
    weight = block.projection.theta.weight.flatten(1)
    if isinstance(block, CGNLBlock):
        block.projection.g.weight.copy_(block.projection.phi.weight)
        groups = block.spec.groups
        theta, wanted = found @ weight.T, found - found.mean(0)
        solved = [
            torch.linalg.lstsq(inside, outside).solution.T
            for inside, outside in zip(theta.chunk(groups, 1), wanted.chunk(groups, 1), strict=True)
        ]
        block.expand.weight.copy_(torch.cat(solved)[:, :, None, None])
        return
    directions = F.normalize(weight, dim=1)
    block.projection.g.weight.copy_(directions[:, :, None, None])
    if block.projection.g.bias is not None:
        block.projection.g.bias.copy_(-directions @ found.mean(0))
    block.expand.weight.copy_(directions.T[:, :, None, None])


@torch.no_grad()
def settle(network: EfficientNetLite, features: Features) -> None:
    """Give the blocks' batch norms the statistics of random views."""
    norms = [m for m in network.blocks.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.blocks.train()
    chosen = torch.linspace(0, len(features.values) - 1, 4 * BATCH).long().unique()
    for part in chosen.split(BATCH):
        through_blocks(network, features, part.numpy())
    network.eval()
    for norm in norms:
        norm.momentum = 0.1


def through_blocks(network: EfficientNetLite, features: Features, chosen: np.ndarray) -> None:
    """Run what stands behind the cached unit up to the last block, its own block first."""
    x, frames = features.batch(chosen), features.frames
    x = at_block(network, x, features.depth, frames)
    network.run_units(x, frames, features.depth + 1, network.places[-1].unit)


def at_block(network: EfficientNetLite, x: Tensor, depth: int, frames: int) -> Tensor:
    """Pass (B*T, C, h, w) through the block right after unit ``depth``, where there is one."""
    if network.places and network.places[0].unit == depth:
        return fold_time(network.block_at(network.places[0])(unfold_time(x, frames)))
    return x


def erase(x: Tensor, share: float, draw: torch.Generator) -> Tensor:
    """Replace a rectangle of 2 to 6 of 14 cells a side by the mean feature in a share of views."""
    count, _channels, rows, cols = x.shape
    hole = torch.zeros(count, 1, rows, cols, dtype=torch.bool)
    for index in (torch.rand(count, generator=draw) < share).nonzero().flatten().tolist():
        high, wide = (int(n * (0.14 + 0.29 * torch.rand(1, generator=draw))) for n in (rows, cols))
        top = int(torch.randint(rows - high + 1, (1,), generator=draw))
        left = int(torch.randint(cols - wide + 1, (1,), generator=draw))
        hole[index, 0, top : top + high, left : left + wide] = True
    return torch.where(hole, x.mean((2, 3), keepdim=True), x)


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy against probabilities (B, classes)."""
    return -(target * F.log_softmax(logits, 1)).sum(1).mean()


def follow_loss(
    block: NonLocalBlock | CGNLBlock, clips: Tensor, references: Tensor, matches: Tensor
) -> Tensor:
    """Return how badly theta . phi finds a reference's match among the cells of each other frame.

    clips (B, C, T, h, w); references (B, R); matches (B, R, T), below 0 where there is none.
    """
    projected = block.projection(clips)
    if isinstance(block, NonLocalBlock):
        theta, phi = projected.queries, projected.keys
    else:
        theta, phi = (part.flatten(2).transpose(1, 2) for part in projected[:2])
    frames, cells = clips.shape[2], clips.shape[3] * clips.shape[4]
    asked = theta.gather(1, references[..., None].expand(-1, -1, theta.shape[2]))
    logits = (asked @ phi.transpose(1, 2)).unflatten(2, (frames, cells))
    scaled = logits * (FOLLOW_DEVIATION / logits.detach().std())
    own_frame = references[..., None] // cells == torch.arange(frames)
    wanted = matches.masked_fill(own_frame, -1)
    return F.cross_entropy(scaled.flatten(0, 2), wanted.flatten(), ignore_index=-1)
