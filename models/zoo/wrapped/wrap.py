"""Any PyTorch module as a network: run once to see what attends in it, and where."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from errors import InputError, counted
from models import devices
from models.loaded import LoadedModel
from models.report import Fact, Question, Report, UndecidedError
from models.specs.network import Preprocessing
from models.specs.wrapped import AttendingLayer, InputLayout, WrappedSpec
from models.zoo.wrapped.cells import TokenCells
from models.zoo.wrapped.grids import Tokens, as_grid
from models.zoo.wrapped.network import WrappedNetwork, runs_of
from models.zoo.wrapped.order import check_order
from models.zoo.wrapped.tap import Call
from models.zoo.wrapped.unsupported import inside, reason_for

NO_ANSWERS: Mapping[str, str] = {}
_GRID = Question("grid", "in which grid do the patches lie", ("14x14", "ROWSxCOLUMNS"))
_PREFIX = Question("prefix", "how many tokens before them are no patches", ("0", "1", "5"))


class UngriddedError(UndecidedError):
    """Tokens that fit no grid; the answers are grid=14x14 and prefix=1."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, (_GRID, _PREFIX))
        InputError.__init__(self, f"{name}: {why}")


@dataclass(frozen=True)
class Origin:
    """Where a module is from: the id that loads it, what it is, and its package with version."""

    id: str
    architecture: str
    source: str = "your module"


def wrap(
    module: nn.Module,
    preprocessing: Preprocessing | None = None,
    classes: Sequence[str] | int = (),
    name: str = "",
    layout: InputLayout | None = None,
    answers: Mapping[str, str] = NO_ANSWERS,
) -> LoadedModel:
    """Return any module that takes one picture (B, 3, H, W) or clip (B, 3, T, H, W) as a network.

    ``preprocessing`` says how pixels become its input (ImageNet's at 224 px where it is left out);
    ``classes`` are the names of its class scores, or how many there are; without them its output
    is not read as classes. ``layout`` is BCHW, BCTHW or BTCHW; by default it follows from the
    frames of the preprocessing. ``answers`` are {"grid": "14x14", "prefix": "1"} where tokens do
    not show it: UndecidedError asks. The module runs once; it is not changed. InputError in one
    line where nothing attends in it, or it takes another input.
    """
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{type(module).__name__} is not a network; give a torch.nn.Module, or the name of one."
        )
    prep = preprocessing or Preprocessing(stride=16)
    origin = Origin(name or f"module:{type(module).__name__}", type(module).__name__)
    layout = layout or ("BCTHW" if prep.frames > 1 else "BCHW")
    return wrapped(module, origin, prep, classes, layout, answers)


def wrapped(
    module: nn.Module,
    origin: Origin,
    preprocessing: Preprocessing,
    classes: Sequence[str] | int = (),
    layout: InputLayout = "BCHW",
    answers: Mapping[str, str] = NO_ANSWERS,
) -> LoadedModel:
    """Return a module of a known origin as a network, as ``wrap`` does."""
    module = getattr(module, "_orig_mod", module)
    names = () if isinstance(classes, int) else tuple(classes)
    count = classes if isinstance(classes, int) else len(names)
    empty = WrappedSpec(
        origin.source, origin.architecture, (), preprocessing, count, layout,
        sum(p.numel() for p in module.parameters()),
    )  # fmt: skip
    network = WrappedNetwork(module, empty, _answered(answers))
    devices.exact(devices.of(module))
    network.spec = _surveyed(network, preprocessing)
    report = Report(origin.source, "a module", _facts(answers))
    return LoadedModel(origin.id, network.spec, network, names, weights_hash(module), report)


def _facts(answers: Mapping[str, str]) -> tuple[Fact, ...]:
    """Return the answers that were used, as facts."""
    names = ("grid", "prefix") if "grid" in answers else ()
    return tuple(Fact(n, answers[n], "your answer", ()) for n in names if n in answers)


def _surveyed(network: WrappedNetwork, prep: Preprocessing) -> WrappedSpec:
    """Run a network on noise; return its spec with what attends in it."""
    spec, size = network.spec, (prep.frames, prep.size, prep.size)
    parameter = next(network.parameters(), torch.zeros(1))
    noise = torch.rand(1, prep.channels, *size, generator=torch.Generator().manual_seed(7))
    x = noise.to(parameter.device, parameter.dtype)
    with _evaluating(network), torch.no_grad():
        with network.tapped() as calls:
            scores = network(x)
        found = runs_of(calls)
        apart = spec.layout == "BCHW"
        one = (1, *size[1:]) if apart else size
        first = [of_label[0] for of_label in found.values()]
        cells = network.cells(first, one)
        _check_classes(spec, scores)
        unplaced = network.unplaced(one)
        _check_found(network, first, cells, unplaced)
        check_order(network, x, first, cells)
    layers = tuple(
        AttendingLayer(
            label, where.lead.shape[1], _cells(where.query_grid, size, apart),
            _cells(where.key_grid, size, apart), where.prefix,
        )
        for label, where in cells.items()
    )  # fmt: skip
    left = tuple((label, reason_for(network, label, why)) for label, why in unplaced.items())
    return replace(spec, layers=layers, left_out=left)


def _cells(grid: Sequence[int], size: tuple[int, int, int], apart: bool) -> tuple[int, int, int]:
    return (size[0] if apart else grid[0], grid[1], grid[2])


def _check_classes(spec: WrappedSpec, scores: Tensor) -> None:
    if scores.ndim != 2 or scores.shape[1] != spec.num_classes:
        raise InputError(
            f"{spec.architecture} gives {' x '.join(map(str, scores.shape[1:]))} numbers, not "
            f"scores of {counted(spec.num_classes, 'class')}; give the names of its "
            "classes, or none."
        )


def _check_found(
    network: WrappedNetwork,
    calls: list[Call],
    cells: Mapping[str, TokenCells],
    unplaced: dict[str, str],
) -> None:
    """Refuse a network in which nothing attends, or nothing that fits a grid."""
    if cells:
        return
    spec, module = network.spec, network.module
    if not calls:
        why = inside(module) or "its forward pass calls no attention and no softmax over positions."
        raise InputError(
            f"Nothing attends in {spec.architecture}: {why} Choose a network with self-attention, "
            "or with NL blocks."
        )
    known = [reason_for(None, label, "", call) for label, call in zip(unplaced, calls, strict=True)]
    if reason := next((one for one in known if one), ""):
        raise InputError(f"{spec.architecture} cannot be shown: {reason}")
    why = next(iter(unplaced.values()))
    if "fit no grid" in why:
        raise UngriddedError(spec.architecture, why)
    raise InputError(why)


def _answered(answers: Mapping[str, str]) -> Tokens | None:
    """Read {"grid": "14x14", "prefix": "1"}; None without a grid."""
    if "grid" not in answers:
        return None
    sides = answers["grid"].lower().split("x")
    prefix = answers.get("prefix", "0")
    if len(sides) not in (2, 3) or not all(part.strip().isdecimal() for part in (*sides, prefix)):
        raise InputError(
            f"grid={answers['grid'][:20]} prefix={prefix[:20]} is not a grid of tokens; write "
            "grid=14x14 (or frames first, 8x14x14) and prefix=1."
        )
    return Tokens(as_grid(tuple(map(int, sides))), int(prefix))


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into eval mode; every module gets its own mode back."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        yield
    finally:
        for module, was_training in modes:
            module.training = was_training


def weights_hash(module: nn.Module) -> str:
    """Return the sha256 of a module's parameters and buffers by name: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, Tensor):
            continue
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy())
    return digest.hexdigest()


__all__ = ["Origin", "weights_hash", "wrap", "wrapped"]
