"""Annotations that are no annotations: one line that names the file, or what can be used of it."""

import json

import pytest
from PIL import Image

from errors import AttentionVizError, InputError, MediaError
from tests.abuse.measured import measured
from viz.datasets import archive, read, run_lengths
from viz.datasets.names import Names
from viz.figure.recipe.recipe import LONGEST_LABEL

ONE = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 10, 10]}
IMAGES = [{"id": 1, "file_name": "a.png"}]


def data(tmp_path, **content):
    whole = {"images": IMAGES, "annotations": [ONE], "categories": [{"id": 1, "name": "bird"}]}
    return read_of(tmp_path, json.dumps(whole | content))


def read_of(tmp_path, text, name="a.json"):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    (tmp_path / name).write_text(text)
    return read.read(tmp_path).samples[0]


@pytest.mark.parametrize(
    "content",
    [
        {"annotations": [ONE | {"category_id": [1]}]},
        {"annotations": [ONE | {"category_id": {"a": 1}}]},
        {"categories": [{"id": [1], "name": "bird"}]},
        {"categories": None},
        {"categories": [{"id": 1, "name": "bird", "keypoints": 7}]},
        {"categories": [{"id": 1, "name": "bird", "keypoints": None}]},
    ],
)
def test_ids_and_names_of_any_type_are_looked_up(tmp_path, content):
    given = content.get("annotations", [ONE])
    seen = [one | {"keypoints": [3, 2, 2]} for one in given]
    found = data(tmp_path, **{**content, "annotations": seen})
    assert (len(found.boxes), len(found.parts)) == (1, 1)


@pytest.mark.parametrize(
    "content",
    [
        {"categories": 5},
        {"annotations": [ONE | {"bbox": [1, 1, 10**400, 1]}]},
        {"annotations": [ONE | {"keypoints": [10**400, 1, 2]}]},
        {"annotations": [ONE | {"segmentation": {"size": [-48, -64], "counts": [3072]}}]},
        {"images": IMAGES * 2},
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, one_line, content):
    with pytest.raises(InputError) as caught:
        data(tmp_path, **content)
    assert one_line(caught.value).startswith("a.json")


def test_an_id_of_many_pictures_is_refused_before_it_is_multiplied(tmp_path):
    with measured() as cost, pytest.raises(InputError, match="several images of the id 1"):
        data(tmp_path, images=IMAGES * 5000, annotations=[ONE] * 5000)
    assert cost.seconds < 5


def test_many_objects_of_one_picture_take_time_by_their_number(tmp_path):
    with measured() as cost:
        assert len(data(tmp_path, annotations=[ONE] * 60_000).boxes) == 60_000
    assert cost.seconds < 10  # joined one by one: minutes


def test_a_cell_without_an_end_is_one_line(tmp_path, one_line):
    text = 'image,x,y,width,height\n"' + "a" * 200_000
    with pytest.raises(InputError, match=r"a\.csv, line 2: field larger") as caught:
        read_of(tmp_path, text, "a.csv")
    one_line(caught.value)


@pytest.mark.parametrize("kind", ["json", "csv", "folder", "cub"])
def test_names_of_classes_are_one_line_of_letters(tmp_path, kind):
    name = "<b>\u202ebird\x07" + "x" * 1000
    if kind == "json":
        found = data(tmp_path, categories=[{"id": 1, "name": name}])
    elif kind == "csv":
        found = read_of(tmp_path, f"image,x,y,width,height,class\na.png,1,1,5,5,{name}\n", "a.csv")
    elif kind == "cub":
        (tmp_path / "image_class_labels.txt").write_text("1 1\n")
        (tmp_path / "classes.txt").write_text(f"1 {name}\n")
        found = read_of(tmp_path, "1 a.png\n", "images.txt")
    else:
        (tmp_path / "<b>\u202ebird\x07").mkdir()
        found = read_of(tmp_path / "<b>\u202ebird\x07", "", "x.txt")
        found = read.read(tmp_path).samples[0]
    assert found.class_name.startswith("<b> bird")
    assert found.class_name.isprintable()
    assert len(found.class_name) <= LONGEST_LABEL


def test_a_path_of_many_folders_is_looked_up_at_once():
    with measured() as cost:
        assert Names(["a.png"]).find("b/" * 100_000 + "a.png") == "a.png"
    assert cost.megabytes < 200
    assert cost.seconds < 5


def test_annotations_of_an_upload_are_bounded_together(one_line):
    half = archive.MOST_ANNOTATION_BYTES // 2 + 1
    archive.check_bounds([("a.json", half), ("b.png", half)], "x")
    with pytest.raises(MediaError, match="16 MB together") as caught:
        archive.check_bounds([("a.json", half), ("b.csv", half)], "x")
    one_line(caught.value)


@pytest.mark.parametrize("size", [[-3, -2], [3, 0]])
def test_masks_of_no_size_are_none(size):
    with pytest.raises(AttentionVizError, match="no run-length mask"):
        run_lengths.read({"size": size, "counts": [6]}, "one")
