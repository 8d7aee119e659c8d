"""Exports to folders and URLs: the same bytes, gone on with after a stop, faults in one line."""

import json
from itertools import count

import numpy as np
import pytest
from PIL import Image

from errors import InputError, MachineError
from tests.viz.datasets.test_shards import Counting
from viz.datasets import shards
from viz.datasets.folders import RemoteFolder, folder
from viz.datasets.read import read

fsspec = pytest.importorskip("fsspec")
RUNS = count()


@pytest.fixture
def samples(tmp_path):
    for k in range(7):
        (tmp_path / "data").mkdir(exist_ok=True)
        Image.fromarray(np.full((17, 19, 3), 10 * k, np.uint8)).save(tmp_path / f"data/{k}.png")
    return read(tmp_path / "data").samples


class Halves(fsspec.get_filesystem_class("memory")):
    """A file system that shows a file while it is written, as a disk does."""

    protocol = "halves"
    store, pseudo_dirs = {}, [""]


fsspec.register_implementation("halves", Halves)


@pytest.mark.parametrize("address", ["file://{}", "memory://bucket/{}", "halves://bucket/{}"])
def test_urls_hold_the_same_bytes_and_are_gone_on_with(address, samples, tmp_path):
    out = address.format(tmp_path / "o" if "file" in address else f"run-{next(RUNS)}")
    whole = shards.run(samples, tmp_path / "whole", Counting().job)
    with pytest.raises(KeyboardInterrupt):
        shards.run(samples, out, Counting({"4.png": KeyboardInterrupt()}).job)
    again = Counting()
    found = shards.run(samples, out, again.job)
    assert again.seen == [f"{k}.png" for k in range(3, 7)]
    assert [p.read_bytes() for p in found.parts] == [p.read_bytes() for p in whole.parts]
    assert [row["mean"] for row in found.rows()] == [10.0 * k for k in range(7)]
    manifest = json.loads(folder(out).read("manifest.json"))
    assert manifest == json.loads((tmp_path / "whole/manifest.json").read_bytes())
    with pytest.raises(InputError, match="size differ"):
        shards.run(samples, out, Counting(size=2).job)


def _unknown(samples, _patch):
    shards.run(samples, "nosuch://bucket/run", Counting().job)


def _without_package(samples, patch):
    def missing(_url):
        raise ImportError("Install s3fs to access S3")

    patch.setattr(fsspec.core, "url_to_fs", missing)
    shards.run(samples, "s3://bucket/run", Counting().job)


def _refused(samples, patch):
    def refused(_self, _path, _content, **_how):
        raise PermissionError("Access Denied\nrequest 123")

    patch.setattr(fsspec.get_filesystem_class("memory"), "pipe_file", refused)
    shards.run(samples, f"memory://bucket/run-{next(RUNS)}", Counting().job)


def _parts_without_a_run(samples, _patch):
    out = f"memory://bucket/run-{next(RUNS)}"
    folder(out).write("parts/00000.parquet", b"")
    shards.run(samples, out, Counting().job)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (_unknown, InputError, "nosuch://bucket/run cannot be written to here"),
        (_without_package, InputError, "Install s3fs to access S3"),
        (_refused, MachineError, "run.json could not be written (Access Denied request 123)"),
        (_parts_without_a_run, InputError, "parts without run.json"),
    ],
)
def test_faults_are_one_line(fault, kind, said, samples, monkeypatch, one_line):
    with pytest.raises(kind) as problem:
        fault(samples, monkeypatch)
    assert said in one_line(problem.value)


def test_a_file_that_is_being_written_has_another_name(monkeypatch):
    seen, system = [], fsspec.filesystem("halves")
    monkeypatch.setattr(system, "mv", lambda *names, **_how: seen.append(names))
    RemoteFolder("halves://b", system, "/b").write("parts/0.parquet", b"1")
    assert seen == [("/b/parts/0.parquet.part", "/b/parts/0.parquet")]
