"""Checkpoint files made for the tests: plain ones in every container, and hostile ones."""

import io
import os
import pickle
import struct
import sys
import types
import zipfile
from contextlib import contextmanager

import numpy as np
import torch
from safetensors.torch import save_file

NAMES = ("conv1_w", "module.nl.theta.weight", "fc.bias")


def weights():
    """Three float32 tensors of prime sizes."""
    return {
        name: torch.arange(float(rows * 3)).reshape(rows, 3) - 2
        for name, rows in zip(NAMES, (2, 5, 7), strict=True)
    }


def arrays():
    return {name: tensor.numpy() for name, tensor in weights().items()}


def write(path, content, legacy=False, protocol=2):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    return path


def write_pickle(path, content, protocol):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def write_legacy(path, content):
    return write(path, content, legacy=True)


def write_protocol_0(path, content):
    return write_pickle(path, content, 0)


def write_protocol_2(path, content):
    return write_pickle(path, content, 2)


def write_protocol_4(path, content):
    return write_pickle(path, content, 4)


class Planted:
    """An object whose unpickling calls ``function`` with ``args``."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def touching(canary):
    """An object whose unpickling creates the file ``canary``."""
    return Planted(os.system, f"touch {canary}")


class HistoryBuffer:
    """Stands in for mmengine's while a file is written."""

    def __init__(self):
        self._log_history = np.arange(3.0)
        self._count_history = np.array([1, 1, 1])
        self._statistics_methods = {"min": HistoryBuffer.min}

    def min(self):
        return 0


HistoryBuffer.__module__ = "mmengine.logging.history_buffer"


@contextmanager
def mmengine_importable():
    """Let pickle find HistoryBuffer where mmengine has it."""
    names = ["mmengine", "mmengine.logging", "mmengine.logging.history_buffer"]
    sys.modules.update({name: types.ModuleType(name) for name in names})
    sys.modules[names[-1]].HistoryBuffer = HistoryBuffer
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def write_mmengine(path, extra=None):
    """A training checkpoint as mmengine's runner writes it."""
    with mmengine_importable():
        return write(
            path,
            {
                "meta": {"cfg": "mode='dot_product'", "epoch": 7, **(extra or {})},
                "state_dict": weights(),
                "message_hub": {"log_scalars": {"loss": HistoryBuffer()}},
                "optimizer": {"state": {}},
            },
        )


def write_safetensors(path, content=None):
    save_file(content or weights(), path, {"format": "pt"})
    return path


def rezipped(path, change=None, compression=zipfile.ZIP_STORED):
    """Write a torch zip again, each member (name, data) through ``change``."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, change(name, data) if change else data)
    return path


def with_pickle(path, data):
    """A torch zip whose pickle is ``data``, with one storage "0" of 16 bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", data)
        archive.writestr("a/version", b"3\n")
        archive.writestr("a/data/0", bytes(16))
    return path


def tensor_program(storage_elements=4, size=(4,), stride=(1,), offset=0):
    """The pickle of {"w": tensor} that claims whatever it is told to claim."""

    class Writer(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, str) and value == "the storage":
                return ("storage", torch.FloatStorage, "0", "cpu", storage_elements)
            return None

    file = io.BytesIO()
    call = Planted(torch._utils._rebuild_tensor_v2, "the storage", offset, size, stride, False, {})
    Writer(file, protocol=2).dump({"w": call})
    return file.getvalue()


def python_2_pickle(protocol):
    """{'blobs': {'conv1_w': float32 array (2, 3) of 0..5, 'model_iter': 9}} as Python 2 wrote it:
    every string a byte string, the array's data included."""
    data = np.arange(6, dtype="<f4").tobytes()
    if protocol == 0:
        text = repr(data)[1:].encode()
        return (
            b"(dp0\nS'blobs'\np1\n(dp2\nS'conv1_w'\np3\n"
            b"cnumpy.core.multiarray\n_reconstruct\np4\n(cnumpy\nndarray\np5\n(I0\ntp6\nS'b'\np7\n"
            b"tp8\nRp9\n(I1\n(I2\nI3\ntp10\ncnumpy\ndtype\np11\n(S'f4'\np12\nI0\nI1\ntp13\nRp14\n"
            b"(I3\nS'<'\np15\nNNNI-1\nI-1\nI0\ntp16\nbI00\nS" + text + b"\np17\ntp18\nb"
            b"sS'model_iter'\np19\nI9\nss."
        )
    short = lambda text: b"U" + bytes([len(text)]) + text  # noqa: E731
    return (
        b"\x80\x02}q\x00" + short(b"blobs") + b"q\x01}q\x02(" + short(b"conv1_w") + b"q\x03"
        b"cnumpy.core.multiarray\n_reconstruct\nq\x04cnumpy\nndarray\nq\x05K\x00\x85q\x06"
        + short(b"b") + b"\x87q\x07Rq\x08(K\x01K\x02K\x03\x86q\x09cnumpy\ndtype\nq\x0a"
        + short(b"f4") + b"K\x00K\x01\x87q\x0bRq\x0c(K\x03" + short(b"<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0db\x89T"
        + struct.pack("<i", len(data)) + data + b"tq\x0eb" + short(b"model_iter") + b"K\x09us."
    )  # fmt: skip
