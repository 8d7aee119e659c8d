"""evaluate and export over a folder, against the forward passes alone; memory as pictures go by."""

import importlib.util
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from benchmarks.timing import in_turns, ratio
from models import devices
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing
from models.zoo import catalogue
from viz.attention import pipeline
from viz.datasets import export as exports
from viz.datasets.cluster import Cluster
from viz.datasets.read import read
from viz.datasets.sample import Dataset
from viz.evaluation import evaluate as evaluations
from viz.media import pictures

NETWORKS = ("e2-birds-nl", "e2-birds-cgnl")
PICTURES, SIDE, PARTS, ROUNDS = 48, 448, 8, 4
OF_LARGE = 16
"""Pictures that the papers' backbone goes over."""
MANY, TINY = 10_000, 64
"""Pictures of the run whose memory is looked at, and their side in pixels."""
SHARED = 16 * 12
"""Pictures that workers of a cluster share."""
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
        prepared = pipeline.prepare(model, pictures.load(sample.path)).tensor
        model.network(prepared.to(devices.of(model.network)))


def _fresh(run: Callable[[Path], object]) -> Callable[[], None]:
    """Return a run that writes to a folder of its own."""

    def fresh() -> None:
        with tempfile.TemporaryDirectory() as out:
            run(Path(out))

    return fresh


def rates(dataset: Dataset, model: LoadedModel) -> Iterator[str]:
    """Time evaluate and export against the forwards, in turns; medians of ratios with quartiles."""
    own = evaluations.Asked(MEASURES, ("map",))
    every = evaluations.Asked(MEASURES)
    runs: dict[str, Callable[[], object]] = {
        "forward": lambda: forwards(dataset, model),
        "evaluate the map": _fresh(lambda out: evaluations.evaluate(dataset, [model], out, own)),
        "evaluate with baselines": _fresh(
            lambda out: evaluations.evaluate(dataset, [model], out, every)
        ),
        "export maps": _fresh(lambda out: exports.export(dataset, model, out)),
    }
    device = devices.of(model.network).type
    times = in_turns(runs, ROUNDS, device=device)
    count = len(dataset.samples)
    yield (
        f"{model.id} on {device}, {count} pictures of {SIDE} px, {PARTS} parts each, "
        f"{1e3 * median(times['forward']) / count:.0f} ms to read, prepare and run one:"
    )
    for name in runs:
        if name != "forward":
            goal = " (goal >= 0.90)" if name in ("evaluate the map", "export maps") else ""
            rate = ratio(times, "forward", name)
            yield f"  {model.id}, {name}: rate over that of the forwards alone{goal} {rate}"


def _tiny() -> LoadedModel:
    """Return a network that takes a millisecond a picture, so that many go by."""
    small = Preprocessing(size=TINY, resize=TINY)
    spec = ModelSpec(18, 8, NonLocalSpec(), "1", num_classes=2, preprocessing=small)
    return LoadedModel("tiny", spec, build(spec).eval(), (), "")


def _large() -> LoadedModel:
    """Return the papers' backbone at their size, with weights drawn at random: what a picture costs
    beside its forward pass is the same for every network."""
    spec = ModelSpec(
        block=CGNLSpec(), placement="1", preprocessing=Preprocessing(size=SIDE, resize=SIDE)
    )
    network = build(spec).eval().to(memory_format=torch.channels_last)
    return LoadedModel("ResNet-50 with CGNL", spec, network, (), "")


def memory() -> str:
    """Return the memory of one export of MANY pictures after a tenth of them, and at its end."""
    held: dict[int, float] = {}

    def seen(done: int, _total: int) -> None:
        held[done] = _resident_mb()

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        dataset = many(Path(folder), MANY)
        began = time.perf_counter()
        exports.export(dataset, _tiny(), out, progress=seen)
        took = time.perf_counter() - began
    early = held[min(done for done in held if done >= MANY // 10)]
    return (
        f"one export of {MANY:,} pictures of {TINY} px with a tiny network: {early:.0f} MB held "
        f"after a tenth, {held[MANY]:.0f} MB at the end; {1e3 * took / MANY:.1f} ms a picture"
    )


def many(folder: Path, count: int) -> Dataset:
    """Return ``count`` pictures: names of one file."""
    first = folder / f"{0:06d}.png"
    pixels = np.random.default_rng(0).integers(0, 255, (TINY, TINY, 3), np.uint8)
    Image.fromarray(pixels).save(first)
    for k in range(1, count):
        os.link(first, folder / f"{k:06d}.png")
    return read(folder)


def _resident_mb() -> float:
    """Return what this process holds of the memory now (Linux); its highest elsewhere."""
    status = Path("/proc/self/statm")
    if status.is_file():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def workers(model: LoadedModel) -> Iterator[str]:
    """Yield how much faster two workers of an embedded Ray cluster are than one, each with one
    thread, from the first part to the last."""
    if importlib.util.find_spec("ray") is None:
        yield "Ray: not installed (pip install 'ray[data]')"
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            dataset = drawn(Path(folder), SHARED)
            one, two = (_parts_a_second(dataset, model, count) for count in (1, 2))
    finally:
        torch.set_num_threads(threads)
    yield (
        f"Ray, {SHARED} pictures, {os.cpu_count()} cores: two workers / one (goal >= 1.80 where "
        f"cores allow) {two / one:.2f}"
    )


def _parts_a_second(dataset: Dataset, model: LoadedModel, count: int) -> float:
    """Return the rate of an export, its start left out: parts after the first ``count``."""
    done: list[float] = []
    with tempfile.TemporaryDirectory() as out:
        runner = Cluster("auto", count, "cpu").run
        exports.export(
            dataset, model, out, None, lambda *_at: done.append(time.perf_counter()), runner
        )
    return (len(done) - count) / (done[-1] - done[count - 1])


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks datasets`` prints."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = drawn(Path(folder), PICTURES)
        for name in NETWORKS:
            for device in dict.fromkeys(("cpu", devices.there()[0])):
                yield from rates(dataset, catalogue.load(name, device))
        few = replace(dataset, samples=dataset.samples[:OF_LARGE])
        yield from rates(few, _large())
    yield memory()
    yield from workers(catalogue.load(NETWORKS[0], "cpu"))
