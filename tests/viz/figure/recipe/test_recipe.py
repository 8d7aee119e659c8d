"""Recipes of figures: what is written is read again, and opens nothing."""

import builtins
import io
import json
import os
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.figure.recipe.conftest import REFERENCE, edited, usual
from viz.attention.choice import PARTS, SUMMARIES, MapChoice, ranked
from viz.attention.kinds.registry import KINDS
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.file_names import public
from viz.figure.recipe.recipe import Layout, Medium, Network, Part, Recipe, Reference, View
from viz.rendering.colormaps import COLORMAPS
from viz.rendering.look import Look

labels = st.text(max_size=200)
names = st.text(min_size=1, max_size=300).map(public)
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
