"""Recipes of version 1, written by hand: they open, and draw what version 2 draws."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from errors import InputError
from tests.viz.drawn_figures import Table, footage, gate_layers, photo
from viz.figure.api import Figure
from viz.figure.recipe import recipe_json, upgrade

PHOTO = '"medium": {"path": "photo", "sha256": "", "frames": []}, "at": [31.0, 23.0]'
CLIP = ('"medium": {"path": "clip", "sha256": "", "frames": [0, 1, 2, 3, 4, 5, 6]}, '
        '"at": [31.0, 23.0], "frame": 4')  # fmt: skip
NL = '{"network": {"id": "nl", "sha256": ""}}'


def cgnl(entries: str) -> str:
    return '{"network": {"id": "cgnl", "sha256": "", "answers": []}, ' + entries + "}"


def text(version: int, preset: str, where: str, views: str, rest: str = "") -> str:
    return (
        f'{{"format": "nonlocal-viz-figure/{version}", "preset": "{preset}", "references": '
        f'[{{{where}, "views": [{views}]}}], "layout": {{"width_mm": 89.0, "dpi": 60{rest}}}}}'
    )


BOTH = {
    "channels by rank, as version 1 wrote all of its keys": (
        text(1, "parts", PHOTO, f'{NL}, ' + cgnl(
            '"block": "res4.4", "mode": "fit", "size": null, "channels": "response", "count": 3, '
            '"shown": "channel 1", "label": "Ours"'), ', "regions": "NL", "cgnl": "as pinned"'),
        text(2, "parts", PHOTO, f'{NL}, ' + cgnl(
            '"block": "res4.4", "kind": null, "mode": "fit", "size": null, "maps": "response", '
            '"count": 3, "shown": "channel 1", "label": "Ours"'),
            ', "regions": "NL", "one_map": "as pinned"'),
    ),
    "what is left out": (
        text(1, "parts", PHOTO, f'{NL}, {{"network": {{"id": "cgnl", "sha256": ""}}}}'),
        text(2, "parts", PHOTO, f'{NL}, {{"network": {{"id": "cgnl", "sha256": ""}}}}'),
    ),
    "channels by number, the second shown": (
        text(1, "heatmaps", PHOTO, cgnl('"channels": "17,3,29", "shown": "channel 2"')),
        text(2, "heatmaps", PHOTO, cgnl('"maps": "17,3,29", "shown": "c3"')),
    ),
    "a group shown": (
        text(1, "heatmaps", PHOTO, cgnl('"channels": "contrast", "shown": "group 1"')),
        text(2, "heatmaps", PHOTO, cgnl('"maps": "contrast", "shown": "g1"')),
    ),
    "groups, the first of which was called channel 1": (
        text(1, "heatmaps", PHOTO, cgnl('"channels": "groups", "shown": "channel 1"')),
        text(2, "heatmaps", PHOTO, cgnl('"maps": "groups", "shown": "group 0"')),
    ),
    "groups, the third of them shown": (
        text(1, "heatmaps", PHOTO, cgnl('"channels": " groups", "shown": "channel 3"')),
        text(2, "heatmaps", PHOTO, cgnl('"maps": "groups", "shown": "group 2"')),
    ),
    "groups, nothing said of which is shown": (
        text(1, "heatmaps", PHOTO, cgnl('"channels": "groups"')),
        text(2, "heatmaps", PHOTO, cgnl('"maps": "groups"')),
    ),
    "the union by the view": (
        text(1, "frames", CLIP, f'{NL}, ' + cgnl('"shown": "union"')),
        text(2, "frames", CLIP, f'{NL}, ' + cgnl('"shown": "union"')),
    ),
    "the union by the layout": (
        text(1, "frames", CLIP, f'{NL}, ' + cgnl('"count": 7'), ', "cgnl": "union"'),
        text(2, "frames", CLIP, f'{NL}, ' + cgnl('"count": 7'), ', "one_map": "union"'),
    ),
    "each in a row of its own": (
        text(1, "frames", CLIP, cgnl('"channels": "5,7"'),
             ', "cgnl": "each", "most_frames": 3, "input_panel": false'),
        text(2, "frames", CLIP, cgnl('"maps": "5,7"'),
             ', "one_map": "each", "most_frames": 3, "input_panel": false'),
    ),
    "the groups of a clip": (
        text(1, "groups", CLIP, cgnl('"channels": "groups"')),
        text(2, "groups", CLIP, cgnl('"maps": "groups"')),
    ),
    "a matrix": (
        text(1, "matrix", PHOTO, NL, ', "bar": "row", "cgnl": "union"'),
        text(2, "matrix", PHOTO, NL, ', "bar": "row", "one_map": "union"'),
    ),
    "gates": (
        text(1, "gates", PHOTO, '{"network": {"id": "cgd", "sha256": ""}, "channels": "auto"}'),
        text(2, "gates", PHOTO, '{"network": {"id": "cgd", "sha256": ""}, "maps": "auto"}'),
    ),
}  # fmt: skip
"""What is tried -> (recipe of version 1, the same of version 2)."""


def everything() -> Table:
    found, other = footage(), photo()
    found.clips |= other.clips
    found.blocks |= other.blocks | {("photo", "cgd"): gate_layers()}
    return found


def pixels(recipe) -> np.ndarray:
    with Image.open(io.BytesIO(Figure(recipe, everything()).content("png"))) as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.mark.parametrize("what", BOTH)
def test_version_1_draws_the_pixels_of_version_2(what):
    first, second = (recipe_json.loads(one) for one in BOTH[what])
    old, new = pixels(first), pixels(second)
    np.testing.assert_array_equal(old, new)
    assert old.std() > 10


def test_the_cases_differ_from_each_other():
    drawn = {what: pixels(recipe_json.loads(new)).tobytes() for what, (_, new) in BOTH.items()}
    groups = [what for what in BOTH if what.startswith("groups, ")]
    assert drawn[groups[0]] == drawn[groups[2]] != drawn[groups[1]]
    assert len(set(drawn.values())) == len(drawn) - 1


@pytest.mark.parametrize("what", BOTH)
def test_what_was_read_is_written_in_todays_version(what):
    old, _ = BOTH[what]
    written = recipe_json.dumps(recipe_json.loads(old))
    assert json.loads(written)["format"] == "nonlocal-viz-figure/2"
    assert '"channels"' not in written
    assert '"cgnl":' not in written
    assert recipe_json.loads(written) == recipe_json.loads(old)


def test_the_content_that_is_given_is_left_as_it_was():
    content = json.loads(BOTH["groups, the third of them shown"][0])
    before = json.dumps(content)
    upgrade.from_version_1(content, "it")
    assert json.dumps(content) == before


def refused(one_line, given: str) -> str:
    with pytest.raises(InputError) as caught:
        recipe_json.loads(given, "old.json")
    said = one_line(caught.value)
    assert said.startswith("old.json")
    return said


VIEW = '{"network": {"id": "nl", "sha256": ""}'


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (text(1, "parts", PHOTO, VIEW + ', "bogus": 1}'), "references[0].views[0].bogus"),
        (text(1, "parts", PHOTO, VIEW + ', "maps": "auto"}'), "references[0].views[0].maps"),
        (text(1, "parts", PHOTO, VIEW + ', "kind": "features"}'), "references[0].views[0].kind"),
        (text(1, "parts", PHOTO, VIEW + ', "channels": "0", "maps": "3"}'),
         "references[0].views[0].maps"),
        (text(1, "parts", PHOTO, VIEW + ', "maps": "3", "channels": "0"}'),
         "references[0].views[0].maps"),
        (text(1, "parts", PHOTO, f'{NL}, {VIEW}, "cgnl": "union"}}'),
         "references[0].views[1].cgnl"),
        (text(1, "parts", PHOTO, NL, ', "one_map": "each"'), "layout.one_map"),
        (text(1, "parts", PHOTO, NL, ', "cgnl": "each", "one_map": "union"'), "layout.one_map"),
        (text(1, "parts", PHOTO, NL, ', "channels": "auto"'), "layout.channels"),
        (text(1, "parts", PHOTO + ', "channels": "auto"', NL), "references[0].channels"),
        (text(2, "parts", PHOTO, VIEW + ', "channels": "0"}'), "references[0].views[0].channels"),
        (text(2, "parts", PHOTO, NL, ', "cgnl": "each"'), "layout.cgnl"),
    ],
)  # fmt: skip
def test_a_key_that_the_version_had_not_is_refused_where_it_stands(given, place, one_line):
    said = refused(one_line, given)
    assert said.startswith(f"old.json: {place} is not known to ")
    assert said.endswith("remove it.")


@pytest.mark.parametrize(
    "value", ["1", '"auto"', "null", "{}", "[]", "[1]", "[[]]", "[null]", "true"]
)
@pytest.mark.parametrize(
    "place", ["references", "layout", "look", "versions", "preset", "references.0",
              "references.0.views", "references.0.views.0", "references.0.medium",
              "references.0.views.0.network", "references.0.views.0.channels",
              "references.0.views.0.shown", "layout.cgnl"],
)  # fmt: skip
def test_shapes_that_are_none_are_refused_in_one_line(place, value, one_line):
    content = json.loads(BOTH["groups, the third of them shown"][0])
    content["layout"]["cgnl"] = "each"
    held = content
    *steps, last = [int(step) if step.isdecimal() else step for step in place.split(".")]
    for step in steps:
        held = held[step]
    held[last] = json.loads(value)
    whole = [*((place, "{}") for place in ("layout", "look", "versions")),
             ("references.0.views.0.channels", '"auto"'),
             ("references.0.views.0.shown", "null")]  # fmt: skip
    if (place, value) in whole:
        assert recipe_json.loads(json.dumps(content)).preset == "heatmaps"
        return
    said = refused(one_line, json.dumps(content))
    # It is named by the place, or by what is wrong inside.
    assert place.partition(".")[0] in said


@pytest.mark.parametrize("given", ['["nonlocal-viz-figure/1"]', "{}", "1", "null", "true", "[]"])
def test_a_format_that_is_no_text_is_refused(given, one_line):
    whole = BOTH["a group shown"][0].replace('"nonlocal-viz-figure/1"', given)
    assert "a figure's recipe is nonlocal-viz-figure/2" in refused(one_line, whole)


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ('"channels": "groups", "shown": "channel 0"', "shown"),
        ('"channels": "groups", "shown": "channel 123456"', "shown"),
        ('"channels": 3, "shown": "channel 2"', "maps"),
        ('"channels": "best"', "maps"),
        ('"count": 65', "count"),
        ('"mode": "stretch"', "mode"),
    ],
)
def test_a_value_that_it_could_not_have_is_refused_where_it_stands(entries, place, one_line):
    said = refused(one_line, text(1, "heatmaps", PHOTO, cgnl(entries)))
    assert said.startswith(f"old.json: references[0].views[0].{place}")


def test_a_group_that_is_not_there_is_refused_when_it_is_drawn(one_line):
    made = recipe_json.loads(
        text(1, "heatmaps", PHOTO, cgnl('"channels": "groups", "shown": "channel 4"'))
    )
    with pytest.raises(InputError, match="group 3 is not a map of res4.4") as caught:
        Figure(made, everything()).plan()
    one_line(caught.value)
