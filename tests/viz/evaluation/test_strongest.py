"""What channels answer to most: found against a slow search; runs, refusals, the figure."""

import csv
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from errors import InputError, OutsideError
from models.specs.block import CGNLSpec, NonLocalSpec
from tests.conftest import make_tiny
from tests.viz.evaluation.drawn_birds import dataset
from viz.attention import forward, pipeline
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import kind_of
from viz.datasets import shards
from viz.datasets.read import read
from viz.datasets.shards import BATCH
from viz.evaluation import strongest as search
from viz.evaluation.strongest import Sought, strongest
from viz.figure.api import load
from viz.media import pictures
from viz.types import Cell

COUNT = 5


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strongest")
    data, model = read(dataset(folder / "data", COUNT)), make_tiny(CGNLSpec(groups=8))
    return strongest(data, model, folder / "o", Sought(count=3)), data, model, folder / "o"


def slow(data, model, choice):
    """Return (largest, picture, x, y) of each picture, the largest first, one map at a time."""
    every = []
    for sample in data.samples:
        capture = forward.capture(model, pipeline.prepare(model, pictures.load(sample.path)))
        (block,) = capture.blocks.values()
        grid, best = block.query_grid, []
        for y in range(grid.rows):
            for x in range(grid.cols):
                values = kind_of(block).map(block, Cell(0, y, x), choice).values
                at = capture.geometry.cell_centre(y, x, grid)
                best.append((float(np.abs(values).max()), sample.name, *at))
        every.append(max(best))
    return sorted(every, reverse=True)


@pytest.mark.parametrize(("part", "number"), [("channel", 0), ("channel", 13), ("group", 2)])
def test_the_strongest_patches_are_those_of_a_slow_search(part, number, found, tmp_path):
    _found, data, model, _out = found
    made = strongest(data, model, tmp_path / "o", Sought(part, 3))
    expected = slow(data, model, MapChoice(part, number))[:3]
    assert [one.picture for one in made.of(number)] == [one[1] for one in expected]
    np.testing.assert_allclose([one.strength for one in made.of(number)],
                               [one[0] for one in expected], rtol=1e-5)  # fmt: skip
    np.testing.assert_allclose([one.at for one in made.of(number)], [one[2:] for one in expected])


def test_every_channel_is_found_in_one_run_and_written(found):
    made, _data, model, out = found
    assert made.part == "channel"
    with (out / "strongest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * len(made)
    first = made.of(0)[0]
    assert (rows[0]["picture"], float(rows[0]["strength"])) == (first.picture, first.strength)
    with pytest.raises(OutsideError, match=f"channels 0 to {len(made) - 1}"):
        made.of(len(made))


def test_another_count_needs_no_forward_pass_and_a_stop_keeps_batches(found, tmp_path, monkeypatch):
    _made, data, model, out = found
    with monkeypatch.context() as patch:
        patch.setattr(forward, "captures", None)
        assert len(strongest(data, model, out, Sought(count=5)).of(0)) == 5
    more, taken = read(dataset(tmp_path / "data", BATCH + 2)), []

    def turn():
        taken.append(1)
        if len(taken) == BATCH + 2:
            raise KeyboardInterrupt
        return nullcontext()

    with pytest.raises(KeyboardInterrupt):
        strongest(more, model, tmp_path / "o", turn=turn)
    taken.clear()
    strongest(more, model, tmp_path / "o", turn=lambda: nullcontext(taken.append(1)))
    assert len(taken) == 2


def test_of_any_number_of_pictures_one_part_is_in_memory(found, monkeypatch):
    made, data, model, out = found
    held = []
    real = shards.parquet.read_table
    monkeypatch.setattr(shards.parquet, "read_table", lambda part: held.append(1) or real(part))
    rows = shards.Finished(made.finished.parts * 300, (), 0)
    again = search._best(rows, Sought(count=3))
    assert again.strengths.shape == made.strengths.shape
    assert len(held) == 300 * len(made.finished.parts)


def test_the_figure_has_pictures_and_patches_and_renders_again(found, tmp_path):
    made, data, model, _out = found
    figure = search.figure(made, 7, data, {"tiny": model}, Sought(count=3))
    above, below = figure.panel_rows().rows
    assert [panel.head for panel in above.panels] == ["1", "2", "3"]
    for panel, patch, answer in zip(above.panels, below.panels, made.of(7), strict=True):
        assert Path(answer.picture).name in panel.label
        box = panel.content.reference
        assert box.left <= answer.at[0] < box.right
        assert patch.content.shade is None
        crop = patch.content.crop
        assert crop.left <= answer.at[0] < crop.right
        assert crop.right - crop.left == pytest.approx(16, abs=1)
    assert "c7" in above.label
    path = figure.save(tmp_path / "c7.png")
    assert load(path, figure.sources).content("png") == path.read_bytes()


def _nothing_reads(data, model, out):
    for sample in data.samples:
        sample.path.write_bytes(b"broken")
    strongest(data, model, out)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda d, m, o: strongest(d, m, o, Sought("head")), "use row"),
        (lambda d, m, o: strongest(d, m, o, Sought(block="res9.1")), "is not a block"),
        (lambda _d, _m, _o: Sought(count=0), "give 1 to 50"),
        (_nothing_reads, "Nothing could be gone through"),
    ],
)
def test_faults_are_one_line(fault, said, tmp_path, one_line):
    data = read(dataset(tmp_path / "data", 1))
    with pytest.raises(InputError) as problem:
        fault(data, make_tiny(NonLocalSpec()), tmp_path / "o")
    assert said in one_line(problem.value)
