"""What can be loaded: bundled networks, published ones, and any checkpoint by its path."""

import os.path
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from errors import CheckpointError, MachineError, OutsideError
from models import checkpoints, devices
from models.build import build
from models.checkpoints import own
from models.checkpoints.fill import fill
from models.loaded import LoadedModel
from models.specs.block import NonLocalSpec
from models.specs.detection import RCNNSpec
from models.specs.network import ModelSpec, NetworkSpec
from models.zoo import cache, published
from models.zoo.download import Progress, fetch, nobody
from models.zoo.published_detectors import WITH_BLOCK
from models.zoo.published_images import TORCHVISION
from models.zoo.published_row import Published
from models.zoo.wrapped.libraries import registry
from models.zoo.wrapped.libraries.names import is_library_name

WEIGHTS = Path(__file__).parents[1] / "weights"
SUFFIXES = (".safetensors", ".pth", ".pt", ".tar", ".pyth", ".pkl", ".ckpt", ".bin")
"""Endings of checkpoint files; what they hold is read from their content."""
NO_ANSWERS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue.

    ``spec`` is None while a published network is not on this machine; ``problem`` says why an
    entry is unusable, if it is.
    """

    id: str
    title: str
    source: str
    spec: NetworkSpec | None
    problem: str = ""


_GAUSSIAN, _NL = "-gaussian", "-nl"
_TRUNKS = {
    row.id: ModelSpec(depth=depth, num_classes=1000)
    for row, depth in zip(TORCHVISION, (50, 101, 152), strict=True)
}


_BLOCKED = {f"{row.id}{_GAUSSIAN}": row for row in TORCHVISION} | {
    f"{row.id}{_NL}": row for row in WITH_BLOCK
}
"""Networks that are a published one with a fresh block, which changes no bit of its answers."""
_FRESH = "Gaussian NL (similarity of its own features; nothing trained)"


def _with_gaussian(spec: NetworkSpec) -> NetworkSpec:
    """Return a trunk, or a detector's, with a block that compares its features as they are."""
    if isinstance(spec, RCNNSpec):
        return replace(spec, trunk=_with_gaussian(spec.trunk))
    return replace(spec, block=NonLocalSpec(function="gaussian"), placement="1")


def bundled(folder: Path | None = None) -> list[Entry]:
    """Return the weight files in ``folder``, damaged and foreign ones with their problem."""
    entries = []
    for path in sorted((folder or WEIGHTS).glob("*.safetensors")):
        try:
            header = own.read_header(path)
            entries.append(Entry(path.stem, header.title, "bundled", header.spec))
        except CheckpointError as problem:
            entries.append(Entry(path.stem, "unusable file", "bundled", None, str(problem)))
    return entries


def entries() -> list[Entry]:
    """Return everything that ``load`` knows by name."""
    listed = bundled()
    for row in published.PUBLISHED:
        listed.append(Entry(row.id, row.title, _source(row), spec_of(row)))
        listed += [_blocked(name, row) for name, one in _BLOCKED.items() if one.id == row.id]
    return listed


def _blocked(name: str, row: Published) -> Entry:
    spec = spec_of(row)
    blocked = None if spec is None else _with_gaussian(spec)
    return Entry(name, f"{row.title}, {_FRESH}", _source(row), blocked)


def _source(row: Published) -> str:
    return (
        f"{row.family}, {'on this machine' if cache.is_cached(row) else 'downloaded on first use'}"
    )


def spec_of(row: Published) -> NetworkSpec | None:
    """Return the spec of a published network where it can be had without its file."""
    return _TRUNKS.get(row.id) or cache.spec_of(row)


def load(
    name: str,
    device: str | torch.device | None = None,
    answers: Mapping[str, str] = NO_ANSWERS,
    progress: Progress = nobody,
) -> LoadedModel:
    """Load a network by catalogue id or by the path of a checkpoint.

    Published networks are downloaded on first use, with ``progress``. ``answers`` are what a
    checkpoint does not show (``checkpoints.load``). The network goes to ``device``, else to the one
    that the process uses (``models.devices``).
    """
    return ready(_find(name, answers, progress), device)


def ready(model: LoadedModel, device: str | torch.device | None = None) -> LoadedModel:
    """Put a network on ``device``, else on the one that the process uses, laid out as is fast."""
    devices.moved(model.network, devices.found(None if device is None else str(device)))
    # Convolutions run faster with channels innermost, on CPUs and GPUs alike.
    for module in model.network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
        elif isinstance(module, nn.Conv3d):
            module.to(memory_format=torch.channels_last_3d)
    return model


def _find(name: str, answers: Mapping[str, str], progress: Progress) -> LoadedModel:
    if is_library_name(name):
        return registry.load(name, answers)
    if name in {entry.id for entry in bundled()}:
        return checkpoints.load(WEIGHTS / f"{name}.safetensors", model_id=name)
    rows = {row.id: row for row in published.PUBLISHED}
    if name in rows:
        return _published(rows[name], answers, progress)
    if name in _BLOCKED:
        return _gaussian(_published(rows[_BLOCKED[name].id], answers, progress), name)
    if Path(name).suffix in SUFFIXES or os.path.isfile(name):  # noqa: PTH113 (never raises)
        return checkpoints.load(Path(name), answers, publishers=published.told_of)
    listed = ", ".join(entry.id for entry in usable(bundled()))
    raise OutsideError(
        f"{name[:120]!r} is not a network; use one of {listed}, "
        f"{', '.join(_TRUNKS)}, another name that `python -m viz models` lists, timm:NAME, "
        f"torchvision:NAME, hf:ORG/NAME, or the path of a checkpoint ({', '.join(SUFFIXES)})."
    )


def _published(row: Published, answers: Mapping[str, str], progress: Progress) -> LoadedModel:
    model = checkpoints.load(_fetched(row, progress), answers, row.id, lambda _sha256: row.told)
    cache.note_spec(row, model.spec)
    return model


def _fetched(row: Published, progress: Progress) -> Path:
    try:
        return fetch(row, progress)
    except MachineError as problem:
        names = ", ".join(entry.id for entry in usable(bundled()))
        raise MachineError(f"{problem} Bundled networks need no download: {names}.") from problem


def _gaussian(trunk: LoadedModel, name: str) -> LoadedModel:
    spec = _with_gaussian(trunk.spec)
    network = build(spec)
    state = trunk.network.state_dict()
    load_trunk(network, state)
    return LoadedModel(name, spec, network, trunk.class_names, trunk.sha256, trunk.report)


def load_trunk(network: torch.nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Fill the trunk from a torchvision state dict; attention blocks stay as they are."""
    blocks = {k: v for k, v in network.state_dict().items() if ".blocks." in f".{k}"}
    fill(
        network,
        {k: v for k, v in (*state.items(), *blocks.items()) if "num_batches_tracked" not in k},
        "torchvision weights",
    )


def usable(entries: list[Entry]) -> list[Entry]:
    """Return the entries without a problem."""
    return [entry for entry in entries if not entry.problem]
