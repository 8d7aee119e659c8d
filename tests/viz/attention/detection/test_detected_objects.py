"""What a detector found, in pixels of the picture; rows of objects and where their weight goes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from models.detection.detector import Detections
from tests.viz.drawn_figures import HEIGHT, SEEN, STILL, WIDTH, cgnl, nl, objects
from viz.attention.captures import Capture
from viz.attention.choice import MapChoice
from viz.attention.detection import object_rows
from viz.attention.detection import objects as found_objects
from viz.attention.kinds.registry import kind_of
from viz.geometry import Geometry
from viz.types import AttentionMap, Cell, Query


def capture_of(detections: Detections | None, geometry: Geometry = SEEN, block=None) -> Capture:
    block = block or nl()
    many = () if detections is None else (detections,)
    return Capture({block.label: block}, torch.zeros(4), geometry, detections=many)


def of_boxes(*boxes, scores=None, labels=None) -> Detections:
    count = len(boxes)
    return Detections(
        torch.tensor(boxes, dtype=torch.float32).reshape(count, 4),
        torch.tensor(scores or [0.9] * count),
        torch.tensor(labels or [1] * count),
    )


def test_objects_come_best_first_in_pixels_of_the_picture():
    first, second = found_objects.found(capture_of(objects()))
    assert (first.number, first.label, first.name) == (0, 3, "class 3")
    assert first.score == pytest.approx(0.9)
    assert second.label == 2
    across, down = WIDTH / 70, HEIGHT / 55
    assert first.box.left == pytest.approx(31 * across)
    assert first.box.bottom == pytest.approx(47 * down)
    assert len(found_objects.found(capture_of(objects()), score=0.1)) == 3
    assert [one.number for one in found_objects.found(capture_of(objects()), name="class 2")] == [1]


def test_key_points_lie_in_the_picture_too():
    points = torch.tensor([[[35.0, 11.0, 1.0], [70.0, 55.0, 0.0]]])
    one = replace(of_boxes((0, 0, 70, 55)), keypoints=points)
    (found,) = found_objects.found(capture_of(one))
    assert found.keypoints[1, :2] == pytest.approx([WIDTH, HEIGHT])
    assert found.keypoints[0, 0] == pytest.approx(WIDTH / 2)


@pytest.mark.parametrize(
    ("detections", "words"),
    [
        (None, "classifies and finds no objects"),
        (of_boxes(), "nothing was found"),
        (of_boxes((1, 2, 30, 40)), "it has objects 0 to 0"),
    ],
    ids=["classifier", "nothing", "one"],
)
def test_an_object_that_is_not_there_is_refused(detections, words, one_line):
    with pytest.raises(InputError, match=words) as caught:
        found_objects.chosen(capture_of(detections), 1)
    one_line(caught.value)
    if detections is not None:
        assert isinstance(caught.value, OutsideError)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_that_is_none_is_refused(score):
    with pytest.raises(InputError, match="not a score"):
        found_objects.found(capture_of(objects()), score=score)


def test_three_hundred_objects_are_kept_in_their_order():
    scores = torch.linspace(0.999, 0.5, 300).tolist()
    many = of_boxes(*[(k % 60, 3, k % 60 + 9, 40) for k in range(300)], scores=scores)
    found = found_objects.found(capture_of(many))
    assert [one.number for one in found] == list(range(300))
    assert [round(one.score, 4) for one in found] == [round(score, 4) for score in scores]


@pytest.mark.parametrize("box", [(-30, -30, 400, 300), (60, 50, 90, 90), (69.99, 54.99, 70, 55)])
def test_the_reference_of_an_object_is_in_the_picture(box):
    capture = capture_of(of_boxes(box))
    x, y = found_objects.reference_of(capture, found_objects.chosen(capture, 0))
    assert 0 <= x < WIDTH
    assert 0 <= y < HEIGHT
    capture.geometry.cell_at(x, y, STILL)


def slow_cells(one, geometry, grid) -> np.ndarray:
    """Mark cells by asking the mask pixel by pixel."""
    found = np.zeros((grid.rows, grid.cols), bool)
    for row in range(grid.rows):
        for col in range(grid.cols):
            x, y = geometry.cell_centre(row, col, grid)
            across = (x - one.box.left) / (one.box.right - one.box.left)
            down = (y - one.box.top) / (one.box.bottom - one.box.top)
            if 0 <= across < 1 and 0 <= down < 1:
                found[row, col] = one.mask[int(down * 14), int(across * 14)] > 0.5
    return found


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_cells_of_an_object_are_those_under_its_mask(number):
    one = found_objects.chosen(capture_of(objects()), number)
    grid = Grid(1, 11, 13)
    cells = found_objects.cells_of(one, SEEN, grid)
    assert np.array_equal(cells, slow_cells(one, SEEN, grid))
    assert cells.any()


def test_an_object_smaller_than_a_cell_has_the_cell_of_its_centre():
    one = found_objects.chosen(capture_of(of_boxes((20, 20, 20.5, 20.5))), 0)
    cells = found_objects.cells_of(one, SEEN, STILL)
    assert cells.sum() == 1
    assert cells[SEEN.cell_at(*one.centre, STILL)]


def test_the_mean_row_is_the_mean_of_the_rows_of_the_mask():
    block = nl()
    capture = capture_of(objects(), block=block)
    one = found_objects.chosen(capture, 0)
    mean = object_rows.mean_map(capture, block, one)
    kind = kind_of(block)
    cells = np.argwhere(found_objects.cells_of(one, SEEN, STILL))
    rows = [kind.map(block, Cell(0, int(y), int(x))).values for y, x in cells]
    assert len(rows) > 1
    assert np.allclose(mean.values, sum(rows) / len(rows), atol=1e-7)
    assert mean.values.sum() == pytest.approx(1, abs=1e-5)
    assert mean.label == "NL mean"


@pytest.mark.parametrize("choice", [MapChoice("channel", 3), MapChoice("group", 1)], ids=str)
def test_of_several_maps_one_is_averaged(choice):
    block = cgnl()
    capture = capture_of(objects(), block=block)
    one = found_objects.chosen(capture, 0)
    mean = object_rows.mean_map(capture, block, one, choice)
    cells = object_rows.cells(capture, block, one)
    maps = [kind_of(block).map(block, cell, choice).values for cell in cells]
    assert len(maps) > 1
    assert np.allclose(mean.values, sum(maps) / len(maps), atol=1e-6)
    assert mean.label.endswith(" mean")
    assert (mean.part, mean.number) == (choice.part, choice.number)


def test_the_outline_lies_on_the_mask():
    one = found_objects.chosen(capture_of(objects()), 0)
    (line,) = found_objects.outline(one)
    box = one.box
    wide, high = box.right - box.left, box.bottom - box.top
    assert line[0] == pytest.approx(line[-1])
    assert line[:, 0].min() == pytest.approx(box.left + wide * 2 / 14, abs=wide / 14)
    assert line[:, 1].max() == pytest.approx(box.top + high * 11 / 14, abs=high / 14)


def test_energy_is_split_between_own_class_others_and_background():
    many = of_boxes(
        (0, 0, 20, 55), (20, 0, 40, 55), (40, 0, 60, 55), labels=[1, 1, 2], scores=[0.9, 0.8, 0.7]
    )
    capture = capture_of(many)
    listed = found_objects.found(capture)
    values = np.zeros((1, 1, 7), np.float32)
    values[0, 0] = [1, 2, 3, 4, 5, 6, -9]
    attention = AttentionMap(values, Query("res4.4", Cell(0, 0, 0)), "response, any sign")
    energy = object_rows.energy(attention, listed[0], listed, capture.geometry)
    assert (energy.own, energy.same_class) == (pytest.approx(3 / 21), pytest.approx(7 / 21))
    assert (energy.other_classes, energy.background) == (pytest.approx(11 / 21), 0)
    nothing = replace(attention, values=values * 0)
    assert object_rows.energy(nothing, listed[0], listed, capture.geometry).background == 1
