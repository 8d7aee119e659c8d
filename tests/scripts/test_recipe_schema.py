import json

import jsonschema
import pytest

from scripts import recipe_schema
from tests.paths import ROOT
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Medium, Network, Recipe, Reference, View

DOCUMENT = ROOT / "docs" / "recipe.schema.json"
A_RECIPE = Recipe(
    "parts", (Reference(Medium("a.png", "ab"), (View(Network("r50n-nl", "cd")),), at=(1.0, 2.0)),)
)


def test_the_schema_in_docs_is_that_of_the_program(capsys):
    recipe_schema.main()
    assert capsys.readouterr().out == DOCUMENT.read_text(encoding="ascii")


def test_a_written_recipe_fits_the_schema():
    jsonschema.validate(json.loads(recipe_json.dumps(A_RECIPE)), recipe_json.schema())


@pytest.mark.parametrize("change", [{"format": "other/1"}, {"preset": "none"}, {"more": 1}])
def test_a_recipe_that_is_refused_does_not_fit_the_schema(change):
    content = {**json.loads(recipe_json.dumps(A_RECIPE)), **change}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, recipe_json.schema())
