"""A detector over a drawn data set: where the weight of its objects' rows lies."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from errors import InputError
from models.loaded import LoadedModel
from tests.conftest import make_tiny
from tests.viz.evaluation.drawn_birds import dataset
from tests.viz.tiny_detectors import c4, keypoints
from viz.attention import pipeline, queries
from viz.attention.detection import object_rows, objects
from viz.attention.kinds.affinity import matrix
from viz.datasets.read import read
from viz.evaluation import measures
from viz.evaluation.evaluate import Asked, evaluate
from viz.media import footage

ASKED = Asked((*measures.OF_OBJECTS, *measures.OF_ANSWERS), ("map", "cosine", "chance"))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    data = read(dataset(folder / "data", 2))
    classifier = replace(make_tiny(None), id="classifier")
    return evaluate(data, [c4(), classifier], folder / "out", ASKED), data


def of_picture(model: LoadedModel, path) -> dict[str, float]:
    """Return the shares, worked from the matrix and the objects one by one."""
    capture = pipeline.capture(model, footage.load(path).sample(pipeline.sampling_for(model.spec)))
    block = queries.block_of(capture)
    listed, rows = objects.found(capture), matrix(block)
    grid = block.query_grid
    found = {name: [] for name in ("own", "same_class", "other_classes", "background")}
    for one in listed:
        cell = queries.nearest_cell(capture, block, objects.reference_of(capture, one))
        weights = rows[cell.y * grid.cols + cell.x].reshape(grid.rows, grid.cols)
        owner = np.full(weights.shape, "background", dtype=object)
        for name, group in (
            ("other_classes", [o for o in listed if o.label != one.label]),
            ("same_class", [o for o in listed if o.label == one.label and o is not one]),
            ("own", [one]),
        ):
            for other in group:
                owner[objects.cells_of(other, capture.geometry, grid)] = name
        for name, values in found.items():
            values.append(float(weights[owner == name].sum()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_the_shares_are_those_of_the_rows(found):
    evaluation, data = found
    lines = {x.measure: x.mean.value for x in evaluation.summary if x[:2] == ("tiny-c4", "map")}
    slow = [of_picture(c4(), sample.path) for sample in data.samples]
    names = dict(zip(measures.OF_OBJECTS, slow[0], strict=False))
    for measure, name in names.items():
        assert lines[measure] == pytest.approx(np.mean([one[name] for one in slow]), abs=1e-4)
    assert sum(lines[measure] for measure in names) == pytest.approx(1, abs=1e-4)


def test_a_classifier_has_no_such_rows_and_a_detector_no_answers(found):
    pairs = {(one.network, one.measure) for one in found[0].summary}
    assert not {pair for pair in pairs if pair[0] == "classifier"} & {
        ("classifier", name) for name in measures.OF_OBJECTS
    }
    assert not {name for network, name in pairs if network == "tiny-c4"} & {*measures.OF_ANSWERS}


def people(certainty: float) -> LoadedModel:
    """Return the keypoint detector, with ``certainty`` added to the logit of a person."""
    model = replace(keypoints(), network=deepcopy(keypoints().network))
    model.network.roi_heads.box_predictor.cls_score.bias.data[1] += certainty
    return model


def test_a_head_is_measured_inside_the_box_of_its_best_object(tmp_path):
    data, model = read(dataset(tmp_path / "data", 1)), people(5.0)
    capture = pipeline.capture(model, data.samples[0].path)
    assert objects.found(capture)
    made = evaluate(data, [model], tmp_path / "out", replace(ASKED, maps=("map",)))
    lines = {x.measure: x.mean.value for x in made.summary}
    assert lines["energy in its object"] == pytest.approx(1, abs=1e-4)
    assert object_rows.energy_of(np.zeros((3, 5)), None, [], capture.geometry).background == 1


def test_where_a_detector_finds_nothing_that_is_what_is_said(tmp_path, one_line):
    data, model = read(dataset(tmp_path / "data", 1)), people(-5.0)
    with pytest.raises(InputError) as caught:
        evaluate(data, [model], tmp_path / "out", Asked(measures.OF_OBJECTS, ("map",)))
    assert one_line(caught.value) == (
        "Nothing that was asked can be measured of these pictures: energy in its object; energy in "
        "others of its class; energy in other classes; energy in the background; area of its object"
        " (needs a detector that finds something). Give what is needed, or choose other measures."
    )
