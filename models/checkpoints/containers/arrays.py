"""numpy arrays and numbers made from what a pickle says of them, without numpy's own unpickling."""

import re
from math import prod

import numpy as np

from errors import CheckpointError
from models.checkpoints.containers.pickles import Described

_PLAIN = re.compile(r"[biuf][1248]")
"""bool, integers and floats; not objects ("O8"), records ("V16"), text ("S4") or wide floats."""
_MAX_AXES = 25
_OF_BUFFER = "numeric._frombuffer"
"""What makes arrays since pickle protocol 5."""


def is_array(value: object) -> bool:
    """Tell whether ``value`` describes a numpy array."""
    return isinstance(value, Described) and value.what.endswith(
        ("multiarray._reconstruct", _OF_BUFFER)
    )


def is_number(value: object) -> bool:
    """Tell whether ``value`` describes a numpy scalar."""
    return isinstance(value, Described) and value.what.endswith("multiarray.scalar")


def array(described: Described) -> np.ndarray:
    """Return a described array: writable, contiguous, native byte order, its own dtype."""
    state = described.state
    if described.what.endswith(_OF_BUFFER):
        state = _of_buffer(described.args)
    match state:
        case (*_, tuple(shape), dtype, bool() | int() as columns_first, str() | bytes() as data):
            kind = _dtype(dtype)
        case (*_, list()):
            raise CheckpointError("is an array of Python objects")
        case _:
            raise CheckpointError("is a damaged array")
    counted = all(isinstance(n, int) and n >= 0 for n in shape) and len(shape) <= _MAX_AXES
    if not counted or prod(shape) * kind.itemsize != len(data):
        raise CheckpointError(f"is an array whose shape does not fit its {len(data):,} bytes")
    flat = np.frombuffer(_bytes(data), kind)
    # np.array copies: what frombuffer returns shares the file's bytes and cannot be written
    return np.array(
        flat.reshape(shape, order="F" if columns_first else "C"), kind.newbyteorder("="), order="C"
    )


def _of_buffer(args: tuple) -> tuple:
    """Return the arguments of _frombuffer in the order of an array's state."""
    match args:
        case (bytes(data), dtype, tuple(shape), "C" | "F" as order):
            return shape, dtype, order == "F", data
    raise CheckpointError("is a damaged array")


def number(described: Described) -> float | int | bool:
    """Return a described numpy scalar as a Python number."""
    match described.args:
        case (dtype, str() | bytes() as data):
            kind = _dtype(dtype)
            if len(data) == kind.itemsize:
                return np.frombuffer(_bytes(data), kind)[0].item()
    raise CheckpointError("is a damaged number")


def _bytes(data: str | bytes) -> bytes:
    """Python 2's strings arrive as latin-1 text."""
    try:
        return data.encode("latin-1") if isinstance(data, str) else data
    except UnicodeEncodeError as problem:
        raise CheckpointError("is an array of text, not of bytes") from problem


def _dtype(described: object) -> np.dtype:
    match described:
        case Described(args=(str(code), *_), state=(_, "<" | ">" | "|" | "=" as order, *_)):
            if _PLAIN.fullmatch(code):
                # "=" means the writer's own order, which was little on all machines that trained
                return np.dtype(("<" if order == "=" else order) + code)
            raise CheckpointError(f"is an array of dtype {code[:20]!r}, not of numbers")
    raise CheckpointError("is an array of no known dtype")
