"""Which names a pickle may hold.

Nothing that a pickle names is ever looked up, imported or called here: everything is only
described. A file that would run something for whoever loads it in the usual way is refused all the
same, by the name of what it would run, so that nobody passes it on. What remains are data (paths,
dates, name spaces, arrays), the classes of networks and optimizers, and a user's own classes.
"""

import re
import sys

from errors import CheckpointError
from models.checkpoints.containers import storage_claims

REMEDY = "refused, and nothing was run. Give the network's state_dict, saved alone."

_UNUSABLE = {
    "torch._utils._rebuild_qtensor": storage_claims.QUANTISED,
    "torch._utils._rebuild_sparse_tensor": "holds sparse tensors; save them dense (to_dense()).",
}
_TORCH = {
    *storage_claims.STORAGES,
    *storage_claims.REBUILDS,
    *storage_claims.WRAPPERS,
    "torch.Size",
    "torch.device",
    "torch.torch_version.TorchVersion",
    "torch.serialization._get_layout",
}
_ARRAYS = {
    "numpy.ndarray",
    "numpy.dtype",
    *(
        f"numpy.{core}.{name}"
        for core in ("core", "_core")
        for name in ("multiarray._reconstruct", "multiarray.scalar", "numeric._frombuffer")
    ),
    *(f"numpy.random._{kind.lower()}.{kind}" for kind in ("MT19937", "PCG64", "Philox", "SFC64")),
    *(
        f"numpy.random._pickle.__{what}_ctor"
        for what in ("randomstate", "bit_generator", "generator")
    ),
}
_BUILTINS = {
    f"builtins.{name}"
    for name in (
        "bool", "bytes", "complex", "dict", "float", "frozenset", "getattr", "int", "list",
        "object", "range", "set", "slice", "str", "tuple",
    )
}  # fmt: skip
_LIBRARY = {
    "_codecs.encode",
    "_io.BytesIO",
    "argparse.Namespace",
    "collections.Counter",
    "collections.OrderedDict",
    "collections.UserDict",
    "collections.defaultdict",
    "collections.deque",
    "copyreg.__newobj__",
    "copyreg.__newobj_ex__",
    "copyreg._reconstructor",
    "decimal.Decimal",
    "fractions.Fraction",
    "functools.partial",
    "logging.Logger",
    "logging.getLogger",
    "random.Random",
    "re._compile",
    "time.struct_time",
    "types.SimpleNamespace",
    "uuid.SafeUUID",
    "uuid.UUID",
    *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
    *(
        f"pathlib.{home}{kind}Path"
        for home in ("", "_local.")
        for kind in ("", "Pure", "Posix", "Windows", "PurePosix", "PureWindows")
    ),
}
_DATA = _TORCH | _ARRAYS | _BUILTINS | _LIBRARY
"""What may be named and called: its result is data."""

_NAMED = re.compile(
    r"torch\.(?:nn|optim|amp|cuda\.amp|utils\.data|distributions|_C\._nn|torch_version)\.[\w.]+"
    r"|torch\.(?:_utils\.torch\.)?(?:Tensor|\w*float\w*|u?int\d+|bool|half|double|long|short|strided|\w+_format"
    r"|channels_last(?:_3d)?)"
    r"|torchvision\.[\w.]+|numpy\.(?:float|u?int|bool|complex)\w*|(?:typing|enum|abc)\.\w+"
)
"""What may be named besides, as the class of an object or a function that is only kept."""
_GUARDED = sys.stdlib_module_names | {"torch", "torchvision", "numpy"}
"""Packages of which only what stands above may be named; of others, which are not known here, all.
A function of theirs may not be called, a class may: what is made of it is only described."""
_CLASS = re.compile(r"_*[A-Z]\w*")


def check_named(dotted: str) -> None:
    """Refuse a global by its dotted name, unless it is data or a class."""
    if dotted in _UNUSABLE:
        raise CheckpointError(_UNUSABLE[dotted])
    guarded = dotted.partition(".")[0] in _GUARDED
    if guarded and dotted not in _DATA and not _NAMED.fullmatch(dotted):
        refuse(dotted)


def check_called(dotted: str) -> None:
    """Refuse the call of a global, unless its result is data or an object of somebody's class."""
    guarded = dotted.partition(".")[0] in _GUARDED
    class_name = _CLASS.fullmatch(dotted.rpartition(".")[2])
    if dotted not in _DATA and (guarded or not class_name):
        refuse(dotted)


def refuse(dotted: str) -> None:
    """Refuse a global by its name; what a pickle gets that may name none."""
    raise CheckpointError(f"asks to run '{dotted[:200]}'; {REMEDY}")
