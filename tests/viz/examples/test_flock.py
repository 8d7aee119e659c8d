"""The drawn data set: the same every time, whole birds, annotations that the reader takes."""

import hashlib

import numpy as np

from viz.datasets.read import read
from viz.examples import flock


def _hashes(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).digest() for p in folder.rglob("*.*")}


def test_it_is_the_same_every_time_and_reads_as_annotated(tmp_path):
    found = read(flock.write(tmp_path))
    before = {p.name: hashlib.sha256(p.read_bytes()).digest() for p in tmp_path.rglob("*.*")}
    flock.write(tmp_path)
    assert before == {
        p.name: hashlib.sha256(p.read_bytes()).digest() for p in tmp_path.rglob("*.*")
    }
    assert (len(found.samples), found.notes) == (flock.COUNT, ())
    assert {sample.class_name for sample in found.samples} == set(flock.CLASSES)
    for sample in found.samples:
        assert [part.name for part in sample.parts] == list(flock.PARTS)
        assert len(sample.boxes) == len(sample.polygons) == 1


def test_every_bird_is_whole_and_its_parts_are_on_it():
    for one in flock.drawn():
        left, top, right, bottom = one.box
        assert min(left, top) > 0
        assert right < flock.WIDTH
        assert bottom < flock.HEIGHT
        for x, y in one.parts.values():
            assert np.hypot(*(one.outline - (x, y)).T).min() < 0.2 * (right - left)
