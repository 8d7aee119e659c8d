"""The preset objects: boxes and masks over the picture, and the rows of the objects' centres."""

from dataclasses import replace

import pytest
import torch

from errors import InputError, OutsideError
from models.detection.detector import Detections
from tests.viz.drawn_figures import SEEN, nl, photo, pinned, recipe_of
from tests.viz.drawn_figures import view as seen_by
from viz.attention.captures import Capture
from viz.figure.draw import drawing
from viz.figure.page import layout as page_layout
from viz.figure.panels import presets


def made(views=("nl",), sources=None, **layout):
    recipe = recipe_of("objects", pinned(networks=views, at=None), **layout)
    return presets.panel_rows(recipe, sources or photo())


def finding(detections: tuple[Detections, ...]):
    block = nl()
    capture = Capture({block.label: block}, torch.zeros(2), SEEN, detections=detections)
    return photo(nl=capture)


def test_a_row_is_the_picture_with_what_was_found_then_a_map_an_object():
    (row,) = made().rows
    plain, first, second = row.panels
    assert [one.number for one in plain.content.objects] == [0, 1]
    assert [one.number for one in first.content.objects] == [0]
    assert (first.head, second.head) == ("0 class 3 0.90", "1 class 2 0.70")
    assert plain.content.shade is None
    assert first.content.shade is not None
    box, mark = first.content.objects[0].box, first.content.reference
    assert box.left < (mark.left + mark.right) / 2 < box.right


def test_objects_are_named_by_their_numbers():
    (row,) = made((seen_by("nl", maps="2, 0"),), input_panel=False).rows
    assert [panel.head for panel in row.panels] == ["2 class 2 0.20", "0 class 3 0.90"]


def test_networks_that_classify_are_passed_over_beside_a_detector():
    block = nl()
    classifier = Capture({block.label: block}, torch.zeros(2), SEEN)
    detections = (Detections(torch.tensor([[5.0, 5, 40, 40]]), torch.tensor([0.9]),
                             torch.tensor([1])),)  # fmt: skip
    found = Capture({block.label: block}, torch.zeros(2), SEEN, detections=detections)
    sources = photo(nl=found, other=classifier)
    rows = made(("other", seen_by("nl", maps="standout")), sources).rows
    assert [len(row.panels) for row in rows] == [2]


def test_no_more_objects_than_the_view_counts():
    (row,) = made((seen_by("nl", count=1),)).rows
    assert len(row.panels) == 2


@pytest.mark.parametrize(
    ("maps", "fault", "words"),
    [
        ("7", OutsideError, "7 is not an object of this picture; it has objects 0 to 2"),
        ("groups", InputError, "are not objects"),
        ("-1", InputError, "are not objects"),
    ],
)
def test_objects_that_are_not_there_are_refused(maps, fault, words, one_line):
    with pytest.raises(fault, match=words) as caught:
        made((seen_by("nl", maps=maps),))
    one_line(caught.value)


NOTHING = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
WEAK = Detections(torch.tensor([[1.0, 2, 30, 40]]), torch.tensor([0.31]), torch.tensor([1]))


@pytest.mark.parametrize(
    ("detections", "words"),
    [
        ((NOTHING,), "No object scores 0.5 or more in this picture. "),
        ((WEAK,), "the best one scores 0.31"),
        ((), r"classifies and finds no objects; choose a detector\.$"),
    ],
    ids=["nothing found", "nothing likely", "a classifier"],
)
def test_a_picture_without_objects_is_refused_in_one_line(detections, words, one_line):
    with pytest.raises(InputError, match=words) as caught:
        made(sources=finding(detections))
    one_line(caught.value)


def test_three_hundred_objects_are_drawn_on_the_picture_and_five_have_a_row():
    boxes = torch.tensor([[k % 50, k % 40, k % 50 + 12, k % 40 + 9.0] for k in range(300)])
    many = Detections(boxes, torch.linspace(1, 0.6, 300), torch.ones(300, dtype=torch.int64))
    (row,) = made(sources=finding((many,))).rows
    assert len(row.panels) == 6
    assert len(row.panels[0].content.objects) == 300


def gids(figure) -> set[str]:
    return {artist.get_gid() or "" for artist in figure.findobj()}


@pytest.mark.parametrize("greyscale", [False, True])
def test_boxes_masks_and_numbers_are_on_the_page(greyscale):
    panel_rows = made(greyscale=greyscale)
    figure = drawing.draw(panel_rows, page_layout.plan(panel_rows), 50)
    drawn = gids(figure)
    for name in ("0-0-0", "1-0-0", "0-0-1", "1-0-2"):
        assert {f"object-{name}", f"mask-{name}", f"object-words-{name}"} <= drawn
    assert "object-1-0-1" not in drawn


def test_a_box_that_reaches_over_the_edge_stays_in_its_panel():
    over = Detections(
        torch.tensor([[-50.0, -50, 300, 300]]), torch.tensor([0.9]), torch.tensor([1])
    )
    keypoints = torch.tensor([[[35.0, 20.0, 1.0], [900.0, 20.0, 1.0]]])
    panel_rows = made(sources=finding((replace(over, keypoints=keypoints),)))
    plan = page_layout.plan(panel_rows)
    figure = drawing.draw(panel_rows, plan, 50)
    place = plan.places[0]
    (line,) = (a for a in figure.findobj() if a.get_gid() == "object-0-0-0")
    assert line.get_xdata().min() == pytest.approx(place.box.left)
    assert line.get_ydata().max() == pytest.approx(place.box.bottom)
    assert len([a for a in figure.findobj() if a.get_gid() == "keypoint-0-0-0"]) == 1
