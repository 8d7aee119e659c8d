"""Print what networks on the EfficientNet-Lite trunk know and what their maps find.

    python -m scripts.evaluation.evaluate_networks birds e2-birds-nl --birds DIR \
        --annotations DIR --frames DIR
    python -m scripts.evaluation.evaluate_networks imagenet e2-nl --photos DIR
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.blocks.cgnl_block import CGNLBlock
from models.build import Network
from models.loaded import LoadedModel
from models.zoo import catalogue
from scripts.evaluation.bird_maps import PartLifts, map_of, positions
from scripts.evaluation.taps import normalised, resized, tap, whole
from scripts.training.bird_data import Birds, load_birds, load_parts
from scripts.training.lite.cache_features import HELD_OUT_EVERY, full_trunk
from viz.evaluation.answers.ablation import BlockRemoved
from viz.evaluation.clusters import agreement, kmeans
from viz.evaluation.coverage import mass_in_box

BATCH = 32
PARTS_EVERY, CLUSTERS_EVERY = 8, 4
FRAMES_SIZE = 448


@dataclass(frozen=True)
class Frame:
    """A whole photograph with one bird: pixels, class, box and parts in [0, 1] of the picture."""

    pixels: np.ndarray
    label: int
    box: tuple[float, float, float, float]
    parts: list[tuple[int, float, float]]


def crops_as_input(birds: Birds, model: LoadedModel, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of squashed crops as input (B, 3, 1, size, size), and their labels."""
    for at in range(0, len(birds.images), BATCH):
        frames = birds.images[at : at + BATCH].permute(0, 2, 3, 1)
        pixels = resized(frames, size, size)
        clips = normalised(pixels, model.spec.preprocessing).squeeze(0).transpose(0, 1)
        yield clips.unsqueeze(2), birds.labels[at : at + BATCH]


@torch.no_grad()
def top_1(network: Network, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
    """Return the share of right answers in percent."""
    hits = total = 0
    for clips, labels in batches:
        hits += (network(clips).argmax(1) == labels).sum().item()
        total += len(labels)
    return 100 * hits / total


def load_frames(folder: Path, annotations: Path, names: list[str], held_out: bool) -> list[Frame]:
    """Read CUB's whole frames of the official test (or training) split that are at hand and show a
    species of ``names``."""
    split, boxes, parts = _annotations(annotations)
    frames = []
    for line in (folder / "images.txt").read_text().splitlines():
        key, path = line.split()
        name = path.split("/")[0].split(".")[1].replace("_", " ")
        if split[int(key)] == held_out or name not in names:
            continue
        with Image.open(folder / path) as picture:
            pixels = np.asarray(picture.convert("RGB")).copy()
        high, wide = pixels.shape[:2]
        x, y, width, height = boxes[int(key)]
        visible = [
            (part, u / wide, v / high)
            for part, u, v in parts[int(key)]
            if 0 <= u < wide and 0 <= v < high
        ]
        box = (x / wide, y / high, (x + width) / wide, (y + height) / high)
        frames.append(Frame(pixels, names.index(name), box, visible))
    return frames


def _annotations(folder: Path) -> tuple[dict, dict, dict]:
    def rows(name: str) -> list[list[str]]:
        return [line.split() for line in (folder / name).read_text().splitlines()]

    split = {int(key): value == "1" for key, value in rows("train_test_split.txt")}
    boxes = {int(key): tuple(map(float, box)) for key, *box in rows("bounding_boxes.txt")}
    parts: dict[int, list] = {key: [] for key in split}
    for key, part, x, y, visible in rows("parts/part_locs.txt"):
        if visible == "1":
            parts[int(key)].append((int(part), float(x), float(y)))
    return split, boxes, parts


@torch.no_grad()
def report_birds(model: LoadedModel, args: argparse.Namespace) -> None:
    """Print accuracies and map figures of a network of birds."""
    birds = load_birds(args.birds, args.annotations, 227, train=False)
    names = [name.replace("_", " ") for name in birds.names]
    frames = load_frames(args.frames, args.annotations, names, held_out=True)
    network = model.network
    for what, removed in (("", nullcontext()), (", block removed", BlockRemoved(network))):
        if what and not network.places:
            continue
        with removed:
            if not args.no_crops:
                found = top_1(network, crops_as_input(birds, model, args.size))
                print(f"  top-1, {len(birds.images)} test crops{what}: {found:.1f} %", flush=True)
            batches = (
                (whole(torch.from_numpy(f.pixels)[None], model.spec.preprocessing, FRAMES_SIZE),
                 torch.tensor([f.label]))
                for f in frames
            )  # fmt: skip
            found = top_1(network, batches)
            print(
                f"  top-1, {len(frames)} whole test frames at {FRAMES_SIZE} px{what}: {found:.1f} %"
            )
    if network.places:
        _maps_of_crops(model, birds, args)
        _maps_of_frames(model, frames)


def _maps_of_crops(model: LoadedModel, birds: Birds, args: argparse.Namespace) -> None:
    lifts, parts = PartLifts(), load_parts(args.annotations, birds.ids)
    for index in range(0, len(birds.images), PARTS_EVERY):
        pixels = resized(birds.images[index].permute(1, 2, 0)[None], args.size, args.size)
        _logits, found = tap(model.network, normalised(pixels, model.spec.preprocessing))
        lifts.add(found, parts[birds.ids[index]])
    print("\n".join(f"  {line}" for line in lifts.lines()), flush=True)
    if isinstance(model.network.block_at(model.network.places[-1]), CGNLBlock):
        _clusters(model, birds, parts, args.size)


def _clusters(model: LoadedModel, birds: Birds, parts: dict, size: int) -> None:
    """Print how well k-means on theta of a CGNL block tells the parts apart."""
    vectors, numbers, cells = [], [], []
    for index in range(0, len(birds.images), CLUSTERS_EVERY):
        visible = parts[birds.ids[index]]
        if not visible:
            continue
        pixels = resized(birds.images[index].permute(1, 2, 0)[None], size, size)
        _logits, found = tap(model.network, normalised(pixels, model.spec.preprocessing))
        theta = found.channels()[0].T
        cells.append(theta)
        vectors.append(theta[positions(visible, found.grid)])
        numbers += [number for number, _u, _v in visible]
    held, all_cells = torch.cat(vectors), torch.cat(cells)
    for count in (8, 16):
        centroids = kmeans(all_cells[:: max(1, len(all_cells) // 40_000)], count, seed=0)
        found = (torch.nn.functional.normalize(held, dim=1) @ centroids.T).argmax(1)
        nmi, ari = agreement(torch.tensor(numbers), found)
        print(f"  CGNL theta as {count} parts: NMI {nmi:.1f}, ARI {ari:.1f}", flush=True)


def _maps_of_frames(model: LoadedModel, frames: list[Frame]) -> None:
    ratios, lifts, boxes = [], PartLifts(), [frame.box for frame in frames]
    for frame in frames:
        clip = whole(torch.from_numpy(frame.pixels)[None], model.spec.preprocessing, FRAMES_SIZE)
        _logits, found = tap(model.network, clip)
        lifts.add(found, frame.parts)
        ratios += [
            mass_in_box(map_of(found, position), found.grid, frame.box)
            for position in positions(frame.parts, found.grid).tolist()
        ]
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
    print(
        f"  whole frames: positive mass in the bird's box over its area {np.mean(ratios):.2f} "
        f"(all of it would be {np.mean(1 / np.array(areas)):.2f})"
    )
    print("\n".join(f"  whole frames: {line}" for line in lifts.lines()), flush=True)


@torch.no_grad()
def report_imagenet(model: LoadedModel, args: argparse.Namespace) -> None:
    """Print how often a network answers as its trunk does, and as the photographs' folder says."""
    trunk = full_trunk()
    photos = sorted(args.photos.glob("*.jpg"))
    answers: dict[str, list[int]] = {"trunk": [], "network": [], "block removed": []}
    labels = list(range(0, len(photos), HELD_OUT_EVERY))
    for label in labels:
        with Image.open(photos[label]) as picture:
            pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy())[None]
        clip = whole(pixels, model.spec.preprocessing, args.size)
        answers["trunk"].append(trunk(clip)[0].argmax().item())
        answers["network"].append(model.network(clip)[0].argmax().item())
        with BlockRemoved(model.network):
            answers["block removed"].append(model.network(clip)[0].argmax().item())
    for name, found in answers.items():
        same = np.mean(np.array(found) == answers["trunk"])
        right = np.mean(np.array(found) == labels)
        print(
            f"  {name}: the trunk's answer on {100 * same:.1f} %, the photograph's class on "
            f"{100 * right:.1f} % of {len(labels)} held-out photographs",
            flush=True,
        )


REPORTS: dict[str, Callable[[LoadedModel, argparse.Namespace], None]] = {
    "birds": report_birds,
    "imagenet": report_imagenet,
}


def main() -> None:
    """Evaluate each network named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=sorted(REPORTS))
    parser.add_argument("models", nargs="+", help="catalogue ids or .safetensors paths")
    parser.add_argument("--birds", type=Path)
    parser.add_argument("--annotations", type=Path)
    parser.add_argument("--frames", type=Path, help="folder of CUB's whole frames with images.txt")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument(
        "--no-crops", action="store_true", help="leave out top-1 on crops, which training prints"
    )
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for name in args.models:
        model = catalogue.load(name, "cpu")
        print(f"\n{model.id} at {args.size} px")
        REPORTS[args.what](model, args)


if __name__ == "__main__":
    main()
