"""Recipes that are refused: what is wrong is named in one line, where it stands."""

import json
from dataclasses import replace

import numpy as np
import pytest

from errors import InputError
from tests.viz.figure.recipe.conftest import REFERENCE, edited, refused, usual
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Layout
from viz.rendering.look import Look

PLACES = ("", "look.", "layout.", "references.0.", "references.0.medium.", "references.0.views.0.",
          "references.0.views.0.network.", "references.0.parts.0.")  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_key_that_this_version_does_not_know_is_refused_where_it_stands(place, one_line):
    said = refused(one_line, edited(f"{place}bogus", 1))
    where = place.replace(".0.", "[0].") + "bogus"
    assert said == f"fig.json: {where} is not known to this version; remove it."


@pytest.mark.parametrize(
    "place",
    ["preset", "references", "references.0.medium", "references.0.views", "references.0.parts.0.x",
     "references.0.medium.sha256", "references.0.views.0.network.id"],
)  # fmt: skip
def test_a_key_that_is_missing_is_named(place, one_line):
    content = json.loads(recipe_json.dumps(usual()))
    *steps, last = [int(step) if step.isdecimal() else step for step in place.split(".")]
    held = content
    for step in steps:
        held = held[step]
    del held[last]
    where = place.replace(".0", "[0]")
    assert refused(one_line, json.dumps(content)) == f"fig.json: {where} is missing; give it."


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("layout.dpi", "300"), ("layout.dpi", True), ("layout.dpi", 300.5), ("layout.dpi", 49),
        ("layout.dpi", 10**30), ("layout.dpi", None), ("layout.width_mm", "139.7"),
        ("layout.width_mm", 19.9), ("layout.width_mm", [1]), ("layout.labels", 1),
        ("layout.labels", "yes"), ("layout.font", "Comic Sans"), ("layout.font_pt", 37),
        ("layout.row_labels", "abc"), ("layout.row_labels", ["x" * 201]),
        ("layout.captions", "(b)"), ("layout.columns", -1), ("layout.bar", None),
        ("look.threshold", "0.5"), ("look.threshold", 1.5), ("look.threshold", -0.1),
        ("look.threshold", True), ("look.heat_opacity", 2), ("look.colormap", "rainbow"),
        ("look.colormap", 3), ("look.arrows", 201), ("look.arrows", -1), ("look.arrows", 2.0),
        ("look.fixed_range", [1, 0]), ("look.fixed_range", [0.5, 0.5]),
        ("look.fixed_range", [0]), ("look.normalise", "row"), ("preset", "pie"), ("preset", None),
        ("references", []), ("references", {}), ("references", None), ("versions", {"torch": 2}),
        ("references.0.at", [1]), ("references.0.at", [1, "2"]), ("references.0.at", "1,2"),
        ("references.0.at", [1e7, 0]), ("references.0.frame", 3), ("references.0.frame", -1),
        ("references.0.frame", False), ("references.0.label", "x" * 10_000),
        ("references.0.label", 3), ("references.0.label", "\ud800"),
        ("references.0.crop", [0, 0, 0.5, 9]), ("references.0.crop", [9, 0, 1, 9]),
        ("references.0.medium.path", ""), ("references.0.medium.path", "x" * 4097),
        ("references.0.medium.sha256", "xyz"), ("references.0.medium.sha256", "0" * 65),
        ("references.0.medium.frames", [3, 2, 5]), ("references.0.medium.frames", [2, 2, 5]),
        ("references.0.medium.frames", [-1, 2, 5]),
        ("references.0.medium.frames", list(range(257))),
        ("references.0.views", []), ("references.0.views.0.count", 0),
        ("references.0.views.0.count", 65), ("references.0.views.0.shown", "channel 0"),
        ("references.0.views.0.shown", "union\n"), ("references.0.views.0.shown", 3),
        ("references.0.views.0.shown", ["union"]), ("references.0.views.0.shown", "channel"),
        ("references.0.views.0.kind", "nope"), ("references.0.views.0.kind", ""),
        ("references.0.views.0.kind", 3), ("references.0.views.0.kind", "x" * 41),
        ("references.0.views.0.maps", ""), ("references.0.views.0.maps", "1," * 400),
        ("references.0.views.0.maps", ["auto"]), ("references.0.views.0.size", 15),
        ("references.0.views.0.size", 224.0), ("references.0.views.0.mode", "stretch"),
        ("references.0.views.0.network.answers", [["a"]]),
        ("references.0.parts.0.x", None),
        ("references.0.parts", [{"name": "a", "x": 1, "y": 2}] * 65),
    ],
)  # fmt: skip
def test_a_value_of_another_type_or_out_of_range_is_refused_where_it_stands(place, value, one_line):
    said = refused(one_line, edited(place, value))
    if value != "\ud800":  # half a character is not even JSON's
        assert place.rpartition(".")[2] in said
        assert all(step in said.replace("[0]", ".0") for step in place.split(".") if step != "0")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e400", "-1e999", "9" * 400])
@pytest.mark.parametrize("key", ['"threshold": 0.7', '"width_mm": 139.7'])
def test_what_is_no_finite_number_is_refused(word, key, one_line):
    text = recipe_json.dumps(usual()).replace(key, f"{key.partition(':')[0]}: {word}")
    assert "finite number" in refused(one_line, text)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("nonlocal-viz-figure/3", "version 3; this program reads versions up to 2. Update"),
        ("nonlocal-viz-figure/" + "9" * 5000, "version 999999"),
        ("nonlocal-viz-figure/one", "is of format"),
        ("nonlocal-viz-figure/0", "is of format"),
        ("nonlocal-viz-figure", "is of format"),
        ("nonlocal-viz/2", "is of format 'nonlocal-viz/2'"),
        ("nonlocal-viz-figure/1 ", "is of format"),
        ("nonlocal-viz-figure/02", "is of format"),
        (1, "is of format '1'"),
        (2, "is of format '2'"),
        (True, "is of format 'True'"),
        (None, "names no format"),
        (["x" * 10_000], "is of format"),
        (["nonlocal-viz-figure/1"], "is of format"),
        ({}, "is of format"),
        ({"nonlocal-viz-figure/1": 1}, "is of format"),
    ],
)
def test_another_format_or_a_newer_version_is_told_as_such(found, told, one_line):
    assert told in refused(one_line, edited("format", found))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '"text"', "null", "{}", "\x00", "%PDF-1.4", "preset: parts",
     b"\x89PNG\r\n\x1a\n\x00", b"\xff\xfe{\x00", bytes(range(256)), "[" * 100_000, '{"a":' * 900,
     '{"x": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_what_is_no_recipe_is_refused(text, one_line):
    refused(one_line, text)


@pytest.mark.parametrize("depth", [150, 199, 205, 490, 900, 985, 1000, 3000, 200_000])
@pytest.mark.parametrize("place", ["", "look.colormap", "references.0.label"])
def test_deep_nesting_is_refused(depth, place, one_line):
    text = edited(place or "deep", "HERE").replace('"HERE"', "[" * depth + "]" * depth)
    refused(one_line, text)


def test_ten_thousand_references_are_refused(one_line):
    first = json.loads(recipe_json.dumps(usual()))["references"][0]
    assert "references" in refused(one_line, edited("references", [0] * 10_000))
    assert "at most 64" in refused(one_line, edited("references", [first] * 65))


def test_what_is_larger_than_any_recipe_is_refused_unread(one_line, monkeypatch):
    monkeypatch.setattr(json, "loads", None)
    text = " " * (recipe_json.LARGEST_BYTES + 1)
    assert "at most 4194304" in refused(one_line, text)


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (usual(layout=Layout(width_mm=float("nan"))), "layout.width_mm"),
        (usual(layout=Layout(dpi="300")), "layout.dpi"),
        (usual(layout=Layout(dpi=True)), "layout.dpi"),
        (usual(layout=Layout(dpi=np.int64(300))), "layout.dpi"),
        (usual(layout=Layout(gap_mm=np.float32(1))), "layout.gap_mm"),
        (usual(layout=Layout(labels=1)), "layout.labels"),
        (usual(layout=Layout(row_labels="abc")), "layout.row_labels"),
        (usual(layout=Layout(row_labels=("x" * 201,))), "layout.row_labels"),
        (usual(layout=None), "layout"),
        (usual(look=Look(threshold=float("nan"))), "look.threshold"),
        (usual(look=Look(heat_opacity=float("inf"))), "look.heat_opacity"),
        (usual(look=Look(threshold=1.01)), "look.threshold"),
        (usual(look=Look(colormap="rainbow")), "look.colormap"),
        (usual(look=Look(fixed_range=(0.0, float("nan")))), "look.fixed_range"),
        (usual(look=Look(arrows=1000)), "look.arrows"),
        (usual(preset="pie"), "preset"),
        (usual(references=()), "references"),
        (usual(references="abc"), "references"),
        (usual(references=(REFERENCE,) * 65), "references"),
        (usual(references=(replace(REFERENCE, at=(float("nan"), 1.0)),)), "references[0].at"),
        (usual(references=(replace(REFERENCE, at=(1.0, float("-inf"))),)), "references[0].at"),
        (usual(references=(replace(REFERENCE, frame=3),)), "references[0].frame"),
        (usual(references=(replace(REFERENCE, views=()),)), "references[0].views"),
        (usual(references=(replace(REFERENCE, crop=(5.0, 5.0, 5.0, 9.0)),)), "references[0].crop"),
    ],
)
def test_a_recipe_made_in_python_is_checked_like_a_file(made, place, one_line):
    with pytest.raises(InputError) as caught:
        recipe_json.checked(made)
    assert place in one_line(caught.value)


@pytest.mark.parametrize(("maps", "words"), [("3:4", "use auto"), ("class evidence", "0,3,17")])
def test_maps_that_no_block_could_show_are_refused_by_place(maps, words, one_line):
    said = refused(one_line, edited("references.0.views.0.maps", maps))
    assert "references[0].views[0].maps" in said
    assert words in said
