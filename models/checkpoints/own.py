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
            metadata.get("trunk", ""),
        )
    except SpecError as problem:
        raise CheckpointError(f"{path.name} cannot be used. {problem}") from problem
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as problem:
        raise _damaged(path, problem) from problem


def load(path: Path, model_id: str | None = None) -> LoadedModel:
    """Load a weight file fully or not at all: every key mapped, every shape equal, every value
    finite."""
    header, tensors, held = _verified(path)
    network = build(header.spec)
    fill(network, tensors, path.name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LoadedModel(
        model_id or path.stem,
        header.spec,
        network,
        header.class_names,
        digest,
        report(held),
    )


def inspect(path: Path) -> tuple[Header, Report]:
    """Return what a file of our own holds, verified as ``load`` does, without a network of it."""
    header, _tensors, held = _verified(path)
    return header, report(held)


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


def _verified(path: Path) -> tuple[Header, dict[str, Tensor], tuple[str, ...]]:
    """Return header and tensors of a file that fit the network which it describes, those of its
    trunk among them, and the keys that the file itself holds."""
    header = read_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as problem:
        raise _damaged(path, problem) from problem
    held = tuple(tensors)
    tensors = _on_trunk(header, tensors, path.name)
    try:
        # An outline without memory: a header may claim a network that no machine holds.
        check_fit(outline(header.spec), tensors, path.name)
    except SpecError as problem:
        raise CheckpointError(f"{path.name} cannot be used. {problem}") from problem
    return header, tensors, held


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
