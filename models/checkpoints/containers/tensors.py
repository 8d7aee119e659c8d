"""Values of tensors made from what a torch pickle says of them and the bytes beside it, without
torch: neither its unpickling nor the library is needed to read a file."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from errors import CheckpointError
from models.checkpoints.containers import storage_claims
from models.checkpoints.containers.pickles import Described
from models.checkpoints.containers.storage_claims import Claim

Storages = Callable[[Claim, int, int], bytearray]
"""Takes what a pickle claims of a storage, and returns its bytes from one place up to another, the
caller's own: a tensor may be a small part of a large storage."""

_DTYPES = {
    "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
    "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
    "Bool": "bool", "ComplexFloat": "complex64", "ComplexDouble": "complex128",
}  # fmt: skip
"""Storage type -> torch's name of the dtype."""
_STORED = {"bfloat16": "uint16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}
"""Dtypes that numpy has not -> as what their bytes are kept."""
_MOST_WRAPPED = 4
"""Wrappers around one tensor: a parameter with attributes of a tensor's subclass has two."""


class Values(NamedTuple):
    """The values of a tensor: torch's name of its dtype, and a contiguous, writable array of its
    shape. What numpy has not is held as whole numbers of the same width (``bfloat16``: uint16)."""

    dtype: str
    array: np.ndarray


class Placed(NamedTuple):
    """A tensor that lies somewhere in a file: its dtype, its shape, and what reads its bytes."""

    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], bytearray]


def kept_as(dtype: str) -> np.dtype:
    """Return the numpy dtype in which values of one of torch's are kept."""
    return np.dtype(_STORED.get(dtype, dtype))


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
    """Tell whether ``value`` describes a tensor."""
    return isinstance(value, Placed) or described_tensor(value) is not None


def shape_of(value: object) -> tuple[int, ...]:
    """Return the shape of a described tensor."""
    if isinstance(value, Placed):
        return value.shape
    return storage_claims.layout(described_tensor(value)).shape


def tensor(value: object, storages: Storages) -> Values:
    """Return the values of a described tensor: dense, of its own dtype."""
    if isinstance(value, Placed):
        flat = np.frombuffer(value.read(), kept_as(value.dtype))
        return Values(value.dtype, flat.reshape(value.shape))
    described = described_tensor(value)
    if described is None:
        raise CheckpointError("is no dense tensor in memory")
    claim, offset, shape, strides = storage_claims.layout(described)
    dtype = _DTYPES[claim.kind]
    kept = kept_as(dtype)
    if not claim.elements or 0 in shape:
        return Values(dtype, np.zeros(shape, kept))
    reach = sum((n - 1) * step for n, step in zip(shape, strides, strict=True)) + 1
    data = storages(claim, offset * kept.itemsize, (offset + reach) * kept.itemsize)
    steps = [step * kept.itemsize for step in strides]
    laid = as_strided(np.frombuffer(data, kept), shape, steps)
    return Values(dtype, np.ascontiguousarray(laid).reshape(shape))
