"""A Ray cluster makes the same bytes, outlives workers that die, and is refused in one line."""

import os
import socket
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
import torch

from errors import InputError, MachineError
from models.specs.block import CGNLSpec, NonLocalSpec
from tests.conftest import make_tiny
from tests.viz.evaluation.drawn_birds import dataset
from viz.datasets import cluster, shards
from viz.datasets import export as exports
from viz.datasets.cluster import Cluster
from viz.datasets.export import Asked, export
from viz.datasets.read import read
from viz.datasets.shards import Job
from viz.evaluation import evaluate as evaluations

PICTURES = 7
# What Ray warns of is its own.
pytestmark = pytest.mark.filterwarnings(
    *(f"ignore::{kind}Warning" for kind in ("Deprecation", "Future", "Resource", "User"))
)


@pytest.fixture(scope="module")
def birds(tmp_path_factory):
    """Pictures, one of them broken, and an embedded cluster of two workers."""
    ray = pytest.importorskip("ray")
    folder = dataset(tmp_path_factory.mktemp("data"), PICTURES)
    (folder / "03.png").write_bytes(b"no picture at all")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield read(folder)
    ray.shutdown()
    torch.set_num_threads(threads)


def _bytes(finished):
    return [part.read_bytes() for part in finished.parts]


@pytest.mark.slow
def test_exports_and_evaluations_have_the_same_bytes(birds, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "Job", partial(Job, batch=3))
    monkeypatch.setattr(evaluations, "Job", partial(Job, batch=3))
    runner, model = Cluster("auto", 2, "cpu").run, make_tiny(NonLocalSpec())
    asked = Asked(("maps", "features"), "float32")
    here = export(birds, model, tmp_path / "here", asked)
    there = export(birds, model, tmp_path / "there", asked, runner=runner)
    assert _bytes(here) == _bytes(there)
    assert [name for name, _why in there.problems] == ["03.png"]
    models, asked = [model, replace(make_tiny(CGNLSpec(groups=8)), id="other")], evaluations.Asked()
    here = evaluations.evaluate(birds, models, tmp_path / "e", asked)
    there = evaluations.evaluate(birds, models, tmp_path / "f", asked, runner=runner)
    assert _bytes(here.finished) == _bytes(there.finished)
    assert here.summary == there.summary


def _dying(marker):
    """Return the work of a batch that ends its process the first time it is done."""

    def row(sample, clip):
        if sample.name == "02.png" and not Path(marker).exists():
            Path(marker).write_text("")
            os._exit(1)
        return [{"picture": sample.name, "mean": float(clip.frames.mean())}]

    return lambda: shards.one_by_one(row)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(birds, tmp_path):
    schema = shards.pa.schema([("picture", shards.pa.string()), ("mean", shards.pa.float32())])
    job = Job({}, schema, _dying(str(tmp_path / "died")), batch=2)
    found = shards.run(birds.samples, tmp_path / "o", job, runner=Cluster("auto", 2, "cpu").run)
    assert (tmp_path / "died").exists()
    assert len(list(found.rows())) == PICTURES - 1


def _closed_port():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize(
    ("address", "kind", "said"),
    [
        ("nowhere", InputError, "'nowhere' is not an address; give auto"),
        ("ray://", InputError, "is not an address"),
        ("localhost:99999999", InputError, "with a port from 1 to 65535"),
        ("localhost:0", InputError, "with a port from 1 to 65535"),
        ("localhost:\u0665", InputError, "is not an address"),
        ("localhost:" + 5000 * "9", InputError, "is not an address"),
        ("ray://localhost:PORT", MachineError, "No Ray cluster was reached"),
        ("localhost:PORT", MachineError, "Connection refused"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(address, kind, said, tmp_path, one_line):
    pytest.importorskip("ray").shutdown()
    data = read(dataset(tmp_path / "data", 1))
    address = address.replace("PORT", str(_closed_port()))
    with pytest.raises(kind) as problem:
        export(data, make_tiny(None), tmp_path / "o", runner=Cluster(address).run)
    assert said in one_line(problem.value)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"no", b"", None])
@pytest.mark.parametrize("form", ["localhost:{}", "ray://localhost:{}"])
def test_what_listens_and_is_no_ray_is_one_line(form, answer, tmp_path, monkeypatch, one_line):
    """Ray itself would wait for it for a quarter of an hour."""
    pytest.importorskip("ray").shutdown()
    monkeypatch.setattr(cluster, "_REACHED_IN_S", 0.3)
    data = read(dataset(tmp_path / "data", 1))
    with socket.create_server(("localhost", 0)) as listening:
        runner = Cluster(form.format(listening.getsockname()[1])).run
        there = Thread(target=answered, args=(listening, answer), daemon=True)
        there.start()
        with pytest.raises(MachineError) as problem:
            export(data, make_tiny(None), tmp_path / "o", runner=runner)
        there.join()
    assert "No Ray cluster was reached at" in one_line(problem.value)
    assert ("what listens there is not Ray" if answer is not None else "timed out") in str(
        problem.value
    )


def answered(listening, answer):
    """Answer one connection; None: say nothing until the other side gives up."""
    there, _address = listening.accept()
    with there:
        if answer:
            there.sendall(answer)
        while answer is None and there.recv(99):
            pass


def test_without_ray_the_line_names_the_package(tmp_path, monkeypatch, one_line):
    monkeypatch.setitem(sys.modules, "ray", None)
    data = read(dataset(tmp_path / "data", 1))
    with pytest.raises(InputError) as problem:
        export(data, make_tiny(None), tmp_path / "o", runner=Cluster().run)
    assert "pip install 'ray[data]'" in one_line(problem.value)
