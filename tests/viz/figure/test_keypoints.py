"""Ground-truth points from CUB's text files, CSV and JSON, and one line for what is wrong."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import InputError, OutsideError
from viz.figure import keypoints
from viz.figure.keypoints import EVERY
from viz.figure.recipe.recipe import Part

PICTURES = "1 001.Wren/Wren_01.jpg\n2 001.Wren/Wren_02.jpg\n3 002.Tit/Wren_01.jpg\n"
NAMES = "1 beak\n2 left eye\n"
LOCATIONS = """1 1 12.5 30.0 1
1 2 40.0 31.0 1
2 1 0.0 0.0 0
2 2 7.0 9.0 1
3 1 3.0 4.0 1
9 1 5.0 5.0 1
"""


@pytest.fixture
def cub(tmp_path: Path) -> Path:
    """A folder as CUB has it."""
    folder = tmp_path / "CUB"
    (folder / "parts").mkdir(parents=True)
    (folder / "images.txt").write_text(PICTURES)
    (folder / "parts" / "parts.txt").write_text(NAMES)
    (folder / "parts" / "part_locs.txt").write_text(LOCATIONS)
    return folder


def read(text: str | bytes, name: str = "points.csv") -> keypoints.Truth:
    return keypoints.read_bytes(text if isinstance(text, bytes) else text.encode(), name)


def refused(one_line, text: str | bytes, name: str = "points.csv") -> str:
    with pytest.raises(InputError) as caught:
        read(text, name)
    return one_line(caught.value)


def test_cub_gives_the_visible_points_of_each_listed_picture(cub):
    truth = keypoints.read(cub)
    assert truth.parts == {
        "001.Wren/Wren_01.jpg": (Part("beak", 12.5, 30), Part("left eye", 40, 31)),
        "001.Wren/Wren_02.jpg": (Part("left eye", 7, 9),),
        "002.Tit/Wren_01.jpg": (Part("beak", 3, 4),),
    }
    assert truth.name == "CUB"


@pytest.mark.parametrize("way", ["parts", "parts/part_locs.txt"])
def test_the_folder_of_the_parts_or_the_file_in_it_may_be_given_as_well(cub, way):
    assert keypoints.read(cub / way).parts == keypoints.read(cub).parts


def test_cubs_files_may_lie_side_by_side_and_be_uploaded(tmp_path, cub):
    files = {"images.txt": PICTURES, "parts.txt": NAMES, "part_locs.txt": LOCATIONS}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    uploaded = keypoints.read_cub_files(
        {f"some/{name}": text.encode() for name, text in files.items()}
    )
    assert keypoints.read(tmp_path).parts == uploaded.parts == keypoints.read(cub).parts


def test_parts_without_names_are_numbered(cub):
    (cub / "parts" / "parts.txt").unlink()
    names = [part.name for part in keypoints.read(cub).of("001.Wren/Wren_01.jpg")]
    assert names == ["part 1", "part 2"]


@pytest.mark.parametrize(
    ("asked", "x"),
    [
        ("001.Wren/Wren_01.jpg", 12.5),
        ("/data/CUB/images/002.Tit/Wren_01.jpg", 3),
        ("C:\\CUB\\002.Tit\\Wren_01.jpg", 3),
        ("Wren_02.jpg", 7),
        ("elsewhere/Wren_02.jpg", 7),
        ("crops/Wren_02.png", 7),
    ],
)
def test_a_picture_is_found_by_path_name_and_stem(cub, asked, x):
    assert keypoints.read(cub).of(asked)[0].x == x


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("Wren_01.jpg", "001.Wren/Wren_01.jpg, 002.Tit/Wren_01.jpg, each of which could be"),
        ("x/Wren_01.png", "each of which could be"),
        ("Robin.jpg", "has no points of Robin.jpg; it has those of 001.Wren/Wren_01.jpg, 001"),
    ],
)
def test_a_picture_that_is_not_there_or_not_the_only_one_is_refused(cub, one_line, asked, words):
    with pytest.raises(OutsideError) as caught:
        keypoints.read(cub).of(asked)
    assert words in one_line(caught.value)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        (
            "parts/part_locs.txt",
            "1 1 2.0 3.0\n",
            "part_locs.txt, line 1: '1 1 2.0 3.0' cannot be read; give",
        ),
        ("parts/part_locs.txt", "\n1 1 2.0 x 1\n", "part_locs.txt, line 2: y 'x' cannot be used"),
        (
            "parts/part_locs.txt",
            "1 1 nan 3.0 1\n",
            "x 'nan' cannot be used; give a number of pixels",
        ),
        ("parts/part_locs.txt", "1 1 2.0 3.0 maybe\n", "'maybe' is not a visibility; give 1 or 0"),
        ("parts/part_locs.txt", "1 1 2.0 3.0 0\n", "no visible point"),
        ("parts/part_locs.txt", "1 1 2 3 1\n" * 65, "line 65: more than 64 points"),
        ("parts/parts.txt", "1\n", "parts.txt, line 1: '1' cannot be read; give"),
        ("parts/parts.txt", "1 " + "b" * 201 + "\n", "is not the name of a point"),
        ("images.txt", "1 a.jpg\n2\n", "images.txt, line 2"),
    ],
)
def test_a_bad_line_of_cub_is_named(cub, one_line, file, text, words):
    (cub / file).write_text(text)
    with pytest.raises(InputError) as caught:
        keypoints.read(cub)
    assert words in one_line(caught.value)


@pytest.mark.parametrize("file", ["parts/part_locs.txt", "images.txt"])
def test_a_missing_file_of_cub_is_named(cub, one_line, file):
    (cub / file).unlink()
    with pytest.raises(InputError) as caught:
        keypoints.read(cub)
    assert f"{Path(file).name} is missing" in one_line(caught.value)


BEAK = {EVERY: (Part("beak", 12.5, 30), Part("left eye", 40, 31))}


@pytest.mark.parametrize(
    "text",
    [
        "name,x,y\nbeak,12.5,30\nleft eye,40,31\n",
        "beak,12.5,30\nleft eye,40,31",
        "Part;X;Y\r\nbeak;12,5;30\r\nleft eye;40;31\r\n",
        "x\ty\tkeypoint\n12.5\t30\tbeak\n40\t31\tleft eye\n",
        "# name, x, y\n\nbeak, 12.5, 30\n\nleft eye, 40, 31\n",
        '"name","x","y","visible"\n"beak","12.5","30","1"\n"left eye",40,31,True\n"tail",,,0\n',
        "likelihood,part,x,y\n0.9,beak,12.5,30\n0.8,left eye,40,31\n",
        '[{"name": "beak", "x": 12.5, "y": 30}, {"name": "left eye", "x": 40, "y": 31}]',
        ' {"beak": [12.5, 30], "left eye": [40, 31]}',
    ],
)
def test_points_without_pictures_hold_for_every_picture(text):
    truth = read(text)
    assert truth.parts == BEAK
    assert truth.of("any.jpg") == truth.of("other.png") == BEAK[EVERY]


@pytest.mark.parametrize(
    "text",
    [
        "image,part,x,y\na.jpg,beak,1,2\nb.jpg,tail,3,4\n",
        "beak,1,2,a.jpg\ntail,3,4,b.jpg\n",
        "beak;1;2;a.jpg;1\ntail;3;4;b.jpg;1\ntail;3;4;a.jpg;0\n",
        '[{"name":"beak","x":1,"y":2,"image":"a.jpg"},{"name":"tail","x":3,"y":4,"file":"b.jpg"}]',
        '{"a.jpg": [{"name": "beak", "x": 1, "y": 2}], "b.jpg": {"tail": [3, 4]}}',
    ],
)
def test_points_are_kept_by_picture(text):
    truth = read(text)
    assert truth.parts == {"a.jpg": (Part("beak", 1, 2),), "b.jpg": (Part("tail", 3, 4),)}
    with pytest.raises(OutsideError):
        truth.of("c.jpg")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_spreadsheets_write_is_read(encoding):
    assert read("name,x,y\nBürzel,1,2\n".encode(encoding)).of("a")[0].name == "Bürzel"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("name,x,y\n", "no visible point"),
        ("name,x,y\nbeak,1\n", "points.csv, line 2: 'beak,1' cannot be read; give name, x, y"),
        ("name,x,y\nbeak,1,2\nbeak,one,2\n", "points.csv, line 3: x 'one' cannot be used"),
        ("beak,1,2\nbeak,1,inf\n", "line 2: y 'inf' cannot be used"),
        ("beak,1,2e6\n", "y '2e6' cannot be used"),
        (",1,2\n", "line 1: '' is not the name of a point"),
        ("x,y\n1,2\n", "line 2: '1,2' cannot be read; give name"),
        ("just words\n", "line 1: 'just words' cannot be read; give"),
        ("name,x,y,visible\nbeak,1,2,7\n", "'7' is not a visibility"),
        ("name,x,y,image\nbeak,1,2,a.jpg\ntail,1,2,\n", "of some points and not of others"),
        ("beak,1,2\n" * 65, "line 65: more than 64 points of one picture"),
        ("b" * 201 + ",1,2\n", "1 to 200 characters"),
        ('"' + "b" * 140_000 + '",1,2\n', "field larger than field limit"),
        (b"beak,1,2\n\xfc,1,2\n", "line 2: not UTF-8"),
        (b"beak\0,1,2\n", "is not text"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
        ("[", "is not JSON"),
        ("[" * 100_000, "is not JSON (nested too deeply)"),
        ("[3]", "point 1: 3 is no point; give"),
        ('[{"name": "a", "x": 1}]', "point 1: {'name': 'a', 'x': 1} is no point; give"),
        ('[{"name": "a", "x": NaN, "y": 1}]', "holds NaN"),
        ('[{"name": "a", "x": 1e999, "y": 1}]', "x inf cannot be used"),
        ('[{"name": "a", "x": true, "y": 1}]', "x True cannot be used"),
        ('[{"name": "a", "x": [], "y": 1}]', "x [] cannot be used"),
        ('[{"name": 5, "x": 1, "y": 1}]', "5 is not the name of a point"),
        ('[{"name": "a", "x": 1, "y": 1, "visible": []}]', "[] is not a visibility"),
        ('[{"name": "a", "x": 1, "y": 1, "image": 3}]', "3 is not the name of a picture"),
        (
            '[{"name": "a", "x": 1' + "0" * 400 + ', "y": 1}]',
            "cannot be used; give a number of pixels",
        ),
        ('{"a.jpg": 3}', "'a.jpg': 3 are no points; give"),
        ('{"a.jpg": {"beak": 3}}', "'a.jpg', point 1"),
        ("{}", "no visible point"),
    ],
)
def test_a_bad_file_is_one_line_that_names_the_place(one_line, text, words):
    assert words in refused(one_line, text)


def test_a_large_file_a_missing_one_and_a_device_are_refused(tmp_path, one_line):
    assert "more than 16 MB" in refused(one_line, b"a,1,2\n" * (3 * 2**20))
    (tmp_path / "huge.csv").touch()
    os.truncate(tmp_path / "huge.csv", 2**34)
    for path in (tmp_path / "none.csv", Path("/dev/zero"), "a\0b", tmp_path / "huge.csv", ""):
        with pytest.raises(InputError) as caught:
            keypoints.read(path)
        one_line(caught.value)


def test_control_characters_of_names_become_blanks():
    assert read(json.dumps({"left\n\teye\x1b": [1, 2]})).of("a")[0].name == "left eye"


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text("\"'{}[],;:\t\n0123456789.exyna-", max_size=200))
def test_whatever_comes_gives_points_or_an_input_error(content):
    content = content if isinstance(content, bytes) else content.encode()
    for make in (
        lambda: keypoints.read_bytes(content, "f"),
        lambda: keypoints.read_cub_files({"images.txt": b"1 a.jpg", "part_locs.txt": content}),
    ):
        with suppress(InputError):
            truth = make()
            assert all(isinstance(p, Part) for parts in truth.parts.values() for p in parts)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("abcß ,;'\"", min_size=1, max_size=9).map(str.strip).filter(bool),
            st.floats(-1e6, 1e6),
            st.floats(-1e6, 1e6),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_json_gives_back_what_was_written(points):
    listed = [{"name": name, "x": x, "y": y} for name, x, y in points]
    expected = tuple(Part(" ".join(name.split()), x, y) for name, x, y in points)
    assert read(json.dumps(listed)).of("a") == expected
