"""The published schema of recipes: what it accepts is what the program accepts."""

import json
import re
from dataclasses import fields, replace

import jsonschema
import pytest

import viz.figure
from errors import InputError
from scripts import recipe_schema
from tests.conftest import make_tiny
from tests.paths import ROOT
from viz.attention.choice import MapChoice, ranked
from viz.attention.kinds.registry import KINDS
from viz.cli import main
from viz.figure.panels import presets
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Layout, Medium, Network, Recipe, Reference, View
from viz.figure.sources import FileSources
from viz.rendering import look as looks
from viz.rendering.look import Look

DOCUMENT = ROOT / "docs" / "recipe.schema.json"
A_VIEW = View(Network("e2-nl", "cd"))
A_RECIPE = Recipe("parts", (Reference(Medium("a.png", "ab"), (A_VIEW,), at=(1.0, 2.0)),))


def content_of(recipe: Recipe) -> dict:
    return json.loads(recipe_json.dumps(recipe))


def changed(owner: str, **entries) -> dict:
    """Return the content of a recipe with other values in its look or layout."""
    content = content_of(A_RECIPE)
    content[owner] |= entries
    return content


def fits(content: object) -> bool:
    return jsonschema.Draft202012Validator(recipe_json.schema()).is_valid(content)


def test_the_schema_in_docs_is_that_of_the_program(capsys):
    recipe_schema.main()
    assert capsys.readouterr().out == DOCUMENT.read_text(encoding="ascii")


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json.loads(DOCUMENT.read_text()))


def test_a_written_recipe_fits_the_schema():
    jsonschema.validate(content_of(A_RECIPE), recipe_json.schema())


@pytest.mark.parametrize("shown", [None, MapChoice("union"), ranked("channel", 1),
                                   MapChoice("channel", 17), MapChoice("head", 3),
                                   ranked("class", 2), MapChoice("maximum")])  # fmt: skip
@pytest.mark.parametrize("kind", [None, *KINDS])
def test_every_choice_of_a_map_fits_the_schema(shown, kind):
    view = replace(A_VIEW, shown=shown, kind=kind, maps="groups")
    made = replace(A_RECIPE, references=(replace(A_RECIPE.references[0], views=(view,)),))
    jsonschema.validate(content_of(made), recipe_json.schema())


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other/1"},
        {"format": "nonlocal-viz-figure/1"},
        {"preset": "none"},
        {"more": 1},
        {"references": []},
        {"layout": {"cgnl": "each"}},
    ],
)
def test_a_recipe_that_is_refused_does_not_fit_the_schema(change):
    assert not fits({**content_of(A_RECIPE), **change})


OUTSIDE = [
    ("threshold", 5), ("threshold", -0.1), ("threshold", 1.0000001), ("threshold", "0.5"),
    ("threshold", None), ("heat_opacity", 2), ("heat_opacity", -1), ("arrows", 100_000),
    ("arrows", 201), ("arrows", -1), ("arrows", 2.5), ("arrows", "3"), ("colormap", "nope"),
    ("colormap", ""), ("colormap", 3), ("normalise", "row"), ("normalise", None),
    ("interpolation", "cubic"), ("fixed_range", [0.0]), ("fixed_range", [0.0, 1.0, 2.0]),
    ("fixed_range", "0,1"), ("nothing", 1),
]  # fmt: skip
"""Fields of a look, and values that none can have."""
NOT_A_NUMBER = [("threshold", "NaN"), ("heat_opacity", "NaN"), ("threshold", "Infinity"),
                ("heat_opacity", "-Infinity"), ("fixed_range", "[0.0, NaN]")]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), OUTSIDE)
def test_schema_and_program_refuse_a_look_that_is_out_of_range(name, value, one_line):
    content = changed("look", **{name: value})
    assert not fits(content)
    with pytest.raises(InputError, match=rf"look\.{name}") as caught:
        recipe_json.loads(json.dumps(content))
    one_line(caught.value)


@pytest.mark.parametrize(("name", "word"), NOT_A_NUMBER)
def test_what_is_not_a_number_is_refused_in_a_file(name, word, one_line):
    content = changed("look", **{name: "HERE"})
    with pytest.raises(InputError, match=word.strip("[].0, ")) as caught:
        recipe_json.loads(json.dumps(content).replace('"HERE"', word))
    one_line(caught.value)


@pytest.fixture(scope="module")
def sources() -> FileSources:
    return FileSources(load=lambda _name, _answers: make_tiny(None))


@pytest.mark.parametrize(
    ("name", "value"),
    [*OUTSIDE, ("threshold", float("nan")), ("heat_opacity", float("nan")),
     ("threshold", float("inf")), ("arrows", float("nan")), ("fixed_range", (1.0, 0.0)),
     ("fixed_range", (float("nan"), 1.0))],
)  # fmt: skip
def test_python_refuses_it_too(name, value, sources, one_line):
    with pytest.raises(InputError, match=name) as caught:
        viz.figure.parts("example:bird", "tiny", (60, 90), sources=sources, **{name: value})
    one_line(caught.value)


COMMANDS = {
    "maps": ["maps", "example:bird", "--model", "e2-nl", "--at", "60,90", "--out"],
    "figure": ["figure", "parts", "example:bird", "--model", "e2-nl", "--at", "60,90", "--out"],
}
REFUSED = [
    ("--threshold", "5"), ("--threshold", "-0.1"), ("--threshold", "nan"), ("--threshold", "inf"),
    ("--opacity", "2"), ("--opacity", "-0.5"), ("--opacity", "nan"), ("--arrows", "100000"),
    ("--arrows", "-1"), ("--colormap", "nope"), ("--normalise", "row"),
    ("--interpolation", "cubic"), ("--arrows", "2.5"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("option", "value"), REFUSED)
def test_the_command_line_refuses_it_too(command, option, value, tmp_path, capsys):
    out = tmp_path / "new" / "a.png"
    try:
        code = main.main([*COMMANDS[command], str(out), f"{option}={value}"])
    except SystemExit as stop:  # argparse's own refusal of a choice
        code = stop.code
    assert code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.splitlines()[-1]
    assert option in last
    # It says what is accepted.
    kind = {"--opacity": "heat_opacity"}.get(option, option.removeprefix("--"))
    if value != "2.5":
        wanted = [f"{end:g}" for end in looks.bounds(Look, kind)] if kind in NUMBERS else (
            looks.choices(Look, kind))  # fmt: skip
        assert all(word in last for word in wanted), last
    assert not out.parent.exists()


NUMBERS = ("threshold", "heat_opacity", "arrows")


def look_schema() -> dict:
    schema = recipe_json.schema()
    return schema["$defs"]["Look"]["properties"]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ranges_of_the_schema_are_those_that_pages_read(name, sources):
    low, high = looks.bounds(Look, name)
    found = look_schema()[name]
    assert (found["minimum"], found["maximum"]) == (low, high)
    step = 1 if isinstance(low, int) else 1e-3
    for value, accepted in ((low, True), (high, True), (low - step, False), (high + step, False)):
        content = changed("look", **{name: value})
        assert fits(content) == accepted, value
        made = {name: value}
        if accepted:
            assert getattr(recipe_json.loads(json.dumps(content)).look, name) == value
            figure = viz.figure.parts("example:bird", "t", (6, 9), sources=sources, **made)
            assert getattr(figure.recipe.look, name) == value
        else:
            with pytest.raises(InputError):
                recipe_json.loads(json.dumps(content))


@pytest.mark.parametrize("name", ["normalise", "colormap", "interpolation"])
def test_the_choices_of_the_schema_are_those_that_pages_read(name):
    assert tuple(look_schema()[name]["enum"]) == looks.choices(Look, name)
    for value in looks.choices(Look, name):
        content = changed("look", **{name: value})
        assert fits(content)
        assert getattr(recipe_json.loads(json.dumps(content)).look, name) == value


@pytest.mark.parametrize("name", ["width_mm", "dpi", "gap_mm", "font_pt", "columns", "most_frames"])
def test_the_ranges_of_a_layout_are_those_that_pages_read(name):
    low, high = looks.bounds(Layout, name)
    found = recipe_json.schema()["$defs"]["Layout"]["properties"][name]
    assert (found["minimum"], found["maximum"]) == (low, high)
    assert fits(changed("layout", **{name: high}))
    assert not fits(changed("layout", **{name: high + 1}))


def test_a_look_and_a_layout_have_no_other_entries():
    schema = recipe_json.schema()["$defs"]
    for owner in (Look, Layout, View):
        found = schema[owner.__name__]
        assert list(found["properties"]) == [field.name for field in fields(owner)]
        assert found["additionalProperties"] is False


GUIDE = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")


def test_the_example_in_the_guide_is_a_recipe():
    (text,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    whole = text.replace(', "...": "..."', "").replace('"sha256": "..."', '"sha256": "ab"')
    assert "..." not in whole
    jsonschema.validate(json.loads(whole), recipe_json.schema())
    (reference,) = recipe_json.loads(whole).references
    shown = json.loads(whole)["references"][0]
    # It shows every entry that there is.
    assert set(shown) == {field.name for field in fields(Reference)}
    assert set(shown["views"][0]) == {field.name for field in fields(View)}
    assert set(json.loads(whole)) == {"format", *(field.name for field in fields(Recipe))}
    assert reference.views[0].shown == ranked("channel", 1)


def test_the_guide_explains_every_entry_of_a_recipe():
    explained = {
        word for row in re.findall(r"^\| ([a-z, ]+) \|", GUIDE, re.MULTILINE)
        for word in row.split(", ")
    }  # fmt: skip
    known = {"format", *(field.name for owner in (Recipe, Reference) for field in fields(owner))}
    assert known - {"label"} <= explained
    assert {"kind", "maps", "count", "shown"} <= explained
    assert all(name in GUIDE for name in presets.TABLE)
