"""Run the frozen units of the trunk once over every training view and keep what leaves them.

    python -m scripts.training.lite.cache_features birds --birds DIR --annotations DIR \
        --photos DIR --out DIR
    python -m scripts.training.lite.cache_features photos --photos DIR --out DIR

Each set becomes two arrays of float16, after unit 5 (stride 8) and after unit 10 (stride 16), and
one file of labels. An interrupted run goes on where it stopped.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.backbones.efficientnet_lite import EfficientNetLite
from models.build import build
from models.checkpoints.trunks import LITE2, trunk_tensors
from models.specs.network import LiteSpec
from scripts.training.bird_data import Birds, CropSettings, load_birds, random_crops
from scripts.training.lite.framings import BIRD_CLASSES, frame, load_aspects

SIDE, BATCH = 224, 32
DEPTHS = (5, 10)
TIGHT_VIEWS, FRAMED_VIEWS, PHOTO_VIEWS = 3, 2, 5
HELD_OUT_EVERY = 10
"""Every tenth photograph, and its class, is never trained on."""


@dataclass(frozen=True)
class View:
    """One picture of a set: its pixels are made when they are needed, from its own seed."""

    label: int
    draw: Callable[[np.random.Generator], np.ndarray]


def full_trunk() -> EfficientNetLite:
    """Return the ImageNet trunk, frozen, channels innermost."""
    network = build(LiteSpec())
    network.load_state_dict(trunk_tensors(LITE2), strict=False)
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


def as_input(pictures: Tensor, spec: LiteSpec) -> Tensor:
    """(B, 3, S, S) in [0, 1] -> normalised, channels innermost."""
    mean, std = (
        torch.tensor(v).view(3, 1, 1) for v in (spec.preprocessing.mean, spec.preprocessing.std)
    )
    return ((pictures - mean) / std).contiguous(memory_format=torch.channels_last)


def load_photo(path: Path) -> np.ndarray:
    """Return one photograph, (H, W, 3) uint8."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def tight(crop: np.ndarray) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a maker of random crops of one squashed crop."""
    return lambda draw: _random_crop(draw, crop, 0.45)


def _random_crop(draw: np.random.Generator, picture: np.ndarray, least: float) -> np.ndarray:
    torch_draw = torch.Generator().manual_seed(int(draw.integers(2**31)))
    images = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]
    crops = random_crops(images, CropSettings(SIDE, least, jitter=0.2), torch_draw)
    return (crops[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def squared(picture: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return the picture squashed to side x side, (side, side, 3) uint8."""
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


def central(photo: np.ndarray) -> np.ndarray:
    """Return the centre square at 256 / 224 of the side, as ImageNet is tested."""
    short = min(photo.shape[:2])
    cut = round(short * SIDE / 256)
    top, left = (photo.shape[0] - cut) // 2, (photo.shape[1] - cut) // 2
    return squared(photo[top : top + cut, left : left + cut])


def _pixels(birds: Birds) -> np.ndarray:
    return birds.images.permute(0, 2, 3, 1).numpy()


def bird_views(args: argparse.Namespace, train: bool) -> list[View]:
    """Return the views of the training crops (tight, framed, plain), or the plain test crops."""
    birds = load_birds(args.birds, args.annotations, 227, train=train)
    crops, labels = _pixels(birds), birds.labels.tolist()
    plain = [View(y, lambda _draw, x=x: squared(x)) for x, y in zip(crops, labels, strict=True)]
    if not train:
        return plain
    aspects = load_aspects(args.annotations)
    backgrounds = [
        load_photo(path)
        for index, path in enumerate(sorted(args.photos.glob("*.jpg")))
        if index not in BIRD_CLASSES and index % HELD_OUT_EVERY
    ]

    def framed(crop: np.ndarray, aspect: float) -> Callable[[np.random.Generator], np.ndarray]:
        def make(draw: np.random.Generator) -> np.ndarray:
            background = backgrounds[int(draw.integers(len(backgrounds)))]
            picture = frame(draw, crop, aspect, background, SIDE).picture
            return _random_crop(draw, picture, 1.0)

        return make

    rounds = [[View(y, tight(x)) for x, y in zip(crops, labels, strict=True)]] * TIGHT_VIEWS
    rows = list(zip(crops, labels, birds.ids, strict=True))
    rounds += [[View(y, framed(x, aspects[key])) for x, y, key in rows]] * FRAMED_VIEWS
    return plain + [view for views in rounds for view in views]


def photo_views(args: argparse.Namespace, train: bool) -> list[View]:
    """Return random crops of nine photographs in ten, or the centres of the others."""
    views = []
    for index, path in enumerate(sorted(args.photos.glob("*.jpg"))):
        if (index % HELD_OUT_EVERY == 0) == train:
            continue
        if train:
            crop = lambda draw, path=path: _random_crop(draw, load_photo(path), 0.25)  # noqa: E731
            views += [View(index, crop)] * PHOTO_VIEWS
        else:
            views.append(View(index, lambda _draw, path=path: central(load_photo(path))))
    return views


@torch.no_grad()
def run(network: EfficientNetLite, pictures: np.ndarray) -> Iterator[Tensor]:
    """Return what leaves each of DEPTHS for (B, S, S, 3) uint8, one after the other."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    x, first = network.run_stem(as_input(pixels, network.spec)), 0
    for last in DEPTHS:
        x = network.run_units(x, 1, first, last)
        first = last + 1
        yield x


def cache(name: str, views: list[View], folder: Path) -> None:
    """Write the features of every view; ``done`` counts what is already on disk."""
    network = full_trunk()
    shapes = {5: (48, SIDE // 8, SIDE // 8), 10: (88, SIDE // 16, SIDE // 16)}
    note = folder / f"{name}.json"
    done = json.loads(note.read_text())["done"] if note.exists() else 0
    arrays = {
        depth: np.lib.format.open_memmap(
            folder / f"{name}.unit{depth}.npy",
            "r+" if done else "w+",
            np.float16,
            (len(views), *shapes[depth]),
        )
        for depth in DEPTHS
    }
    while done < len(views):
        batch = views[done : done + BATCH]
        pictures = [
            v.draw(np.random.default_rng((k, len(views)))) for k, v in enumerate(batch, done)
        ]
        for depth, features in zip(DEPTHS, run(network, np.stack(pictures)), strict=True):
            arrays[depth][done : done + len(batch)] = features.half().numpy()
        done += len(batch)
        if done % (BATCH * 16) == 0 or done == len(views):
            for array in arrays.values():
                array.flush()
            state = {"done": done, "labels": [view.label for view in views]}
            note.write_text(json.dumps(state))
            print(f"{name} {done}/{len(views)}", flush=True)


def main() -> None:
    """Cache the training and the held-out views of one data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=("birds", "photos"))
    parser.add_argument("--birds", type=Path, help="folder of the crops")
    parser.add_argument("--annotations", type=Path, help="folder of CUB's text files")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    views = bird_views if args.data == "birds" else photo_views
    for train in (True, False):
        cache(f"{args.data}-{'train' if train else 'test'}", views(args, train), args.out)


if __name__ == "__main__":
    main()
