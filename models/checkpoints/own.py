"""This project's own weight files: .safetensors with the network's spec and class names in its
header."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from errors import CheckpointError, SpecError
from models.build import Network, build, outline
from models.checkpoints.containers import container_type
from models.checkpoints.containers.read import RawCheckpoint, read
from models.checkpoints.fill import check_fit, fill
from models.checkpoints.trunks import trunk_tensors
from models.loaded import LoadedModel
from models.report import Report
from models.specs.network import NetworkSpec
from models.specs.spec_files import spec_from_dict, spec_to_dict

FORMAT = "nonlocal-viz/1"


@dataclass(frozen=True)
class Header:
    """What a weight file says of itself: spec, class names, one line of title, and the sha256 of
    the trunk file that it stands on, if any."""

    spec: NetworkSpec
    class_names: tuple[str, ...]
    title: str
    trunk: str = ""


def write(
    path: Path,
    network: Network,
    class_names: Sequence[str],
    title: str,
    trunk: str | None = None,
) -> None:
    """Write a network in float16, with its spec and class names; whole or not at all.

    ``trunk`` is the sha256 of a trunk file (models.checkpoints.trunks): tensors that are equal to
    the trunk's are left out, and read from it again.
    """
    standing = trunk_tensors(trunk) if trunk else {}
    tensors = {
        key: value.detach()
        .cpu()
        .contiguous()
        .to(torch.float16 if value.is_floating_point() else value.dtype)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked") and not _same(value, standing.get(key))
    }
    metadata = {
        "format": FORMAT,
        "spec": json.dumps(spec_to_dict(network.spec)),
        "classes": json.dumps(list(class_names)),
        "title": title,
    }
    if trunk:
        metadata["trunk"] = trunk
    part = path.with_suffix(".part")
    try:
        save_file(tensors, part, metadata)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_own(raw: RawCheckpoint) -> bool:
    """Return whether a checkpoint that was read is one of this project's files."""
    return raw.container == container_type.SAFETENSORS and raw.metadata.get("format") == FORMAT


def read_header(path: Path) -> Header:
    """Read what a weight file says of itself, without its tensors; CheckpointError if it is not
    ours."""
    _check_container(path)
    try:
        with safe_open(path, framework="pt") as file:
            return _header(file.metadata() or {}, path.name)
    except (SafetensorError, OSError) as problem:
        raise _damaged(path.name, problem) from problem


def _header(metadata: Mapping[str, str], name: str) -> Header:
    """Return what the text of a file's header says; CheckpointError if the file is not ours."""
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{name} is a safetensors file of another kind (format {metadata.get('format')!r}); "
            f"files of format {FORMAT!r} are read. Remove it from the folder or load it as a "
            "checkpoint."
        )
    try:
        names = json.loads(metadata["classes"])
        if not isinstance(names, list):
            raise ValueError("class names are not a list")
        return Header(
            spec_from_dict(json.loads(metadata["spec"])),
            tuple(map(str, names)),
            metadata.get("title", ""),
            metadata.get("trunk", ""),
        )
    except SpecError as problem:
        raise CheckpointError(f"{name} cannot be used. {problem}") from problem
    except (KeyError, ValueError, RecursionError) as problem:
        raise _damaged(name, problem) from problem


def load(path: Path, model_id: str | None = None) -> LoadedModel:
    """Load a weight file fully or not at all: every key mapped, every shape equal, every value
    finite."""
    _check_container(path)
    return loaded(read(path), model_id)


def inspect(path: Path) -> tuple[Header, Report]:
    """Return what a file of our own holds, verified as ``load`` does, without a network of it."""
    _check_container(path)
    return inspected(read(path))


def loaded(raw: RawCheckpoint, model_id: str | None = None) -> LoadedModel:
    """Return the network of a file of ours that was read; CheckpointError if it does not fit."""
    header, tensors = _verified(raw)
    network = build(header.spec)
    fill(network, tensors, raw.name)
    name = model_id or PurePath(raw.name).stem
    made = report(raw.tensors)
    return LoadedModel(name, header.spec, network, header.class_names, raw.sha256, made)


def inspected(raw: RawCheckpoint) -> tuple[Header, Report]:
    """Return what a file of ours that was read holds, verified as ``loaded`` does."""
    header, _tensors = _verified(raw)
    return header, report(raw.tensors)


def _same(value: Tensor, other: Tensor | None) -> bool:
    return other is not None and value.shape == other.shape and torch.equal(value.cpu(), other)


def _on_trunk(header: Header, tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return the file's tensors and, for a file that stands on a trunk, the trunk's under them."""
    if not header.trunk:
        return tensors
    try:
        return {**trunk_tensors(header.trunk), **tensors}
    except CheckpointError as problem:
        raise CheckpointError(f"{name} cannot be used. {problem}") from problem


def report(tensors: Iterable[str]) -> Report:
    """Return the account of a file of our own: every key is used as it is."""
    return Report("this project's own", "safetensors", renamed={key: key for key in tensors})


def _verified(raw: RawCheckpoint) -> tuple[Header, dict[str, Tensor]]:
    """Return header and tensors of a file that fit the network which it describes, those of its
    trunk among them."""
    header = _header(raw.metadata, raw.name)
    tensors = _on_trunk(header, raw.tensors, raw.name)
    try:
        # An outline without memory: a header may claim a network that no machine holds.
        check_fit(outline(header.spec), tensors, raw.name)
    except SpecError as problem:
        raise CheckpointError(f"{raw.name} cannot be used. {problem}") from problem
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


def _damaged(name: str, problem: Exception) -> CheckpointError:
    return CheckpointError(
        f"{name} is damaged ({type(problem).__name__}: {problem}); fetch it again. "
        "Nothing was loaded."
    )
