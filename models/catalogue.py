"""What can be loaded: the bundled networks and torchvision's ImageNet trunks."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from errors import CheckpointError, MachineError, OutsideError
from models.build import build
from models.checkpoints import own
from models.loaded import LoadedModel
from models.specs import ModelSpec, NonLocalSpec

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue; ``problem`` says why an entry is unusable, if it is."""

    id: str
    title: str
    source: str
    spec: ModelSpec | None
    problem: str = ""


_IMAGENET_CLASSES = 1000
_IMAGENET: dict[str, ModelSpec] = {
    f"imagenet-r{depth}{suffix}": ModelSpec(
        depth=depth, num_classes=_IMAGENET_CLASSES, block=block, placement=placement
    )
    for depth in (50, 101, 152)
    for suffix, block, placement in (
        ("", None, "none"),
        ("-gaussian", NonLocalSpec(function="gaussian"), "1"),
    )
}


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
    downloads = [
        Entry(
            name,
            f"ImageNet ResNet-{spec.depth}"
            + (
                ", Gaussian NL (similarity of its own features; nothing trained)"
                if spec.block
                else ""
            ),
            "torchvision, downloaded on first use",
            spec,
        )
        for name, spec in _IMAGENET.items()
    ]
    return bundled() + downloads


def load(name: str, device: str | torch.device | None = None) -> LoadedModel:
    """Load a network by catalogue id or by the path of a .safetensors file.

    It goes to ``device``, or to a GPU when there is one.
    """
    model = _find(name)
    target = device or ("cuda" if torch.cuda.is_available() else "cpu")
    # Convolutions run faster with channels innermost, on CPUs and GPUs alike.
    model.network.to(target, memory_format=torch.channels_last)
    return model


def _find(name: str) -> LoadedModel:
    if name in _IMAGENET:
        return _load_imagenet(name)
    if name in {entry.id for entry in bundled()}:
        return own.load(WEIGHTS / f"{name}.safetensors")
    if name.endswith(".safetensors"):
        return own.load(Path(name))
    known = ", ".join(entry.id for entry in entries())
    raise OutsideError(
        f"Network {name!r} came; use one of {known}, or the path of a .safetensors file."
    )


def _load_imagenet(name: str) -> LoadedModel:
    import torchvision  # imported late: it takes as long as everything else together

    spec = _IMAGENET[name]
    weights = torchvision.models.get_model_weights(f"resnet{spec.depth}").DEFAULT
    state = _offline_words(name, lambda: weights.get_state_dict(progress=False, check_hash=True))
    network = build(spec)
    load_trunk(network, state)
    digest = hashlib.sha256(b"".join(v.numpy().tobytes() for v in state.values())).hexdigest()
    return LoadedModel(name, spec, network, tuple(weights.meta["categories"]), digest)


def _offline_words(name: str, fetch: Callable[[], dict]) -> dict:
    try:
        return fetch()
    except (OSError, RuntimeError) as problem:
        raise MachineError(
            f"{name} has to be downloaded and that failed ({type(problem).__name__}: "
            f"{problem}); connect to "
            f"the internet, make {torch.hub.get_dir()} writable, or use a bundled network: "
            f"{', '.join(entry.id for entry in bundled() if not entry.problem)}."
        ) from problem


def load_trunk(network: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Fill the trunk from a torchvision state dict; attention blocks stay as they are."""
    blocks = {k: v for k, v in network.state_dict().items() if k.startswith("blocks.")}
    trunk = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    own.fill(
        network,
        trunk | {k: v for k, v in blocks.items() if "num_batches" not in k},
        "torchvision weights",
    )


def usable(entries: list[Entry]) -> list[Entry]:
    """Return the entries without a problem."""
    return [entry for entry in entries if not entry.problem]
