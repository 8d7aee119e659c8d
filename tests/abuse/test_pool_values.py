"""Checkpoints, recipes and key points read by children: the same as in this process, within limits,
and nothing that a child says is believed."""

import json
import os
import socket
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from errors import AttentionVizError, CheckpointError, InputError
from models import checkpoints
from models.checkpoints import own
from models.checkpoints.containers.read import read
from models.report import UndecidedError
from models.zoo import catalogue
from tests.abuse.inputs import hostile
from tests.abuse.inputs.samples import SAMPLES, sample
from tests.models.written import planted
from ui.isolation import channel, given, jobs, pool, texts, weights
from viz.figure import keypoints
from viz.figure.files import embedded_recipe

pytestmark = [pytest.mark.timeout(60), pytest.mark.slow]

CONTAINERS = ("safetensors", "torch zip", "torch legacy", "pickle")
DTYPES = ("float16", "bfloat16", "int8", "bool", "complex64", "float8_e4m3fn")


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    given.pool().close()


def raw(path, choice=None):
    return weights.reader()(path, choice)


def same(one, other):
    assert one.tensors.keys() == other.tensors.keys()
    for key, value in one.tensors.items():
        there = other.tensors[key]
        assert (value.dtype, value.shape) == (there.dtype, there.shape), key
        bits = [v.contiguous().reshape(-1).view(torch.uint8) for v in (value, there)]
        assert torch.equal(*bits), key
    assert (one.name, one.container, one.metadata, one.ignored, one.sha256, one.weights) == (
        other.name, other.container, other.metadata, other.ignored, other.sha256, other.weights,
    )  # fmt: skip


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_child_reads_the_checkpoint_that_this_process_reads(tmp_path, kind):
    path = tmp_path / "resnet50-x.pth"
    path.write_bytes(sample(kind))
    same(raw(path), read(path))


@pytest.mark.parametrize("legacy", [False, True])
def test_every_dtype_and_shape_comes_over(tmp_path, legacy):
    content = {name: torch.ones(3, 5).to(getattr(torch, name)) for name in DTYPES[:5]}
    content |= {"none": torch.zeros(0, 7), "one": torch.tensor(17), "turned": torch.rand(3, 5).t()}
    write = planted.write_legacy if legacy else planted.write
    write(tmp_path / "x.pth", {"state_dict": content, "epoch": torch.tensor(7.5).bfloat16()})
    found = raw(tmp_path / "x.pth")
    same(found, read(tmp_path / "x.pth"))
    assert found.metadata == {"epoch": "7.5"}
    found.tensors["turned"] += 1  # what comes is the caller's own


def test_small_floats_of_safetensors_come_over(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "x.safetensors"
    save_file({name: torch.ones(7).to(getattr(torch, name)) for name in DTYPES}, path)
    same(raw(path), read(path))


def test_what_a_file_leaves_open_is_asked_and_answered(tmp_path):
    path = tmp_path / "x.pth"
    planted.write(path, {"ema": planted.weights(), "net": planted.weights()})
    with pytest.raises(UndecidedError) as asked:
        raw(path)
    assert asked.value.questions[0].choices == ("ema", "net")
    same(raw(path, "net"), read(path, "net"))
    with pytest.raises(CheckpointError, match="has no weights under 'mine'"):
        raw(path, "mine")


def test_a_network_of_our_own_is_loaded_from_what_a_child_read():
    path = catalogue.WEIGHTS / "e2-nl.safetensors"
    found = checkpoints.load(path, reader=weights.reader())
    expected = own.load(path)
    assert (found.spec, found.sha256, found.class_names) == (
        expected.spec, expected.sha256, expected.class_names,
    )  # fmt: skip
    there = expected.network.state_dict()
    assert all(torch.equal(v, there[k]) for k, v in found.network.state_dict().items())


CASES = ("stride_0", "aliases", "array_references", "colliding_keys", "copied_text", "copied_list")


@pytest.mark.parametrize("case", CASES)
def test_refusals_of_hostile_checkpoints_are_those_of_the_reader(tmp_path, one_line, case):
    path = tmp_path / "x.pth"
    getattr(hostile, case)(path)
    with pytest.raises(CheckpointError) as here:
        read(path)
    with pytest.raises(CheckpointError) as there:
        raw(path)
    assert one_line(there.value) == str(here.value)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"megabytes": 10, "growth": 0}, "needs more than the 10 MB of memory"),
        ({"patience": 0}, "takes more than 0 s"),
        ({"result_mb": 10}, "could not be read"),
    ],
)
def test_a_checkpoint_over_a_limit_is_one_line_and_the_next_one_is_read(
    tmp_path, monkeypatch, one_line, limits, words
):
    large, small = tmp_path / "large.pth", tmp_path / "small.pth"
    planted.write(large, {"w": torch.ones(9_000_000)})
    planted.write(small, planted.weights())
    given.pool().close()  # a child that kept memory of earlier files needs less
    # Looks often enough that no child is done before the first.
    monkeypatch.setattr(pool, "_LOOK_EVERY_S", 0.001)
    monkeypatch.setitem(pool.KINDS, "weights", jobs.KINDS["weights"]._replace(**limits))
    with pytest.raises(CheckpointError, match=words) as caught:
        raw(large)
    assert "state_dict" in one_line(caught.value) or "try again" in one_line(caught.value)
    monkeypatch.undo()
    same(raw(small), read(small))


GOOD = {
    "container": "safetensors", "metadata": {}, "ignored": {}, "sha256": "a", "weights": None,
    "places": [["w", "float32", [3], 0]],
}  # fmt: skip
LIES = [
    {"places": [["w", "float32", [3], 64]]},
    {"places": [["w", "float32", [17], 0]]},
    {"places": [["w", "float32", [3], 4]]},
    {"places": [["w", "float32", [3], -64]]},
    {"places": [["w", "float32", [-3], 0]]},
    {"places": [["w", "float32", [3.0], 0]]},
    {"places": [["w", "float32", [True], 0]]},
    {"places": [["w", "float32", [2**62, 2**62], 0]]},
    {"places": [["w", "nn", [3], 0]]},
    {"places": [["w", "load", [3], 0]]},
    {"places": [["w"]]},
    {"places": 17},
    {"container": "torchscript"},
    {"metadata": 17},
    {"weights": "ema"},
    {"questions": 17},
]


@pytest.mark.parametrize("lie", [{}, *LIES], ids=str)
def test_what_a_child_says_is_not_believed(tmp_path, monkeypatch, one_line, lie):
    (tmp_path / "x.pth").write_bytes(b"1" * 64)

    def run(*_asked):
        return {**GOOD, **lie}, [channel.block(np.arange(3, dtype=np.float32))]

    monkeypatch.setattr(pool.Pool, "run", run)
    if not lie:
        assert raw(tmp_path / "x.pth").tensors["w"].tolist() == [0, 1, 2]
        return
    with pytest.raises(CheckpointError) as caught:
        raw(tmp_path / "x.pth")
    one_line(caught.value)


@pytest.mark.parametrize("kind", ["recipe", "pdf", "svg"])
def test_a_child_reads_the_recipe_that_this_process_reads(kind):
    assert texts.recipe(sample(kind), "x") == embedded_recipe.read(sample(kind), "x")


@pytest.mark.parametrize("kind", ["json points", "csv points"])
def test_a_child_reads_the_points_that_this_process_reads(kind):
    expected = SAMPLES[kind][1](sample(kind), "p")
    found = texts.points({"p": sample(kind)})
    assert found == (expected or keypoints.read_bytes(sample(kind), "p"))


def test_points_of_cub_come_over():
    files = {
        "part_locs.txt": b"1 2 3.5 4.5 1\n", "images.txt": b"1 a.jpg\n", "parts.txt": b"2 beak\n",
    }  # fmt: skip
    assert texts.points(files) == keypoints.read_files(files)


BAD_TEXTS = (
    b"", b"{", b"17", b"[1]", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"format": "x"}', b"%PDF-1.4",
    b"<svg/>", b"\x89PNG\r\n\x1a\n", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a":1e999}',
)  # fmt: skip


@pytest.mark.parametrize("content", BAD_TEXTS, ids=lambda content: content[:12].decode("latin-1"))
def test_refusals_of_texts_are_one_line(one_line, content):
    for read_text in (texts.recipe, lambda text, name: texts.points({name: text})):
        with pytest.raises(InputError) as caught:
            read_text(content, "x")
        one_line(caught.value)


def test_a_child_tells_how_much_of_a_checkpoint_is_read(tmp_path):
    told = []
    tensors = {f"w{k}": torch.ones(10_000_000) for k in range(7)}
    planted.write(tmp_path / "x.pth", tensors)
    found = weights.reader(lambda *share: told.extend(share))(tmp_path / "x.pth", None)
    assert set(found.tensors) == set(tensors)
    assert told
    assert told == sorted(told)
    assert 0 < told[0] <= told[-1] <= 1


@pytest.mark.parametrize("share", [7, -0.1, "0.5", True, None, float("nan")])
def test_a_share_that_a_child_makes_up_is_no_message(share):
    with pytest.raises(channel.BrokenChannelError):
        channel.share({"share": share})


def test_a_child_that_only_tells_how_far_it_is_is_given_up(monkeypatch):
    child = pool.Child()
    monkeypatch.setattr(channel, "send", lambda *_what: None)
    ours, theirs = socket.socketpair()
    text = json.dumps({"share": 0.5}).encode()
    theirs.sendall((struct.pack(">I", len(text)) + text) * 1000)
    child.socket, own = ours, child.socket
    try:
        child._is_ready = True
        with pytest.raises(TimeoutError):
            child.ask({}, [], 0.0, lambda *_share: None)
    finally:
        for one in (own, theirs):
            one.close()
        child.end()


def test_a_closed_tab_ends_the_work_on_a_checkpoint(tmp_path):
    class GoneError(Exception):
        pass

    calls = iter(range(10**6))

    def look():
        if next(calls) > 0:
            raise GoneError

    planted.write(tmp_path / "x.pth", {"w": torch.ones(40_000_000)})
    with pytest.raises(GoneError):
        weights.reader(look)(tmp_path / "x.pth", None)


def test_no_descriptor_is_left_open(tmp_path):
    planted.write(tmp_path / "x.pth", planted.weights())
    raw(tmp_path / "x.pth")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        raw(tmp_path / "x.pth")
        with pytest.raises(AttentionVizError):
            texts.recipe(json.dumps([os.getpid()]).encode(), "x")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
