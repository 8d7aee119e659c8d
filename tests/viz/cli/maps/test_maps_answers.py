"""Which answer ``maps`` and ``figure`` go by: that at the size of the training, as on the page."""

from dataclasses import replace

import numpy as np
import pytest

import viz.figure
from viz.attention import pipeline
from viz.attention.predictions import prediction_words, top_classes
from viz.cli import main
from viz.examples import bird
from viz.figure.panels import presets
from viz.figure.recipe import recipe_json
from viz.figure.resolve import scene
from viz.figure.sources import FileSources

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_pages", "bundled_once")]

FINE, OWN = 448, 224


def capture(size):
    return pipeline.capture(pipeline.load("e2-cgnl"), bird.clip(), "fit", size)


def classes(size):
    return [index for index, _share in top_classes(capture(size))]


def maps(out, *more):
    asked = ["maps", "example:bird", "--model", "e2-cgnl", "--at", "215,120", "--out", str(out)]
    assert main.main([*asked, "--size", str(FINE), *more]) == 0


def test_finer_maps_are_told_with_the_answer_of_the_page_and_its_size(tmp_path, capsys):
    maps(tmp_path)
    words = prediction_words(capture(OWN))
    assert words != prediction_words(capture(FINE))
    first = capsys.readouterr().out.splitlines()[0]
    assert first.endswith(f": {words} by e2-cgnl at {OWN} px · maps at {FINE} px")


def test_classes_by_probability_are_those_of_the_answer_and_stand_in_the_recipe(tmp_path):
    maps(tmp_path, "--kind", "class maps")
    labels = np.load(tmp_path / "maps.npz", allow_pickle=False)["labels"].tolist()
    answer = classes(OWN)
    assert labels == [f"class {number}" for number in answer]
    [reference] = recipe_json.loads((tmp_path / "recipe.json").read_bytes()).references
    assert reference.views[0].maps == ",".join(map(str, answer))
    again = tmp_path / "again.png"
    assert main.main(["render", str(tmp_path / "recipe.json"), "--out", str(again)]) == 0
    assert again.read_bytes() == (tmp_path / f"example-bird-class-{answer[0]}.png").read_bytes()
    made = viz.figure.view("example:bird", "e2-cgnl", (215, 120), kind="class maps", size=FINE)
    assert made.recipe.references[0].views[0].maps == reference.views[0].maps


def test_a_recipe_that_names_classes_by_rank_draws_those_that_it_always_did():
    sources = FileSources()
    made = viz.figure.view("example:bird", "e2-cgnl", (215, 120), kind="class maps", size=FINE)
    [reference] = made.recipe.references
    [view] = reference.views
    ranked = replace(reference, views=(replace(view, maps="probability"),))
    [shot] = scene(ranked, sources).shots
    assert [one.number for one in shot.maps] == classes(FINE) != classes(OWN)
    panels = presets.panel_rows(replace(made.recipe, references=(ranked,)), sources)
    name = shot.model.class_name(classes(FINE)[0])
    assert any(name in str(panel) for row in panels.rows for panel in row.panels)


def test_where_the_maps_are_of_the_answers_size_classes_stand_by_rank():
    for kind, size in (("class maps", OWN), (None, FINE)):
        made = viz.figure.view("example:bird", "e2-cgnl", (215, 120), kind=kind, size=size)
        assert made.recipe.references[0].views[0].maps == "auto"
