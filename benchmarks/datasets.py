"""evaluate and export over a folder, against the forward passes alone; memory as pictures go by."""

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from models.loaded import LoadedModel
from models.zoo import catalogue
from viz.attention import pipeline
from viz.datasets import export as exports
from viz.datasets.read import read
from viz.datasets.sample import Dataset
from viz.evaluation import evaluate as evaluations
from viz.media import pictures

NETWORKS = ("e2-birds-nl", "e2-birds-cgnl")
PICTURES, SIDE, PARTS, ROUNDS = 40, 448, 8, 3
FLAT = (32, 160)
"""Pictures of the two runs whose memory is compared."""
MEASURES = ("part coverage", "part coverage, equal area", "energy", "pointing game")


def drawn(folder: Path, count: int) -> Dataset:
    """Write pictures with points and boxes; return the data set."""
    draw = np.random.default_rng(0)
    points, boxes = ["image,name,x,y"], ["image,left,top,right,bottom"]
    for k in range(count):
        coarse = draw.integers(0, 255, (14, 14, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE)).save(folder / f"{k:05d}.jpg")
        points += [f"{k:05d},part {p},{x},{y}" for p, (x, y) in
                   enumerate(draw.integers(0, SIDE, (PARTS, 2)))]  # fmt: skip
        boxes.append(f"{k:05d},{SIDE // 4},{SIDE // 4},{3 * SIDE // 4},{3 * SIDE // 4}")
    (folder / "points.csv").write_text("\n".join(points))
    (folder / "boxes.csv").write_text("\n".join(boxes))
    return read(folder)


@torch.no_grad()
def forwards(dataset: Dataset, model: LoadedModel) -> None:
    """Decode, prepare and run the plain network on every picture, and do nothing else."""
    for sample in dataset.samples:
        model.network(pipeline.prepare(model, pictures.load(sample.path)).tensor)


def _seconds(run: Callable[[Path], object]) -> float:
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        run(Path(out))
        return time.perf_counter() - began


def rates(dataset: Dataset, model: LoadedModel) -> str:
    """Time evaluate and export against the forwards, in turns; ratios of medians, with spread."""
    own = evaluations.Asked(MEASURES, ("map",))
    every = evaluations.Asked(MEASURES)
    runs: dict[str, Callable[[Path], object]] = {
        "forward": lambda _out: forwards(dataset, model),
        "evaluate the map": lambda out: evaluations.evaluate(dataset, [model], out, own),
        "evaluate with baselines": lambda out: evaluations.evaluate(dataset, [model], out, every),
        "export maps": lambda out: exports.export(dataset, model, out),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            times[name].append(_seconds(run))
    base = median(times.pop("forward"))
    said = ", ".join(
        f"{name} {base / median(found):.2f} ({base / max(found):.2f} to {base / min(found):.2f})"
        for name, found in times.items()
    )
    return (
        f"{model.id}, {PICTURES} pictures of {SIDE} px, {PARTS} parts each: rate over that of the "
        f"forwards alone (goal >= 0.90): {said}; {1e3 * base / PICTURES:.0f} ms a forward"
    )


def memory(model: LoadedModel) -> str:
    """Return how the peak memory grows from a short run to a longer one in the same process."""
    peaks = []
    for count in FLAT:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
            exports.export(drawn(Path(folder), count), model, out)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return (
        f"export of {FLAT[1]} pictures after one of {FLAT[0]}: peak memory {peaks[0]:.0f} MB, then "
        f"{peaks[1]:.0f} MB"
    )


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks datasets`` prints."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = drawn(Path(folder), PICTURES)
        for name in NETWORKS:
            yield rates(dataset, catalogue.load(name, "cpu"))
    yield memory(catalogue.load(NETWORKS[0], "cpu"))
