"""What the pickle of a torch file claims of storages and tensors, checked before torch believes it:
torch itself takes the size of a storage from the pickle, not from the data that is there.
"""

from math import prod
from typing import NamedTuple

from errors import CheckpointError
from models.checkpoints.containers import container_type
from models.checkpoints.containers.pickles import Described, Named, Pickle, Stored

QUANTISED = "holds quantised tensors; give the float weights they were made from."

MOST_AXES = 25
_MAX_COUNT = 2**62

_SIZES = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1,
    "Byte": 1, "Bool": 1, "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip
"""Storage type -> bytes of an element."""
STORAGES = {
    f"{module}.{name}Storage": size
    for module in ("torch", "torch.cuda")
    for name, size in _SIZES.items()
}
REBUILDS = {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"}
WRAPPERS = {
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2",
}
"""What is called around a tensor: for parameters, and for tensors with attributes."""


class Claim(NamedTuple):
    """What a pickle says of one storage: where its bytes are, how many, of how many elements, and
    the kind of these."""

    key: str | int
    bytes: int
    elements: int
    kind: str = "Float"


class Layout(NamedTuple):
    """Where in its storage a tensor lies: counted in elements."""

    claim: Claim
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def storages(pickle: Pickle) -> dict[str | int, Claim]:
    """Return every storage that a torch pickle claims, by its key."""
    claims: dict[str | int, Claim] = {}
    for stored in pickle.stored:
        claim = _claim(stored.claim)
        if claims.setdefault(claim.key, claim) != claim:
            raise CheckpointError(f"is damaged: storage {claim.key!r} has two sizes; refused.")
    return claims


def _claim(claimed: object) -> Claim:
    match claimed:
        case ("storage", Named(dotted), str() | int() as key, str(), int(count), *view) if (
            dotted in STORAGES and 0 <= count < _MAX_COUNT and view in ([], [None])
        ):
            kind = dotted.rpartition(".")[2].removesuffix("Storage")
            return Claim(key, count * STORAGES[dotted], count, kind)
    if isinstance(claimed, tuple) and any("QInt" in getattr(p, "dotted", "") for p in claimed):
        raise CheckpointError(QUANTISED)
    raise CheckpointError("is damaged: it refers to a storage of no known form; fetch it again.")


def check_tensors(pickle: Pickle, size: int) -> None:
    """Refuse tensors that reach outside their storage, or are far larger than the file, which has
    ``size`` bytes."""
    total = 0
    for made in pickle.made:
        if made.what in REBUILDS:
            total += _tensor_bytes(made.args)
    container_type.check_made(total, size)


def _tensor_bytes(args: tuple) -> int:
    claim, _offset, shape, _strides = _layout(args)
    return prod(shape) * (claim.bytes // claim.elements) if prod(shape) else 0


def layout(described: Described) -> Layout:
    """Return where in its storage a described tensor lies; refused if it reaches outside."""
    return _layout(described.args)


def _layout(args: tuple) -> Layout:
    match args:
        case (Stored(claimed), int(offset), size, stride, *_):
            claim, shape, steps = _claim(claimed), _counts(size), _counts(stride)
            if len(shape) == len(steps) and offset >= 0:
                reach = sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
                if prod(shape) == 0 or offset + reach < claim.elements:
                    return Layout(claim, offset, shape, steps)
    raise CheckpointError("is damaged: a tensor reaches outside its storage; refused.")


def unwrapped(described: Described) -> object:
    """Return what a wrapper of ``WRAPPERS`` is put around."""
    match described.what, described.args:
        case "torch._tensor._rebuild_from_type_v2", (Named(dotted), Named(), tuple(args), *_):
            return Described(dotted, args)
        case _, (inner, *_):
            return inner
    raise CheckpointError("is damaged: a parameter without a tensor; refused.")


def _counts(value: object) -> tuple[int, ...]:
    """Return a shape or strides; torch.Size is a call with the tuple as its argument."""
    if isinstance(value, Described) and value.what == "torch.Size" and value.args:
        value = value.args[0]
    if not (
        isinstance(value, tuple)
        and len(value) <= MOST_AXES
        and all(isinstance(n, int) and 0 <= n < _MAX_COUNT for n in value)
    ):
        raise CheckpointError("is damaged: a tensor's shape is no list of counts; refused.")
    return value
