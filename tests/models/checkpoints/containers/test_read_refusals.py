"""Files and entries that are no weights, foreign, cut or damaged: refused in one line."""

import gzip
import io
import os
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import torch

from errors import CheckpointError
from models.checkpoints.containers import read
from tests.models.written import planted
from tests.models.written.containers import refusal, same

ACCEPTED = "safetensors, torch"

QUANTISED = planted.Planted(torch._utils._rebuild_qtensor, 1)  # torch itself deprecates making one


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (QUANTISED, "quantised tensors; give the float weights"),
        (torch.eye(3).to_sparse(), "sparse tensors; save them dense"),
        (torch.empty(3, device="meta"), "asks to run 'torch._utils._rebuild_meta_tensor"),
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
    same(read.read(path).tensors, weights)


def test_paths_that_are_no_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "No such file" in refusal(tmp_path / "missing.pth")
    assert "is a folder" in refusal(tmp_path)
    assert "is no regular file" in refusal(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="null"):
        read.read(tmp_path / "null\0character")
    with pytest.raises(CheckpointError, match="File name too long"):
        read.read(tmp_path / ("long" * 200))


def test_a_permission_that_is_refused_is_said(tmp_path, monkeypatch):
    path = planted.write(tmp_path / "x.pth", planted.weights())

    def no(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", no)
    assert "could not be read (Permission denied)" in refusal(path)
