"""Several uploads as one data set: which files make it up, and what comes twice."""

import pytest
from streamlit.testing.v1 import AppTest

from errors import InputError
from models.specs.block import NonLocalSpec
from tests.conftest import make_tiny
from tests.ui.pages import app, assert_sound, png, zipped
from ui.isolation import given
from ui.numbers.data import choose
from ui.numbers.data.merge import merged

A, B = png(31, 23), png(37, 29)
POINTS = b"image,name,x,y\n"


@pytest.fixture(scope="module", autouse=True)
def _pool():
    yield
    given.pool().close()


def files_of(*uploads):
    found = merged(uploads)
    return dict(found.files), found.made_of, found.notes


def test_annotations_of_one_name_are_all_kept_by_names_that_say_where_they_are_from():
    files, made_of, notes = files_of(
        ("a.zip", [("a.png", A), ("points.csv", b"1")], True),
        ("b.zip", [("b.png", B), ("points.csv", b"2"), ("more.json", b"{}")], True),
        ("points.csv", [("points.csv", b"3")], False),
        ("points.csv", [("points.csv", b"4")], False),
    )
    assert files == {
        "a.png": A, "a.zip, points.csv": b"1", "b.png": B, "b.zip, points.csv": b"2",
        "more.json": b"{}", "points.csv": b"3", "points (2).csv": b"4",
    }  # fmt: skip
    assert made_of == (
        "a.zip (1 picture, points.csv), b.zip (1 picture, points.csv, more.json), points.csv, "
        "points (2).csv"
    )
    assert notes == ()


def test_a_picture_that_comes_twice_is_taken_once_with_a_word():
    files, made_of, notes = files_of(
        ("a.zip", [("a.png", A), ("masks/a.png", B), ("readme.txt", b"x")], True),
        ("a.zip", [("a.png", A), ("readme.txt", b"y"), ("images.txt", b"1 a.png")], True),
        ("c.png", [("c.png", B)], False),
        ("d.png", [("d.png", B)], False),
    )
    assert files.keys() == {"a.png", "masks/a.png", "readme.txt", "images.txt", "c.png", "d.png"}
    assert made_of == (
        "a.zip (1 picture, 1 mask, 1 unread text file), "
        "a (2).zip (1 picture, 1 CUB text file, 1 unread text file), 2 single pictures"
    )
    assert notes == ("1 file in several uploads, the same: taken once",)


@pytest.mark.parametrize("path", ["x/a.png", "masks/a.png", "images.txt", "parts/part_locs.txt"])
def test_what_differs_and_cannot_both_be_read_names_both(path, one_line):
    both = [("a.zip", [(path, b"1"), ("b.png", A)], True), ("c.zip", [(path, b"2")], True)]
    with pytest.raises(InputError) as problem:
        merged(both)
    assert f"{path} comes twice" in one_line(problem.value)
    assert "from a.zip and from c.zip" in str(problem.value)


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["birds/a.png", "birds/points.csv"], ["a.png", "points.csv"]),
        (["birds/jay/a.png", "birds/owl/b.png"], ["jay/a.png", "owl/b.png"]),
        (["x/CUB/images.txt", "x/CUB/images/1.Jay/a.png"], ["images.txt", "images/1.Jay/a.png"]),
        (["birds/a.png", "birds/masks/a.png"], ["a.png", "masks/a.png"]),
        (["owl/a.png", "owl/b.png"], ["owl/a.png", "owl/b.png"]),  # a class
        (["owl/a.png", "owl/notes.txt"], ["owl/a.png", "owl/notes.txt"]),
        (["jay/a.png", "owl/points.csv"], ["jay/a.png", "owl/points.csv"]),
        (["masks/a.png"], ["masks/a.png"]),
        (["x/" * 30_000 + "a.csv"], ["x/" * 29_992 + "a.csv"]),
        ([], []),
    ],
)
def test_an_archive_that_is_one_folder_is_what_is_in_it(paths, found):
    files, _made_of, _notes = files_of(("a.zip", [(path, b"x") for path in paths], True))
    assert list(files) == found


def opened() -> AppTest:
    model = make_tiny(NonLocalSpec())
    at = app().switch_page("pages/evaluate.py")
    at.session_state["own_models"] = {model.id: (model, "tiny")}
    at.session_state["evaluate-networks"] = [model.id]
    at.run()
    return at.selectbox(key="data").set_value(choose.UPLOAD).run()


def dropped(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Give the page these files in place of those before."""
    at.file_uploader(key="data-files").set_value([(*one, "x/y") for one in files]).run()
    return assert_sound(at)


def told(at: AppTest) -> str:
    """Return what the page says below the uploads."""
    return "\n".join(one.value.replace("\\", "") for one in at.sidebar.caption)


@pytest.mark.slow
def test_the_page_says_what_was_read_before_the_run():
    at = dropped(
        opened(),
        ("a.zip", zipped(("a.png", A), ("points.csv", POINTS + b"a.png,eye,1,2\nz.png,eye,1,2\n"))),
        (
            "b.zip",
            zipped(("b.png", B), ("points.csv", POINTS + b"b.png,eye,1,2\na.png,tail,3,4\n")),
        ),
        ("c.png", png(41, 31)),
    )
    assert "In use: a.zip (1 picture, points.csv), b.zip (1 picture, points.csv), 1 single" in told(
        at
    )
    assert "Read: 3 pictures, 2 with points; 1 without points, boxes or masks" in told(at)
    assert "a.zip, points.csv: 1 of 2 names fit no picture: z.png" in told(at)
    assert not at.error
    assert "measures what is chosen" in at.info[0].value  # nothing was run


@pytest.mark.slow
def test_a_faulty_file_stays_said_and_what_was_removed_stays_away():
    bad, good = POINTS + b"a.png,eye,x,2", POINTS + b"a.png,eye,1,2"
    at = dropped(opened(), ("a.png", A), ("points.csv", bad))
    said = at.error[0].value
    assert "points" in said
    dropped(at, ("a.png", A), ("points.csv", bad), ("points.csv", good))
    assert at.error[0].value == said
    dropped(at, ("a.png", A), ("points.csv", good))
    assert "1 with points" in told(at)
    assert not at.error
    dropped(at)  # both are removed
    assert "Read:" not in told(at)
    dropped(at, ("b.csv", bad))
    assert len(at.error) == 1
    assert "Read:" not in told(at)
    assert next(one for one in at.button if one.label == "Evaluate").disabled


@pytest.mark.slow
def test_what_is_in_use_stays_so_when_other_files_are_refused():
    bad, good = POINTS + b"a.png,eye,x,2", POINTS + b"a.png,eye,1,2"
    at = dropped(opened(), ("a.png", A), ("points.csv", good))
    in_use = told(at)
    assert "In use: points.csv, 1 single picture" in in_use
    dropped(at, ("a.png", A), ("points.csv", good), ("points.csv", bad))
    assert len(at.error) == 1
    assert told(at) == in_use
    assert not next(one for one in at.button if one.label == "Evaluate").disabled
    dropped(at, ("b.txt", b"no annotations"))  # as after another page, where there is no cross
    assert len(at.error) == 1
    assert told(at) == in_use
    dropped(at)
    assert not at.error
    assert told(at) == in_use
    next(one for one in at.button if one.label == "Remove").click().run()
    assert "In use" not in told(at)
