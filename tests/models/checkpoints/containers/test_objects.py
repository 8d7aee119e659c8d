"""Objects beside the weights and networks pickled whole: described, never made; every protocol."""

import argparse
import collections
import datetime
import enum
import functools
import pathlib
import pickle
import sys
import types
import uuid

import numpy as np
import pytest
import torch
from torch import nn

from models.checkpoints.containers import container_type, contents, read
from tests.models.written import planted
from tests.models.written.containers import refusal, same

PROTOCOLS = range(6)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_read_in_both_torch_containers(tmp_path, protocol, legacy):
    state = {
        **planted.weights(),
        "half": torch.arange(5).half(),
        "parameter": nn.Parameter(torch.ones(3)),
        "turned": torch.arange(6.0).reshape(2, 3).T,
        "array": np.arange(3.0),
    }
    path = planted.write(tmp_path / "x.pth", {"state_dict": state, "epoch": 7}, legacy, protocol)
    raw = read.read(path)
    tensors = {
        k: v if isinstance(v, torch.Tensor) else torch.from_numpy(v) for k, v in state.items()
    }
    same(raw.tensors, {k: v.detach() for k, v in tensors.items()})
    assert raw.metadata == {"epoch": "7"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_read_as_a_pickle_of_arrays(tmp_path, protocol):
    path = planted.write_pickle(tmp_path / "x.pkl", {"blobs": planted.arrays()}, protocol)
    same(read.read(path).tensors, planted.weights())


class Kind(enum.Enum):
    SOFT = "soft"


class AttributeDict(dict):
    pass


class Config:
    def __init__(self, **given):
        self.__dict__.update(given)


class Evil:
    """Whose constructor, state and items would all be run by who makes it."""

    made: list = []  # noqa: RUF012

    def __init__(self):
        self.kept = 1

    def __setstate__(self, state):
        Evil.made.append(state)


OBJECTS = {
    "a path": (pathlib.PurePosixPath("/runs/7"), {"thing": "/runs/7"}),
    "a date": (datetime.datetime(2024, 5, 6), {}),  # noqa: DTZ001
    "a span": (datetime.timedelta(3), {}),
    "a name space": (argparse.Namespace(nl_type="cgnlx"), {"thing.nl_type": "cgnlx"}),
    "a simple name space": (types.SimpleNamespace(a=3), {"thing.a": "3"}),
    "a configuration": (Config(mode="dot_product"), {"thing.mode": "dot_product"}),
    "a dictionary of a kind": (AttributeDict(lr=0.5), {"thing.lr": "0.5"}),
    "a default": (collections.defaultdict(list, a=[1]), {"thing.a": "[1]"}),
    "a member of an enumeration": (Kind.SOFT, {}),
    "a function": (planted.weights, {}),
    "a partial function": (functools.partial(planted.weights, 1), {}),
    "a number of its own": (uuid.UUID(int=5), {}),
    "a random state": (np.random.RandomState(3), {}),  # noqa: NPY002
    "types": ({"a": torch.float16, "b": np.float32, "c": torch.Size([3])}, {}),
    "a scheduler": (
        torch.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.ones(1)], 0.1), 3),
        {"thing.step_size": "3"},
    ),
    "an object that would run": (Evil(), {}),
}  # fmt: skip


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(("thing", "told"), OBJECTS.values(), ids=OBJECTS)
def test_objects_beside_the_weights_are_only_described(tmp_path, thing, told, protocol, legacy):
    content = {"state_dict": planted.weights(), "thing": thing}
    path = planted.write(tmp_path / "x.pth", content, legacy, protocol)
    Evil.made.clear()
    raw = read.read(path)
    same(raw.tensors, planted.weights())
    assert told.items() <= raw.metadata.items()
    assert Evil.made == []


class Net(nn.Module):
    """A network as people write them: parts, shared parts, buffers, a function kept."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU())
        self.again = self.stem[0]
        self.w = nn.Parameter(torch.arange(3.0))
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("passing", torch.ones(2), persistent=False)
        self.act = nn.functional.relu
        self.args = argparse.Namespace(a=1)


WHOLE = {
    "the file": (lambda net: net, ""),
    "under model": (lambda net: {"model": net, "epoch": 3}, ""),
    "in parallel": (lambda net: {"net": nn.DataParallel(net)}, "module."),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(("put", "prefix"), WHOLE.values(), ids=WHOLE)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_network_that_was_pickled_whole_gives_its_state(
    tmp_path, monkeypatch, put, prefix, protocol, legacy
):
    net = Net()
    path = planted.write(tmp_path / "x.pth", put(net), legacy, protocol)
    monkeypatch.delattr(sys.modules[__name__], "Net")  # it cannot be imported, and need not be
    raw = read.read(path)
    same(raw.tensors, {prefix + k: v.detach() for k, v in net.state_dict().items()})


def test_a_tensor_with_attributes_is_read(tmp_path):
    tagged = torch.arange(5.0)
    tagged.note = "mine"
    tuned = nn.Parameter(torch.arange(3.0))
    tuned.no_decay = True
    path = planted.write(tmp_path / "x.pth", {"a": tagged, "b": tuned})
    same(read.read(path).tensors, {"a": torch.arange(5.0), "b": torch.arange(3.0)})


def test_numbers_and_none_beside_tensors_are_left_out(tmp_path):
    state = {**planted.weights(), "steps": 3, "nothing": None, "part": {"w": torch.ones(1)}}
    raw = read.read(planted.write(tmp_path / "x.pth", {"state_dict": state}))
    same(raw.tensors, planted.weights())
    assert raw.metadata == {"steps": "3", "nothing": "None", "part.w": "1.0"}


def test_measures_beside_a_state_dict_of_any_name_are_not_taken_for_it(tmp_path):
    content = {"best_acc": torch.tensor(0.5), "mine": planted.weights()}
    raw = read.read(planted.write(tmp_path / "x.pth", content))
    same(raw.tensors, planted.weights())
    assert raw.metadata == {"best_acc": "0.5"}


def test_what_is_not_needed_is_not_read(tmp_path, monkeypatch):
    large = {"state": {k: {"exp_avg": torch.ones(50_000)} for k in range(20)}}
    path = planted.write(tmp_path / "x.pth", {"model": planted.weights(), "optimizer": large})
    made = []
    real = contents.tensor
    monkeypatch.setattr(contents, "tensor", lambda *a: made.append(1) or real(*a))
    read.read(path)
    assert len(made) == len(planted.weights())


def test_big_endian_numbers_are_turned(tmp_path):
    path = planted.write(tmp_path / "x.pth", {"w": torch.arange(5.0)})

    def turned(name, data):
        if name.endswith("byteorder"):
            return b"big"
        return np.frombuffer(data, "<u4").byteswap().tobytes() if "/data/" in name else data

    planted.rezipped(path, turned)
    same(read.read(path).tensors, {"w": torch.arange(5.0)})


def laden(value):
    """A network's part with what is put inside, as a pickle of protocol 2 has it."""
    part = Net()
    part.extra = value
    return part


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_code_inside_a_whole_network_is_named_and_not_run(tmp_path, protocol, legacy):
    canary = tmp_path / "canary"
    path = planted.write(tmp_path / "x.pth", laden(planted.touching(canary)), legacy, protocol)
    assert "asks to run 'posix.system'" in refusal(path)
    assert not canary.exists()


STILL_REFUSED = {
    "a function named": eval,
    "a partial of one": functools.partial(eval, "1"),
    "a shell": planted.Planted(__import__("subprocess").Popen, "true"),
    "an import": planted.Planted(__import__("importlib").import_module, "os"),
    "a method of a value": planted.Planted(getattr, "text", "format"),
    "somebody's function": planted.Planted(planted.touching, "x"),
    "code": planted.Planted(compile, "1", "x", "eval"),
    "a hub": planted.Planted(torch.hub.load, "a/b", "c"),
    "numpy's": planted.Planted(np.save, "x", 1),
    "a class of the library": planted.Planted(__import__("socket").socket),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("thing", STILL_REFUSED.values(), ids=STILL_REFUSED)
def test_what_would_run_elsewhere_is_refused_beside_the_weights(tmp_path, thing, legacy):
    content = {"state_dict": planted.weights(), "thing": [thing]}
    assert "asks to run '" in refusal(planted.write(tmp_path / "x.pth", content, legacy))


def test_the_stack_machine_reads_what_pickle_writes_of_objects(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"net": planted.arrays(), "c": Config(a=AttributeDict(b=2))}))
    assert read.read(path).metadata == {"c.a.b": "2"}


@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_in_one_large_storage_are_read_part_by_part(tmp_path, monkeypatch, legacy):
    whole = torch.arange(600_000.0)
    state = {str(k): whole[k * 2000 : (k + 1) * 2000].reshape(40, 50).T for k in range(300)}
    path = planted.write(tmp_path / "x.pth", state, legacy)
    monkeypatch.setattr(container_type, "MAX_TENSOR_BYTES", whole.nbytes + 100_000)
    same(read.read(path).tensors, {k: v.contiguous() for k, v in state.items()})


def test_data_that_is_read_endlessly_is_refused(tmp_path, monkeypatch):
    whole = torch.arange(600_000.0)
    ends = {str(k): whole.as_strided((2,), (599_999,), 0) for k in range(40)}
    path = planted.write(tmp_path / "x.pth", ends)
    assert len(read.read(path).tensors) == 40
    monkeypatch.setattr(container_type, "MAX_TENSOR_BYTES", 30 * whole.nbytes)
    assert "reads the same data endlessly" in refusal(path)
