"""Networks over a drawn data set: values from cases worked again, tables, runs that go on."""

import csv
import errno
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import timm
from pyarrow import parquet

from errors import InputError, MachineError
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import Preprocessing
from models.zoo.wrapped.wrap import wrap
from tests.conftest import make_tiny
from tests.viz.attention import captured
from tests.viz.evaluation.drawn_birds import coco, dataset
from viz.attention import forward, pipeline
from viz.attention.kinds.affinity import matrix
from viz.attention.kinds.registry import KINDS
from viz.datasets.passes import Networks
from viz.datasets.read import read
from viz.datasets.shards import BATCH
from viz.evaluation import block_statistics, coverage, measures
from viz.evaluation import evaluate as evaluation
from viz.evaluation.evaluate import Asked, evaluate
from viz.evaluation.report import plots
from viz.evaluation.sources import SOURCES
from viz.evaluation.subject import Subject
from viz.media import pictures

COUNT = 5


def named(block, name):
    return make_tiny(block).__class__(
        name, *(getattr(make_tiny(block), f) for f in ("spec", "network", "class_names", "sha256"))
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("birds")
    models = [named(NonLocalSpec(), "nl"), named(CGNLSpec(groups=8), "cgnl")]
    out = folder / "out"
    data = read(dataset(folder / "data", COUNT))
    return evaluate(data, models, out), out, models, data


def line(found, network, of, measure):
    (one,) = [x for x in found.summary if x[:3] == (network, of, measure)]
    return one.mean


def test_every_measure_that_is_not_slow_is_there(found):
    names = {one.measure for one in found[0].summary}
    assert names == set(measures.DEFAULT) - set(measures.OF_OBJECTS)
    maps = {one.map for one in found[0].summary if one.network == "cgnl"}
    assert maps == {*SOURCES, "parts", "answer", "block"}


def test_the_energy_of_the_map_is_that_of_the_affinity_rows(found):
    evaluation, _out, models, data = found
    means = []
    for sample in data.samples:
        clip = pictures.load(sample.path)
        seen = forward.capture(models[0], pipeline.prepare(models[0], clip))
        (block,) = seen.blocks.values()
        rows, box = matrix(block), sample.boxes[0]
        grid, inside = block.key_grid, np.zeros((4, 4), bool)
        for y in range(4):
            for x in range(4):
                u, v = 16 * x + 8, 16 * y + 8
                inside[y, x] = box.left <= u < box.right and box.top <= v < box.bottom
        assert grid == (1, 4, 4)
        cells = [int(p.y // 16 * 4 + p.x // 16) for p in sample.parts]
        means.append(np.mean([rows[c][inside.ravel()].sum() / rows[c].sum() for c in cells]))
    assert line(evaluation, "nl", "map", "energy").value == pytest.approx(np.mean(means), rel=1e-4)


def test_chance_is_the_same_for_every_network_and_its_energy_near_the_area(found):
    evaluation = found[0]
    one, other = (line(evaluation, name, "chance", "energy") for name in ("nl", "cgnl"))
    assert one == other
    area = line(evaluation, "nl", "chance", "object area").value
    assert one.value == pytest.approx(area, abs=0.1)


def test_tables_hold_every_case(found):
    evaluation, out, _models, _data = found
    table = parquet.read_table(out / "cases.parquet")
    with (out / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == table.num_rows == len(list(evaluation.finished.rows()))
    assert rows[0]["picture"] == "00.png"
    with (out / "summary.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + len(evaluation.summary)


def test_differences_are_between_networks_and_against_each_baseline(found):
    pairs = {(d.first, d.second) for d in found[0].differences if d.measure == "energy"}
    assert (("nl", "map"), ("cgnl", "map")) in pairs
    assert {second for first, second in pairs if first == ("nl", "map")} >= {
        ("nl", name) for name in ("cosine", "grad-cam", "blob", "chance")
    }
    (one,) = [
        d for d in found[0].differences
        if (d.first, d.second, d.measure) == (("nl", "map"), ("cgnl", "map"), "energy")
    ]  # fmt: skip
    means = [line(found[0], name, "map", "energy").value for name in ("nl", "cgnl")]
    assert one.mean.value == pytest.approx(means[0] - means[1])


def test_answers_are_compared_with_the_class_of_the_picture(found):
    right = line(found[0], "nl", "answer", "top-1")
    assert right.pictures == COUNT
    assert 0 <= right.value <= 1


def test_a_run_that_is_there_is_not_done_again(found, monkeypatch):
    evaluation, out, models, data = found
    monkeypatch.setattr(forward, "captures", None)
    assert evaluate(data, models, out).summary == evaluation.summary
    with pytest.raises(InputError, match="another run"):
        evaluate(data, models, out, Asked(size=96))


def test_a_stop_between_pictures_keeps_finished_batches_and_goes_on(tmp_path):
    taken = []

    def turn():
        if len(taken) == BATCH + 2:
            raise KeyboardInterrupt
        taken.append(1)
        return nullcontext()

    def run(turn):
        models, asked = [make_tiny(NonLocalSpec())], Asked(("energy",), ("map",))
        return evaluate(data, models, tmp_path / "o", asked, turn=turn)

    data = read(dataset(tmp_path / "data", BATCH + 4))
    with pytest.raises(KeyboardInterrupt):
        run(turn)
    again = []
    found = run(lambda: nullcontext(again.append(1)))
    assert len(again) == 4, "a turn a picture"
    assert found.summary[0].mean.pictures == BATCH + 4


def test_a_broken_picture_is_listed_and_a_part_outside_left_out(tmp_path):
    folder = dataset(tmp_path / "data", 3)
    (folder / "01.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with (folder / "points.csv").open("a") as file:
        file.write("\n00.png,beak,900,900")
    model = make_tiny(NonLocalSpec())
    found = evaluate(read(folder), [model], tmp_path / "o", Asked(("part coverage",), ("map",)))
    assert [name for name, _why in found.finished.problems] == ["01.png"]
    assert found.summary[0].mean.pictures == 2
    assert {row["reference"] for row in found.finished.rows()} == {"head", "wing", "tail"}


def test_without_annotations_what_needs_none_is_measured(tmp_path):
    folder = dataset(tmp_path / "data", 1)
    for name in ("points.csv", "boxes.csv"):
        (folder / name).unlink()
    found = evaluate(read(folder), [make_tiny(CGNLSpec(groups=8))], tmp_path / "o")
    assert {one.measure for one in found.summary} == {
        "lit area", "same answer, block removed", *block_statistics.NAMES,
    }  # fmt: skip


def test_where_nothing_asked_can_be_measured_the_need_is_said(tmp_path, one_line):
    data = dataset(tmp_path / "data", 2)
    for written in [*data.glob("*.csv"), *data.glob("*.json")]:
        written.unlink()
    with pytest.raises(InputError) as caught:
        evaluate(read(data), [make_tiny(NonLocalSpec())], tmp_path / "out", Asked(("energy",)))
    assert "energy (needs masks, outlines or boxes" in one_line(caught.value)


def test_a_trunk_without_a_block_is_measured_by_its_features(tmp_path):
    data, asked = read(dataset(tmp_path / "data", 2)), Asked(("energy", *measures.OF_ANSWERS))
    found = evaluate(data, [make_tiny(None)], tmp_path / "o", asked)
    means = {(one.map, one.measure): one.mean.value for one in found.summary}
    assert means["map", "energy"] == pytest.approx(means["cosine", "energy"])
    assert ("answer", "top-1") in means
    assert ("answer", "same answer, block removed") not in means


def test_threshold_and_area_move_the_cut(tmp_path):
    data, model = read(dataset(tmp_path / "data", 2)), make_tiny(NonLocalSpec())
    lit = []
    for k, threshold in enumerate((0.2, 0.9)):
        asked = Asked(("lit area", "part coverage, equal area"), ("chance",), threshold=threshold)
        found = evaluate(data, [model], tmp_path / str(k), replace(asked, area=0.9 - threshold / 2))
        lit.append({one.measure: one.mean.value for one in found.summary})
    for measure in lit[0]:
        assert lit[0][measure] > lit[1][measure], measure


@pytest.mark.parametrize("parts", ["groups", "channels"])
def test_groups_or_channels_are_the_parts(parts, tmp_path):
    data, model = read(dataset(tmp_path / "data", 4)), make_tiny(CGNLSpec(groups=8))
    asked = Asked(measures.OF_PARTS, ("map",), parts=parts)
    found = evaluate(data, [model], tmp_path / "o", asked)
    assert {line.measure for line in found.summary} == set(measures.OF_PARTS)
    centroids = {
        row["reference"] for row in found.finished.rows() if row["measure"] == "centroid"
    }  # fmt: skip
    channels = model.network.block_at(model.network.places[0]).projection.theta.out_channels
    assert len(centroids) == (8 if parts == "groups" else channels)


def test_the_heads_of_windows_are_parts_over_the_whole_input():
    block = captured.heads_block(Grid(1, 5, 7), windows=5, prefix=0)
    found = evaluation._part_maps(SimpleNamespace(block=block), "groups", 35)
    assert found.shape == (3, 35)
    assert (found > 0).any(1).all()


def test_one_picture_has_no_spread_and_its_plot_is_drawn(tmp_path):
    data, model = read(dataset(tmp_path / "data", 1)), make_tiny(CGNLSpec(groups=8))
    found = evaluate(data, [model], tmp_path / "o")
    for one in found.summary:
        if one.mean.pictures == 1:
            ends = [one.mean.low, one.mean.high]
            assert ends == pytest.approx([one.mean.value] * 2), one
        else:  # nothing is left to measure what was fitted on
            assert one.measure == "key point error"
            assert one.mean.pictures == 0
    plots.write(found.summary, tmp_path / "plot.pdf")
    assert (tmp_path / "plot.pdf").read_bytes()[:5] == b"%PDF-"


def test_a_full_disk_at_the_end_is_one_line_and_keeps_what_was_measured(
    tmp_path, monkeypatch, one_line
):
    data, models = read(dataset(tmp_path / "data", 2)), [make_tiny(NonLocalSpec())]
    real = Path.replace

    def full(path, target):
        if Path(target).name == "cases.parquet":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(MachineError) as problem:
            evaluate(data, models, tmp_path / "o", Asked(("energy",)))
    assert "No space left" in one_line(problem.value)
    assert not list((tmp_path / "o").glob(".*.part"))
    monkeypatch.setattr(forward, "captures", None)
    assert evaluate(data, models, tmp_path / "o", Asked(("energy",))).finished.pictures == 2


def _nobody(data, out):
    evaluate(data, [], out)


def _twice(data, out):
    evaluate(data, [make_tiny(NonLocalSpec())] * 2, out)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (_nobody, "no network"),
        (_twice, "given twice"),
        (lambda _d, _o: Asked(("beauty",)), "'beauty' is not a measure"),
        (lambda _d, _o: Asked(maps=("guess",)), "'guess' is not a map"),
        (lambda _d, _o: Asked(()), "No measure was asked for; give one or more of"),
        (lambda _d, _o: Asked(threshold=1.5), "threshold 1.5 is out of range"),
        (lambda _d, _o: Asked(parts="legs"), "'legs' are no parts"),
        (lambda _d, _o: Asked(area=0), "area 0 is out of range"),
    ],
)
def test_faults_are_one_line(fault, said, tmp_path, one_line):
    data = read(dataset(tmp_path / "data", 1))
    with pytest.raises(InputError) as problem:
        fault(data, tmp_path / "o")
    assert said in one_line(problem.value)


def test_an_outline_is_an_object(tmp_path):
    (sample,) = read(coco(tmp_path)).samples
    model, clip = make_tiny(NonLocalSpec()), pictures.load(sample.path)
    model_input = pipeline.prepare(model, clip)
    capture = forward.capture(model, model_input)
    (block,) = capture.blocks.values()
    subject = Subject(sample, clip, model, model_input, capture, block)
    inside = subject.region(block.key_grid).reshape(4, 4)
    assert inside.tolist() == [[x + y <= 2 for x in range(4)] for y in range(4)]
    assert float(coverage.energy_inside(inside.flatten().float(), inside.flatten())) == 1


@pytest.mark.parametrize("classes", [7, ()])
def test_heads_of_a_transformer_are_measured(classes, tmp_path):
    data = read(dataset(tmp_path / "data", 3))
    module = timm.create_model(
        "vit_tiny_patch16_224", num_classes=7, depth=2, embed_dim=24, num_heads=3, img_size=64
    ).eval()
    prep = Preprocessing(size=64, resize=73, stride=16, fixed=True)
    found = evaluate(data, [wrap(module, prep, classes, "vit")], tmp_path / "o")
    means = {(one.map, one.measure): one.mean.value for one in found.summary}
    assert 0 <= means["map", "energy"] <= 1
    assert ("parts", "NMI") in means
    assert -1 <= means["block", "similarity of heads or groups"] <= 1
    assert ("answer", "same answer, block removed") not in means


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("spec", [NonLocalSpec(), CGNLSpec(groups=8)])
@pytest.mark.parametrize("annotated", ["parts and boxes", "parts"])
def test_references_that_are_measured_together_give_what_each_gives_alone(
    spec, annotated, at_once, tmp_path, monkeypatch
):
    (sample,) = read(dataset(tmp_path / "data", 1)).samples
    if annotated == "parts":
        sample = replace(sample, boxes=())
    is_slow = annotated == "parts" and at_once == 1  # it runs the network hundreds of times
    asked = Asked(measures.NAMES if is_slow else measures.DEFAULT)
    networks = Networks((make_tiny(spec),))

    def rows():
        ((_sample, passed),) = networks.passes(iter([(sample, networks.load(sample))]))
        return evaluation.rows_of(passed, networks.models, asked, {})

    together = rows()
    monkeypatch.setattr(evaluation, "AT_ONCE", at_once)
    assert together == rows()
    one_a_map = (5, 6) if is_slow else (0,)
    assert sum(row["measure"] == "deletion" for row in together) in one_a_map


def test_maps_of_a_picture_are_made_once_for_map_and_union(tmp_path, monkeypatch):
    kind, made = KINDS["channels"], []
    own = kind.stacked
    monkeypatch.setattr(kind, "stacked", lambda *given: made.append(1) or own(*given))
    data, asked = read(dataset(tmp_path / "data", 2)), Asked(("energy",), ("map", "union"))
    evaluate(data, [make_tiny(CGNLSpec(groups=8))], tmp_path / "o", asked)
    assert len(made) == 2
