"""Training images in memory, random crops of whole batches, and the parts that birds are
annotated with."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

ANNOTATED_SIDE = 227
"""Side in pixels of the squashed bounding-box crops that the images folder holds."""


@dataclass(frozen=True, eq=False)
class Birds:
    """Bird crops: images (K, 3, S, S) uint8, labels (K,), CUB ids (K,), class names by label."""

    images: Tensor
    labels: Tensor
    ids: list[int]
    names: list[str]


@dataclass(frozen=True)
class CropSettings:
    """Random crops: side in pixels, least share of the area, colour jitter and part erasing."""

    side: int
    least_area: float = 0.25
    jitter: float = 0.3
    erase: float = 0.0


def _load_square(path: Path, side: int) -> Tensor:
    with Image.open(path) as picture:
        squashed = picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(squashed).copy()).permute(2, 0, 1)


def class_names(crops: Path) -> list[str]:
    """Return the species by label, as classes.txt lists them."""
    lines = (crops / "classes.txt").read_text().splitlines()
    return [line.split(", ", 1)[1].replace("_", " ") for line in lines if line]


def load_birds(crops: Path, annotations: Path, side: int, train: bool) -> Birds:
    """Read the official training or test crops, squashed to side x side."""
    split = dict(
        line.split() for line in (annotations / "train_test_split.txt").read_text().splitlines()
    )
    names = class_names(crops)
    label_of = {name: index for index, name in enumerate(names)}
    wanted = "1" if train else "0"
    with (crops / "derived_cub_ids.csv").open(newline="") as table:
        rows = [r for r in csv.DictReader(table) if split[r["cub_image_id"]] == wanted]
    images = torch.stack([_load_square(crops / "images" / r["path"], side) for r in rows])
    labels = torch.tensor([label_of[r["path"].split("/")[0].replace("_", " ")] for r in rows])
    return Birds(images, labels, [int(r["cub_image_id"]) for r in rows], names)


def load_parts(annotations: Path, ids: list[int]) -> dict[int, list[tuple[int, float, float]]]:
    """Return {CUB id: [(part, x, y)]} of visible parts, x and y in [0, 1) of the box."""
    boxes = {}
    for line in (annotations / "bounding_boxes.txt").read_text().splitlines():
        key, *box = line.split()
        boxes[int(key)] = tuple(map(float, box))
    wanted, parts = set(ids), {key: [] for key in ids}
    for line in (annotations / "parts" / "part_locs.txt").read_text().splitlines():
        key, part, x, y, visible = line.split()
        if visible == "1" and int(key) in wanted:
            left, top, width, height = boxes[int(key)]
            u, v = (float(x) - left) / width, (float(y) - top) / height
            if 0 <= u < 1 and 0 <= v < 1:
                parts[int(key)].append((int(part), u, v))
    return parts


def random_crops(images: Tensor, settings: CropSettings, draw: torch.Generator) -> Tensor:
    """Crop, flip and jitter a uint8 batch (B, 3, S, S): float32 (B, 3, side, side) in [0, 1].

    Crop area is uniform in [least_area, 1], aspect log-uniform in [3/4, 4/3], inside the image.
    """
    count = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=draw)

    root = uniform(settings.least_area, 1.0).sqrt()
    aspect = torch.exp(uniform(-1, 1) * np.log(4 / 3) / 2)
    wide, high = (root * aspect).clamp(max=1.0), (root / aspect).clamp(max=1.0)
    mirror = torch.where(torch.rand(count, generator=draw) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = wide * mirror, high
    theta[:, 0, 2], theta[:, 1, 2] = uniform(-1, 1) * (1 - wide), uniform(-1, 1) * (1 - high)
    grid = F.affine_grid(theta, [count, 3, settings.side, settings.side], align_corners=False)
    crops = F.grid_sample(
        images.float() / 255, grid, padding_mode="reflection", align_corners=False
    )
    crops = _jitter(crops, uniform, settings.jitter)
    return _erase(crops, settings.erase, draw) if settings.erase else crops


def _jitter(crops: Tensor, uniform: Callable[[float, float], Tensor], amount: float) -> Tensor:
    brightness, contrast, saturation = (
        uniform(1 - amount, 1 + amount).view(-1, 1, 1, 1) for _ in range(3)
    )
    crops = crops * brightness
    crops = (crops - crops.mean((1, 2, 3), keepdim=True)) * contrast + crops.mean(
        (1, 2, 3), keepdim=True
    )
    grey = crops.mean(1, keepdim=True)
    return ((crops - grey) * saturation + grey).clamp(0, 1)


def _erase(crops: Tensor, chance: float, draw: torch.Generator) -> Tensor:
    """Grey out one rectangle of 4 to 16 % of the area in a share of the crops."""
    side = crops.shape[-1]
    axis = (torch.arange(side) + 0.5) / side
    count = len(crops)
    size = 0.2 + 0.2 * torch.rand(count, 2, generator=draw)
    start = torch.rand(count, 2, generator=draw) * (1 - size)
    inside = (axis >= start[..., None]) & (axis < (start + size)[..., None])
    hole = inside[:, 0, :, None] & inside[:, 1, None, :]
    hole &= (torch.rand(count, generator=draw) < chance).view(-1, 1, 1)
    return torch.where(hole[:, None], crops.mean((2, 3), keepdim=True), crops)
