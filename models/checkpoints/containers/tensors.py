"""Tensors made from what a torch pickle says of them and the bytes beside it, without torch's own
unpickling."""

from collections.abc import Callable

import torch
from torch import Tensor

from errors import CheckpointError
from models.checkpoints.containers import storage_claims
from models.checkpoints.containers.pickles import Described
from models.checkpoints.containers.storage_claims import Claim

Storages = Callable[[Claim, int, int], bytearray]
"""Takes what a pickle claims of a storage, and returns its bytes from one place up to another, the
caller's own: a tensor may be a small part of a large storage."""

_DTYPES = {
    "Double": torch.float64, "Float": torch.float32, "Half": torch.float16,
    "BFloat16": torch.bfloat16, "Long": torch.int64, "Int": torch.int32, "Short": torch.int16,
    "Char": torch.int8, "Byte": torch.uint8, "Bool": torch.bool,
    "ComplexFloat": torch.complex64, "ComplexDouble": torch.complex128,
}  # fmt: skip
_MOST_WRAPPED = 4
"""Wrappers around one tensor: a parameter with attributes of a tensor's subclass has two."""


def no_storages(_claim: Claim, _start: int, _stop: int) -> bytearray:
    """Return the bytes of a storage in a file that has none: a refusal."""
    raise CheckpointError("refers to data outside its pickle; refused.")


def described_tensor(value: object) -> Described | None:
    """Return the call that makes a tensor, parameters and attributes taken off; None for others."""
    for _ in range(_MOST_WRAPPED):
        if not isinstance(value, Described):
            return None
        if value.what in storage_claims.REBUILDS:
            return value
        if value.what not in storage_claims.WRAPPERS:
            return None
        value = storage_claims.unwrapped(value)
    return None


def is_tensor(value: object) -> bool:
    """Tell whether ``value`` is a tensor, or describes one."""
    return isinstance(value, Tensor) or described_tensor(value) is not None


def tensor(value: object, storages: Storages) -> Tensor:
    """Return a described tensor: dense, writable, contiguous, of its own dtype."""
    if isinstance(value, Tensor):
        return value.detach().contiguous()
    described = described_tensor(value)
    if described is None:
        raise CheckpointError("is no dense tensor in memory")
    claim, offset, shape, strides = storage_claims.layout(described)
    dtype = _DTYPES[claim.kind]
    if not claim.elements or 0 in shape:
        return torch.zeros(shape, dtype=dtype)
    width = claim.bytes // claim.elements
    reach = sum((n - 1) * step for n, step in zip(shape, strides, strict=True)) + 1
    data = storages(claim, offset * width, (offset + reach) * width)
    return torch.frombuffer(data, dtype=dtype).as_strided(shape, strides).contiguous()
