"""This project's own weight files: .safetensors with the network's spec and class names in its
header."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from errors import CheckpointError, SpecError
from models.build import Network, build, outline
from models.checkpoints.containers import container_type
from models.checkpoints.fill import check_fit, fill
from models.loaded import LoadedModel
from models.report import Report
from models.specs.network import NetworkSpec
from models.specs.spec_files import spec_from_dict, spec_to_dict

FORMAT = "nonlocal-viz/1"


@dataclass(frozen=True)
class Header:
    """What a weight file says of itself: spec, class names, one line of title."""

    spec: NetworkSpec
    class_names: tuple[str, ...]
    title: str


def write(path: Path, network: Network, class_names: Sequence[str], title: str) -> None:
    """Write a network in float16, with its spec and class names; whole or not at all."""
    tensors = {
        key: value.detach()
        .cpu()
        .contiguous()
        .to(torch.float16 if value.is_floating_point() else value.dtype)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    metadata = {
        "format": FORMAT,
        "spec": json.dumps(spec_to_dict(network.spec)),
        "classes": json.dumps(list(class_names)),
        "title": title,
    }
    part = path.with_suffix(".part")
    try:
        save_file(tensors, part, metadata)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_own(path: Path) -> bool:
    """Return whether a file is one of this project's; False for anything unreadable."""
    try:
        _check_container(path)
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except (CheckpointError, SafetensorError, OSError):
        return False


def read_header(path: Path) -> Header:
    """Read what a weight file says of itself, without its tensors; CheckpointError if it is not
    ours."""
    _check_container(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise CheckpointError(
                f"{path.name} is a safetensors file of another kind (format "
                f"{metadata.get('format')!r}); "
                f"files of format {FORMAT!r} are read. Remove it from the folder or load it as "
                "a checkpoint."
            )
        names = json.loads(metadata["classes"])
        if not isinstance(names, list):
            raise ValueError("class names are not a list")
        return Header(
            spec_from_dict(json.loads(metadata["spec"])),
            tuple(map(str, names)),
            metadata.get("title", ""),
        )
    except SpecError as problem:
        raise CheckpointError(f"{path.name} cannot be used. {problem}") from problem
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as problem:
        raise _damaged(path, problem) from problem


def load(path: Path, model_id: str | None = None) -> LoadedModel:
    """Load a weight file fully or not at all: every key mapped, every shape equal, every value
    finite."""
    header, tensors = _verified(path)
    network = build(header.spec)
    fill(network, tensors, path.name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LoadedModel(
        model_id or path.stem,
        header.spec,
        network,
        header.class_names,
        digest,
        report(tensors),
    )


def inspect(path: Path) -> tuple[Header, Report]:
    """Return what a file of our own holds, verified as ``load`` does, without a network of it."""
    header, tensors = _verified(path)
    return header, report(tensors)


def report(tensors: Iterable[str]) -> Report:
    """Return the account of a file of our own: every key is used as it is."""
    return Report("this project's own", "safetensors", renamed={key: key for key in tensors})


def _verified(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Return header and tensors of a file whose tensors fit the network that it describes."""
    header = read_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as problem:
        raise _damaged(path, problem) from problem
    try:
        # An outline without memory: a header may claim a network that no machine holds.
        check_fit(outline(header.spec), tensors, path.name)
    except SpecError as problem:
        raise CheckpointError(f"{path.name} cannot be used. {problem}") from problem
    return header, tensors


def _check_container(path: Path) -> None:
    """Refuse what is no safetensors file, or one over the limits that all containers have."""
    try:
        with container_type.opened(path) as (file, size):
            found = container_type.sniff(file, size)
        if found != container_type.SAFETENSORS:
            raise CheckpointError(f"is a {found} file; files of this project are safetensors.")
    except CheckpointError as refusal:
        raise CheckpointError(f"{path.name} {refusal}") from refusal


def _damaged(path: Path, problem: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path.name} is damaged ({type(problem).__name__}: {problem}); fetch it again. "
        "Nothing was loaded."
    )
