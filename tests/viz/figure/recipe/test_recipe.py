"""Recipes of figures: what is written is read again; what is wrong is named in one line."""

import builtins
import io
import json
import os
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import InputError
from viz.attention.choice import PARTS, SUMMARIES, MapChoice, ranked
from viz.attention.kinds.registry import KINDS
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Layout, Medium, Network, Part, Recipe, Reference, View
from viz.rendering.colormaps import COLORMAPS
from viz.rendering.look import Look

labels = st.text(max_size=200)
names = st.text(min_size=1, max_size=300)
hashes = st.from_regex("[0-9a-f]{0,64}", fullmatch=True)
pixels = st.floats(-1e6, 1e6)
finite = st.floats(allow_nan=False, allow_infinity=False)


def few(one, most, least=0):
    return st.lists(one, min_size=least, max_size=most).map(tuple)


numbers = st.sets(st.integers(0, 2**31 - 1), max_size=9).map(lambda some: tuple(sorted(some)))
media = st.builds(Medium, names, hashes, numbers)
networks = st.builds(Network, names, hashes, few(st.tuples(labels, labels), 3))
choices = st.one_of(
    st.sampled_from([MapChoice(word) for word in SUMMARIES]),
    st.builds(ranked, st.sampled_from(["channel", "class"]), st.integers(1, 99_999)),
    st.builds(MapChoice, st.sampled_from(list(PARTS)), st.integers(0, 99_999)),
)
views = st.builds(
    View,
    networks,
    block=st.none() | st.text(max_size=200),
    mode=st.sampled_from(["fit", "center-crop"]),
    size=st.none() | st.integers(16, 1024),
    kind=st.none() | st.sampled_from(list(KINDS)),
    maps=st.sampled_from(["auto", "groups", "heads", "response", "one per group", "0", "3,17,5"]),
    count=st.integers(1, 64),
    shown=st.none() | choices,
    label=labels,
)
parts = st.builds(Part, labels, pixels, pixels)
corners = st.tuples(pixels, pixels, st.floats(1, 1e4), st.floats(1, 1e4))
crops = corners.map(lambda c: (c[0] / 2, c[1] / 2, c[0] / 2 + c[2] + 1, c[1] / 2 + c[3] + 1))


@st.composite
def references(draw):
    medium = draw(media)
    return Reference(
        medium,
        draw(few(views, 3, 1)),
        at=draw(st.none() | st.tuples(pixels, pixels)),
        frame=draw(st.integers(0, max(1, len(medium.frames)) - 1)),
        label=draw(labels),
        parts=draw(few(parts, 3)),
        crop=draw(st.none() | crops),
    )


looks = st.builds(
    Look,
    st.sampled_from(["clip", "frame", "fixed"]),
    st.floats(0, 1),
    st.sampled_from(list(COLORMAPS)),
    st.floats(0, 1),
    st.sampled_from(["smooth", "nearest"]),
    st.tuples(finite, finite).filter(lambda ends: ends[0] < ends[1]),
    st.integers(0, 200),
)
LAYOUT = dict(
    width_mm=st.floats(20, 1000),
    dpi=st.integers(50, 1200),
    gap_mm=st.floats(0, 50),
    font=st.sampled_from(["sans", "serif", "times"]),
    own_font=st.sampled_from(["", "mine.ttf", "Noto Sans"]),
    mathtext=st.booleans(),
    font_pt=st.floats(3, 36),
    captions=st.sampled_from(["none", "(a)", "a", "(A)", "A", "(1)"]),
    captions_of=st.sampled_from(["panels", "rows", "columns"]),
    labels=st.booleans(),
    row_labels=few(labels, 3),
    column_labels=few(labels, 3),
    bar=st.sampled_from(["none", "shared", "row", "map"]),
    scale=st.sampled_from(["map", "row", "figure"]),
    columns=st.integers(0, 100),
    transpose=st.booleans(),
    most_frames=st.integers(1, 64),
    crop=st.sampled_from(["whole", "seen", "square"]),
    regions=st.sampled_from(["none", "NL", "all"]),
    one_map=st.sampled_from(["as pinned", "union", "each"]),
    input_panel=st.booleans(),
    legend=st.booleans(),
    greyscale=st.booleans(),
    log_scale=st.booleans(),
)
layouts = st.builds(Layout, **LAYOUT)
recipes = st.builds(
    Recipe,
    st.sampled_from(recipe.PRESETS),
    few(references(), 3, 1),
    looks,
    layouts,
    st.dictionaries(st.text(max_size=30), labels, max_size=4),
)


def test_every_field_of_a_layout_is_drawn():
    assert set(LAYOUT) == {field.name for field in fields(Layout)}


@settings(max_examples=40, deadline=None)
@given(recipes)
def test_what_is_written_is_read_again(made):
    text = recipe_json.dumps(made)
    found = recipe_json.loads(text)
    assert found == made
    assert text.isascii()
    assert recipe_json.dumps(found) == text
    assert recipe_json.loads(text.encode()) == made
    assert recipe_json.checked(made) == made


def usual(**how) -> Recipe:
    medium = Medium("walk.mp4", "0a" * 32, (2, 3, 5))
    one = Reference(
        medium,
        (View(Network("e2-nl", "1b" * 32, (("frames", "8"),))),),
        (7.0, 11.0),
        2,
        "first",
        (Part("beak", 13.0, 17.5),),
        (0.0, 0.0, 19.0, 23.0),
    )
    return replace(Recipe("parts", (one,), versions={"torch": "2"}), **how)


def edited(place: str, value: object) -> str:
    """Return the usual recipe with another value at a place like references.0.at."""
    content = json.loads(recipe_json.dumps(usual()))
    *steps, last = [int(step) if step.isdecimal() else step for step in place.split(".")]
    held = content
    for step in steps:
        held = held[step]
    held[last] = value
    return json.dumps(content)


def refused(one_line, text, name="fig.json") -> str:
    with pytest.raises(InputError) as caught:
        recipe_json.loads(text, name)
    said = one_line(caught.value)
    assert said.startswith(name)
    return said


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


def test_nothing_that_a_recipe_names_is_opened(monkeypatch, tmp_path):
    there = tmp_path / "photo.png"
    there.write_bytes(b"never read")
    recipe_json.loads(recipe_json.dumps(usual()))  # imports are done

    def never(*asked, **_how):
        raise AssertionError(asked)

    for module, name in ((builtins, "open"), (io, "open"), (os, "open"), (os, "stat")):
        monkeypatch.setattr(module, name, never)
    for path in (str(there), "/etc/passwd", "//host/share/x.png", "http://localhost:1/x", "../x"):
        text = edited("references.0.medium.path", path).replace("e2-nl", path)
        assert recipe_json.loads(text).references[0].medium.path == path


REFERENCE = usual().references[0]


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


def test_a_list_is_as_good_as_a_tuple_in_python():
    made = usual(layout=Layout(row_labels=["a", "b"]), references=[REFERENCE])
    found = recipe_json.checked(made)
    assert found.layout.row_labels == ("a", "b")
    assert found == usual(layout=Layout(row_labels=("a", "b")))


def test_defaults_may_be_left_out_of_a_file():
    content = json.loads(recipe_json.dumps(usual()))
    del content["look"], content["layout"], content["versions"], content["references"][0]["crop"]
    found = recipe_json.loads(json.dumps(content))
    assert found.look == Look()
    assert found.layout == Layout()
    assert found.references[0].crop is None


def test_the_versions_are_those_that_are_installed():
    assert set(recipe.here()) >= {"torch", "numpy", "matplotlib", "pillow", "av"}
    assert recipe_json.checked(usual(versions=recipe.here())).versions == recipe.here()


def test_the_venues_widths_are_those_of_their_instructions():
    inches = [5.5, 3.25, 6.875]
    assert list(recipe.VENUES.values()) == pytest.approx([25.4 * v for v in inches] + [89, 183])


@pytest.mark.parametrize(("maps", "words"), [("3:4", "use auto"), ("class evidence", "0,3,17")])
def test_maps_that_no_block_could_show_are_refused_by_place(maps, words, one_line):
    said = refused(one_line, edited("references.0.views.0.maps", maps))
    assert "references[0].views[0].maps" in said
    assert words in said


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("union", MapChoice("union")),
        ("mean", MapChoice("mean")),
        ("channel 3", ranked("channel", 3)),
        ("c3", MapChoice("channel", 3)),
        ("k12", MapChoice("class", 12)),
        ("g0", MapChoice("group", 0)),
        ("group 0", MapChoice("group", 0)),
        ("head 11", MapChoice("head", 11)),
        (None, None),
    ],
)
def test_the_shown_map_is_text_in_a_file(text, choice):
    found = recipe_json.loads(edited("references.0.views.0.shown", text))
    assert found.references[0].views[0].shown == choice
    written = json.loads(recipe_json.dumps(found))["references"][0]["views"][0]["shown"]
    assert written == (None if choice is None else str(choice))


@pytest.mark.parametrize("kind", KINDS)
def test_every_map_kind_may_be_named(kind):
    found = recipe_json.loads(edited("references.0.views.0.kind", kind))
    assert found.references[0].views[0].kind == kind
