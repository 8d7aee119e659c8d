"""What each container holds, opened so that nothing of it can run: safetensors through its own
library, torch files through weights_only, Caffe2 pickles as data.

A torch file is read twice. The first time its pickle is only described (pickles.py): which globals
it names, which storages it claims, how large its tensors would be. Only when all of that is as it
should be does torch read it.
"""

import threading
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

import torch
from safetensors import SafetensorError, safe_open

from errors import CheckpointError
from models.checkpoints.containers import container_type, pickles, storage_claims
from models.checkpoints.containers.pickles import Described, Pickle

UNPUBLISHED = "torch, unpublished mmengine"

_TORCH = {
    *storage_claims.STORAGES,
    *storage_claims.REBUILDS,
    "torch._utils._rebuild_parameter",
    "torch.Size",
    "torch.device",
    *(f"torch.{name}" for name in ("float16", "bfloat16", "float32", "float64", "int64")),
    "collections.OrderedDict",
    "collections.Counter",
    "builtins.set",
    "_codecs.encode",
}
_ARRAYS = {
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
    "builtins.bytes",
    *(
        f"numpy.{core}.multiarray.{name}"
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
}
_BUFFERS = {f"mmengine.logging.{home}HistoryBuffer" for home in ("", "history_buffer.")}
_STUBBED = {
    *(_ARRAYS - {"_codecs.encode"}),
    *_BUFFERS,
    "builtins.getattr",
    "argparse.Namespace",
    "collections.defaultdict",
    "collections.deque",
    *(f"builtins.{name}" for name in ("list", "dict", "int", "float")),  # of a defaultdict
}
"""What torch refuses and training checkpoints hold all the same: read as inert descriptions."""
_UNUSABLE = {
    "torch._utils._rebuild_qtensor": storage_claims.QUANTISED,
    "torch._utils._rebuild_sparse_tensor": "holds sparse tensors; save them dense (to_dense()).",
}


class _Inert(Described):
    """A call as torch's own reader comes across it; noted, never made."""

    dotted = ""

    def __new__(cls, *args: object) -> "_Inert":
        inert = object.__new__(cls)
        inert.what, inert.args, inert.state = cls.dotted, args, None
        return inert

    def __init__(self, *_: object) -> None:
        """Keep what __new__ set: pickles call one of the two or both."""

    def __setstate__(self, state: object) -> None:
        self.state = state


def _no_entries(*_: object) -> dict:
    return {}


def _items(items: Iterable = (), *_: object) -> list:
    return list(items)


def _no_bytes() -> bytes:
    return b""


_MADE_PLAIN = {
    "collections.defaultdict": _no_entries,
    "collections.deque": _items,
    "builtins.bytes": _no_bytes,
}
_STUBS = [
    (_MADE_PLAIN.get(dotted) or type("Inert", (_Inert,), {"dotted": dotted}), dotted)
    for dotted in sorted(_STUBBED)
]
"""What torch calls in the place of what a training checkpoint names: it only notes the call."""
_STUBS_IN_USE = threading.Lock()


class Opened(NamedTuple):
    """What a file held: its top-level object, with every tensor on the CPU."""

    container: str
    content: object
    header: dict[str, str]


def read_safetensors(path: str) -> Opened:
    """Read a safetensors file, whose header length was checked."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
            return Opened(container_type.SAFETENSORS, tensors, file.metadata() or {})
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError) as problem:
        raise CheckpointError(f"is damaged or cut off ({problem}); fetch it again.") from problem


def read_caffe2(file: BinaryIO) -> Opened:
    """Read a pickle of dictionaries, numbers, text and numpy arrays, which stay described."""
    return Opened(container_type.PICKLE, pickles.describe(file, _admit_arrays).value, {})


def read_zip(file: BinaryIO, size: int) -> Opened:
    """Read what torch.save writes since 1.6."""
    with container_type.directory(file, size) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        name = next(n for n in sizes if n.partition("/")[2] == "data.pkl")
        if sizes[name] > container_type.MAX_PICKLE_BYTES:
            raise CheckpointError(f"has a pickle of {sizes[name]:,} bytes; refused.")
        try:
            with archive.open(name) as member:
                pickle = pickles.describe(member, _admit_torch, storages=True)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OSError) as problem:
            raise CheckpointError(
                f"is cut off or damaged ({problem}); fetch it again."
            ) from problem
    home = name.removesuffix("data.pkl")
    for key, claim in storage_claims.storages(pickle).items():
        if claim.bytes > sizes.get(f"{home}data/{key}", -1):
            raise CheckpointError(f"lacks the data of storage {key!r}; fetch it again.")
    storage_claims.check_tensors(pickle)
    return _torch_load(file, container_type.ZIP, pickle)


def read_legacy(file: BinaryIO, size: int) -> Opened:
    """Read what torch.save wrote before 1.6: five pickles, then the storages one after another."""
    for _ in ("magic number", "protocol version", "system"):
        pickles.describe(file, pickles.refuse)
    pickle = pickles.describe(file, _admit_torch, storages=True)
    keys = pickles.describe(file, pickles.refuse).value
    stored = storage_claims.storages(pickle)
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(map(str, stored)):
        raise CheckpointError("is damaged: its list of storages is wrong; fetch it again.")
    needed = file.tell() + sum(8 + claim.bytes for claim in stored.values())
    if needed > size:
        raise CheckpointError(f"is cut off: {size:,} of {needed:,} bytes; fetch it again.")
    storage_claims.check_tensors(pickle)
    return _torch_load(file, container_type.LEGACY, pickle)


def _admit_arrays(dotted: str) -> None:
    if dotted not in _ARRAYS:
        pickles.refuse(dotted)


def _admit_torch(dotted: str) -> None:
    if dotted in _UNUSABLE:
        raise CheckpointError(_UNUSABLE[dotted])
    if dotted not in _TORCH | _STUBBED:
        pickles.refuse(dotted)


def _torch_load(file: BinaryIO, container: str, pickle: Pickle) -> Opened:
    """Let torch read a file whose pickle was found in order, stubs lent only to those that need
    them."""
    file.seek(0)
    stubs = _STUBS if pickle.names & _STUBBED else []
    try:
        with _STUBS_IN_USE, torch.serialization.safe_globals(stubs), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protocols and of storage classes
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as problem:  # torch raises nearly every kind for damage
        raise CheckpointError(
            f"is damaged, or written with an unusual pickle protocol (torch's safe reader: "
            f"{type(problem).__name__}); fetch it again, or save it again with torch.save."
        ) from problem
    return Opened(UNPUBLISHED if pickle.names & _BUFFERS else container, content, {})
