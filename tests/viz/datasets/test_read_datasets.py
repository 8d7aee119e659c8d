"""Data sets in every layout, and what is refused: each fault is one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from errors import InputError
from viz.datasets.annotations import files
from viz.datasets.names import Names
from viz.datasets.read import read
from viz.geometry import Box


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((23, 31, 3), np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "birds/b.png", "birds/c.png"):
        picture(tmp_path / name)
    return tmp_path


def test_folders_are_classes(folder):
    found = read(folder)
    assert [(s.name, s.class_name) for s in found.samples] == [
        ("a.png", ""), ("birds/b.png", "birds"), ("birds/c.png", "birds")]  # fmt: skip
    assert found.notes == ()


def test_cubs_files(tmp_path):
    picture(tmp_path / "images" / "001.Jay" / "j1.png")
    picture(tmp_path / "images" / "002.Owl" / "o1.png")
    lines = {
        "images.txt": "1 001.Jay/j1.png\n2 002.Owl/o1.png\n3 002.Owl/gone.png",
        "classes.txt": "1 001.Jay\n2 002.Owl",
        "image_class_labels.txt": "1 1\n2 2\n3 2",
        "bounding_boxes.txt": "1 2.0 3.0 10.0 11.0\n2 0 0 5 5\n3 0 0 5 5",
        "train_test_split.txt": "1 1\n2 0\n3 0",
        "parts/part_locs.txt": "1 1 5.0 6.0 1\n1 2 7.0 8.0 0\n2 2 1.0 2.0 1",
        "parts/parts.txt": "1 beak\n2 left wing",
    }
    (tmp_path / "parts").mkdir()
    for name, text in lines.items():
        (tmp_path / name).write_text(text)
    found = read(tmp_path)
    jay, owl = found.samples
    assert (jay.class_name, jay.boxes) == ("001.Jay", (Box(2, 3, 12, 14),))
    assert [(p.name, p.x, p.y) for p in jay.parts] == [("beak", 5, 6)]
    assert [p.name for p in owl.parts] == ["left wing"]
    assert "1 of 3 names fit no picture: 002.Owl/gone.png" in found.notes[0]
    assert [s.name for s in read(tmp_path, split="test").samples] == ["images/002.Owl/o1.png"]


def test_points_and_boxes_in_csv_and_masks_in_a_folder(folder):
    (folder / "points.csv").write_text("image,name,x,y\na.png,eye,3,4\nb,eye,5,6\n")
    (folder / "boxes.csv").write_text(
        "image,x,y,width,height,class\nb.png,1,2,3,4,jay\nb.png,5,5,2,2,owl\n"
    )
    picture(folder / "masks" / "birds" / "c.png")
    a, b, c = read(folder).samples
    assert a.parts[0].x == 3
    assert b.parts[0].y == 6
    assert b.boxes == (Box(1, 2, 4, 6), Box(5, 5, 7, 7))
    assert b.class_name == "jay"
    assert c.mask == folder / "masks" / "birds" / "c.png"


def test_coco(folder):
    content = {
        "images": [{"id": 7, "file_name": "train/a.png"}, {"id": 8, "file_name": "b.png"}],
        "categories": [{"id": 2, "name": "bird", "keypoints": ["eye", "tail"]}],
        "annotations": [
            {"image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 4],
             "segmentation": [[0, 0, 9, 0, 9, 9]], "keypoints": [3, 4, 2, 0, 0, 0]},
            {"image_id": 7, "category_id": 2, "bbox": [5, 5, 1, 1],
             "segmentation": {"counts": [30, 5, 678], "size": [23, 31]}},
        ],
    }  # fmt: skip
    (folder / "instances.json").write_text(json.dumps(content))
    a, _b, _c = read(folder).samples
    assert (a.class_name, len(a.boxes), len(a.polygons)) == ("bird", 2, 1)
    assert [(p.name, p.x) for p in a.parts] == [("eye", 3)]
    assert a.runs == ((23, 31, (30, 5, 678)),)


def test_what_several_files_say_of_a_picture_is_put_together(folder):
    (folder / "1.csv").write_text("image,name,x,y\na.png,eye,3,4\na.png,beak,5,6\n")
    (folder / "2.csv").write_text("image,name,x,y\nb.png,eye,7,8\na.png,eye,3,4\na.png,tail,1,2\n")
    edges = "left,top,right,bottom,class"
    (folder / "3.csv").write_text(f"image,{edges}\na.png,1,2,3,4,jay\nb.png,1,2,3,4,jay\n")
    (folder / "4.csv").write_text(f"image,{edges}\na.png,1,2,3,5,jay\nb.png,1,2,3,4,owl\n")
    found = read(folder)
    a, b, c = found.samples
    assert [(p.name, p.x) for p in a.parts] == [("eye", 3), ("beak", 5), ("tail", 1)]
    assert a.boxes == (Box(1, 2, 3, 4), Box(1, 2, 3, 5))
    assert [p.x for p in b.parts] == [7]
    assert (b.boxes, b.class_name, c.class_name) == ((Box(1, 2, 3, 4),), "jay", "birds")
    assert found.notes == (
        "4.csv: 1 picture with another class or mask in annotations before, which counts: "
        "birds/b.png",
    )


def test_annotations_in_folders_inside_are_said_not_to_be_read(folder):
    for name in ("birds/points.csv", "birds/.hidden/b.json", "x/more.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{")
    (note,) = read(folder).notes
    assert "2 annotation files in folders inside, not read: birds/points.csv, x/more.json" in note
    assert read(folder, annotations=[_written(folder / "p.csv")]).notes == ()


def _written(path: Path) -> Path:
    path.write_text("image,name,x,y\na.png,eye,3,4\n")
    return path


def test_what_was_read_is_one_line(folder):
    assert read(folder).summary == (
        "3 pictures, 1 class (birds), 1 picture without a class; none has points, boxes or masks"
    )
    _written(folder / "points.csv")
    (folder / "boxes.csv").write_text(
        "image,left,top,right,bottom,class\na.png,1,2,3,4,jay\nb.png,1,2,3,4,owl\n"
    )
    picture(folder / "masks" / "birds" / "b.png")
    assert read(folder).summary == (
        "3 pictures, 1 with points, 2 with boxes, 1 with masks, 3 classes (birds, jay, owl); "
        "1 without points, boxes or masks"
    )
    assert read(folder, most=1).summary == (
        "1 of 3 pictures, evenly spaced, 1 with points, 1 with boxes, 1 class (jay)"
    )


def test_so_many_pictures_are_evenly_spaced(folder):
    assert [s.name for s in read(folder, most=2).samples] == ["a.png", "birds/b.png"]


def test_an_ambiguous_name_fits_none_and_a_longer_one_does():
    names = Names(["x/1.png", "y/1.png", "2.jpg"])
    assert names.find("1.png") is None
    assert names.find("images/x/1.png") == "x/1.png"
    assert names.find("y/1") == "y/1.png"
    assert names.find("2.png") == "2.jpg"
    assert names.find("3.png") is None


def _write(name: str, text: str):
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (_write("boxes.csv", "image,left,top,right,bottom\na.png,1,2,x,4"), "are not pixels"),
        (_write("boxes.csv", "image,left,top,right,bottom\na.png,9,2,1,4"), "has no area"),
        (_write("boxes.csv", "left,top,right,bottom\n1,2,3,4"), "has no columns of boxes"),
        (_write("points.csv", "image,name,x,y\nz.png,eye,1,2"), "none of which is in the folder"),
        (_write("points.csv", "name,x,y\neye,1,2"), "name no pictures"),
        (_write("points.json", "{"), "is not JSON"),
        (_write("coco.json", '{"images": [], "annotations": 3}'), "is not COCO's"),
        (_write("coco.json", '{"images": [], "annotations": [3]}'), "is not one of COCO's"),
        (_write("coco.json", '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": '
                             '[{"image_id": 1, "bbox": [1, 2]}]}'), "are not pixels"),
        (_write("images.txt", "1"), "cannot be read"),
    ],
)  # fmt: skip
def test_faults_of_annotations_are_one_line(fault, said, folder, one_line):
    fault(folder)
    with pytest.raises(InputError) as problem:
        read(folder)
    assert said in one_line(problem.value)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"folder": "none"}, "is not a folder"),
        ({"folder": "empty"}, "holds no pictures"),
        ({"split": "test"}, "has no images.txt"),
        ({"annotations": ["a.png"]}, "are no annotations"),
    ],
)
def test_faults_of_folders_are_one_line(how, said, folder, one_line):
    (folder / "empty").mkdir()
    where = folder / how.pop("folder", "")
    with pytest.raises(InputError) as problem:
        read(where, **how)
    assert said in one_line(problem.value)


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_read(tmp_path):
    picture(tmp_path / "7.png")
    rows = "".join(f"{k}.png,eye,{k % 30},1\n" for k in range(100_000))
    path = tmp_path / "points.csv"
    path.write_text("image,name,x,y\n" + rows)
    assert len(files.parse({path.name: path.read_bytes()})) == 100_000
    assert read(tmp_path).samples[0].parts[0].x == 7
