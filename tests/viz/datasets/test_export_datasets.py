"""Exports: the arrays are the program's own, the same bytes after a stop, faults in one line."""

import numpy as np
import pytest
import torch

from errors import InputError
from models.specs.block import CGNLSpec, NonLocalSpec
from models.zoo import catalogue
from tests.conftest import make_tiny
from tests.viz.evaluation.drawn_birds import dataset
from viz.attention import pipeline, queries
from viz.cli import main
from viz.datasets import export as exports
from viz.datasets import passes
from viz.datasets.export import Asked, array_of, export
from viz.datasets.read import read
from viz.media import pictures
from viz.types import Clip


@pytest.mark.parametrize(("dtype", "close"), [("float32", 0), ("float16", 1e-3)])
def test_maps_are_those_of_the_program(dtype, close, tmp_path):
    data, model = read(dataset(tmp_path / "data", 3)), make_tiny(NonLocalSpec())
    found = export(data, model, tmp_path / "o", Asked(dtype=dtype))
    rows = list(found.rows())
    assert len(rows) == 3 * 3
    for row in rows:
        capture = pipeline.capture(model, tmp_path / "data" / row["picture"])
        wanted = queries.row(capture, (row["x"], row["y"])).values
        np.testing.assert_allclose(array_of(row), wanted, atol=close, rtol=0)
        assert array_of(row).dtype == dtype
        assert row["sha256"] == pictures.load(tmp_path / "data" / row["picture"]).sha256


def test_features_are_the_blocks_input_and_overlays_pictures_of_the_same_size(tmp_path):
    data, model = read(dataset(tmp_path / "data", 2)), make_tiny(CGNLSpec(groups=8))
    asked = Asked(("features", "overlays"), "float32", count=2)
    rows = list(export(data, model, tmp_path / "o", asked).rows())
    features = [row for row in rows if row["what"] == "features"]
    capture = pipeline.capture(model, data.samples[1].path)
    (block,) = capture.blocks.values()
    np.testing.assert_array_equal(array_of(features[1]), block.block_input[0].numpy())
    overlays = [array_of(row) for row in rows if row["what"] == "overlays"]
    assert len(overlays) == 2 * 3
    frame = pictures.load(data.samples[0].path).frames[0]
    assert overlays[0].shape == frame.shape
    changed = (overlays[0] != frame).any(-1).mean()
    assert 0 < changed < 0.9


def test_an_export_that_was_stopped_gives_the_same_bytes(tmp_path, monkeypatch):
    data, model = read(dataset(tmp_path / "data", 5)), make_tiny(NonLocalSpec())
    monkeypatch.setattr(exports, "Job", lambda *args: exports.shards.Job(*args, batch=2))
    whole = export(data, model, tmp_path / "whole")
    calls, own = [], passes.forward.captures

    def stopping(*args):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return own(*args)

    monkeypatch.setattr(passes.forward, "captures", stopping)
    with pytest.raises(KeyboardInterrupt):
        export(data, model, tmp_path / "o")
    found = export(data, model, tmp_path / "o")
    assert len(calls) == 4 + 3
    assert [p.read_bytes() for p in found.parts] == [p.read_bytes() for p in whole.parts]
    manifests = [(tmp_path / name / "manifest.json").read_bytes() for name in ("o", "whole")]
    assert manifests[0] == manifests[1]


def test_zarr_holds_the_same_arrays(tmp_path):
    zarr = pytest.importorskip("zarr")
    data, model = read(dataset(tmp_path / "data", 2)), make_tiny(NonLocalSpec())
    found = export(data, model, tmp_path / "o")
    exports.to_zarr(found, tmp_path / "z")
    root = zarr.open_group(str(tmp_path / "z"), mode="r")
    for number, row in enumerate(row for row in found.rows() if row["picture"] == "01.png"):
        stored = root[f"01.png/maps/{number}"]
        np.testing.assert_array_equal(stored[:], array_of(row))
        assert stored.attrs["label"] == row["label"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda: Asked(("dreams",)), "'dreams' cannot be exported"),
        (lambda: Asked(()), "No arrays were asked for; give one or more of"),
        (lambda: Asked(dtype="int4"), "'int4' is not a type"),
    ],
)
def test_faults_are_one_line(fault, said, one_line):
    with pytest.raises(InputError) as problem:
        fault()
    assert said in one_line(problem.value)


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ([], 0, "3 pictures in 1 part"),
        (["--what", "maps,dreams"], 2, "cannot be exported"),
        (["--model", "other"], 2, "more than once"),
        (["--count", "0"], 2, "--count 0"),
    ],
)
def test_the_command(more, code, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "load", lambda *_args, **_how: make_tiny(NonLocalSpec()))
    folder = dataset(tmp_path / "data", 3)
    asked = ["export", str(folder), "--model", "tiny", "--out", str(tmp_path / "o"), *more]
    assert main.main(asked) == code
    captured = capsys.readouterr()
    assert said in captured.out + captured.err


def test_references_that_are_exported_together_give_the_bytes_that_each_gives_alone(
    tmp_path, monkeypatch
):
    data, model = read(dataset(tmp_path / "data", 2)), make_tiny(CGNLSpec(groups=8))
    together = list(export(data, model, tmp_path / "together").rows())
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    assert together == list(export(data, model, tmp_path / "two").rows())
    assert len(together) == 2 * 3 * 5


def test_threads_of_the_loader_read_and_prepare_for_a_gpu_alone(tmp_path, monkeypatch):
    (sample,) = read(dataset(tmp_path / "data", 1)).samples
    networks = passes.Networks((make_tiny(NonLocalSpec()),))
    assert isinstance(networks.load(sample), Clip)
    monkeypatch.setattr(passes.devices, "of", lambda _network: torch.device("cuda"))
    assert isinstance(networks.load(sample), passes.Prepared)


def test_a_picture_that_cannot_be_prepared_is_a_problem_of_its_own(tmp_path):
    samples = read(dataset(tmp_path / "data", 3)).samples
    networks = passes.Networks((make_tiny(NonLocalSpec()),), size=5)
    found = list(networks.passes((one, networks.load(one)) for one in samples))
    assert [sample for sample, _what in found] == list(samples)
    assert all("Size 5 is out of range" in str(what) for _sample, what in found)
