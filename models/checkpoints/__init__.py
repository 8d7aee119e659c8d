"""Weight files of every published family: read safely, recognised, verified, loaded whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.build import build
from models.checkpoints import own
from models.checkpoints.adapt import Understood, understand
from models.checkpoints.containers.read import read
from models.checkpoints.fill import fill
from models.class_names import class_names
from models.loaded import LoadedModel
from models.report import Report
from models.specs.network import NetworkSpec

NO_ANSWERS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Inspection:
    """What a checkpoint is, without a network made of it."""

    spec: NetworkSpec
    report: Report
    class_names: tuple[str, ...]


def load(
    path: Path, answers: Mapping[str, str] = NO_ANSWERS, model_id: str | None = None
) -> LoadedModel:
    """Load a checkpoint of any family, fully or not at all.

    CheckpointError says in one line what is wrong; UndecidedError what has to be answered.
    """
    if own.is_own(path):
        return own.load(path, model_id)
    raw = read(path)
    understood = understand(raw, answers)
    network = build(understood.spec)
    fill(network, understood.tensors, raw.name)
    return LoadedModel(
        model_id or raw.name.partition(".")[0],
        understood.spec,
        network,
        _class_names(understood),
        raw.sha256,
        understood.report,
    )


def inspect(path: Path, answers: Mapping[str, str] = NO_ANSWERS) -> Inspection:
    """Return what ``load`` would load, every key verified."""
    if own.is_own(path):
        header, report = own.inspect(path)
        return Inspection(header.spec, report, header.class_names)
    understood = understand(read(path), answers)
    return Inspection(understood.spec, understood.report, _class_names(understood))


def _class_names(understood: Understood) -> tuple[str, ...]:
    listed = understood.family.class_names.get(understood.spec.num_classes)
    return class_names(listed) if listed else ()
