"""Networks, maps and measures over a data set -> a row for every case.

    from viz.evaluation.evaluate import Asked, evaluate
    found = evaluate(read("birds"), [viz.load("e2-nl"), viz.load("e2-cgnl")], "out")
    print(found.summary[0])

Written to ``out``: cases.parquet and cases.csv (every case), summary.csv (means with 95 % bootstrap
intervals over pictures), differences.csv (paired), manifest.json; and run.json with parts/, from
which a run that was stopped goes on.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import torch
from torch import Tensor

from errors import InputError
from models.loaded import LoadedModel
from viz.attention.hooks import listening
from viz.attention.kinds.kind import AT_ONCE
from viz.attention.kinds.positions import spread
from viz.attention.kinds.registry import kind_of
from viz.attention.queries import block_of
from viz.datasets import shards
from viz.datasets.passes import Networks, Passed
from viz.datasets.sample import Dataset, Sample
from viz.datasets.shards import Job, Progress, Row, Runner, Turn, Work, in_this_process
from viz.evaluation import block_statistics, clusters, measures
from viz.evaluation.answers import found_objects
from viz.evaluation.answers.ablation import BlockRemoved, removable
from viz.evaluation.measures import OF_ANSWERS, OF_PAIRS, OF_PARTS, Cases, Cut
from viz.evaluation.report import definitions, summary
from viz.evaluation.sources import SOURCES, seen_as
from viz.evaluation.subject import MIDDLE, Subject
from viz.geometry import Mode

VERSION = 2
SCHEMA = pa.schema(
    [
        ("picture", pa.string()),
        ("network", pa.string()),
        ("map", pa.string()),
        ("reference", pa.string()),
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("measure", pa.string()),
        ("value", pa.float64()),
    ]
)
"""A case: x and y are the reference's, in pixels of the picture."""
Parts = Literal["groups", "channels"]
SAMPLED = 64
"""References that the average map of a group or head is taken over."""


@dataclass(frozen=True)
class Asked:
    """What is measured: ``maps`` are names of SOURCES, ``measured`` of measures.NAMES; ``block``
    None is the last one; ``mode`` and ``size`` (pixels) say how a picture becomes an input;
    ``threshold`` and ``area`` are those of measures.Cut, in (0, 1); ``parts`` says what is taken as
    the parts of an object: groups or heads, or every channel."""

    measured: tuple[str, ...] = measures.DEFAULT
    maps: tuple[str, ...] = tuple(SOURCES)
    block: str | None = None
    mode: Mode = "fit"
    size: int | None = None
    threshold: float = Cut().threshold
    area: float = Cut().area
    parts: Parts = "groups"

    def __post_init__(self) -> None:
        if self.parts not in get_args(Parts):
            raise InputError(f"{self.parts[:40]!r} are no parts; give groups or channels.")
        for name in Cut._fields:
            value = getattr(self, name)
            if not 0 < value < 1:
                raise InputError(f"{name} {value:g} is out of range; give one between 0 and 1.")
        for given, known, what in (
            (self.measured, measures.NAMES, "measure"),
            (self.maps, tuple(SOURCES), "map to measure"),
        ):
            if not given:
                raise InputError(
                    f"No {what} was asked for; give one or more of {', '.join(known)}."
                )
            wrong = [one for one in given if one not in known]
            if wrong:
                raise InputError(f"{wrong[0][:40]!r} is not a {what}; use {', '.join(known)}.")


def evaluate(
    dataset: Dataset,
    models: Sequence[LoadedModel],
    out: str | Path,
    asked: Asked | None = None,
    progress: Progress | None = None,
    turn: Turn = nullcontext,
    runner: Runner = in_this_process,
) -> summary.Evaluation:
    """Measure every network on every picture, and write the tables to ``out``.

    ``turn`` stands around the work on each picture; ``runner`` says who does it, as in ``export``.
    A run that was stopped goes on where it was. InputError where nothing can be measured;
    MachineError where ``out`` cannot be written. Pictures that fail are listed in the manifest.
    """
    asked = asked or Asked()
    if not models:
        raise InputError("There is no network to evaluate; give one or more.")
    if len({model.id for model in models}) < len(models):
        raise InputError("A network is given twice; give each once.")
    settings = {
        "evaluate": VERSION,
        "networks": [[model.id, model.sha256] for model in models],
        **asdict(asked),
    }
    networks = Networks(tuple(models), asked.mode, asked.size)
    work = partial(_work, networks, asked)
    job = Job(settings, SCHEMA, work, networks.load, networks.models, networks.at_once, turn=turn)
    finished = shards.run(dataset.samples, Path(out), job, progress, runner)
    if len(finished.problems) == finished.pictures:
        raise InputError(f"Nothing could be measured: {finished.problems[0][1]}")
    found = summary.written(finished, Path(out))
    if not found.summary:
        why = "; ".join(definitions.unmeasured(asked.measured, found.measured))
        raise InputError(
            f"Nothing that was asked can be measured of these pictures: {why}. Give what is "
            "needed, or choose other measures."
        )
    return found


def rows_of(passed: Passed, models: Sequence[LoadedModel], asked: Asked, before: dict) -> list[Row]:
    """Return the rows of one picture; ``before`` holds each network's last Subject, and is given
    this one's."""
    found: list[Row] = []
    of_networks = zip(models, passed.inputs, passed.captures, strict=True)
    for model, model_input, capture in of_networks:
        block = block_of(capture, asked.block)
        subject = Subject(passed.sample, passed.clip, model, model_input, capture, block)
        found += [
            {"picture": passed.sample.name, "network": model.id, **row}
            for row in _rows(subject, before.get(model.id), asked)
        ]
        before[model.id] = subject
    return found


def _work(networks: Networks, asked: Asked) -> Work:
    """Return what makes the rows of one picture after the other of a batch."""
    before: dict[str, Subject] = {}

    def rows(_sample: Sample, passed: Passed) -> list[Row]:
        return rows_of(passed, networks.models, asked, before)

    return shards.one_by_one(rows, networks.passes)


def _rows(subject: Subject, last: Subject | None, asked: Asked) -> Iterator[Row]:
    yield from _of_maps(subject, asked)
    if set(asked.measured) & set(OF_PARTS):
        yield from _of_parts(subject, asked.parts)
    wanted = set(asked.measured) & set(block_statistics.NAMES)
    if wanted:
        for name, value in block_statistics.block_statistics(subject.block).items():
            if name in wanted:
                yield {"map": "block", "measure": name, "value": value}
    if last is not None and set(asked.measured) & set(OF_PAIRS):
        yield from _of_pair(last, subject)
    yield from found_objects.rows(subject, asked.maps, asked.measured)
    yield from _of_answers(subject, asked)


def _of_maps(subject: Subject, asked: Asked) -> Iterator[Row]:
    cut, every = Cut(asked.threshold, asked.area), subject.references
    for name in asked.maps:
        for first in range(0, len(every), AT_ONCE):
            some = every[first : first + AT_ONCE]
            made = SOURCES[name].make(subject, some)
            if made is None:
                break
            values, grid = made
            cases = Cases(subject, values.to(subject.device), grid, cut, first)
            found = measures.of_cases(cases, asked.measured)
            for reference, measured in zip(some, found, strict=True):
                at = {"map": name, "reference": reference.name}
                at |= {"x": reference.at[0], "y": reference.at[1]}
                for measure, value in measured.items():
                    yield {**at, "measure": measure, "value": value}


def _part_maps(subject: Subject, parts: Parts, cells: int) -> Tensor | None:
    """Return what K parts look at in one frame, (K, N) in [0, 1]; None for fewer than two."""
    block, kind = subject.block, kind_of(subject.block)
    if parts == "channels":
        if "channel" not in kind.answering(block):
            return None
        sample = kind.strengths(block, "channel").unsqueeze(1)
    else:
        sample = kind.sample(block, SAMPLED)
        if sample.shape[-1] < cells:  # of one window
            sample = kind.whole_sample(block, spread(block.query_grid, SAMPLED))
    return clusters.part_maps(sample[:, :, :cells]) if len(sample) > 1 else None


def _of_parts(subject: Subject, parts: Parts) -> Iterator[Row]:
    """Yield in which of K parts each key point lies, the centroids, and where the points are.

    From these the measures over all pictures are made (``summary``). x and y in [0, 1] of the
    input, of one frame.
    """
    grid = subject.block.key_grid._replace(frames=1)
    maps = _part_maps(subject, parts, grid.cells)
    if maps is None or subject.references[:1] and subject.references[0].name == MIDDLE:
        return
    for number, (x, y) in enumerate(clusters.centroids(maps, grid.rows, grid.cols).tolist()):
        yield {"map": "parts", "reference": str(number), "x": x, "y": y, "measure": "centroid"}
    geometry = subject.capture.geometry
    scale = subject.object_size * geometry.resized_width / subject.clip.width
    for reference in subject.references:
        u, v = geometry.to_input(*reference.at)
        number = int(maps[:, subject.position(reference.at, grid)].argmax())
        at = {"x": u / geometry.input_width, "y": v / geometry.input_height}
        yield {
            "map": "parts",
            "reference": reference.name,
            **at,
            "measure": "part",
            "value": number,
        }
    yield {"map": "parts", "measure": "object size", "value": scale / geometry.input_width}


def _of_pair(first: Subject, second: Subject) -> Iterator[Row]:
    """Yield for each part that two pictures share whether its cosine match is correct."""
    one, other = (seen_as(subject, "features") for subject in (first, second))
    if one is None or other is None:
        return
    grid = other.key_grid._replace(frames=1)
    truth = {reference.name: reference for reference in second.references}
    for reference in first.references:
        if reference.name == MIDDLE or reference.name not in truth:
            continue
        query = one.features[reference.cell.position(one.query_grid)]
        row, col = divmod(int((other.features[: grid.cells] @ query).argmax()), grid.cols)
        at = second.capture.geometry.cell_centre(row, col, grid)
        wanted = truth[reference.name].at
        correct = clusters.is_correct_match(at, wanted, second.object_size)
        yield {"map": "cosine", "reference": reference.name, "x": at[0], "y": at[1],
               "measure": OF_PAIRS[0], "value": float(correct)}  # fmt: skip


def _of_answers(subject: Subject, asked: Asked) -> Iterator[Row]:
    """Yield whether the network is right, and whether it still is without its blocks."""
    if not (subject.predicts and set(asked.measured) & set(OF_ANSWERS)):
        return
    answers = {OF_ANSWERS[0]: int(subject.capture.logits.argmax())}
    values = {}
    if removable(subject.model.network):
        answers[OF_ANSWERS[1]] = _answer_without_block(subject)
        values[OF_ANSWERS[2]] = float(len(set(answers.values())) == 1)
    model, wanted = subject.model, subject.sample.class_name
    if any(_same_class(name, wanted) for name in model.class_names):
        for name, answer in answers.items():
            values[name] = float(_same_class(model.class_name(answer), wanted))
    for name in asked.measured:
        if name in values:
            yield {"map": "answer", "measure": name, "value": values[name]}


def _answer_without_block(subject: Subject) -> int:
    """Return the class that the network predicts with its blocks passing their input on."""
    network, weight = subject.model.network, next(subject.model.network.parameters())
    x = subject.model_input.tensor.to(weight.device, weight.dtype)
    with listening(subject.model, ()), BlockRemoved(network), torch.no_grad():
        return int(network(x)[0].argmax())


def _same_class(one: str, other: str) -> bool:
    """Tell whether two names of classes are the same but for numbers before them and signs."""
    return bool(one) and _plain(one) == _plain(other)


def _plain(name: str) -> str:
    number, dot, rest = name.partition(".")
    name = rest if dot and number.isdecimal() else name
    return name.replace("_", " ").replace("-", " ").strip().lower()
