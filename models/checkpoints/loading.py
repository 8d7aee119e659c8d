"""A weight file of any published family, from its bytes to a network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.build import build
from models.checkpoints import own
from models.checkpoints.adapt import understand
from models.checkpoints.containers.read import WEIGHTS, RawCheckpoint, read
from models.checkpoints.fill import fill
from models.loaded import LoadedModel
from models.report import Report
from models.specs.network import NetworkSpec

NO_ANSWERS: Mapping[str, str] = {}
Publishers = Callable[[str], Mapping[str, str]]
"""Takes the sha256 of a file and returns what its publisher says of it, as answers."""
Read = Callable[[Path, str | None], RawCheckpoint]
"""Takes a path, and which of several state dicts in the file is meant; reads the file."""


def unpublished(_sha256: str) -> Mapping[str, str]:
    """Return what is known of a file that nobody publishes: nothing."""
    return NO_ANSWERS


@dataclass(frozen=True)
class Inspection:
    """What a checkpoint is, without a network made of it."""

    spec: NetworkSpec
    report: Report
    class_names: tuple[str, ...]


def load(
    path: Path,
    answers: Mapping[str, str] = NO_ANSWERS,
    model_id: str | None = None,
    publishers: Publishers = unpublished,
    reader: Read = read,
) -> LoadedModel:
    """Load a checkpoint of any family, fully or not at all.

    CheckpointError says in one line what is wrong; UndecidedError what has to be answered.
    """
    raw = reader(path, answers.get(WEIGHTS))
    if own.is_own(raw):
        return own.loaded(raw, model_id)
    understood = understand(raw, answers, publishers(raw.sha256))
    network = build(understood.spec)
    fill(network, understood.tensors, raw.name)
    return LoadedModel(
        model_id or raw.name.partition(".")[0],
        understood.spec,
        network,
        understood.class_names,
        raw.sha256,
        understood.report,
    )


def inspect(
    path: Path,
    answers: Mapping[str, str] = NO_ANSWERS,
    publishers: Publishers = unpublished,
    reader: Read = read,
) -> Inspection:
    """Return what ``load`` would load, every key verified."""
    raw = reader(path, answers.get(WEIGHTS))
    if own.is_own(raw):
        header, report = own.inspected(raw)
        return Inspection(header.spec, report, header.class_names)
    understood = understand(raw, answers, publishers(raw.sha256))
    return Inspection(understood.spec, understood.report, understood.class_names)
