"""Checkpoint files: the same state dict out of every container, nothing run, all else refused in
one line."""

import argparse
import collections
import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import CheckpointError
from models.checkpoints import reading, sniffing
from tests.models import planted

ACCEPTED = "safetensors, torch"


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        reading.read(path)
    message = str(caught.value)
    assert message.startswith(path.name)
    return message


def same(tensors, expected):
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == expected[name].dtype, name
        assert torch.equal(tensor, expected[name]), name
        assert tensor.is_contiguous()
        assert not tensor.requires_grad


WRITERS = {
    "safetensors": lambda path: planted.write_safetensors(path),
    "torch zip": lambda path: planted.write(path, planted.weights()),
    "torch legacy": lambda path: planted.write_legacy(path, planted.weights()),
    "torch, unpublished mmengine": planted.write_mmengine,
    "Caffe2 pickle": lambda path: planted.write_protocol_2(path, {"blobs": planted.arrays()}),
}


@pytest.mark.parametrize("container", WRITERS)
def test_every_container_gives_the_same_tensors(tmp_path, container):
    path = WRITERS[container](tmp_path / "a file without a telling name")
    raw = reading.read(path)
    same(raw.tensors, planted.weights())
    assert (raw.name, raw.container) == (path.name, container)
    assert raw.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for tensor in raw.tensors.values():
        tensor.add_(1)  # writable


@pytest.mark.parametrize("key", [*reading.STATE_KEYS, None])
@pytest.mark.parametrize("legacy", [False, True])
def test_the_state_dict_is_found_under_each_of_its_names(tmp_path, key, legacy):
    content = {key: planted.weights(), "epoch": 90} if key else planted.weights()
    raw = reading.read(planted.write(tmp_path / "x.pth", content, legacy))
    same(raw.tensors, planted.weights())
    assert raw.metadata == ({"epoch": "90"} if key else {})


@pytest.mark.parametrize("protocol", [0, 2])
def test_python_2_pickles_are_read(tmp_path, protocol):
    path = tmp_path / "x.pkl"
    path.write_bytes(planted.python_2_pickle(protocol))
    raw = reading.read(path)
    same(raw.tensors, {"conv1_w": torch.arange(6.0).reshape(2, 3)})
    assert raw.metadata == {"model_iter": "9"}
    assert raw.container == "Caffe2 pickle"


def test_python_2_reads_what_the_handwritten_pickles_say():
    for protocol in (0, 2):
        expected = pickle.loads(planted.python_2_pickle(protocol), encoding="latin1")
        assert expected["blobs"]["conv1_w"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
def test_arrays_come_in_native_order_whatever_theirs(tmp_path, protocol):
    arrays = {
        "big": np.arange(6, dtype=">f4").reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6, dtype="<f8").reshape(2, 3)),
        "half": np.arange(5, dtype="<f2"),
        "bytes": np.arange(7, dtype="u1"),
        "flags": np.array([True, False]),
        "long": np.arange(3),
        "scalar": np.array(5.0, np.float32),
        "none": np.zeros((0, 3), np.float32),
        "cut": np.arange(20, dtype=np.float32)[::2],
    }
    flat = {**arrays, b"bytes key": np.float32([1]), "lr": np.float64(0.5), "note": "text"}
    raw = reading.read(planted.write_pickle(tmp_path / "x.pkl", flat, protocol))
    assert raw.tensors.pop("bytes key").tolist() == [1]
    expected = {k: torch.from_numpy(a.astype(a.dtype.newbyteorder("="))) for k, a in arrays.items()}
    same(raw.tensors, expected)
    assert raw.metadata == {"note": "text"}
    assert raw.ignored == {"lr": "training state"}


def test_a_blob_named_as_an_entry_beside_the_blobs_is_kept(tmp_path):
    content = {"blobs": {"lr": np.float32([1]), "note": 5}, "note": "text"}
    raw = reading.read(planted.write_protocol_2(tmp_path / "x.pkl", content))
    assert raw.tensors["lr"].tolist() == [1]


@pytest.mark.parametrize("key", [None, 3])
def test_keys_that_are_no_text_are_refused(tmp_path, key):
    path = planted.write(tmp_path / "x", {"state_dict": {**planted.weights(), key: torch.ones(1)}})
    assert f"the key {key!r}, which is no text" in refusal(path)


def test_a_failing_disk_is_a_refusal(tmp_path, monkeypatch):
    path = planted.write(tmp_path / "x", planted.weights())

    def fails(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(reading, "_sha256", fails)
    assert "could not be read (Input/output error)" in refusal(path)


def test_cuda_storages_come_to_the_cpu(tmp_path):
    legacy = planted.write_legacy(tmp_path / "x.pth.tar", {"state_dict": planted.weights()})
    data = legacy.read_bytes()
    cpu, cuda = b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"
    assert cpu in data
    legacy.write_bytes(data.replace(cpu, cuda))
    same(reading.read(legacy).tensors, planted.weights())
    modern = planted.rezipped(
        planted.write(tmp_path / "y.pth", planted.weights()),
        lambda name, data: data.replace(cpu, cuda) if name.endswith("data.pkl") else data,
    )
    same(reading.read(modern).tensors, planted.weights())


def test_shared_half_and_parameter_tensors_are_kept(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    state = {
        "half": shared.half(),
        "brain": shared.bfloat16(),
        "turned": shared.T,
        "same": shared,
        "parameter": torch.nn.Parameter(shared),
        "counter": torch.tensor(7),
        "nothing": torch.zeros(0, 3),
        "spread": torch.ones(1).expand(4, 5),
    }
    for legacy in (False, True):
        same(reading.read(planted.write(tmp_path / "x", state, legacy)).tensors,
             {k: v.detach() for k, v in state.items()})  # fmt: skip


def test_what_stands_beside_the_tensors_becomes_text(tmp_path):
    names = [f"class {i}" for i in range(400)]
    with planted.mmengine_importable():
        path = planted.write(
            tmp_path / "x.pth",
            {
                "state_dict": planted.weights(),
                "epoch": 90,
                "best_prec1": torch.tensor([77.5]),
                "acc": np.float64(0.25),
                "arch": "resnet50",
                "flag": None,
                "meta": {
                    "cfg": "c" * (reading.MAX_TEXT + 5),
                    "dataset_meta": {"classes": names, "too_long": list(range(3000))},
                    "sizes": (224, 224.5, True),
                    "fn": planted.HistoryBuffer(),
                },
                "optimizer": {"state": {0: torch.zeros(3)}},
                "lr_scheduler": {"milestones": [1]},
                "message_hub": {},
                "ema": planted.weights(),
            },
        )
    raw = reading.read(path)
    assert raw.metadata.pop("meta.cfg") == "c" * reading.MAX_TEXT
    assert json.loads(raw.metadata.pop("meta.dataset_meta.classes")) == names
    assert raw.metadata == {
        "epoch": "90", "best_prec1": "77.5", "acc": "0.25", "arch": "resnet50", "flag": "None",
        "meta.sizes": "[224, 224.5, true]",
    }  # fmt: skip
    assert raw.ignored == {
        "optimizer": "training state",
        "lr_scheduler": "training state",
        "message_hub": "training state",
        "ema": "neither text nor numbers (a dictionary of tensors)",
    }


@pytest.mark.parametrize("legacy", [False, True])
def test_what_training_scripts_leave_in_torch_files_is_harmless(tmp_path, legacy):
    content = {
        "state_dict": {"w": torch.ones(2), "array": np.arange(3.0)},
        "args": argparse.Namespace(lr=0.1),
        "best_acc": np.float32(0.5),
        "losses": collections.deque([1.0, 2.0]),
        "counts": collections.defaultdict(list, a=3),
        "steps": collections.Counter("aab"),
        "empty": np.zeros(0),
    }
    raw = reading.read(planted.write(tmp_path / "x.pth", content, legacy))
    same(raw.tensors, {"w": torch.ones(2), "array": torch.arange(3.0, dtype=torch.float64)})
    assert raw.metadata == {
        "best_acc": "0.5", "losses": "[1.0, 2.0]", "counts.a": "3", "steps.a": "2", "steps.b": "1",
    }  # fmt: skip
    assert raw.ignored == {
        "args": "neither text nor numbers (a value of type argparse.Namespace)",
        "empty": "neither text nor numbers (a numpy array)",
    }


def test_a_pickle_protocol_that_torch_does_not_take_is_said(tmp_path):
    path = planted.write(tmp_path / "x.pth", planted.weights(), protocol=4)
    assert "unusual pickle protocol" in refusal(path)


def test_the_text_of_a_safetensors_header_is_metadata(tmp_path):
    assert reading.read(planted.write_safetensors(tmp_path / "x")).metadata == {"format": "pt"}


HOSTS = {
    "torch zip": planted.write,
    "torch legacy": planted.write_legacy,
    "pickle of protocol 0": planted.write_protocol_0,
    "pickle of protocol 2": planted.write_protocol_2,
    "pickle of protocol 4": planted.write_protocol_4,
}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("where", ["whole", "beside", "inside"])
def test_planted_code_is_named_and_not_run(tmp_path, host, where):
    canary = tmp_path / "canary"
    bomb = planted.touching(canary)
    content = {
        "whole": bomb,
        "beside": {"state_dict": planted.weights(), "arch": bomb},
        "inside": {"state_dict": {**planted.weights(), "w": bomb}},
    }[where]
    if "pickle" in host and where != "whole":
        content = {"blobs": planted.arrays(), "w": [bomb]}
    path = HOSTS[host](tmp_path / "x.pth", content)
    assert "asks to run 'posix.system'; refused, and nothing was run" in refusal(path)
    assert not canary.exists()
    pickle.loads(pickle.dumps(bomb))
    assert canary.exists(), "the plant itself does nothing, so the test shows nothing"


@pytest.mark.parametrize("host", ["torch zip", "torch legacy", "pickle of protocol 2"])
@pytest.mark.parametrize(
    ("function", "args", "name"),
    [
        (eval, ("open('{}', 'w')",), "builtins.eval"),
        (exec, ("open('{}', 'w')",), "builtins.exec"),
        (getattr, (os, "system"), "builtins.getattr"),
        (open, ("{}", "w"), ".open"),
        (np.save, ("{}", 1), "numpy.save"),
        (torch.hub.load, ("{}", "x"), "torch.hub.load"),
        (torch.load, ("{}",), "torch.serialization.load"),
        (bytearray, (10**12,), "builtins.bytearray"),
    ],
)
def test_other_tricks_are_named_and_not_run(tmp_path, host, function, args, name):
    canary = tmp_path / "canary"
    given_args = tuple(a.format(canary) if isinstance(a, str) else a for a in args)
    if function is getattr:
        given_args = (str, "format")
    path = HOSTS[host](tmp_path / "x.pth", {"w": planted.Planted(function, *given_args)})
    message = refusal(path)
    assert "asks to run" in message
    if function is getattr:
        name = "builtins."
    assert name in message
    assert not canary.exists()


def test_code_in_the_meta_of_an_mmengine_file_is_not_run(tmp_path):
    canary = tmp_path / "canary"
    path = planted.write_mmengine(tmp_path / "x.pth", {"hook": planted.touching(canary)})
    assert "'posix.system'" in refusal(path)
    assert not canary.exists()


def test_stubs_are_not_left_behind(tmp_path):
    before = torch.serialization.get_safe_globals()
    path = planted.write_mmengine(tmp_path / "x.pth")
    reading.read(path)
    assert torch.serialization.get_safe_globals() == before
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    data = path.read_bytes()
    path.write_bytes(data[:-300] + bytes(300))
    refusal(path)
    assert torch.serialization.get_safe_globals() == before


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (planted.tensor_program(size=(10**6, 10**6), stride=(0, 0)), "declares tensors of"),
        (planted.tensor_program(size=(2**61,) * 25, stride=(0,) * 25), "declares tensors of"),
        (planted.tensor_program(storage_elements=2**2000), "no known form"),
        (planted.tensor_program(offset=2**9000), "its pickle cannot be followed"),
        (planted.tensor_program(size=(5,)), "reaches outside its storage"),
        (planted.tensor_program(size=(4,), offset=1), "reaches outside its storage"),
        (planted.tensor_program(size=(4,), offset=-1), "reaches outside its storage"),
        (planted.tensor_program(size=(2,), stride=(-1,)), "no list of counts"),
        (planted.tensor_program(size=(1,) * 99, stride=(1,) * 99), "no list of counts"),
        (planted.tensor_program(storage_elements=5), "lacks the data of storage '0'"),
        (planted.tensor_program(storage_elements=-1), "no known form"),
        (planted.tensor_program(storage_elements=10**15), "lacks the data of storage '0'"),
    ],
)
def test_a_tensor_that_is_more_than_its_file_is_refused(tmp_path, program, words):
    assert words in refusal(planted.with_pickle(tmp_path / "x.pth", program))


def test_the_same_tensor_honestly_described_is_read(tmp_path):
    path = planted.with_pickle(tmp_path / "x.pth", planted.tensor_program())
    same(reading.read(path).tensors, {"w": torch.zeros(4)})


def test_expanded_tensors_are_refused_in_the_old_form_too(tmp_path):
    path = planted.write_legacy(tmp_path / "x.pth", {"w": torch.ones(1).expand(10**6, 10**6)})
    assert path.stat().st_size < 2000
    assert "declares tensors of 3,725.3 GB; up to 8 GB are read" in refusal(path)


def laughing(depth=40):
    """10 ** depth texts in a file of a few kilobytes."""
    value = {"a": "ha"}
    for _ in range(depth):
        value = {str(i): value for i in range(10)}
    return value


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.timeout(60)
def test_a_billion_laughs_are_refused(tmp_path, host):
    weights = planted.arrays() if "pickle" in host else planted.weights()
    for key in ("meta", "optimizer"):
        path = HOSTS[host](tmp_path / "x", {"model": weights, key: laughing()})
        if key == "meta":
            assert "far more beside its tensors" in refusal(path)
        else:
            assert reading.read(path).ignored == {key: "training state"}


def test_one_array_under_a_million_names_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sniffing, "MAX_TENSOR_BYTES", 1000)
    array = np.zeros(10, np.float32)
    path = planted.write_protocol_2(tmp_path / "x", {str(i): array for i in range(30)})
    assert "unpacks to more than" in refusal(path)
    monkeypatch.setattr(reading, "MAX_ENTRIES", 29)
    assert "30 entries; up to 29" in refusal(path)


QUANTISED = planted.Planted(torch._utils._rebuild_qtensor, 1)  # torch itself deprecates making one


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (QUANTISED, "quantised tensors; give the float weights"),
        (torch.eye(3).to_sparse(), "sparse tensors; save them dense"),
        (torch.empty(3, device="meta"), "asks to run 'torch._utils._rebuild_meta_tensor"),
        (3, "entry 'w' is a value of type int"),
        ("x", "entry 'w' is a value of type str"),
        ({"deeper": torch.ones(1)}, "entry 'w' is a dictionary of tensors"),
    ],
)
def test_entries_that_are_no_dense_tensors_are_refused(tmp_path, tensor, words, legacy):
    content = {"state_dict": {**planted.weights(), "w": tensor}}
    assert words in refusal(planted.write(tmp_path / "x.pth", content, legacy))


@pytest.mark.parametrize(
    "array",
    [np.array([{}, None]), np.array(["text"]), np.zeros(2, [("x", "f4")]), np.zeros(2, "c8")],
)
def test_arrays_of_anything_but_numbers_are_refused(tmp_path, array):
    path = planted.write_protocol_2(tmp_path / "x.pkl", {"w": array})
    assert "entry 'w' is an array of" in refusal(path)


def test_an_array_whose_shape_is_not_its_data_is_refused(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(planted.python_2_pickle(2).replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86"))
    assert "shape does not fit its 24 bytes" in refusal(path)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"state_dict": {}}, {"weights": {"a": 1}}])
def test_no_tensors_is_said(tmp_path, content):
    assert "holds no tensors" in refusal(planted.write(tmp_path / "x", content))
    assert "holds no tensors" in refusal(planted.write_protocol_2(tmp_path / "x", content))


@pytest.mark.parametrize("content", [[1], torch.ones(3), 5, "text"])
def test_what_is_no_dictionary_is_refused(tmp_path, content):
    assert "not a state dict" in refusal(planted.write(tmp_path / "x", content))


def zip_of(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"data")
    return file.getvalue()


def tar_of(name):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return file.getvalue()


FOREIGN = [
    (b"", "is empty (0 bytes); fetch it again"),
    (b"<!DOCTYPE html><html><title>Google Drive - Virus scan warning", "is a web page"),
    (b"\xef\xbb\xbf\n <?xml version='1.0'?>", "is a web page"),
    (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
    (zip_of("model_best.pth.tar"), "is an archive (zip of model_best.pth.tar); unpack it and give"),
    (zip_of(), "is an archive (zip of nothing)"),
    (zip_of("a/data.pkl", "a/constants.pkl", "a/code/x.py"), "is a TorchScript program"),
    (zip_of("w.npy", "b.npy"), "is a numpy .npz file"),
    (zip_of("a/data.pkl", "b/data.pkl"), "is an archive"),
    (zip_of("a/data.pkl", "a/data/0", "a/DATA/0"), "two files of one name"),
    (tar_of("model_best.pth.tar"), "is an archive (tar); unpack it and give the .pth inside"),
    (gzip.compress(tar_of("x")), "is an archive (gzip); unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "is an archive (7z)"),
    (b"\x08\x07\x12\x07pytorch\x1a\x051.9", "is an ONNX program"),
    (b"\x89HDF\r\n\x1a\n\0\0", "is an HDF5 file"),
    (struct.pack("<QQ", 0x112, 0) + b"\xc9\xfa\x93\xf9", "is an MXNet .params file"),
    (b"\x93NUMPY\x01\0", "is a single numpy array"),
    (b"\x89PNG\r\n\x1a\n", f"is a picture; {ACCEPTED}"),
    (b"hello, here are the weights", f"is not a weight file; {ACCEPTED}"),
    (b'{"conv1": [1, 2]}', f"is not a weight file; {ACCEPTED}"),
    (struct.pack("<Q", 3 * 2**30) + b"{}", "claims a safetensors header of 3,221,225,472 bytes"),
    (struct.pack("<Q", 3 * 2**30), "claims a safetensors header of 3,221,225,472 bytes"),
    (struct.pack("<Q", 2**63) + b"{" * 99, "claims a safetensors header"),
    (struct.pack("<Q", 2) + b"{}", "holds no tensors"),
    (struct.pack("<Q", 50) + b"{" * 50, "is damaged or cut off"),
    (b"PK\3\4" + bytes(200), "table of contents is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), FOREIGN, ids=[w[:40] for _, w in FOREIGN])
def test_every_foreign_file_is_named(tmp_path, data, words):
    path = tmp_path / "weights.pth"
    path.write_bytes(data)
    assert words in refusal(path)


def test_a_header_over_the_cap_is_refused_even_if_the_file_is_large(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", 17 * 2**20) + b"{")
    os.truncate(path, 20 * 2**20)
    assert "at most 16,777,216 are read" in refusal(path)


def test_a_file_over_the_cap_is_not_opened(tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(b"PK")
    os.truncate(path, 3 * 2**30)
    assert "has 3.0 GB; up to 2 GB is read" in refusal(path)


def test_zip_bombs_are_refused(tmp_path):
    path = planted.write(tmp_path / "x.pth", {"w": torch.zeros(10**6)})
    planted.rezipped(path, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 20_000
    assert "is a zip bomb" in refusal(path)


def test_a_zip_with_a_table_of_contents_of_a_gigabyte_is_refused(tmp_path):
    path = tmp_path / "x.pth"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, 2**30, 4, 0)
    path.write_bytes(b"PK\3\4" + bytes(500) + end)
    assert "table of contents claims 1,073,741,824 bytes" in refusal(path)


def test_an_honestly_compressed_torch_file_is_read(tmp_path):
    weights = {"w": torch.randn(1000, generator=torch.Generator().manual_seed(0))}
    path = planted.write(tmp_path / "x.pth", weights)
    planted.rezipped(path, compression=zipfile.ZIP_DEFLATED)
    same(reading.read(path).tensors, weights)


def test_paths_that_are_no_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "No such file" in refusal(tmp_path / "missing.pth")
    assert "is a folder" in refusal(tmp_path)
    assert "is no regular file" in refusal(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="null"):
        reading.read(tmp_path / "null\0character")
    with pytest.raises(CheckpointError, match="File name too long"):
        reading.read(tmp_path / ("long" * 200))


def test_a_permission_that_is_refused_is_said(tmp_path, monkeypatch):
    path = planted.write(tmp_path / "x.pth", planted.weights())

    def no(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", no)
    assert "could not be read (Permission denied)" in refusal(path)


@pytest.mark.parametrize("container", WRITERS)
def test_every_cut_is_refused(tmp_path, container):
    path = WRITERS[container](tmp_path / "x.pth")
    data = path.read_bytes()
    for at in {*range(0, len(data), max(1, len(data) // 60)), *range(20), len(data) - 1}:
        path.write_bytes(data[:at])
        refusal(path)


@pytest.mark.parametrize("container", WRITERS)
def test_damage_anywhere_is_a_refusal_or_harmless(tmp_path_factory, container):
    path = WRITERS[container](tmp_path_factory.mktemp("damage") / "x.pth")
    data = path.read_bytes()

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, len(data) - 1), st.binary(min_size=1, max_size=4))
    def damaged(at, change):
        path.write_bytes(data[:at] + change + data[at + len(change) :])
        try:
            reading.read(path)
        except CheckpointError as refused:
            assert "\n" not in str(refused)  # noqa: PT017

    damaged()


STARTS = [b"", b"PK\3\4", b"\x80\x02", b"\x80\x04\x95", b"(dp0\n", struct.pack("<Q", 30) + b"{",
          b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."]  # fmt: skip


def test_any_bytes_are_refused(tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "x.pth"

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(STARTS), st.binary(max_size=200))
    def anything(start, data):
        path.write_bytes(start + data)
        refusal(path)

    anything()
