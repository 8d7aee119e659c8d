"""Options of figures: listed once, each a field of something, each with an effect."""

import inspect
from dataclasses import MISSING, fields, replace
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from PIL import Image

import viz.figure
from errors import InputError
from models.report import Fact, Report
from tests.conftest import make_tiny
from viz.attention.choice import MapChoice
from viz.figure import api, composition
from viz.figure.keypoints import EVERY, Truth
from viz.figure.options import OF_VIEWS, Asked, Options
from viz.figure.recipe import recipe
from viz.figure.recipe.recipe import Layout, Part, View
from viz.figure.sources import FileSources
from viz.rendering.look import Look
from viz.types import Sampling

HINTS = get_type_hints(Options)
FIELDS = {field.name: owner for owner in (Asked, Look, Layout) for field in fields(owner)}
PRESETS = [getattr(viz.figure, name) for name in recipe.PRESETS]


def test_every_option_is_a_field_and_every_field_an_option():
    assert set(HINTS) == FIELDS.keys() | {"width", "sources"}
    counted = sum(len(fields(owner)) for owner in (Asked, Look, Layout))
    assert len(FIELDS) == counted  # no name is of two of them
    assert Options.__required_keys__ == frozenset()


def test_what_is_asked_of_views_are_their_fields():
    assert set(OF_VIEWS) == {field.name for field in fields(View)} - {"network"}
    assert set(OF_VIEWS) < {field.name for field in fields(Asked)}
    of_views = {field.name: field for field in fields(View)}
    for field in fields(Asked):
        if field.name in OF_VIEWS:
            assert field.default == of_views[field.name].default, field.name


def plain(kind):
    return plain(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


@pytest.mark.parametrize("owner", [Look, Layout])
def test_options_have_the_types_of_their_fields(owner):
    for name, kind in get_type_hints(owner).items():
        found = HINTS[name]
        if get_origin(kind) is Literal and found is str:
            continue  # its choices are in the recipe
        assert found == plain(kind), name


@pytest.mark.parametrize("function", [*PRESETS, viz.figure.compose], ids=lambda one: one.__name__)
def test_the_signature_lists_every_option(function):
    signature = inspect.signature(function)
    given = [one for one in signature.parameters.values() if one.kind is not one.KEYWORD_ONLY]
    named = {one.name: one for one in signature.parameters.values() if one not in given}
    assert set(named) == set(HINTS)
    assert {name: one.annotation for name, one in named.items()} == HINTS
    assert not any(one.kind is one.VAR_KEYWORD for one in given)
    expected = ["inputs", "models", "at"]
    if function is viz.figure.compose:
        expected = ["preset", *expected]
    elif not composition.needs_reference(function.__name__):
        expected = expected[:2]
    assert [one.name for one in given] == expected
    # A notebook prints it, and completes it.
    assert "threshold: float" in str(signature)
    signature.bind(*["x"] * len(given), **dict.fromkeys(HINTS))


def test_there_is_a_function_for_every_preset():
    assert {*recipe.PRESETS, "compose", "load", "Figure", "KINDS"} == set(api.__all__)
    assert set(api.__all__) <= set(dir(viz.figure))
    for name in api.__all__:
        assert getattr(viz.figure, name) is getattr(api, name)
    for name in ("nothing", "__path_of__"):
        with pytest.raises(AttributeError, match=name):
            getattr(viz.figure, name)


OTHERS = {
    "frame": (2, lambda r: r.references[0].frame),
    "sampling": (Sampling(3, 1, 0), lambda r: Sampling(len(r.references[0].medium.frames), 1, 0)),
    "truth": (Truth({EVERY: (Part("foot", 1.0, 2.0),)}, "points"),
              lambda r: Truth({EVERY: r.references[0].parts}, "points")),
    "answers": ((("kernel", "cgnl"),), lambda r: r.references[0].views[0].network.answers),
    "name": ("A kick", lambda r: r.references[0].label),
    "box": ((1.0, 2.0, 30.0, 40.0), lambda r: r.references[0].crop),
    "object": (2, lambda r: r.references[0].object), "mean": (True, lambda r: r.references[0].mean),
    "levels": ((0.0, 1000.0), lambda r: r.references[0].medium.levels),
    "second": ("example:second-bird", lambda r: getattr(r.references[0].second, "path", None)),
    "block": ("res3.2", None), "kind": ("features", None), "mode": ("center-crop", None),
    "size": (96, None), "maps": ("groups", None), "count": (3, None),
    "shown": (MapChoice("group", 1), None), "label": ("Ours", None),
    "normalise": ("frame", None), "threshold": (0.25, None), "colormap": ("viridis", None),
    "heat_opacity": (0.125, None), "interpolation": ("nearest", None),
    "fixed_range": ((-1.0, 2.0), None), "arrows": (7, None),
    "width_mm": (99.0, None), "dpi": (111, None), "gap_mm": (2.5, None), "font": ("times", None),
    "own_font": ("a.ttf", None), "mathtext": (True, None),
    "font_pt": (6.5, None), "captions": ("A", None), "captions_of": ("rows", None),
    "labels": (False, None), "row_labels": (("a", "b"), None), "column_labels": (("c",), None),
    "bar": ("map", None), "scale": ("row", None), "columns": (3, None), "transpose": (True, None),
    "most_frames": (4, None), "crop": ("square", None), "regions": ("all", None),
    "one_map": ("each", None), "input_panel": (True, None), "legend": (False, None),
    "greyscale": (True, None), "log_scale": (True, None), "display": ("log", None),
    "cut": ("area", None), "share": (0.375, None),
}  # fmt: skip
"""Option -> another value than it starts with, and where the recipe has it."""


def value_in(made, name, find):
    if find is not None:
        return find(made)
    holder = made.references[0].views[0] if FIELDS[name] is Asked else None
    return getattr(holder or (made.look if FIELDS[name] is Look else made.layout), name)


@pytest.mark.parametrize("name", OTHERS)
def test_an_option_is_in_the_recipe(name, tmp_path):
    value, find = OTHERS[name]
    medium = "example:kick"
    if name == "second":  # which goes with pictures only
        medium = "example:bird"
    if name == "levels":  # which go with deep pictures only
        medium = tmp_path / "deep.png"
        Image.fromarray(np.arange(97 * 131, dtype=np.uint16).reshape(97, 131)).save(medium)
    facts = (Fact("kernel", "cgnl", "your answer"),)
    model = replace(make_tiny(None), report=Report("a family", "a container", facts))
    sources = FileSources(load=lambda _name, _answers: model)
    usual, made = (
        viz.figure.frames(medium, "tiny", (60, 90), sources=sources, **given).recipe
        for given in ({}, {name: value})
    )
    assert value_in(made, name, find) == value
    assert value_in(usual, name, find) != value


def test_no_option_is_left_out_above():
    assert set(OTHERS) == set(FIELDS)
    starts = {f.name: f for owner in (Asked, Look, Layout) for f in fields(owner)}
    assert all(field.default is not MISSING for field in starts.values())


def test_width_stands_for_width_mm():
    sources = FileSources(load=lambda _name, _answers: make_tiny(None))
    made = viz.figure.frames("example:kick", "tiny", (60, 90), sources=sources, width="cvpr-column")
    assert made.recipe.layout.width_mm == 82.55
    assert made.sources is sources


@pytest.mark.parametrize("name", [name for name in FIELDS if len(name) > 4])
def test_a_name_with_a_slip_is_refused_with_the_right_one(name, one_line):
    slip = name[0] + name[2] + name[1] + name[3:]  # two letters in the wrong order
    if slip == name:
        slip = name + name[-1]
    sources = FileSources(load=lambda _name, _answers: make_tiny(None))
    with pytest.raises(InputError, match=f"'{slip}' is not an option; perhaps") as caught:
        viz.figure.parts("example:bird", "tiny", (60, 90), sources=sources, **{slip: 1})
    assert name in one_line(caught.value).partition("perhaps")[2]


def test_what_is_like_no_option_is_refused_with_all_of_them(one_line):
    sources = FileSources(load=lambda _name, _answers: make_tiny(None))
    with pytest.raises(InputError, match="'xyzzy' is not an option; use one of") as caught:
        viz.figure.parts("example:bird", "tiny", (60, 90), sources=sources, xyzzy=1)
    said = one_line(caught.value)
    assert set(said.partition("use one of ")[2].rstrip(".").split(", ")) == {*FIELDS, "width"}
