"""``python -m viz evaluate``: measures of networks and maps over a data set."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from errors import InputError, counted
from models import devices
from viz.cli import models as models_command
from viz.cli.maps import show_frames
from viz.cli.options import from_here
from viz.datasets.cluster import Cluster
from viz.datasets.read import ACCEPTED, read
from viz.datasets.sample import Dataset
from viz.datasets.shards import Finished, Runner, in_this_process
from viz.evaluation import measures
from viz.evaluation.evaluate import Asked, Parts
from viz.evaluation.evaluate import evaluate as run
from viz.evaluation.measures import Cut
from viz.evaluation.report import definitions, extremes, plots
from viz.evaluation.report.summary import Line
from viz.evaluation.sources import SOURCES
from viz.geometry import MODES

_SHOWN = 5


def add_evaluate(command: argparse.ArgumentParser) -> None:
    """Add the options of ``evaluate``."""
    add_dataset(command)
    add = command.add_argument
    add("--measures", help=f"with commas between, or all: {', '.join(measures.NAMES)}")
    add("--threshold", type=float, default=Cut().threshold,
        help="of part coverage: lit from this value on, of a map scaled to 0 to 1")  # fmt: skip
    add("--area", type=float, default=Cut().area, help="share of cells at which areas are equal")
    add("--parts", choices=get_args(Parts), default="groups",
        help="what NMI, ARI and key point error take as parts")  # fmt: skip
    add("--maps", help=f"what is measured, with commas between: {', '.join(SOURCES)}")


def add_dataset(command: argparse.ArgumentParser) -> None:
    """Add the options of every command that goes through a data set with networks."""
    add = command.add_argument
    add("data", metavar="DATA", help=ACCEPTED)
    add("--model", action="append", required=True, type=from_here,
        help="name or checkpoint; may be repeated")  # fmt: skip
    models_command.add_answers(command)
    add("--out", type=place, required=True,
        help="folder to write to, or go on with; of export also s3://bucket/run")  # fmt: skip
    add("--annotations", action="append", default=[], metavar="PATH",
        help="CSV, JSON, CUB's folder or a folder of masks; may be repeated")  # fmt: skip
    add("--split", choices=("train", "test"), help="of CUB's; both when left out")
    add("--most", type=_count, help="that many pictures, evenly spaced")
    add("--block", help="block, e.g. res4.4; the last one when left out")
    add("--mode", choices=MODES, default="fit", help="whole picture, or test protocol")
    add("--size", type=int, help="input side in pixels; the network's own if left out")
    add("--ray", metavar="auto|ADDRESS",
        help="share the work on a Ray cluster: HOST:PORT, ray://HOST:PORT, or auto: the one this "
        "machine belongs to, else an embedded one")  # fmt: skip
    add("--workers", type=_count,
        help="processes on the cluster; one a GPU, else one a core, when left out")  # fmt: skip


def place(text: str) -> str | Path:
    """Return a URL as it is, a path as one."""
    return text if "://" in text else Path(text)


def _count(text: str) -> int:
    """Read a whole number above 0; ValueError else, which argparse reports."""
    if int(text) < 1:
        raise ValueError
    return int(text)


def runner_of(args: argparse.Namespace) -> Runner:
    """Return who does the work: this process, or a cluster."""
    if args.ray is None:
        if args.workers is not None:
            raise InputError("--workers goes with --ray; give --ray auto, or leave it out.")
        return in_this_process
    devices.use(devices.CPU)  # what is sent to workers is loaded here
    return Cluster(args.ray, args.workers, args.device).run


def dataset_of(args: argparse.Namespace) -> Dataset:
    """Read the data set that was asked for."""
    return read(args.data, args.annotations, args.split, args.most)


def show_pictures(name: str) -> Callable[[int, int], None]:
    """Return a progress that writes one moving line to stderr, where somebody can see it."""
    return show_frames(name, "picture")


def problems_of(dataset: Dataset, finished: Finished) -> list[str]:
    """Return lines of what could not be used."""
    lines = [f"{name}: {why}" for name, why in finished.problems[:_SHOWN]]
    if finished.problems:
        count = f"{len(finished.problems)} of {counted(finished.pictures, 'picture')} failed"
        lines = [f"{count}; all are in manifest.json:", *lines]
    return [*dataset.notes, *lines]


def asked(args: argparse.Namespace) -> Asked:
    """Return what is measured; InputError for what cannot be."""
    return Asked(
        _names(args.measures, measures.DEFAULT, measures.NAMES),
        _names(args.maps, tuple(SOURCES), tuple(SOURCES)),
        args.block,
        args.mode,
        args.size,
        args.threshold,
        args.area,
        args.parts,
    )


def evaluate(args: argparse.Namespace) -> list[str]:
    """Measure the networks; return the summary, and what was written."""
    wanted = asked(args)
    if not isinstance(args.out, Path):
        raise InputError(f"--out {args.out[:60]} is a URL; evaluate writes to a folder.")
    dataset, answers, runner = dataset_of(args), models_command.answers(args), runner_of(args)
    models = [models_command.load_answered(name, answers) for name in args.model]
    found = run(dataset, models, args.out, wanted, show_pictures("evaluate"), runner=runner)
    plots.write(found.summary, args.out / "summary.pdf")
    by_name = dict(zip(args.model, models, strict=True))
    view = {name: getattr(args, name) for name in ("block", "mode", "size")}
    pictures = extremes.write(found, dataset, by_name, args.out, view)
    files = ("cases.parquet", "cases.csv", "summary.csv", "differences.csv", "summary.pdf")
    lacking = definitions.unmeasured(wanted.measured, found.measured)
    return [
        *problems_of(dataset, found.finished),
        *map(_said, found.summary),
        *(f"not measured: {why}" for why in lacking),
        *(f"wrote {args.out / name}" for name in files),
        *(f"wrote {path}" for path in pictures),
    ]


def _said(line: Line) -> str:
    return str(line)


def _names(text: str | None, usual: tuple[str, ...], every: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a list. Names may hold a comma: the longest known one counts."""
    if text is None:
        return usual
    if text.strip() == "all":
        return every
    words, names = [word.strip() for word in text.split(",")], []
    while words:
        pair = ", ".join(words[:2])
        taken = 2 if len(words) > 1 and pair in every else 1
        names.append(", ".join(words[:taken]))
        words = words[taken:]
    return tuple(dict.fromkeys(names))
