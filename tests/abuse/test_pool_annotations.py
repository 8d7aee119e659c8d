"""Annotations of uploads read by children: the same as in this process, within limits, and nothing
that a child says is believed."""

import os
import signal
from contextlib import suppress

import numpy as np
import pytest

from errors import InputError
from tests.abuse.inputs import bombs
from tests.viz.datasets.test_columns import KNOWN
from ui.isolation import channel, given, jobs, pool, texts
from viz.datasets.annotations import columns, files

pytestmark = [pytest.mark.timeout(60), pytest.mark.slow]

GOOD = {
    "boxes": {"b.csv": b"image,x,y,width,height,class\na.png,1,2,3,5,jay\n,7,7,1,1,\n"},
    "points": {"p.csv": b"image,name,x,y\na.png,eye,3,5\n"},
    "points as JSON": {"p.json": b'{"a.png": [{"name": "eye", "x": 3, "y": 5}]}'},
    "COCO": {"c.json": b'{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id":'
             b'1, "segmentation": {"size": [2, 3], "counts": [0, 5, 1]}}, {"image_id": 1, '
             b'"segmentation": [[1, 2, 3, 5, 7, 11]], "keypoints": [1, 2, 2]}]}'},
    "CUB": {"images.txt": b"1 a.png\n2 b.png\n", "train_test_split.txt": b"1 1\n2 0\n",
            "bounding_boxes.txt": b"1 2 3 5 7\n"},
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    given.pool().close()


def told(known):
    return {name: {key: v for key, v in own.items() if v} for name, own in known.items()}


@pytest.mark.parametrize("kind", GOOD)
def test_a_child_reads_the_annotations_that_this_process_reads(kind):
    split = "train" if kind == "CUB" else None
    expected = told(files.parse(GOOD[kind], split))
    assert expected
    assert texts.annotations(GOOD[kind], split) == expected


@pytest.mark.parametrize(
    "given_files",
    [
        {"a.json": b"{"},
        {"a.json": b"[" * 100_000},
        {"a.json": b'{"images": [], "annotations": 3}'},
        {"a.csv": b"left,top,right,bottom\n1,2,3,4"},
        {"a.csv": b'image,x,y,width,height\n"' + b"a" * 200_000},
        {"a.csv": b""},
        {"images.txt": b"1"},
    ],
)
def test_refusals_are_those_of_the_reader(given_files, one_line):
    with pytest.raises(InputError) as here:
        files.parse(given_files)
    with pytest.raises(InputError) as there:
        texts.annotations(given_files, None)
    assert one_line(there.value) == str(here.value)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"megabytes": 10}, "needs more than the 10 MB of memory"),
        ({"patience": 0}, "takes more than 0 s"),
        ({"result_mb": 0}, "could not be read"),
    ],
)
def test_annotations_over_a_limit_are_one_line_and_the_next_are_read(
    monkeypatch, one_line, limits, words
):
    given.pool().close()  # a child that kept memory of earlier files needs less
    monkeypatch.setattr(pool, "_LOOK_EVERY_S", 0.001)
    kind = jobs.KINDS["annotations"]._replace(**limits)
    monkeypatch.setitem(pool.KINDS, "annotations", kind)
    large = bombs.coco_of_empty_lists() if "result_mb" not in limits else GOOD["COCO"]["c.json"]
    with pytest.raises(InputError, match=words) as caught:
        texts.annotations({"large.json": large}, None)
    assert "smaller annotations" in one_line(caught.value)
    monkeypatch.undo()
    assert texts.annotations(GOOD["points"], None)


def test_a_child_that_is_killed_over_annotations_is_one_line(one_line):
    texts.annotations(GOOD["points"], None)
    victim = given.pool().processes[-1]

    def look(*_told, **_place):
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)

    with pytest.raises(InputError, match=r"a\.json could not be read: .* broke down") as caught:
        texts.annotations({"a.json": bombs.coco_of_empty_lists()}, None, look)
    one_line(caught.value)
    assert texts.annotations(GOOD["points"], None)


def test_stop_ends_the_work_on_annotations():
    class StoppedError(Exception):
        pass

    calls = iter(range(10**6))

    def look(*_told, **_place):
        if next(calls) > 0:
            raise StoppedError

    with pytest.raises(StoppedError):
        texts.annotations({"a.json": bombs.coco_of_empty_lists()}, None, look)
    assert texts.annotations(GOOD["points"], None)


@pytest.mark.parametrize("lie", ["texts", "counts", "pixels", "blocks", "seals"])
def test_columns_that_a_child_makes_up_are_one_line(monkeypatch, one_line, lie):
    honest = columns.packed(KNOWN)
    changed = {} if lie in ("blocks", "seals") else {lie: np.ones(3000, np.int64).tobytes()}

    def run(*_asked):
        made = [channel.block(column) for column in honest._replace(**changed)]
        if lie == "seals":
            channel.close([made.pop()])
            made.append(os.memfd_create("x", os.MFD_ALLOW_SEALING))
            os.write(made[-1], honest.pixels.tobytes())
        if lie == "blocks":
            channel.close([made.pop()])
        return {}, made

    monkeypatch.setattr(pool.Pool, "run", run)
    with pytest.raises(InputError) as caught:
        texts.annotations({"a.csv": b"x" * 100}, None)
    one_line(caught.value)
