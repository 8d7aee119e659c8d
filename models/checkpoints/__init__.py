"""Weight files of every published family: read safely, recognised, verified, loaded whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.build import build
from models.checkpoints import own
from models.checkpoints.adapt import understand
from models.checkpoints.containers.read import WEIGHTS, read
from models.checkpoints.fill import fill
from models.loaded import LoadedModel
from models.report import Report
from models.specs.network import NetworkSpec

NO_ANSWERS: Mapping[str, str] = {}
Publishers = Callable[[str], Mapping[str, str]]
"""Takes the sha256 of a file and returns what its publisher says of it, as answers."""


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
) -> LoadedModel:
    """Load a checkpoint of any family, fully or not at all.

    CheckpointError says in one line what is wrong; UndecidedError what has to be answered.
    """
    if own.is_own(path):
        return own.load(path, model_id)
    raw = read(path, answers.get(WEIGHTS))
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
    path: Path, answers: Mapping[str, str] = NO_ANSWERS, publishers: Publishers = unpublished
) -> Inspection:
    """Return what ``load`` would load, every key verified."""
    if own.is_own(path):
        header, report = own.inspect(path)
        return Inspection(header.spec, report, header.class_names)
    raw = read(path, answers.get(WEIGHTS))
    understood = understand(raw, answers, publishers(raw.sha256))
    return Inspection(understood.spec, understood.report, understood.class_names)
