"""What each container holds, opened so that nothing of it can run: safetensors checked by its own
library, torch files and pickles as data.

The pickle of a torch file is only described (pickles.py): which globals it names, which storages it
claims, how large its tensors would be. When all of that is as it should be, the tensors that are
asked for are made of the bytes beside it (tensors.py).
"""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import BinaryIO, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from errors import CheckpointError
from models.checkpoints.containers import container_type, pickles, storage_claims
from models.checkpoints.containers.admission import check_called, check_named, refuse
from models.checkpoints.containers.storage_claims import Claim
from models.checkpoints.containers.tensors import Placed, Storages, kept_as, no_storages

_COUNT = 8
"""Bytes before each storage of a legacy file: how many elements it has."""
_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""What stands before the name of a zip's member: magic, lengths of the name and of the extras."""


class Opened(NamedTuple):
    """What a file held: its top-level object, in which tensors and objects are only described, the
    text of its header, and what gives the bytes of its storages while the file is open."""

    container: str
    content: object
    header: dict[str, str]
    storages: Storages = no_storages


_SAFE_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
    "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32",
    "U16": "uint16", "U8": "uint8", "BOOL": "bool", "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
}  # fmt: skip
"""safetensors' name of a dtype -> torch's."""


def read_safetensors(path: str, file: BinaryIO, size: int) -> Opened:
    """Read a safetensors file, whose header length was checked; ``file``, which is the one at
    ``path``, stays open for the values."""
    try:
        with safe_open(path, framework="np") as checked:
            text = checked.metadata() or {}
        file.seek(0)
        length = int.from_bytes(file.read(_COUNT), "little")
        header = json.loads(file.read(length), object_pairs_hook=_once)
        start = _COUNT + length
        tensors = {
            key: _placed(file, entry, start, size)
            for key, entry in header.items()
            if key != "__metadata__"
        }
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError, KeyError) as problem:
        raise CheckpointError(f"is damaged or cut off ({problem}); fetch it again.") from problem
    return Opened(container_type.SAFETENSORS, tensors, text)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name that stands twice in its header")
    return found


def _placed(file: BinaryIO, entry: dict, start: int, size: int) -> Placed:
    """Return where the values of an entry of the header are; ValueError where they are not."""
    if entry["dtype"] not in _SAFE_DTYPES:
        raise ValueError(f"a tensor of {str(entry['dtype'])[:20]}, which is not known")
    dtype, shape = _SAFE_DTYPES[entry["dtype"]], tuple(entry["shape"])
    if len(shape) > storage_claims.MOST_AXES:
        raise ValueError(f"a tensor of {len(shape):,} axes")
    first, last = entry["data_offsets"]
    count = prod(shape) * kept_as(dtype).itemsize
    if last - first != count or not 0 <= first <= last <= size - start:
        raise ValueError("a tensor reaches outside the file")

    def read() -> bytearray:
        file.seek(start + first)
        data, found = _read(file, count)
        if found != count:
            raise CheckpointError("is cut off; fetch it again.")
        return data

    return Placed(dtype, shape, read)


def read_pickle(file: BinaryIO) -> Opened:
    """Read a pickle of dictionaries, numbers, text and numpy arrays, which stay described."""
    pickle = pickles.describe(file, check_named, check_called)
    return Opened(container_type.PICKLE, pickle.value, {})


def read_zip(file: BinaryIO, size: int) -> Opened:
    """Read what torch.save writes since 1.6; ``file`` stays open for the storages."""
    archive = container_type.directory(file, size)
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    name = next(n for n in sizes if n.partition("/")[2] == "data.pkl")
    if sizes[name] > container_type.MAX_PICKLE_BYTES:
        raise CheckpointError(f"has a pickle of {sizes[name]:,} bytes; refused.")
    with _whole(), archive.open(name) as member:
        # A member reads byte by byte in Python; a buffer before it does so in C.
        buffered = io.BufferedReader(member)
        pickle = pickles.describe(buffered, check_named, check_called, storages=True)
    home = name.removesuffix("data.pkl")
    for key, claim in storage_claims.storages(pickle).items():
        if claim.bytes > sizes.get(f"{home}data/{key}", -1):
            raise CheckpointError(f"lacks the data of storage {key!r}; fetch it again.")
    storage_claims.check_tensors(pickle, size)
    swapped = _is_big_endian(archive, f"{home}byteorder")

    meter = _Meter()

    def storage(claim: Claim, start: int, stop: int) -> bytearray:
        with _whole():
            data = _member(file, archive, f"{home}data/{claim.key}", (start, stop), meter)
        return _swapped(data, claim) if swapped else data

    return Opened(container_type.ZIP, pickle.value, {}, storage)


class _Meter:
    """Bounds what is read of one file: many tensors may lie in one storage."""

    def __init__(self) -> None:
        self._read = 0

    def add(self, count: int) -> None:
        """Note so many bytes; CheckpointError for far more than a file can have."""
        self._read += count
        if self._read > container_type.MAX_TENSOR_BYTES:
            raise CheckpointError("reads the same data endlessly; refused. Save it again.")


def _member(
    file: BinaryIO, archive: zipfile.ZipFile, name: str, part: tuple[int, int], meter: _Meter
) -> bytearray:
    """Return a part of a member. Of those stored as they are the checksum is left alone, as torch
    does, which can be told to write none."""
    member = archive.getinfo(name)
    start, stop = part
    if member.compress_type != zipfile.ZIP_STORED:
        meter.add(member.file_size)
        return bytearray(archive.read(member)[start:stop])
    meter.add(stop - start)
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    magic, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    file.seek(name_length + extra_length + start, os.SEEK_CUR)
    data, count = _read(file, stop - start)
    if magic != b"PK\3\4" or count != stop - start:
        raise ValueError(f"{name} is not where it should be")
    return data


def _read(file: BinaryIO, count: int) -> tuple[bytearray, int]:
    """Return so many bytes, held once, and how many of them the file had."""
    data = bytearray(count)
    return data, file.readinto(data)


def _is_big_endian(archive: zipfile.ZipFile, name: str) -> bool:
    if name not in archive.namelist():
        return False
    with _whole(), archive.open(name) as member:
        return member.read(3) == b"big"


def _swapped(data: bytearray, claim: Claim) -> bytearray:
    """Return the bytes of every number in the other order; complex ones are two numbers."""
    width = claim.bytes // max(claim.elements, 1) // (2 if "Complex" in claim.kind else 1)
    return bytearray(np.frombuffer(data, f"u{width}").byteswap().tobytes())


def read_legacy(file: BinaryIO, size: int) -> Opened:
    """Read what torch.save wrote before 1.6: five pickles, then the storages one after another;
    ``file`` stays open for them."""
    for _ in ("magic number", "protocol version", "system"):
        pickles.describe(file, refuse)
    pickle = pickles.describe(file, check_named, check_called, storages=True)
    keys = pickles.describe(file, refuse).value
    stored = {str(key): claim for key, claim in storage_claims.storages(pickle).items()}
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(stored):
        raise CheckpointError("is damaged: its list of storages is wrong; fetch it again.")
    needed = file.tell() + sum(_COUNT + claim.bytes for claim in stored.values())
    if needed > size:
        raise CheckpointError(f"is cut off: {size:,} of {needed:,} bytes; fetch it again.")
    storage_claims.check_tensors(pickle, size)
    places, place = {}, file.tell()
    for key in map(str, keys):
        places[key] = place
        place += _COUNT + stored[key].bytes

    meter = _Meter()

    def storage(claim: Claim, start: int, stop: int) -> bytearray:
        meter.add(stop - start)
        file.seek(places[str(claim.key)])
        if int.from_bytes(file.read(_COUNT), "little") != claim.elements:
            raise CheckpointError("is damaged: a storage has another size than it claims; refused.")
        file.seek(start, os.SEEK_CUR)
        return _read(file, stop - start)[0]

    return Opened(container_type.LEGACY, pickle.value, {}, storage)


@contextmanager
def _whole() -> Iterator[None]:
    """Turn what a damaged zip raises into a refusal."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        RuntimeError,
        ValueError,
        OSError,
        EOFError,
    ) as problem:
        raise CheckpointError(f"is cut off or damaged ({problem}); fetch it again.") from problem
