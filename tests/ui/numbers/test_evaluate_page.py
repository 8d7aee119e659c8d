"""The Evaluate page: the example at once, uploads, folders of the server, stop, refusals."""

import gc
import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from errors import AttentionVizError, MachineError, MediaError
from models.specs.block import NonLocalSpec
from tests.conftest import make_tiny
from tests.ui.pages import app, assert_sound, png, zipped
from tests.viz.evaluation.drawn_birds import dataset
from ui.isolation import given, pool
from ui.numbers.data import choose, runs, uploads
from ui.server import settings
from ui.server.settings import Settings
from viz.datasets import archive
from viz.datasets.annotations import files
from viz.datasets.read import read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _pool():
    yield
    given.pool().close()


@pytest.fixture
def serving():
    before = settings.current()
    yield lambda *folders: settings.use(Settings(folders=tuple(map(str, folders))))
    settings.use(before)


def opened(model=None) -> AppTest:
    at = app().switch_page("pages/evaluate.py")
    if model is not None:
        at.session_state["own_models"] = {model.id: (model, "tiny")}
        at.session_state["evaluate-networks"] = [model.id]
    return at.run()


def folder_zip(folder) -> bytes:
    return zipped(
        *((p.relative_to(folder).as_posix(), p.read_bytes()) for p in folder.rglob("*.*"))
    )


_NO_BOX = b"image,left,top,right,bottom\na.png,5,1,2,3"
FAULTS = [
    ("no.zip", b"PK\x03\x04 broken", "is no zip"),
    ("out.zip", zipped(("../../a.png", b"x")), "leads out of the archive"),
    ("empty.zip", zipped(("readme.md", b"x")), "holds no pictures"),
    ("points.csv", b"image,name,x,y\na.png,eye,1,2", "holds no pictures"),
    ("boxes.zip", zipped(("a.png", png(9, 9)), ("boxes.csv", _NO_BOX)), "has no area"),
    ("names.zip", zipped(("a.png", png(9, 9)), ("p.csv", b"image,name,x,y\nz.png,eye,1,2")),
     "none of which is in the folder"),
]  # fmt: skip


def means(at: AppTest):
    return next(d.value for d in at.dataframe if "Measure" in d.value and "Mean" in d.value)


def test_the_example_is_measured_at_once_and_shared():
    at = assert_sound(opened())
    table = means(at)
    assert set(table["Network"]) == {"e2-nl", "e2-cgnl"}
    assert (table["Pictures"] <= 12).all()
    energy = table[(table["Measure"] == "energy") & (table["Network"] == "e2-nl")]
    by_map = dict(zip(energy["Map"], energy["Mean"], strict=True))
    assert by_map["map"] > by_map["chance"]
    assert len(at.get("download_button")) == 5
    notes = next(one for one in at.expander if "could not be used or measured" in one.label)
    assert "needs a detector that finds something" in notes.markdown[0].value
    assert at.code[-1].value == (
        "python -m viz evaluate FOLDER --model e2-nl --model e2-cgnl --out RESULTS"
    )
    again = opened()
    assert means(again).equals(table)
    assert not again.info
    next(one for one in again.button if one.label == "Evaluate").click().run()
    assert "nothing was measured anew" in assert_sound(again).info[0].value


def test_an_upload_is_read_by_children_and_measured(tmp_path):
    at = opened(make_tiny(NonLocalSpec()))
    at.selectbox(key="data").set_value(choose.UPLOAD).run()
    content = folder_zip(dataset(tmp_path / "d", 3))
    at.file_uploader(key="data-files").upload("birds.zip", content, "application/zip").run()
    evaluate = next(one for one in at.button if one.label == "Evaluate")
    assert_sound(evaluate.click().run())
    assert not at.error, at.error[0].value
    assert set(means(at)["Pictures"]) <= {1, 2, 3}
    assert "3 uploaded pictures" in at.markdown[1].value


@pytest.mark.parametrize("content", [folder_zip, lambda _folder: FAULTS[4][1]])
def test_an_upload_is_read_once_and_not_by_the_server(tmp_path, monkeypatch, content):
    asked, run = [], pool.Pool.run

    def noted(self, request, *more):
        asked.append(request["kind"])
        return run(self, request, *more)

    def refuse(*_files):
        raise AssertionError("annotations are read by the server's process")

    monkeypatch.setattr(pool.Pool, "run", noted)
    monkeypatch.setattr(files, "parse", refuse)
    monkeypatch.setattr(read, "__defaults__", (*read.__defaults__[:-1], refuse))
    at = opened(make_tiny(NonLocalSpec()))
    at.selectbox(key="data").set_value(choose.UPLOAD).run()
    packed = content(dataset(tmp_path / "d", 2))
    at.file_uploader(key="data-files").upload("birds.zip", packed, "application/zip").run()
    said = [one.value for one in at.error]
    for _ in range(2):
        assert_sound(at.run())
        assert [one.value for one in at.error] == said
    assert sorted(set(asked)) == ["annotations", "unpack"]
    assert asked.count("unpack") == 1
    assert asked.count("annotations") == (1 if said else 2)


def test_a_folder_of_the_server_is_offered_by_its_name_only(tmp_path, serving):
    serving(dataset(tmp_path / "one" / "birds", 2), dataset(tmp_path / "two" / "birds", 3))
    at = opened(make_tiny(NonLocalSpec()))
    options = at.selectbox(key="data").options
    assert options[1:3] == ["birds", "birds (2)"]
    at.selectbox(key="data").set_value("birds (2)").run()
    next(one for one in at.button if one.label == "Evaluate").click().run()
    assert "3 pictures" in assert_sound(at).markdown[1].value
    assert str(tmp_path) not in "".join(one.value for one in [*at.markdown, *at.caption])


def test_a_run_waits_until_the_run_before_has_ended(monkeypatch, one_line):
    """A rerun begins in another thread while the one before works on its last picture."""
    kept, order = runs.Runs(), []

    def second():
        with kept.alone("b"):
            order.append("second")

    with kept.alone("a"):
        other = threading.Thread(target=second)
        other.start()
        time.sleep(0.3)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    monkeypatch.setattr(runs, "_PATIENCE_S", 0.1)
    with kept.alone("a"), pytest.raises(MachineError) as problem, kept.alone("b"):
        pass
    assert "try again" in one_line(problem.value)


def test_folders_of_earlier_runs_go(tmp_path):
    kept = runs.Runs()
    for k in range(runs._KEPT + 3):
        with kept.alone(f"run{k}") as folder:
            folder.mkdir()
    assert len(list(kept.folder.iterdir())) == runs._KEPT
    where = kept.folder
    del kept
    gc.collect()
    assert not where.exists()


def test_every_fault_of_an_upload_is_one_line():
    at = opened(make_tiny(NonLocalSpec()))
    at.selectbox(key="data").set_value(choose.UPLOAD).run()
    for name, content, said in FAULTS:
        at.file_uploader(key="data-files").set_value([(name, content, "x/y")]).run()
        assert_sound(at)
        assert said in at.error[0].value.replace("\\", ""), (name, at.error[0].value)
        assert "\n" not in at.error[0].value


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("a.png", archive.MOST_BYTES + 1)], "384 MB"),
        ([("a.png", 1)] * (archive.MOST_FILES + 1), "5,001 files"),
        ([("a.json", archive.MOST_ANNOTATION_BYTES + 1)], "annotations of up to 16 MB"),
    ],
)
def test_bounds_of_uploads_are_said_in_one_line(files, said, one_line):
    with pytest.raises(MediaError) as problem:
        archive.check_bounds(files, "big.zip")
    assert said in one_line(problem.value)


@pytest.mark.parametrize("path", ["../b.png", "/etc/b.png", "a/../../b.png"])
def test_no_upload_is_written_outside_of_its_folder(path, one_line):
    with pytest.raises(AttentionVizError) as problem:
        uploads._written([(path, b"x")], uploads.Uploaded(("k",)))
    assert "leads out" in one_line(problem.value)
