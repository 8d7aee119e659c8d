"""Checkpoint files that want to run something or to fill the memory: named, and nothing is run."""

import os
import pickle

import numpy as np
import pytest
import torch

from models.checkpoints.containers import container_type, read, states
from tests.models.written import planted
from tests.models.written.containers import refusal, same

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
    same(read.read(path).tensors, {"w": torch.zeros(4)})


def test_expanded_tensors_are_refused_in_the_old_form_too(tmp_path):
    path = planted.write_legacy(tmp_path / "x.pth", {"w": torch.ones(1).expand(10**6, 10**6)})
    assert path.stat().st_size < 2000
    assert "declares tensors of 3,725.3 GB in a file of 363 bytes" in refusal(path)


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
            assert read.read(path).ignored == {key: "training state"}


def test_one_array_under_a_million_names_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(container_type, "MAX_TENSOR_BYTES", 1000)
    array = np.zeros(10, np.float32)
    path = planted.write_protocol_2(tmp_path / "x", {str(i): array for i in range(30)})
    assert "declares tensors of" in refusal(path)
    monkeypatch.setattr(states, "MAX_ENTRIES", 29)
    assert "30 entries; up to 29" in refusal(path)
