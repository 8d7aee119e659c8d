"""Explore with a detector: its objects are listed and drawn, and one can be the reference."""

import json
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
import torch

from models.detection.detector import Detections
from tests.conftest import draw
from tests.viz.tiny_detectors import c4
from ui import state
from ui.components.picker.payload import pack
from ui.explore import objects as explore_objects
from viz.attention import pipeline, queries
from viz.attention.captures import Memory
from viz.attention.detection import objects
from viz.figure.recipe.recipe import Medium, Network, Reference, View
from viz.figure.resolve import Scene, Shot
from viz.rendering.look import Look
from viz.types import Clip


@pytest.fixture
def found(monkeypatch) -> Scene:
    monkeypatch.setattr(st, "session_state", {state.OBJECT_SCORE.name: 0.0})
    clip = Clip(draw(53, 67), (0.0,), "street.png", "5" * 64)
    capture = pipeline.capture(c4(), clip)
    block = queries.block_of(capture)
    view = View(Network("tiny-c4", "3" * 64))
    cell = queries.nearest_cell(capture, block, (30, 20))
    shot = Shot(view, capture.model, capture, block, cell)
    reference = Reference(Medium("street.png", "5" * 64), (view,), (30.0, 20.0))
    return Scene(reference, clip, (shot,))


def header(blob: bytes) -> dict:
    length = int.from_bytes(blob[:4], "little")
    return json.loads(blob[4 : 4 + length])


def test_the_canvas_gets_the_boxes_inside_the_picture(found):
    packed = header(pack(found, Look(), objects=explore_objects.drawn(found)))
    (panel,) = packed["panels"]
    listed = objects.found(found.shots[0].capture, score=0.0)
    assert [one["text"] for one in panel["objects"]] == [one.words for one in listed]
    picture = packed["pictures"][0]
    for one in panel["objects"]:
        assert 0 <= one["left"] <= one["right"] <= picture["width"]
        assert 0 <= one["top"] <= one["bottom"] <= picture["height"]


def test_score_and_class_choose_what_is_drawn(found, monkeypatch):
    listed = objects.found(found.shots[0].capture, score=0.0)
    middle = listed[len(listed) // 2].score
    monkeypatch.setattr(st, "session_state", {state.OBJECT_SCORE.name: middle})
    drawn = [one.text for one in explore_objects.drawn(found).drawn[0]]
    assert drawn == [one.words for one in listed if one.score >= middle]
    chosen = {state.OBJECT_SCORE.name: 0.0, state.OBJECT_CLASS.name: "cat"}
    monkeypatch.setattr(st, "session_state", chosen)
    assert all(" cat " in one.text for one in explore_objects.drawn(found).drawn[0])


def test_a_classifier_has_no_boxes(nl_model, tiny_clip):
    capture = pipeline.capture(nl_model, tiny_clip)
    block = queries.block_of(capture)
    view = View(Network("tiny", ""))
    shot = Shot(view, nl_model, capture, block, queries.nearest_cell(capture, block, (3, 3)))
    reference = Reference(Medium("tiny.png", ""), (view,), (3.0, 3.0))
    scene = Scene(reference, tiny_clip, (shot,))
    assert explore_objects.drawn(scene).drawn == {}
    assert header(pack(scene, Look()))["panels"][0]["objects"] == []


def test_the_pointer_may_take_the_mean_over_every_object(found, monkeypatch):
    chosen = {state.OBJECT_SCORE.name: 0.0, state.OBJECT_POINTER.name: "mean"}
    monkeypatch.setattr(st, "session_state", chosen)
    on_panels = explore_objects.drawn(found)
    (shot,) = found.shots
    listed = objects.found(shot.capture, score=0.0)
    assert [one.number for one in on_panels.over[0]] == [one.number for one in listed]
    for over, one in zip(on_panels.over[0], listed, strict=True):
        row = queries.mean_row(shot.capture, one.number)
        assert np.allclose(over.mean, row.values, atol=1e-6)
        assert (
            len(over.positions)
            == objects.cells_of(one, shot.capture.geometry, shot.block.query_grid).sum()
        )
    packed = header(pack(found, Look(), objects=on_panels))
    assert packed["pointer"] == "mean"
    assert [one["number"] for one in packed["panels"][0]["over"]] == [o.number for o in listed]


def test_three_hundred_objects_are_drawn_and_the_best_hundred_averaged(found, monkeypatch):
    chosen = {state.OBJECT_SCORE.name: 0.0, state.OBJECT_POINTER.name: "mean"}
    monkeypatch.setattr(st, "session_state", chosen)
    (shot,) = found.shots
    count = 320
    draw_box = torch.rand(count, 4, generator=torch.Generator().manual_seed(3)) * 40
    boxes = torch.cat((draw_box[:, :2], draw_box[:, :2] + draw_box[:, 2:] + 1), 1)
    many = Detections(boxes, torch.linspace(0.99, 0.5, count), torch.ones(count, dtype=torch.long))
    capture = replace(shot.capture, detections=(many,), memory=Memory())
    crowded = replace(found, shots=(replace(shot, capture=capture),))
    on_panels = explore_objects.drawn(crowded)
    assert len(on_panels.drawn[0]) == explore_objects.MOST_BOXES
    assert len(on_panels.over[0]) == explore_objects.MOST_MEANS
    blob = pack(crowded, Look(), objects=on_panels)
    assert len(header(blob)["panels"][0]["objects"]) == explore_objects.MOST_BOXES
    assert len(blob) < 2**20


def test_maps_that_python_sends_are_the_pinned_means(found):
    (shot,) = found.shots
    one = objects.found(shot.capture, score=0.0)[1]
    reference = replace(found.reference, object=one.number, mean=True)
    pinned = replace(found, reference=reference, shots=(replace(shot, over=one),))
    row = queries.mean_row(shot.capture, one.number)
    assert np.allclose(pinned.shots[0].shown.values, row.values, atol=1e-6)
    (over,) = explore_objects.drawn(pinned).over[0]
    assert np.allclose(over.mean, row.values, atol=1e-6)
    panel = header(pack(pinned, Look(), objects=explore_objects.drawn(pinned)))["panels"][0]
    assert (panel["object"], panel["region"]) == (one.number, None)
