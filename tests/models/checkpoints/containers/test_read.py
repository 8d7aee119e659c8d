"""Checkpoint files: the same state dict out of every container, and the text beside it."""

import argparse
import collections
import hashlib
import json
import pickle

import numpy as np
import pytest
import torch

from models.checkpoints.containers import contents, metadata, read, states
from tests.models.written import planted
from tests.models.written.containers import WRITERS, refusal, same


@pytest.mark.parametrize("container", WRITERS)
def test_every_container_gives_the_same_tensors(tmp_path, container):
    path = WRITERS[container](tmp_path / "a file without a telling name")
    raw = read.read(path)
    same(raw.tensors, planted.weights())
    assert (raw.name, raw.container) == (path.name, container.partition(",")[0])
    assert raw.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for tensor in raw.tensors.values():
        tensor.add_(1)  # writable


@pytest.mark.parametrize("key", [*states.STATE_KEYS, None])
@pytest.mark.parametrize("legacy", [False, True])
def test_the_state_dict_is_found_under_each_of_its_names(tmp_path, key, legacy):
    content = {key: planted.weights(), "epoch": 90} if key else planted.weights()
    raw = read.read(planted.write(tmp_path / "x.pth", content, legacy))
    same(raw.tensors, planted.weights())
    assert raw.metadata == ({"epoch": "90"} if key else {})


@pytest.mark.parametrize("protocol", [0, 2])
def test_python_2_pickles_are_read(tmp_path, protocol):
    path = tmp_path / "x.pkl"
    path.write_bytes(planted.python_2_pickle(protocol))
    raw = read.read(path)
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
    raw = read.read(planted.write_pickle(tmp_path / "x.pkl", flat, protocol))
    assert raw.tensors.pop("bytes key").tolist() == [1]
    expected = {k: torch.from_numpy(a.astype(a.dtype.newbyteorder("="))) for k, a in arrays.items()}
    same(raw.tensors, expected)
    assert raw.metadata == {"note": "text"}
    assert raw.ignored == {"lr": "training state"}


def test_a_blob_named_as_an_entry_beside_the_blobs_is_kept(tmp_path):
    content = {"blobs": {"lr": np.float32([1]), "note": 5}, "note": "text"}
    raw = read.read(planted.write_protocol_2(tmp_path / "x.pkl", content))
    assert raw.tensors["lr"].tolist() == [1]


@pytest.mark.parametrize("key", [None, 3])
def test_keys_that_are_no_text_are_refused(tmp_path, key):
    path = planted.write(tmp_path / "x", {"state_dict": {**planted.weights(), key: torch.ones(1)}})
    assert f"the key {key!r}, which is no text" in refusal(path)


def test_a_failing_disk_is_a_refusal(tmp_path, monkeypatch):
    path = planted.write(tmp_path / "x", planted.weights())

    def fails(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(contents, "_sha256", fails)
    assert "could not be read (Input/output error)" in refusal(path)


def test_cuda_storages_come_to_the_cpu(tmp_path):
    legacy = planted.write_legacy(tmp_path / "x.pth.tar", {"state_dict": planted.weights()})
    data = legacy.read_bytes()
    cpu, cuda = b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"
    assert cpu in data
    legacy.write_bytes(data.replace(cpu, cuda))
    same(read.read(legacy).tensors, planted.weights())
    modern = planted.rezipped(
        planted.write(tmp_path / "y.pth", planted.weights()),
        lambda name, data: data.replace(cpu, cuda) if name.endswith("data.pkl") else data,
    )
    same(read.read(modern).tensors, planted.weights())


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
        same(read.read(planted.write(tmp_path / "x", state, legacy)).tensors,
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
                    "cfg": "c" * (metadata.MAX_TEXT + 5),
                    "dataset_meta": {"classes": names, "too_long": list(range(3000))},
                    "sizes": (224, 224.5, True),
                    "fn": planted.HistoryBuffer(),
                },
                "optimizer": {"state": {0: torch.zeros(3)}},
                "lr_scheduler": {"milestones": [1]},
                "message_hub": {},
                "twin": planted.weights(),
            },
        )
    raw = read.read(path)
    assert raw.metadata.pop("meta.cfg") == "c" * metadata.MAX_TEXT
    assert json.loads(raw.metadata.pop("meta.dataset_meta.classes")) == names
    assert raw.metadata == {
        "epoch": "90", "best_prec1": "77.5", "acc": "0.25", "arch": "resnet50", "flag": "None",
        "meta.sizes": "[224, 224.5, true]",
    }  # fmt: skip
    assert raw.ignored == {
        "optimizer": "training state",
        "lr_scheduler": "training state",
        "message_hub": "training state",
        "twin": "neither text nor numbers (a dictionary of tensors)",
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
    raw = read.read(planted.write(tmp_path / "x.pth", content, legacy))
    same(raw.tensors, {"w": torch.ones(2), "array": torch.arange(3.0, dtype=torch.float64)})
    assert raw.metadata == {
        "best_acc": "0.5", "losses": "[1.0, 2.0]", "counts.a": "3", "steps.a": "2", "steps.b": "1",
        "args.lr": "0.1",
    }  # fmt: skip
    assert raw.ignored == {
        "empty": "neither text nor numbers (a numpy array)",
    }


def test_the_text_of_a_safetensors_header_is_metadata(tmp_path):
    assert read.read(planted.write_safetensors(tmp_path / "x")).metadata == {"format": "pt"}
